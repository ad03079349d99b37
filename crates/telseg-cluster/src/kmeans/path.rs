//! k-means for every number of clusters in a range, each helped by the one before.

use std::ops::RangeInclusive;

use ndarray::{ArrayRef1, ArrayRef2};
use rand::Rng as _;
use telseg_core::{Error, Result, Scalar, Seed};

use super::data::Data;
use super::lloyd::Outcome;
use super::model::KMeans;
use super::params::{Init, KMeansParams};

impl KMeansParams {
    /// Fits every number of clusters in `ks`, ascending, and returns the models in this order; `n_clusters` is ignored.
    ///
    /// The rows are checked and summarised once. Besides its fresh starts each number gets one from the solution for the
    /// number before: the cluster that costs most is split by one of its rows, drawn with probability in proportion to
    /// weight times squared distance from the centre. It stands last in the report's `starts`.
    ///
    /// # Errors
    /// As [`fit`](Self::fit); given centres have a number already and are refused.
    ///
    /// # Cost
    /// `n_init + 1` starts for each number. Labels of all models are kept: 4 bytes a row and number.
    ///
    /// # Examples
    /// ```
    /// use ndarray::Array2;
    /// use telseg_cluster::KMeans;
    /// // Four kinds of subscribers (minutes, GB).
    /// let usage = Array2::from_shape_fn((200, 2), |(i, j)| ((i % 4 >> j) % 2 * 10 + (i * (3 + j)) % 5) as f32);
    /// let path = KMeans::params(1).with_seed(1).path(1..=5, &usage)?;
    /// let inertia: Vec<f64> = path.iter().map(|model| model.report().inertia).collect();
    /// // An elbow at four: a fifth cluster explains little.
    /// assert!(inertia[2] > 3.0 * inertia[3] && inertia[3] < 2.0 * inertia[4]);
    /// # Ok::<(), telseg_core::Error>(())
    /// ```
    pub fn path<F: Scalar>(
        &self,
        ks: RangeInclusive<usize>,
        x: &ArrayRef2<F>,
    ) -> Result<Vec<KMeans<F>>> {
        self.path_with(ks, x, None)
    }

    /// As [`path`](Self::path), with a weight of at least 0 for each row.
    ///
    /// # Errors
    /// As `path`, and when a weight is negative or not finite, or all are 0.
    pub fn path_weighted<F: Scalar>(
        &self,
        ks: RangeInclusive<usize>,
        x: &ArrayRef2<F>,
        weights: &ArrayRef1<f64>,
    ) -> Result<Vec<KMeans<F>>> {
        self.path_with(ks, x, Some(weights))
    }

    fn path_with<F: Scalar>(
        &self,
        ks: RangeInclusive<usize>,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<Vec<KMeans<F>>> {
        let (low, high) = (*ks.start(), *ks.end());
        if low < 1 || high < low {
            let problem = format!("expected a range from at least 1 up, found {low}..={high}");
            return Err(Error::param("ks", problem));
        }
        if matches!(self.init, Init::Centers(_)) {
            let problem = "given centres leave no number of clusters to vary";
            return Err(Error::param("init", problem));
        }
        let of = |k: usize| Self {
            n_clusters: k,
            ..self.clone()
        };
        of(low).validate()?;
        let data = Data::new(x, weights, high, self.distance)?;
        let (mut models, mut split) = (Vec::with_capacity(high - low + 1), None);
        for k in ks {
            let params = of(k);
            let (best, starts, algorithm) = params.best(&data, split.take())?;
            split = Some(params.split(&data, &best));
            models.push(params.model(&data, best, starts, algorithm));
        }
        Ok(models)
    }

    /// The centres of a solution and a row of its costliest cluster.
    fn split<F: Scalar>(&self, data: &Data<'_, F>, of: &Outcome<F>) -> Vec<F> {
        let d = data.n_columns;
        let cost = |i: usize| {
            let center = &of.centers[of.labels[i] as usize * d..][..d];
            let pairs = data.row(i).iter().zip(center);
            data.weight(i)
                * pairs
                    .map(|(x, c)| (x.into_f64() - c.into_f64()).powi(2))
                    .sum::<f64>()
        };
        let mut costs = vec![0.0; self.n_clusters];
        of.labels
            .iter()
            .enumerate()
            .for_each(|(i, &l)| costs[l as usize] += cost(i));
        let worst = (0..costs.len())
            .max_by(|&a, &b| costs[a].total_cmp(&costs[b]))
            .unwrap_or(0);
        let mut rng = Seed::new(self.seed)
            .stream("kmeans.path")
            .index(self.n_clusters as u64);
        let mut left = rng.random::<f64>() * costs[worst];
        let mut row = 0;
        for i in (0..data.n_rows).filter(|&i| of.labels[i] as usize == worst) {
            let cost = cost(i);
            if cost > 0.0 {
                row = i;
            }
            if left < cost {
                break;
            }
            left -= cost;
        }
        of.centers.iter().chain(data.row(row)).copied().collect()
    }
}
