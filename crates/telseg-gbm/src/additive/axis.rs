//! How the values of a column become the places of a curve.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use crate::bins::{BinnedData, ColumnBins};

/// What one place of a curve stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Piece {
    /// The value is missing.
    Missing,
    /// The value lies above `above` and is at most `at_most`; the outermost ends are infinite.
    Range {
        /// Lower end, not included.
        above: f32,
        /// Upper end, included.
        at_most: f32,
    },
    /// The value is this level's code.
    Level(u32),
    /// The value is a level without a place of its own: it was rare at fit, or was not seen.
    OtherLevels,
}

/// The places of one column: 0 for missing values, then ranges in ascending order or levels by ascending code, and last
/// the levels without a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Axis {
    /// Ascending upper ends of all ranges but the last.
    Numeric(Vec<f32>),
    /// Ascending codes.
    Levels(Vec<u32>),
}

impl Axis {
    /// The axis of a binned column, and the place of each of its bins.
    pub(super) fn of(data: &BinnedData, feature: usize) -> (Self, Vec<u8>) {
        match &data.columns()[feature] {
            ColumnBins::Numeric(cuts) => {
                let axis = Self::Numeric(cuts.clone());
                let places = (0..axis.len()).map(|p| p as u8).collect();
                (axis, places)
            }
            ColumnBins::Categorical(levels) => {
                let other = levels.other_bin();
                let mut bins: Vec<usize> = (1..other).collect();
                bins.sort_by_key(|&bin| levels.code(bin));
                let mut places = vec![0; other + 1];
                for (i, &bin) in bins.iter().enumerate() {
                    places[bin] = i as u8 + 1;
                }
                places[other] = other as u8;
                let codes = bins.into_iter().map(|bin| levels.code(bin)).collect();
                (Self::Levels(codes), places)
            }
        }
    }

    /// Number of places.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Numeric(cuts) => cuts.len() + 2,
            Self::Levels(codes) => codes.len() + 2,
        }
    }

    pub(crate) fn is_numeric(&self) -> bool {
        matches!(self, Self::Numeric(_))
    }

    /// The place of a value.
    #[inline]
    pub(super) fn place(&self, x: f32) -> usize {
        if x.is_nan() {
            return 0;
        }
        match self {
            Self::Numeric(cuts) => 1 + cuts.partition_point(|&cut| cut < x),
            Self::Levels(codes) => {
                let code = x as u32; // saturates; the comparison catches what is no code
                let found = codes.binary_search(&code).ok();
                found
                    .filter(|_| code as f32 == x)
                    .map_or(codes.len() + 1, |i| i + 1)
            }
        }
    }

    /// What a place stands for.
    pub(super) fn piece(&self, place: usize) -> Piece {
        let Some(i) = place.checked_sub(1) else {
            return Piece::Missing;
        };
        match self {
            Self::Numeric(cuts) => Piece::Range {
                above: i.checked_sub(1).map_or(f32::NEG_INFINITY, |i| cuts[i]),
                at_most: cuts.get(i).copied().unwrap_or(f32::INFINITY),
            },
            Self::Levels(codes) => codes
                .get(i)
                .map_or(Piece::OtherLevels, |&c| Piece::Level(c)),
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        let ascending = match self {
            Self::Numeric(cuts) => {
                cuts.windows(2).all(|w| w[0] < w[1]) && !cuts.iter().any(|c| c.is_nan())
            }
            Self::Levels(codes) => codes.windows(2).all(|w| w[0] < w[1]),
        };
        if ascending && self.len() <= 256 {
            return Ok(());
        }
        let problem = "the places of a column must be at most 256, in ascending order";
        Err(Error::data("ebm", problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gbm, Objective};
    use ndarray::array;

    #[test]
    fn bins_and_values_find_the_same_place() {
        let nan = f32::NAN;
        let x = array![
            [3.0f32, 9.0],
            [1.0, 2.0],
            [nan, 9.0],
            [2.0, 4.0],
            [7.0, nan]
        ];
        let params = Gbm::params(Objective::Binary).with_categorical([1]);
        let data = BinnedData::new(&x, &params).unwrap();
        for j in 0..2 {
            let (axis, places) = Axis::of(&data, j);
            for i in 0..5 {
                let of_bin = places[data.column(j)[i] as usize] as usize;
                assert_eq!(axis.place(x[(i, j)]), of_bin, "{i} {j}");
            }
        }
        // Codes 2, 4, 9 by their size; 9 is the most frequent and would come first by bins.
        let levels = Axis::of(&data, 1).0;
        assert_eq!([2.0, 4.0, 9.0].map(|x| levels.place(x)), [1, 2, 3]);
        assert_eq!(
            [3.0, 2.5, -2.0, 1e30, f32::INFINITY].map(|x| levels.place(x)),
            [4; 5]
        );
        assert_eq!(
            (levels.piece(2), levels.piece(4)),
            (Piece::Level(4), Piece::OtherLevels)
        );
        let numbers = Axis::of(&data, 0).0;
        assert_eq!(
            numbers.piece(2),
            Piece::Range {
                above: 1.5,
                at_most: 2.5
            }
        );
        assert_eq!(
            [f32::NEG_INFINITY, f32::INFINITY].map(|x| numbers.place(x)),
            [1, 4]
        );
    }
}
