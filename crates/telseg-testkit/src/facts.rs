//! What an estimator declares of itself.

/// One check of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// Fitting again gives the same bits.
    Refit,
    /// Labels at fit are what `predict` says of the same rows.
    Labels,
    /// A batch says of each row what the row alone gets.
    Rows,
    /// Column-major, spaced and reversed views agree with the plain array.
    Strides,
    /// A wrong number of columns is an error that names `x`.
    Width,
    /// Missing values are accepted or refused, as declared.
    Missing,
    /// No rows or no columns work, or are an error that names the argument.
    Empty,
    /// One row works, or is an error that names the argument.
    OneRow,
    /// A constant column works.
    ConstantColumn,
    /// Repeated rows work.
    Duplicates,
    /// Fewer rows, or fewer different rows, than clusters work, or are an error that names the argument.
    FewRows,
    /// Targets of the wrong length, or missing ones, are an error that names `y`.
    Targets,
    /// Each bad parameter names itself, before anything is said of the data.
    BadParams,
    /// Saved and loaded, the model predicts the same bits.
    Saved,
    /// A saved model that was altered with care is refused, or at least does not panic.
    Hostile,
    /// 1, 2 and 7 threads give the same bits.
    Threads,
}

/// What is learnt besides the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nothing.
    None,
    /// A number a row.
    Number,
    /// One of so many classes, coded from 0.
    Class(u32),
}

/// What becomes of missing values (NaN) in `x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// They are an error that names `x`.
    Refuses,
    /// They are worked with.
    Accepts,
}

/// What the suite must know of an estimator. Start from the constructor that fits and add what differs.
#[derive(Clone, Debug)]
pub struct Facts {
    pub(crate) target: Target,
    pub(crate) missing: Missing,
    pub(crate) n_clusters: Option<usize>,
    pub(crate) no_rows_alone: Option<&'static str>,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) rows_for_threads: usize,
    pub(crate) row_tolerance: f64,
    pub(crate) names: Vec<&'static str>,
    pub(crate) exceptions: Vec<(Check, &'static str)>,
}

impl Facts {
    fn new(target: Target) -> Self {
        Self {
            target,
            missing: Missing::Refuses,
            n_clusters: None,
            no_rows_alone: None,
            rows: 300,
            columns: 5,
            rows_for_threads: 5000,
            row_tolerance: 0.0,
            names: vec!["x", "y"],
            exceptions: Vec::new(),
        }
    }

    /// Looks for `n_clusters` clusters, refuses missing values, and holds labels of the rows at fit.
    pub fn clusterer(n_clusters: usize) -> Self {
        Self {
            n_clusters: Some(n_clusters),
            ..Self::new(Target::None)
        }
    }

    /// Learns a number from rows.
    pub fn regressor() -> Self {
        Self::new(Target::Number)
    }

    /// Learns one of `n_classes` classes from rows.
    pub fn classifier(n_classes: u32) -> Self {
        Self::new(Target::Class(n_classes))
    }

    /// Learns from rows alone how to turn them into others.
    pub fn transformer() -> Self {
        Self::new(Target::None)
    }

    /// Missing values are worked with, not refused.
    pub fn accepts_missing(mut self) -> Self {
        self.missing = Missing::Accepts;
        self
    }

    /// The size of most data: rows and columns (300 by 5 unless said).
    pub fn size(mut self, rows: usize, columns: usize) -> Self {
        (self.rows, self.columns) = (rows, columns);
        self
    }

    /// Rows that threads are compared on (5000 unless said): more than a chunk of the algorithm holds.
    pub fn rows_for_threads(mut self, rows: usize) -> Self {
        self.rows_for_threads = rows;
        self
    }

    /// A row alone may differ from the row in a batch by this much relative to 1 plus its size; bits unless said.
    pub fn row_tolerance(mut self, tolerance: f64, _reason: &'static str) -> Self {
        self.row_tolerance = tolerance;
        self
    }

    /// There is no `predict_row`.
    pub fn no_rows_alone(mut self, reason: &'static str) -> Self {
        self.no_rows_alone = Some(reason);
        self
    }

    /// A further argument or parameter that an error may name, besides `x`, `y` and those of `bad_params`.
    pub fn names(mut self, name: &'static str) -> Self {
        self.names.push(name);
        self
    }

    /// A check that is known to fail. When it passes after all, the suite asks for the exception to go.
    pub fn except(mut self, check: Check, reason: &'static str) -> Self {
        self.exceptions.push((check, reason));
        self
    }
}
