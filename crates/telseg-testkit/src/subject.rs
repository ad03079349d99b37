//! The adapter between an estimator and the suite.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use telseg_core::artefact::Artefact;
use telseg_core::{Result, Scalar};

use crate::data::{Sample, blobs, table};
use crate::facts::{Facts, Target};

/// An estimator as the suite sees it: the parameters under test, and how to fit and ask.
pub trait Subject: Sized + Sync {
    /// The number type of the rows.
    type F: Scalar;
    /// What is learnt; [`Unsaved`] wraps what has no saved form.
    type Model: Artefact + Send + Sync;

    /// What the suite must know.
    fn facts(&self) -> Facts;

    /// Learns. `y` holds numbers or class codes; zeros where there is no target.
    ///
    /// # Errors
    /// What the estimator says.
    fn fit(&self, x: &ArrayRef2<Self::F>, y: &ArrayRef1<f64>) -> Result<Self::Model>;

    /// What the model says of each row ([`as_rows`](crate::as_rows) turns any array into this form).
    ///
    /// # Errors
    /// What the model says.
    fn predict(&self, model: &Self::Model, x: &ArrayRef2<Self::F>) -> Result<Array2<f64>>;

    /// Parameters that are each wrong in one way, with the name that the error must start with.
    fn bad_params(&self) -> Vec<(&'static str, Self)>;

    /// What the model says of one row, by its path for one row.
    fn predict_row(
        &self,
        _model: &Self::Model,
        _row: &ArrayRef1<Self::F>,
    ) -> Option<Result<Vec<f64>>> {
        None
    }

    /// What the model kept of the rows at fit, in the form of [`predict`](Self::predict).
    fn labels(&self, _model: &Self::Model) -> Option<Array2<f64>> {
        None
    }

    /// Data that suits the estimator; unless written, blobs without a target and a table with one.
    fn sample(&self, rows: usize) -> Sample<Self::F> {
        let facts = self.facts();
        match facts.target {
            Target::None => Sample {
                x: blobs(rows, facts.columns, facts.n_clusters.unwrap_or(3), 1).0,
                y: Array1::zeros(rows),
            },
            Target::Number => {
                let table = table(rows, facts.columns, 1);
                Sample {
                    x: table.x,
                    y: table.y,
                }
            }
            Target::Class(n_classes) => {
                let table = table(rows, facts.columns, 1);
                Sample {
                    y: table.classes(n_classes).mapv(f64::from),
                    x: table.x,
                }
            }
        }
    }
}

/// A model that has no saved form: declare [`Check::Saved`](crate::Check::Saved) and
/// [`Check::Hostile`](crate::Check::Hostile) as exceptions.
#[derive(Clone, Copy, Debug)]
pub struct Unsaved<T>(pub T);

impl<T> Serialize for Unsaved<T> {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("this model has no saved form"))
    }
}

impl<'de, T> Deserialize<'de> for Unsaved<T> {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("this model has no saved form"))
    }
}

impl<T> Artefact for Unsaved<T> {
    const KIND: &'static str = "unsaved";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        Ok(())
    }
}
