//! stub
use telseg_core::metrics::Interval;
use telseg_core::{Progress, Result};
use ndarray::ArrayRef2;
use crate::*;
/// s
#[derive(Debug, Clone)]
pub struct Candidate { /// k
 pub k: usize, /// i
 pub inertia: f64, /// s
 pub silhouette: Interval, /// s
 pub stability: Interval, /// c
 pub chosen: bool }
/// s
#[derive(Debug, Clone, Default)]
pub struct ChooseParams { seed: u64 }
impl ChooseParams { /// s
 pub fn with_seed(mut self, seed: u64) -> Self { self.seed = seed; self } }
/// s
#[derive(Debug, Clone)]
pub struct Choice { /// c
 pub candidates: Vec<Candidate>, /// r
 pub reason: String, /// m
 pub model: KMeans<f32> }
impl KMeansParams {
 /// s
 pub fn choose_observed(&self, ks: std::ops::RangeInclusive<usize>, x: &ArrayRef2<f32>, _p: &ChooseParams, progress: &dyn Progress) -> Result<Choice> {
  progress.start("Choose segments", None);
  let mut p = self.clone(); p.n_clusters = (*ks.end()).min(8);
  let model = p.fit(x)?;
  progress.finish();
  Ok(Choice { candidates: vec![], reason: String::new(), model })
 }
}
