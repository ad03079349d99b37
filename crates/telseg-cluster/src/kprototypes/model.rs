//! k-prototypes as it was learnt.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Fit, Predict, Result, Scalar, Seed};

use super::bounds::Bounds;
use super::data::Data;
use super::init::{self, Start};
use super::levels::{NO_MODE, UNSEEN};
use super::params::{KPrototypesParams, PrototypeInit, PrototypeSearch};
use super::prototypes::Prototypes;
use super::rounds::{self, Outcome};

/// Centres of rows that mix numbers and codes, and what is needed to label rows with the nearest.
///
/// # Examples
/// ```
/// use ndarray::array;
/// use telseg_cluster::KPrototypes;
/// // GB of data a month in units of its spread; plan (0 prepaid, 1 contract); handset (a code, NaN where not known).
/// let base = array![
///     [0.1f32, 0.0, 3.0], [0.2, 0.0, f32::NAN], [0.0, 0.0, 3.0],
///     [0.2, 1.0, 7.0], [2.1, 1.0, 7.0], [2.3, 1.0, 7.0],
/// ];
/// let model = KPrototypes::params(2, &[1, 2]).with_gamma(1.5).fit(&base)?;
/// let segments = model.labels();
/// assert_eq!(segments[0], segments[1]);
/// assert_ne!(segments[0], segments[3]); // the usage of the first, the plan and the handset of the last
/// assert_eq!(segments[3], segments[5]);
/// assert_eq!(&model.predict(&base)?, segments);
/// assert_eq!(model.predict_row(&array![0.0f32, 1.0, 8.0])?, segments[0]); // handset 8 is new: it matches nobody
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct KPrototypes<F: Scalar = f32> {
    prototypes: Prototypes<F>,
    report: KPrototypesReport,
    #[serde(skip)]
    labels: Array1<u32>,
}

/// How a fit went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KPrototypesReport {
    /// How the nearest centres were found.
    pub search: PrototypeSearch,
    /// What a mismatch of codes added to the squared distance.
    pub gamma: f64,
    /// Weighted sum of the distances of the rows to their centres, of the best start.
    pub cost: f64,
    /// Rounds of the best start.
    pub n_iter: usize,
    /// Whether the best start converged before `max_iter`.
    pub converged: bool,
    /// Cost with the clusters' means and modes after each round of the best start; never rises beyond its own rounding.
    pub trace: Vec<f64>,
    /// Cost of every start.
    pub starts: Vec<f64>,
    /// Weight of each cluster: the number of its rows, where no weights were given.
    pub sizes: Vec<f64>,
}

impl KPrototypes<f32> {
    /// What to ask for: `n_clusters` clusters of rows whose columns `categorical` hold codes; everything else by default.
    pub fn params(n_clusters: usize, categorical: &[usize]) -> KPrototypesParams {
        KPrototypesParams::new(n_clusters, categorical)
    }
}

impl KPrototypesParams {
    /// Finds clusters among the rows of `x`.
    ///
    /// # Shapes
    /// `x`: at least `n_clusters` rows, at least one column; numbers finite, codes whole numbers from 0 to 65,000 or NaN.
    ///
    /// # Errors
    /// Parameters, shapes and values, in this order; the message names the argument.
    ///
    /// # Cost
    /// A round: at most `2 k d` floating point operations and `2 k c` on 16-bit integers a row, with `d` columns of
    /// numbers and `c` of codes, in parallel over rows. Memory: a copy of the numbers, 2 bytes a code and 4 a row for its
    /// label, besides two numbers a row with Hamerly's bounds.
    pub fn fit<F: Scalar>(&self, x: &ArrayRef2<F>) -> Result<KPrototypes<F>> {
        self.fit_with(x, None)
    }

    /// As [`fit`](Self::fit), with a weight of at least 0 for each row; an integer weight counts as so many equal rows.
    ///
    /// # Errors
    /// As `fit`, and when a weight is negative or not finite, or all are 0.
    pub fn fit_weighted<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: &ArrayRef1<f64>,
    ) -> Result<KPrototypes<F>> {
        self.fit_with(x, Some(weights))
    }

    fn fit_with<F: Scalar>(
        &self,
        x: &ArrayRef2<F>,
        weights: Option<&ArrayRef1<f64>>,
    ) -> Result<KPrototypes<F>> {
        self.validate()?;
        if let PrototypeInit::Centers(centers) = &self.init
            && centers.ncols() != x.ncols()
        {
            let (expected, found) = (x.ncols(), centers.ncols());
            let problem = format!("expected centres of {expected} columns (as x), found {found}");
            return Err(Error::param("init", problem));
        }
        let data = Data::new(x, weights, self)?;
        let search = self.choose_search(x.ncols());
        let (mut best, mut starts) = (None::<Outcome<F>>, Vec::with_capacity(self.n_init));
        for start in 0..self.n_init {
            let bounds = (search == PrototypeSearch::Hamerly).then(|| Bounds::new(data.n_rows));
            let outcome = rounds::run(&data, bounds, self.start(&data, start)?, self)?;
            starts.push(outcome.cost);
            if best.as_ref().is_none_or(|best| outcome.cost < best.cost) {
                best = Some(outcome);
            }
        }
        let best = best.expect("invariant: n_init is at least 1");
        let mut sizes = vec![0.0; self.n_clusters];
        let labels = best.labels.iter().enumerate();
        labels.for_each(|(i, &label)| sizes[label as usize] += data.weight(i));
        Ok(KPrototypes {
            prototypes: Prototypes {
                means: best.centers.means,
                modes: best.centers.modes,
                levels: data.levels,
                shift: data.shift,
                gamma: data.gamma,
            },
            report: KPrototypesReport {
                search,
                gamma: data.gamma.into_f64(),
                cost: best.cost,
                n_iter: best.n_iter,
                converged: best.converged,
                trace: best.trace,
                starts,
                sizes,
            },
            labels: Array1::from(best.labels),
        })
    }

    /// Bounds pay when a row's full search costs much more than keeping its bounds.
    fn choose_search(&self, n_columns: usize) -> PrototypeSearch {
        match self.search {
            PrototypeSearch::Auto if self.n_clusters * n_columns >= BOUNDS_PAY => {
                PrototypeSearch::Hamerly
            }
            PrototypeSearch::Auto => PrototypeSearch::Full,
            chosen => chosen,
        }
    }

    fn start<F: Scalar>(&self, data: &Data<F>, start: usize) -> Result<Start<F>> {
        let stream = Seed::new(self.seed).stream("kprototypes.init");
        let mut rng = stream.index(start as u64);
        let rows = match &self.init {
            PrototypeInit::Centers(centers) => {
                let cells: Vec<F> = centers.iter().map(|&c| F::from_f64(c)).collect();
                let named = |e: Error| Error::param("init", format!("as rows of {e}"));
                let (means, mut modes) = data.levels.split(&cells).map_err(named)?;
                let unseen = modes.iter_mut().filter(|m| **m == UNSEEN);
                unseen.for_each(|m| *m = NO_MODE);
                return Ok(Start { means, modes });
            }
            PrototypeInit::PlusPlus => init::plus_plus(data, self.n_clusters, &mut rng)?,
            PrototypeInit::Random => init::random(data, self.n_clusters, &mut rng),
        };
        Ok(Start::at_rows(data, &rows))
    }
}

/// Clusters times columns from which on bounds are kept.
const BOUNDS_PAY: usize = 1024;

impl<F: Scalar> KPrototypes<F> {
    /// Centres, one a row, columns in the order of the data: means of numbers, modes of codes (NaN where the mode is the
    /// missing code).
    pub fn centers(&self) -> Array2<F> {
        let levels = &self.prototypes.levels;
        let (k, d, c) = (
            self.n_clusters(),
            levels.n_numeric(),
            levels.n_categorical(),
        );
        let mut centers = Array2::zeros((k, levels.n_columns()));
        for (j, mut center) in centers.rows_mut().into_iter().enumerate() {
            for (position, &column) in levels.numeric.iter().enumerate() {
                center[column] = self.prototypes.means[j * d + position];
            }
            for (position, &column) in levels.categorical.iter().enumerate() {
                center[column] = levels.code(position, self.prototypes.modes[j * c + position]);
            }
        }
        centers
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.prototypes.n_clusters()
    }

    /// Number of columns.
    pub fn n_features(&self) -> usize {
        self.prototypes.levels.n_columns()
    }

    /// How the fit went.
    pub fn report(&self) -> &KPrototypesReport {
        &self.report
    }

    /// Labels of the training rows, the same as `predict` gives; no part of the saved model, so empty in one that was
    /// loaded.
    pub fn labels(&self) -> &Array1<u32> {
        &self.labels
    }

    /// The nearest centre of each row.
    ///
    /// # Errors
    /// When the width is not the one at fit, a number is not finite, or a cell that should hold a code does not.
    pub fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        let mut labels = Array1::zeros(x.nrows());
        self.predict_into(x, &mut labels)?;
        Ok(labels)
    }

    /// The nearest centre of each row, written to `out`; in parallel over chunks of rows.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and when `out` has not one place for each row.
    pub fn predict_into(&self, x: &ArrayRef2<F>, out: &mut ArrayRef1<u32>) -> Result<()> {
        self.prototypes.predict_into(x, out)
    }

    /// The nearest centre of one row: the online path; allocates nothing.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn predict_row(&self, row: &ArrayRef1<F>) -> Result<u32> {
        self.prototypes.predict_row(row)
    }
}

impl<F: Scalar> Artefact for KPrototypes<F> {
    const KIND: &'static str = "kprototypes";
    const VERSION: u32 = 1;
    const SCALAR: Option<&'static str> = Some(F::NAME);

    fn validate(&self) -> Result<()> {
        self.prototypes.validate()?;
        let (report, k) = (&self.report, self.n_clusters());
        let mut judged = report
            .sizes
            .iter()
            .chain(&report.trace)
            .chain(&report.starts);
        let sound = judged.all(|v| *v >= 0.0 && v.is_finite());
        if report.sizes.len() != k || !sound || !(report.cost >= 0.0 && report.cost.is_finite()) {
            let problem = "the report holds a size or a cost that is negative or not finite";
            return Err(Error::data("kprototypes", problem));
        }
        Ok(())
    }

    fn n_features(&self) -> Option<usize> {
        Some(self.n_features())
    }
}

/// The labels of the training rows are no part of the model: a loaded model equals the one that was saved.
impl<F: Scalar> PartialEq for KPrototypes<F> {
    fn eq(&self, other: &Self) -> bool {
        (&self.prototypes, &self.report) == (&other.prototypes, &other.report)
    }
}

impl<F: Scalar> Fit<ArrayRef2<F>> for KPrototypesParams {
    type Model = KPrototypes<F>;

    fn fit(&self, x: &ArrayRef2<F>, (): &()) -> Result<KPrototypes<F>> {
        KPrototypesParams::fit(self, x)
    }
}

impl<F: Scalar> Predict<ArrayRef2<F>> for KPrototypes<F> {
    type Output = Array1<u32>;

    fn predict(&self, x: &ArrayRef2<F>) -> Result<Array1<u32>> {
        KPrototypes::predict(self, x)
    }
}
