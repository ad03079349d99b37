//! Level codes to bins: the most frequent levels get a bin each, the others share one.

use telseg_core::{Error, Result};

/// Codes must lie below this, so that a set of codes stays small.
const MAX_CODES: f32 = 1_048_576.0;

/// The bins of a column of level codes.
#[derive(Clone, Debug)]
pub(crate) struct Levels {
    /// Code of each named bin; bin `b` is `codes[b - 1]`.
    codes: Vec<u32>,
    /// Bin of each code.
    bin_of: Vec<u8>,
}

impl Levels {
    /// Counts the codes of `column` (argument column `j`, for messages) and names at most `max_bins - 1` of them.
    pub(super) fn count(
        values: impl Iterator<Item = f32>,
        weight: impl Fn(usize) -> f64,
        (j, max_bins): (usize, usize),
    ) -> Result<Self> {
        let mut counts: Vec<(f64, bool)> = Vec::new();
        for (row, x) in values.enumerate() {
            if x.is_nan() {
                continue;
            }
            if !(0.0..MAX_CODES).contains(&x) || x.fract() != 0.0 {
                let problem = format!("{x} is not a level code (a whole number from 0 to 1048575)");
                return Err(Error::value("x", problem, (row, j)));
            }
            let code = x as usize;
            if code >= counts.len() {
                counts.resize(code + 1, (0.0, false));
            }
            counts[code].0 += weight(row);
            counts[code].1 = true;
        }
        let mut codes: Vec<u32> = (0..counts.len() as u32)
            .filter(|&c| counts[c as usize].1)
            .collect();
        codes.sort_by(|&a, &b| counts[b as usize].0.total_cmp(&counts[a as usize].0)); // stable: ties by code
        codes.truncate(max_bins - 1);
        let mut bin_of = vec![codes.len() as u8 + 1; counts.len()];
        for (i, &code) in codes.iter().enumerate() {
            bin_of[code as usize] = i as u8 + 1;
        }
        Ok(Self { codes, bin_of })
    }

    /// The bin of levels without a name.
    pub(crate) fn other_bin(&self) -> usize {
        self.codes.len() + 1
    }

    /// Code of a named bin.
    pub(crate) fn code(&self, bin: usize) -> u32 {
        self.codes[bin - 1]
    }

    pub(super) fn bin(&self, x: f32) -> u8 {
        let code = x as usize; // saturates; NaN is 0, caught by the comparison
        match self.bin_of.get(code) {
            Some(&bin) if code as f32 == x => bin,
            _ if x.is_nan() => 0,
            _ => self.codes.len() as u8 + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_levels_come_first_and_the_rest_are_pooled() {
        // Counts: code 7 three times, 2 twice, 0 and 5 once; three bins name 7 and 2 only.
        let column = [7.0f32, 2.0, 7.0, 0.0, 2.0, 7.0, 5.0, f32::NAN];
        let levels = Levels::count(column.into_iter(), |_| 1.0, (0, 3)).unwrap();
        let bins: Vec<u8> = column.iter().map(|&x| levels.bin(x)).collect();
        assert_eq!(bins, [1, 2, 1, 3, 2, 1, 3, 0]);
        assert_eq!([levels.code(1), levels.code(2)], [7, 2]);
        // Never seen, fractional, negative: with the rare ones.
        assert_eq!([99.0, 2.5, -1.0, -0.5].map(|x| levels.bin(x)), [3; 4]);
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let error = Levels::count([0.0f32, 1.5].into_iter(), |_| 1.0, (4, 255)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "x: 1.5 is not a level code (a whole number from 0 to 1048575) in row 1, column 4"
        );
    }
}
