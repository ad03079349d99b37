//! Mini-batch k-means: centres follow small batches of rows, so that a good answer comes before all rows were seen.
//!
//! Each batch is labelled with the nearest centres; every centre then becomes the mean of all rows that it was given so
//! far, `c <- (W c + sum w x) / (W + sum w)`: the learning rate of a centre is one over its weight.
//!
//! Use [`KMeans`](super::KMeans) where the rows fit into memory and an exact optimum matters; it is fast. This one is for
//! streams ([`MiniBatchKMeans::partial_fit`]) and for data that should be read once
//! ([`MiniBatchKMeansParams::fit_blocks`]).
//!
//! # References
//! D. Sculley (2010), "Web-scale k-means clustering", algorithm 1; batches are summed before the update, as in L. Bottou,
//! Y. Bengio (1995), "Convergence properties of the k-means algorithms".

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::kernel::{NearestTile, Packed, TILE};
use telseg_core::seed::Stream;
use telseg_core::{Error, Result, Scalar, Seed, par};

use super::codebook::Codebook;
use super::data::Data;
use super::lloyd::Round;
use super::params::{Distance, Init, KMeansParams};
use crate::rows::{check_finite, check_weights, contiguous};

/// Parameters of [`MiniBatchKMeans`]; start from [`MiniBatchKMeans::params`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MiniBatchKMeansParams {
    /// Number of clusters, at least 1.
    pub n_clusters: usize,
    /// Where the centres start. Default: exact k-means on a sample of three batches (at least 50 rows a cluster).
    pub init: Init,
    /// Rows of a batch. Default 4096.
    pub batch_size: usize,
    /// Most batches. Default 1000. A stream of blocks ends when it ends.
    pub max_iter: usize,
    /// Batches without progress in the smoothed inertia after which a fit has converged; `None` runs `max_iter`.
    /// Default 10.
    pub max_no_improvement: Option<usize>,
    /// Seed of all random choices. Default 0.
    pub seed: u64,
}

/// Centres that follow batches, and what is needed to label rows with the nearest.
///
/// # Examples
/// ```
/// use ndarray::{Array2, array};
/// use telseg_cluster::MiniBatchKMeans;
/// // A stream: each hour's rows in a block (minutes, GB), two kinds of subscribers.
/// let hour = |h: usize| Array2::from_shape_fn((60, 2), |(i, j)| ((i % 2) * 20 + (i * (5 + j) + h) % 9) as f32);
/// let mut model = MiniBatchKMeans::params(2).with_seed(7).fit(&hour(0))?;
/// for h in 1..24 {
///     model.partial_fit(&hour(h))?;
/// }
/// assert_ne!(model.predict_row(&array![3.0f32, 4.0])?, model.predict_row(&array![25.0f32, 24.0])?);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct MiniBatchKMeans<F: Scalar = f32> {
    codebook: Codebook<F>,
    /// The centres in double precision, by row: small steps must not be lost.
    centers: Vec<f64>,
    weights: Vec<f64>,
    report: MiniBatchReport,
    #[serde(skip)]
    labels: Array1<u32>,
}

/// How a fit went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MiniBatchReport {
    /// Batches so far.
    pub n_iter: usize,
    /// Whether the smoothed inertia stopped falling before `max_iter`.
    pub converged: bool,
    /// Squared distance to the nearest centre by unit of weight, smoothed over the batches.
    pub mean_inertia: f64,
}

/// Rows that one task works on.
const CHUNK: usize = 512;

impl MiniBatchKMeans<f32> {
    /// What to ask for: `n_clusters` clusters, everything else by default.
    pub fn params(n_clusters: usize) -> MiniBatchKMeansParams {
        MiniBatchKMeansParams {
            n_clusters,
            init: Init::KMeansPlusPlus,
            batch_size: 4096,
            max_iter: 1000,
            max_no_improvement: Some(10),
            seed: 0,
        }
    }
}

impl MiniBatchKMeansParams {
    /// Sets where the centres start.
    pub fn with_init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// Sets the rows of a batch.
    pub fn with_batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// Sets the most batches.
    pub fn with_max_iter(mut self, max_iter: usize) -> Self {
        self.max_iter = max_iter;
        self
    }

    /// Sets the batches without progress after which a fit ends; `None`: never before `max_iter`.
    pub fn with_max_no_improvement(mut self, batches: Option<usize>) -> Self {
        self.max_no_improvement = batches;
        self
    }

    /// Sets the seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks every parameter; `fit` calls it first.
    ///
    /// # Errors
    /// The first parameter that cannot have its value, by name.
    pub fn validate(&self) -> Result<()> {
        self.start().validate()?;
        if self.batch_size == 0 {
            return Err(Error::param("batch_size", "expected at least 1, found 0"));
        }
        if self.max_no_improvement == Some(0) {
            return Err(Error::param(
                "max_no_improvement",
                "expected at least 1 batch, found 0",
            ));
        }
        Ok(())
    }

    /// Finds clusters among the rows of `x`; batches are drawn with replacement.
    ///
    /// # Shapes
    /// `x`: at least `n_clusters` rows, at least one column; finite.
    ///
    /// # Errors
    /// Parameters, shapes and values, in this order; the message names the argument.
    ///
    /// # Cost
    /// One pass to check the rows; `2 batch_size k d` operations a batch.
    pub fn fit<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<MiniBatchKMeans<F>> {
        self.fit_with(x, None)
    }

    /// As [`fit`](Self::fit), with a weight of at least 0 for each row: a row of weight 2 pulls twice as much.
    ///
    /// # Errors
    /// As `fit`, and when a weight is negative or not finite, or all are 0.
    pub fn fit_weighted<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: &ArrayRef1<f64>,
    ) -> Result<MiniBatchKMeans<F>> {
        self.fit_with(x, Some(weights))
    }

    fn fit_with<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<MiniBatchKMeans<F>> {
        self.validate()?;
        self.start().check_centers(x.ncols())?;
        let data = Data::new(x, weights, self.n_clusters, Distance::Euclidean)?;
        let seed = Seed::new(self.seed);
        let (centers, sizes) = self.sampled_start(&data, seed.stream("minibatch.sample"))?;
        let mut model = MiniBatchKMeans::new(centers, sizes, &data.shift);
        let stream = seed.stream("minibatch.batch");
        let smoothing = (2.0 * self.batch_size as f64 / (data.n_rows as f64 + 1.0)).min(1.0);
        let (mut best, mut since) = (f64::INFINITY, 0);
        for step in 0..self.max_iter {
            let draws = stream.child(step as u64);
            let row = |i: usize| (draws.unit(i as u64) * data.n_rows as f64) as usize;
            let inertia =
                model.step(self.batch_size, |i| (data.row(row(i)), data.weight(row(i))))?;
            model.take(inertia, smoothing);
            since = if model.report.mean_inertia < best {
                0
            } else {
                since + 1
            };
            best = best.min(model.report.mean_inertia);
            if self.max_no_improvement.is_some_and(|most| since >= most) {
                model.report.converged = true;
                break;
            }
        }
        model.labels = model.predict(x)?;
        Ok(model)
    }

    /// Reads blocks of rows once: each is divided into batches in the order of its rows, and forgotten. The centres start
    /// from the first block, which should be a fair sample, unless they are given. `max_iter` bounds the batches.
    ///
    /// # Errors
    /// Parameters, then what reading a block says, then shapes and values.
    pub fn fit_blocks<F: Scalar>(
        &self,
        blocks: impl IntoIterator<Item = Result<Array2<F>>>,
    ) -> Result<MiniBatchKMeans<F>> {
        self.validate()?;
        let mut model = None::<MiniBatchKMeans<F>>;
        for block in blocks {
            let block = block?;
            if model.is_none() {
                let data = Data::new(&block, None, self.n_clusters, Distance::Euclidean)?;
                self.start().check_centers(block.ncols())?;
                let stream = Seed::new(self.seed).stream("minibatch.sample");
                let (centers, sizes) = self.sampled_start(&data, stream)?;
                model = Some(MiniBatchKMeans::new(centers, sizes, &data.shift));
            }
            for batch in block.axis_chunks_iter(ndarray::Axis(0), self.batch_size) {
                match &mut model {
                    Some(model) if model.report.n_iter < self.max_iter => {
                        model.partial_fit(&batch)?
                    }
                    _ => break,
                }
            }
        }
        model.ok_or_else(|| Error::data("blocks", "there are none"))
    }

    /// The exact k-means that a start is taken from.
    fn start(&self) -> KMeansParams {
        let n_init = if matches!(self.init, Init::Centers(_)) {
            1
        } else {
            3
        };
        KMeansParams::new(self.n_clusters)
            .with_init(self.init.clone())
            .with_n_init(n_init)
            .with_max_iter(self.max_iter.min(100))
            .with_seed(self.seed)
    }

    /// Centres, and the weight that they start with.
    fn sampled_start<F: Scalar>(
        &self,
        data: &Data<'_, F>,
        stream: Stream,
    ) -> Result<(Vec<F>, Vec<f64>)> {
        if let Init::Centers(centers) = &self.init {
            return Ok((
                centers.iter().map(|&c| F::from_f64(c)).collect(),
                vec![0.0; self.n_clusters],
            ));
        }
        let n_sample = (3 * self.batch_size)
            .max(50 * self.n_clusters)
            .min(data.n_rows);
        let rows: Vec<usize> = if n_sample == data.n_rows {
            (0..n_sample).collect()
        } else {
            (0..n_sample as u64)
                .map(|i| (stream.unit(i) * data.n_rows as f64) as usize)
                .collect()
        };
        let values = rows
            .iter()
            .flat_map(|&i| data.row(i).iter().copied())
            .collect();
        let sample = Array2::from_shape_vec((n_sample, data.n_columns), values)
            .expect("invariant: rows of as many numbers");
        let weights = Array1::from_iter(rows.iter().map(|&i| data.weight(i)));
        let model = self.start().fit_weighted(&sample, &weights)?;
        Ok((
            model.centers().iter().copied().collect(),
            model.report().sizes.clone(),
        ))
    }
}

impl<F: Scalar> MiniBatchKMeans<F> {
    fn new(centers: Vec<F>, weights: Vec<f64>, shift: &[F]) -> Self {
        Self {
            centers: centers.iter().map(|c| c.into_f64()).collect(),
            codebook: Codebook::new(centers, shift, Distance::Euclidean),
            weights,
            report: MiniBatchReport {
                n_iter: 0,
                converged: false,
                mean_inertia: 0.0,
            },
            labels: Array1::zeros(0),
        }
    }

    /// Follows one more batch: the rows of `x`.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite; the model is then unchanged.
    pub fn partial_fit(&mut self, x: &ArrayRef2<F>) -> Result<()> {
        self.partial(x, None)
    }

    /// As [`partial_fit`](Self::partial_fit), with a weight of at least 0 for each row.
    ///
    /// # Errors
    /// As `partial_fit`, and when a weight is negative or not finite, or all are 0.
    pub fn partial_fit_weighted(
        &mut self,
        x: &ArrayRef2<F>,
        weights: &ArrayRef1<f64>,
    ) -> Result<()> {
        self.partial(x, Some(weights))
    }

    fn partial(&mut self, x: &ArrayRef2<F>, weights: Option<&ArrayRef1<f64>>) -> Result<()> {
        let d = self.codebook.n_features();
        if x.ncols() != d {
            let expected = format!("{d} columns (as at fit)");
            return Err(Error::shape("x", expected, x.ncols().to_string()));
        }
        let rows = contiguous(x);
        check_finite(&rows, d)?;
        let weights = weights.map(|w| check_weights(w, x.nrows())).transpose()?;
        if x.nrows() == 0 {
            return Ok(());
        }
        let weight = |i: usize| weights.as_ref().map_or(1.0, |w| w[i]);
        let inertia = self.step(x.nrows(), |i| (&rows[i * d..][..d], weight(i)))?;
        self.take(inertia, 0.1);
        self.labels = Array1::zeros(0);
        Ok(())
    }

    /// One batch of `n` rows with their weights; returns its inertia by unit of weight.
    fn step<'a>(&mut self, n: usize, row: impl Fn(usize) -> (&'a [F], f64) + Sync) -> Result<f64> {
        let (k, d) = self.codebook.centers.dim();
        let shift = self.codebook.shift.as_slice().expect("invariant: owned");
        let round = Round::new(self.codebook.centers.iter().copied().collect(), shift)?;
        let parts = par::map(n, CHUNK, |range| {
            let mut part = Batch {
                sums: vec![0.0; k * d],
                weights: vec![0.0; k],
                inertia: 0.0,
            };
            let (mut values, mut tile) = (Vec::with_capacity(TILE * d), Packed::zeros(TILE, d));
            let (mut nearest, mut lengths) = (NearestTile::default(), [F::zero(); TILE]);
            let mut row_weights = [0.0; TILE];
            for rows in par::chunks(range.len(), TILE) {
                values.clear();
                for (l, i) in (range.start + rows.start..range.start + rows.end).enumerate() {
                    let (row, weight) = row(i);
                    values.extend_from_slice(row);
                    row_weights[l] = weight;
                }
                tile.load(0, &values, shift);
                let tile = tile.tile(0).0;
                tile.squared_lengths(&mut lengths);
                round.layout.nearest(tile, &mut nearest);
                for (l, row) in values.chunks_exact(d).enumerate() {
                    let (label, weight) = (nearest.label[l] as usize, row_weights[l]);
                    let sums = part.sums[label * d..][..d].iter_mut();
                    sums.zip(row).for_each(|(s, v)| *s += weight * v.into_f64());
                    part.weights[label] += weight;
                    let square = lengths[l].into_f64() + 2.0 * nearest.best[l].into_f64();
                    part.inertia += weight * square.max(0.0);
                }
            }
            part
        });
        let mut batch = Batch {
            sums: vec![0.0; k * d],
            weights: vec![0.0; k],
            inertia: 0.0,
        };
        for part in &parts {
            batch
                .sums
                .iter_mut()
                .zip(&part.sums)
                .for_each(|(a, b)| *a += b);
            batch
                .weights
                .iter_mut()
                .zip(&part.weights)
                .for_each(|(a, b)| *a += b);
            batch.inertia += part.inertia;
        }
        for j in 0..k {
            let (before, now) = (self.weights[j], self.weights[j] + batch.weights[j]);
            if batch.weights[j] > 0.0 {
                let sums = self.centers[j * d..][..d]
                    .iter_mut()
                    .zip(&batch.sums[j * d..][..d]);
                sums.for_each(|(c, s)| *c = (before * *c + s) / now);
            }
            self.weights[j] = now;
        }
        let rounded = self.codebook.centers.iter_mut().zip(&self.centers);
        rounded.for_each(|(c, &exact)| *c = F::from_f64(exact));
        let weight: f64 = batch.weights.iter().sum();
        Ok(if weight > 0.0 {
            batch.inertia / weight
        } else {
            self.report.mean_inertia
        })
    }

    /// Takes a batch's inertia into the report.
    fn take(&mut self, inertia: f64, smoothing: f64) {
        let report = &mut self.report;
        let first = report.n_iter == 0;
        report.mean_inertia = if first {
            inertia
        } else {
            report.mean_inertia + smoothing * (inertia - report.mean_inertia)
        };
        report.n_iter += 1;
    }

    /// Cluster centres, one a row, in the coordinates of the data.
    pub fn centers(&self) -> &Array2<F> {
        &self.codebook.centers
    }

    /// The weight of the rows that each centre is the mean of.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Labels of the rows of `fit`, the same as `predict` gives; empty after a further batch, with blocks, and in a model that
    /// was loaded.
    pub fn labels(&self) -> &Array1<u32> {
        &self.labels
    }

    /// How the fit went so far.
    pub fn report(&self) -> &MiniBatchReport {
        &self.report
    }

    /// The nearest centre of each row.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        self.codebook.predict(x)
    }

    /// The nearest centre of each row, written to `out`; in parallel over chunks of rows.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and when `out` has not one place for each row; `out` then holds anything.
    pub fn predict_into(&self, x: &ArrayRef2<F>, out: &mut ArrayRef1<u32>) -> Result<()> {
        self.codebook.predict_into(x, out)
    }

    /// The nearest centre of one row: the online path; allocates nothing.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn predict_row(&self, row: &ArrayRef1<F>) -> Result<u32> {
        self.codebook.predict_row(row)
    }

    /// Euclidean distance of each row to every centre: rows by clusters.
    ///
    /// # Errors
    /// When the width is not the one at fit, or a value is not finite.
    pub fn transform(&self, x: &ArrayRef2<F>) -> Result<Array2<F>> {
        self.codebook.transform(x)
    }
}

/// What a batch comes to.
struct Batch {
    sums: Vec<f64>,
    weights: Vec<f64>,
    inertia: f64,
}

/// The labels of the training rows are no part of the model.
impl<F: Scalar> PartialEq for MiniBatchKMeans<F> {
    fn eq(&self, other: &Self) -> bool {
        (&self.codebook, &self.centers, &self.weights, &self.report)
            == (
                &other.codebook,
                &other.centers,
                &other.weights,
                &other.report,
            )
    }
}

impl<F: Scalar> Artefact for MiniBatchKMeans<F> {
    const KIND: &'static str = "minibatch_kmeans";
    const VERSION: u32 = 1;
    const SCALAR: Option<&'static str> = Some(F::NAME);

    fn validate(&self) -> Result<()> {
        self.codebook.validate("minibatch_kmeans")?;
        let (k, d) = self.codebook.centers.dim();
        let numbers = self.centers.iter().chain([&self.report.mean_inertia]);
        let lengths = (self.centers.len(), self.weights.len());
        let weights = self.weights.iter().all(|w| w.is_finite() && *w >= 0.0);
        if lengths == (k * d, k) && numbers.clone().all(|v| v.is_finite()) && weights {
            return Ok(());
        }
        Err(Error::data(
            "minibatch_kmeans",
            "centres and weights do not fit, or are not finite",
        ))
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.codebook.n_features())
    }
}
