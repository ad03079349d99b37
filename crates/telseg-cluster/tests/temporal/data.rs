//! Months to follow: made by hand, and drawn.

use ndarray::Array2;
use telseg_cluster::temporal::{Month, Place, SegmentHistory, SegmentId, Transition};
use telseg_core::Seed;

pub(super) fn seg(n: u32) -> Place {
    Place::Segment(SegmentId(n))
}

/// `n` ids from `first`.
pub(super) fn ids(first: u64, n: usize) -> Vec<u64> {
    (first..first + n as u64).collect()
}

/// Rows around `centers[label]`, of spread about 1, different for each seed.
pub(super) fn rows(labels: &[u32], centers: &[[f64; 2]], seed: u64) -> Array2<f32> {
    let stream = Seed::new(seed).stream("rows");
    let bell = |at: u64| (0..12).map(|k| stream.unit(at * 12 + k)).sum::<f64>() - 6.0;
    Array2::from_shape_fn((labels.len(), 2), |(i, j)| {
        (centers[labels[i] as usize][j] + bell(2 * i as u64 + j as u64)) as f32
    })
}

/// A history whose last month has ids `1..` in runs of so many for segments 0, 1, ...
pub(super) fn after(sizes: &[usize]) -> SegmentHistory {
    let mut history = SegmentHistory::params().start().unwrap();
    let labels: Vec<u32> = (0..).zip(sizes).flat_map(|(s, &n)| vec![s; n]).collect();
    history
        .update(&Month::without_rows(&ids(1, labels.len()), labels))
        .unwrap();
    history
}

pub(super) fn runs(sizes: &[(u32, usize)]) -> Vec<u32> {
    sizes
        .iter()
        .flat_map(|&(label, n)| vec![label; n])
        .collect()
}

/// Months of `n` subscribers of a base that does not change, but for noise.
pub(super) fn still(
    history: &mut SegmentHistory,
    n: usize,
    months: u64,
    seed: u64,
) -> Vec<Transition> {
    let labels: Vec<u32> = (0..n as u32).map(|i| i % 4).collect();
    let centers = [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]];
    let one = |month| {
        let x = rows(&labels, &centers, seed * 1000 + month);
        history
            .update(&Month::new(&ids(1, n), labels.clone(), &x))
            .unwrap()
    };
    (0..months).map(one).collect()
}
