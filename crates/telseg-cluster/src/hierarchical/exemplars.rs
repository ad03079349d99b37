//! Rows with labels: what new rows are labelled by.

use ndarray::Array2;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use telseg_core::kernel::Probe;
use telseg_core::{Result, Scalar, par};

use super::boxes::{Boxes, NONE, Nearest};
use super::fit::check_spread;
use crate::rows::check_finite;

/// Rows that one task labels: a constant, so that results do not depend on the number of threads.
const CHUNK: usize = 256;

/// Rows, a label each, and the boxes in which the nearest is found. Distances are in double precision, so that different
/// rows are at different places whatever their scale.
#[derive(Clone, Debug)]
pub(super) struct Exemplars<F> {
    rows: Array2<F>,
    labels: Vec<u32>,
    boxes: Boxes<f64>,
}

#[derive(Deserialize)]
#[serde(bound = "")]
struct Stored<F: Scalar> {
    rows: Array2<F>,
    labels: Vec<u32>,
}

impl<F: Scalar> Exemplars<F> {
    pub(super) fn new(rows: Array2<F>, labels: Vec<u32>) -> Self {
        let wide: Vec<f64> = rows.iter().map(|v| v.into_f64()).collect();
        let boxes = Boxes::new(&wide, rows.ncols(), |i| i as u32, |_| 1.0).0;
        Self {
            rows,
            labels,
            boxes,
        }
    }

    pub(super) fn n_columns(&self) -> usize {
        self.rows.ncols()
    }

    /// The largest label.
    pub(super) fn most(&self) -> Option<u32> {
        self.labels.iter().copied().max()
    }

    /// The label of the nearest row; of equally near ones, the first. `wide` is room for the row in double precision.
    pub(super) fn label(&self, row: impl Iterator<Item = F>, wide: &mut [f64]) -> u32 {
        wide.iter_mut()
            .zip(row)
            .for_each(|(wide, v)| *wide = v.into_f64());
        let probe = Probe {
            row: wide,
            inverse: 1.0,
        };
        let mut nearest = Nearest::to(NONE);
        self.boxes.search(probe, &mut nearest);
        // A row so far away that squares overflow is as far from all.
        self.labels
            .get(nearest.id as usize)
            .or(self.labels.first())
            .copied()
            .unwrap_or(0)
    }

    /// The label of each row of `values`.
    pub(super) fn labels(&self, values: &[F], out: &mut [u32]) {
        let d = self.n_columns();
        par::fill(out, CHUNK, |range, out| {
            let mut wide = vec![0.0; d];
            for (row, out) in values[range.start * d..range.end * d]
                .chunks_exact(d)
                .zip(out)
            {
                *out = self.label(row.iter().copied(), &mut wide);
            }
        });
    }
}

impl<F: Scalar> PartialEq for Exemplars<F> {
    fn eq(&self, other: &Self) -> bool {
        (&self.rows, &self.labels) == (&other.rows, &other.labels)
    }
}

/// The boxes follow from the rows and are no part of the saved form.
impl<F: Scalar> Serialize for Exemplars<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut stored = serializer.serialize_struct("Exemplars", 2)?;
        stored.serialize_field("rows", &self.rows)?;
        stored.serialize_field("labels", &self.labels)?;
        stored.end()
    }
}

impl<'de, F: Scalar> Deserialize<'de> for Exemplars<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let stored = Stored::<F>::deserialize(deserializer)?;
        check(&stored).map_err(serde::de::Error::custom)?;
        Ok(Self::new(stored.rows, stored.labels))
    }
}

/// Whether boxes can be made of what was loaded.
fn check<F: Scalar>(stored: &Stored<F>) -> Result<()> {
    let (n, d) = stored.rows.dim();
    let values = stored.rows.as_slice();
    match values {
        Some(values) if n > 0 && d > 0 && stored.labels.len() == n && n < NONE as usize => {
            check_finite(values, d)?;
            check_spread(values, d, 1.0)
        }
        _ => Err(telseg_core::Error::data(
            "exemplars",
            "rows and labels do not fit together",
        )),
    }
}
