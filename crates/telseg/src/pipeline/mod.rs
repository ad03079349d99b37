//! The whole way in one go: from a table with a subscriber a row to segments, profiles and scores.

mod compare;
mod findings;
mod follow;
mod method;
mod number;
mod plane;
mod predict;
mod profile;
mod segment;
mod stages;
mod value;

use std::ops::RangeInclusive;
use std::sync::Arc;

use ndarray::{Array1, ArrayRef2};
use telseg_core::progress::Silent;
use telseg_core::{Error, Fit, Predict, Progress, Result};
use telseg_features::{SchemaParams, Table, TableEncoderParams};
use telseg_gbm::{GbmParams, Objective};

use crate::Run;
use crate::run::Model;

pub use method::Method;

/// A model that puts rows into segments; any [`Predict`] whose output is labels is one.
pub type Segmenter = dyn Predict<ArrayRef2<f32>, Output = Array1<u32>> + Send + Sync;

type FitSegmenter = dyn Fn(&ArrayRef2<f32>) -> Result<Arc<Segmenter>> + Send + Sync;

/// How a table becomes a [`Run`]: what to ask for, all of it optional.
///
/// Columns need no description: their roles are found from names and values. What is left out and why stands in the
/// report.
///
/// # Examples
/// ```
/// use telseg::prelude::*;
/// use telseg::features::CsvOptions;
///
/// let mut csv = String::from("customer_id,tenure,data_gb,monthly_charges,churn\n");
/// for i in 0..400 {
///     let heavy = i % 2;
///     let churn = if (i * 7) % 10 < 2 + 4 * heavy { "Yes" } else { "No" };
///     csv += &format!("C{i:04},{},{},{},{churn}\n", 3 + i % 50, 1 + 20 * heavy + i % 5, 10 + 25 * heavy + i % 3);
/// }
/// let table = Table::from_csv_bytes("customers.csv", csv.as_bytes(), &CsvOptions::default())?;
/// let run = Pipeline::new().target("churn").segments(2..=4).fit(&table)?;
/// assert_eq!(run.labels().len(), 400);
/// assert!(run.report().prediction.as_ref().is_some_and(|p| p.auc.estimate > 0.6));
/// # Ok::<(), telseg::Error>(())
/// ```
#[derive(Clone)]
pub struct Pipeline {
    schema: SchemaParams,
    value: Option<String>,
    segments: Option<RangeInclusive<usize>>,
    method: Method,
    segmenter: Option<Arc<FitSegmenter>>,
    previous: Option<Arc<Model>>,
    remember: bool,
    month: Option<String>,
    distances: TableEncoderParams,
    predictor: GbmParams,
    n_folds: usize,
    seed: u64,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline")
            .field("schema", &self.schema)
            .field("value", &self.value)
            .field("segments", &self.segments)
            .field("method", &self.method)
            .field("own_segmenter", &self.segmenter.is_some())
            .field("follows", &self.previous.is_some())
            .field("remember", &self.remember)
            .field("month", &self.month)
            .field("distances", &self.distances)
            .field("predictor", &self.predictor)
            .field("n_folds", &self.n_folds)
            .field("seed", &self.seed)
            .finish()
    }
}

impl Default for Pipeline {
    fn default() -> Self {
        Self {
            schema: SchemaParams::default(),
            value: None,
            segments: None,
            method: Method::KMeans,
            segmenter: None,
            previous: None,
            remember: false,
            month: None,
            distances: TableEncoderParams::for_distances(),
            predictor: predict::default_params(),
            n_folds: 5,
            seed: 0,
        }
    }
}

impl Pipeline {
    /// Everything by default: roles of columns are guessed, 2 to 12 segments are tried, five folds judge the model.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the column that identifies a subscriber.
    pub fn id(mut self, column: impl Into<String>) -> Self {
        self.schema.id = Some(column.into());
        self
    }

    /// Names the column to predict; it must have two values.
    pub fn target(mut self, column: impl Into<String>) -> Self {
        self.schema.target = Some(column.into());
        self
    }

    /// Says which value of the target is the event.
    pub fn positive(mut self, value: impl Into<String>) -> Self {
        self.schema.positive = Some(value.into());
        self
    }

    /// Names the column with the money that a subscriber brings in a month; guessed by name otherwise.
    pub fn value(mut self, column: impl Into<String>) -> Self {
        self.value = Some(column.into());
        self
    }

    /// Says how columns are to be read: which are numbers, levels, or to be left out.
    pub fn schema(mut self, change: impl FnOnce(SchemaParams) -> SchemaParams) -> Self {
        self.schema = change(self.schema);
        self
    }

    /// The numbers of segments to try; `8..=8` asks for exactly eight.
    pub fn segments(mut self, range: RangeInclusive<usize>) -> Self {
        self.segments = Some(range);
        self
    }

    /// The method that finds the segments. Default: k-means.
    ///
    /// # Examples
    /// ```
    /// use telseg::pipeline::{Method, Pipeline};
    /// let by_name = Pipeline::new().method("gaussian-mixture".parse()?);
    /// let campaign = Pipeline::new().method(Method::Sized { min: 5_000, max: Some(20_000) });
    /// by_name.validate()?;
    /// # Ok::<(), telseg::Error>(())
    /// ```
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Segments by a method of your own instead of k-means: any [`Fit`] whose model labels rows. The matrix it gets is
    /// scaled and has no missing values. Such a run cannot be saved.
    pub fn segment_with<P>(mut self, params: P) -> Self
    where
        P: Fit<ArrayRef2<f32>> + Send + Sync + 'static,
        P::Model: Predict<ArrayRef2<f32>, Output = Array1<u32>> + Send + Sync + 'static,
    {
        self.segmenter = Some(Arc::new(move |x| {
            Ok(Arc::new(params.fit(x, &())?) as Arc<Segmenter>)
        }));
        self
    }

    /// Follows an earlier run, last month's say: segments that are the same keep their number and their name, new ones get a
    /// number that none had, and the report says who moved where and what else changed.
    ///
    /// The table is prepared as it was then, so that months can be compared. k-means starts from the earlier segments and
    /// keeps their count where [`segments`](Self::segments) allows it. Where the earlier run
    /// [remembers its subscribers](Self::remember_subscribers) they decide which segment is which, and else the centres do.
    ///
    /// # Examples
    /// ```
    /// use telseg::features::CsvOptions;
    /// use telseg::prelude::*;
    ///
    /// let table = |month: usize| {
    ///     let mut csv = String::from("customer_id,minutes,data_gb,tenure\n");
    ///     for i in 0..300 {
    ///         let heavy = usize::from(i % 2 == 0 && i % 30 >= 2 * month);
    ///         csv += &format!("C{i:04},{},{},{}\n", 100 + (i * 7 + month) % 90, 1 + 20 * heavy + i % 5, 3 + i % 50);
    ///     }
    ///     Table::from_csv_bytes("customers.csv", csv.as_bytes(), &CsvOptions::default())
    /// };
    /// let pipeline = Pipeline::new().segments(2..=2).remember_subscribers();
    /// let january = pipeline.clone().month("January").fit(&table(0)?)?;
    /// let february = pipeline.month("February").follow(&january).fit(&table(1)?)?;
    /// let changes = february.report().changes.as_ref().expect("there is a month before");
    /// assert!(changes.stayed.is_some_and(|stayed| stayed > 0.9 && stayed < 1.0));
    /// # Ok::<(), telseg::Error>(())
    /// ```
    pub fn follow(mut self, previous: &Run) -> Self {
        self.previous = Some(Arc::new(previous.model().clone()));
        self
    }

    /// Remembers in the run, and in its file, who is in which segment, so that a run that follows can say who moved.
    ///
    /// What is stored is a 64-bit number for each id and the number of the segment, nothing else of a row. Whoever knows the
    /// ids can compute those numbers: the file is personal data then. Without this a run holds nothing of a subscriber.
    pub fn remember_subscribers(mut self) -> Self {
        self.remember = true;
        self
    }

    /// Names the month that the table is of, for runs that follow each other. Default: "month 1", "month 2" ...
    pub fn month(mut self, name: impl Into<String>) -> Self {
        self.month = Some(name.into());
        self
    }

    /// How the table becomes the matrix whose rows are grouped.
    pub fn distances(mut self, params: TableEncoderParams) -> Self {
        self.distances = params;
        self
    }

    /// The model of the target. Its categorical columns and seed are set by the pipeline.
    pub fn predictor(mut self, params: GbmParams) -> Self {
        self.predictor = params;
        self
    }

    /// Folds of the cross-validation that judges the model.
    pub fn folds(mut self, n_folds: usize) -> Self {
        self.n_folds = n_folds;
        self
    }

    /// Root of all random choices.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Prepares, segments, profiles, predicts and explains.
    ///
    /// # Errors
    /// When a named column does not exist (the message lists those that do), the target has not two values, or there are
    /// too few rows.
    ///
    /// # Cost
    /// 50,000 subscribers with 40 columns take some seconds on two cores; memory: two numeric copies of the table.
    pub fn fit(&self, table: &Table) -> Result<Run> {
        self.fit_observed(table, &Silent)
    }

    /// As [`fit`](Self::fit), telling `progress` of each stage.
    ///
    /// # Errors
    /// As `fit`.
    pub fn fit_observed(&self, table: &Table, progress: &dyn Progress) -> Result<Run> {
        self.validate()?;
        stages::run(self, table, progress)
    }

    /// Checks what was asked for, alone; `fit` calls it first.
    ///
    /// # Errors
    /// The first setting that cannot have its value.
    pub fn validate(&self) -> Result<()> {
        self.schema.validate()?;
        self.distances.validate()?;
        self.predictor.validate()?;
        let wanted = self.wanted();
        if wanted.is_empty() || *wanted.start() < 2 {
            let problem = format!("expected a range from at least 2, found {wanted:?}");
            return Err(Error::param("segments", problem));
        }
        if self.segments.is_some() && !self.method.takes_k() {
            let problem = "HDBSCAN finds their number itself: leave it out, or take another method";
            return Err(Error::param("segments", problem));
        }
        if self.n_folds < 2 {
            return Err(Error::param(
                "folds",
                format!("expected at least 2, found {}", self.n_folds),
            ));
        }
        if self.predictor.objective != Objective::Binary {
            let problem = "expected the binary objective: the pipeline's target has two values";
            return Err(Error::param("predictor", problem));
        }
        Ok(())
    }

    /// The parameters of the default predictor, to change from.
    pub fn default_predictor() -> GbmParams {
        predict::default_params()
    }
}

impl Pipeline {
    /// Numbers of segments to try.
    fn wanted(&self) -> RangeInclusive<usize> {
        self.segments.clone().unwrap_or(2..=12)
    }

    fn predictor_for(&self, categorical: Vec<usize>) -> GbmParams {
        self.predictor
            .clone()
            .with_categorical(categorical)
            .with_seed(self.seed)
    }
}
