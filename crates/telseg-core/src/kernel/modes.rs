//! Rows whose further columns are codes of levels: a centre has a mode in each, and every code that differs from it adds
//! the same to the score.
//!
//! `|x - c|^2 + gamma m(x, c)` with `m` mismatches is the squared distance of points that hold `sqrt(gamma / 2)` times a
//! one-hot vector for each code, so half of it minus `|x|^2 / 2` is the score of [`Centers`] plus `gamma m / 2`. The
//! one-hot vectors are never made: codes of 64 rows are compared with one mode at a time.

use num_traits::Float;

use super::pack::Lane;
use super::{Centers, Kernel, Level, NearestTile, TILE, Tile, fma};
use crate::{Error, Result, Scalar};

/// Codes packed into tiles of 64 rows.
#[derive(Clone, Debug)]
pub struct PackedCodes {
    n_columns: usize,
    lanes: Vec<Lane<u16>>,
}

/// Up to 64 rows of packed codes.
#[derive(Clone, Copy, Debug)]
pub struct CodeTile<'a> {
    lanes: &'a [Lane<u16>],
}

/// The modes of all centres, and what a mismatch adds to a score.
#[derive(Clone, Debug)]
pub struct Modes<T> {
    n_columns: usize,
    codes: Vec<u16>,
    half_gamma: T,
}

impl PackedCodes {
    /// Room for `n_rows` rows, all zero.
    pub fn zeros(n_rows: usize, n_columns: usize) -> Self {
        Self {
            n_columns,
            lanes: vec![Lane([0; TILE]); n_rows.div_ceil(TILE) * n_columns],
        }
    }

    /// Writes the codes of one row.
    #[inline]
    pub fn set_row(&mut self, row: usize, codes: impl IntoIterator<Item = u16>) {
        let tile = &mut self.lanes[row / TILE * self.n_columns..][..self.n_columns];
        for (lane, code) in tile.iter_mut().zip(codes) {
            lane.0[row % TILE] = code;
        }
    }

    /// Writes the codes that one column of a tile holds, as [`CodeColumn::encode`] found them.
    #[inline]
    pub fn set_column(&mut self, tile: usize, column: usize, codes: &CodeColumn) {
        self.lanes[tile * self.n_columns..][..self.n_columns][column] = codes.0;
    }

    /// Replaces each code of a column, padding included.
    pub fn map_column(&mut self, column: usize, map: impl Fn(u16) -> u16) {
        let lanes = self.lanes.iter_mut().skip(column);
        for lane in lanes.step_by(self.n_columns) {
            lane.0.iter_mut().for_each(|code| *code = map(*code));
        }
    }

    /// One tile: rows `64 index ..`.
    #[inline]
    pub fn tile(&self, index: usize) -> CodeTile<'_> {
        CodeTile {
            lanes: &self.lanes[index * self.n_columns..][..self.n_columns],
        }
    }

    /// The codes of one row.
    #[inline]
    pub fn row(&self, row: usize) -> impl ExactSizeIterator<Item = u16> {
        let lanes = &self.lanes[row / TILE * self.n_columns..][..self.n_columns];
        lanes.iter().map(move |lane| lane.0[row % TILE])
    }
}

/// The codes that 64 rows have in one column.
#[derive(Clone, Copy, Debug)]
pub struct CodeColumn(Lane<u16>);

impl CodeColumn {
    /// What stands for a missing code; the largest code is one less.
    pub const MISSING: u16 = 65_001;

    /// Reads the codes in one column of a tile: whole numbers from 0 to 65,000, or NaN where the code is missing. `None`
    /// where one of the first `n_rows` is something else.
    #[inline]
    pub fn encode<T: Scalar>(tile: Tile<'_, T>, column: usize, n_rows: usize) -> Option<Self> {
        let mut codes = Lane([0; TILE]);
        let bad = <T as Kernel>::encode(Level::best(), &tile.lanes[column], n_rows, &mut codes);
        (bad == 0).then_some(Self(codes))
    }

    /// The codes of all 64 places, those past the last row included.
    pub fn codes(&self) -> &[u16; TILE] {
        &self.0.0
    }
}

/// Codes of a lane; how many of the first `n_rows` are none.
#[inline(always)]
pub(super) fn encode<T: Scalar>(lane: &Lane<T>, n_rows: usize, out: &mut Lane<u16>) -> u64 {
    // Adding 2^52 to a whole number below it leaves that number in the low bits.
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    let mut bad = 0;
    for l in 0..TILE {
        let value = lane.0[l].into_f64();
        let missing = value.is_nan();
        let inside = (0.0..f64::from(CodeColumn::MISSING)).contains(&value);
        let lifted = if inside { value } else { 0.0 } + WHOLE;
        let whole = lifted - WHOLE == value;
        bad += u64::from(!(missing | (inside & whole)) & (l < n_rows));
        let code = lifted.to_bits() as u16;
        out.0[l] = if missing { CodeColumn::MISSING } else { code };
    }
    bad
}

impl<T: Scalar> Modes<T> {
    /// Modes of the centres one after the other, `n_columns` codes each; a mismatch adds `half_gamma` to a score.
    ///
    /// # Errors
    /// When the codes do not divide into rows.
    pub fn new(codes: Vec<u16>, n_columns: usize, half_gamma: T) -> Result<Self> {
        let whole = codes.len().is_multiple_of(n_columns.max(1));
        if !whole || (n_columns == 0 && !codes.is_empty()) {
            let expected = format!("rows of {n_columns} codes");
            return Err(Error::shape("modes", expected, codes.len().to_string()));
        }
        Ok(Self {
            n_columns,
            codes,
            half_gamma,
        })
    }

    #[inline(always)]
    fn mode(&self, center: usize) -> &[u16] {
        &self.codes[center * self.n_columns..][..self.n_columns]
    }
}

impl<T: Scalar> Centers<T> {
    /// As [`nearest`](Self::nearest), with the mismatches of the codes; `scores` is room for a row a centre.
    ///
    /// # Panics
    /// When `scores` or the modes have not one row for each centre.
    #[inline]
    pub fn nearest_mixed(
        &self,
        (tile, codes): (Tile<'_, T>, CodeTile<'_>),
        modes: &Modes<T>,
        scores: &mut [[T; TILE]],
        out: &mut NearestTile<T>,
    ) {
        self.scores(tile, scores);
        <T as Kernel>::nearest_coded(Level::best(), codes, modes, scores, out);
    }

    /// As [`scores`](Self::scores), with the mismatches of the codes.
    ///
    /// # Panics
    /// When `scores` or the modes have not one row for each centre.
    #[inline]
    pub fn scores_mixed(
        &self,
        (tile, codes): (Tile<'_, T>, CodeTile<'_>),
        modes: &Modes<T>,
        scores: &mut [[T; TILE]],
    ) {
        self.scores(tile, scores);
        <T as Kernel>::add_mismatches(Level::best(), codes, modes, scores);
    }
}

/// How many codes of rows `start .. start + W` differ from the modes.
#[inline(always)]
fn mismatches<const W: usize>(tile: CodeTile<'_>, start: usize, mode: &[u16]) -> [u16; W] {
    let mut count = [0u16; W];
    for (lane, &mode) in tile.lanes.iter().zip(mode) {
        let codes: &[u16; W] = lane.0[start..]
            .first_chunk()
            .expect("invariant: W divides 64");
        for l in 0..W {
            count[l] += u16::from(codes[l] != mode);
        }
    }
    count
}

#[inline(always)]
pub(super) fn add<T: Scalar, const W: usize, const FMA: bool>(
    tile: CodeTile<'_>,
    modes: &Modes<T>,
    scores: &mut [[T; TILE]],
) {
    for (j, scores) in scores.iter_mut().enumerate() {
        for start in (0..TILE).step_by(W) {
            let count = mismatches::<W>(tile, start, modes.mode(j));
            for l in 0..W {
                let score = &mut scores[start + l];
                *score = fma::<T, FMA>(modes.half_gamma, real(count[l]), *score);
            }
        }
    }
}

#[inline(always)]
pub(super) fn nearest<T: Scalar, const W: usize, const FMA: bool>(
    tile: CodeTile<'_>,
    modes: &Modes<T>,
    scores: &[[T; TILE]],
    out: &mut NearestTile<T>,
) {
    for start in (0..TILE).step_by(W) {
        let (mut best, mut second, mut label) =
            ([T::infinity(); W], [T::infinity(); W], [T::zero(); W]);
        let mut index = T::zero();
        for (j, scores) in scores.iter().enumerate() {
            let count = mismatches::<W>(tile, start, modes.mode(j));
            let scores: &[T; W] = scores[start..]
                .first_chunk()
                .expect("invariant: W divides 64");
            for l in 0..W {
                let score = fma::<T, FMA>(modes.half_gamma, real(count[l]), scores[l]);
                let nearer = score < best[l];
                let other = if nearer { best[l] } else { score };
                second[l] = if other < second[l] { other } else { second[l] };
                best[l] = if nearer { score } else { best[l] };
                label[l] = if nearer { index } else { label[l] };
            }
            index += T::one();
        }
        for l in 0..W {
            out.label[start + l] = label[l].to_u32().unwrap_or(0);
            out.best[start + l] = best[l];
            out.second[start + l] = second[l];
        }
    }
}

#[inline(always)]
fn real<T: Float>(count: u16) -> T {
    T::from(count).unwrap_or_else(T::zero)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::kernel::Packed;
    use ndarray::Array2;

    /// Every level against distances in double precision, codes up to the largest included.
    fn agrees<T: Scalar>(tolerance: f64) {
        let stream = Seed::new(5).stream("test");
        for (n, d, c, k) in [(1, 1, 1, 1), (64, 3, 2, 7), (130, 14, 6, 10), (70, 1, 0, 3)] {
            let number = |at: usize| T::from_f64(2.0 * stream.unit(at as u64) - 1.0);
            let code =
                |at: usize| [0u16, 1, 2, 300, u16::MAX][(stream.bits(at as u64) % 5) as usize];
            let x = Array2::from_shape_fn((n, d), |(i, j)| number(i * d + j));
            let codes: Vec<u16> = (0..n * c).map(|i| code(10_000 + i)).collect();
            let centers = Array2::from_shape_fn((k, d), |(i, j)| number(20_000 + i * d + j));
            let modes: Vec<u16> = (0..k * c).map(|i| code(30_000 + i)).collect();
            let packed = Packed::new(&x, &vec![T::zero(); d]).unwrap();
            let mut packed_codes = PackedCodes::zeros(n, c);
            (0..n).for_each(|i| packed_codes.set_row(i, codes[i * c..][..c].iter().copied()));
            let layout = Centers::new(centers.as_slice().unwrap(), d).unwrap();
            let gamma = 0.8;
            let laid = Modes::new(modes.clone(), c, T::from_f64(gamma / 2.0)).unwrap();
            let expected = |i: usize, j: usize| -> f64 {
                let pairs = x.row(i).into_iter().zip(centers.row(j));
                let far: f64 = pairs
                    .map(|(a, b)| (a.into_f64() - b.into_f64()).powi(2))
                    .sum();
                let norm: f64 = x.row(i).iter().map(|a| a.into_f64().powi(2)).sum();
                let pairs = codes[i * c..][..c].iter().zip(&modes[j * c..][..c]);
                (far + gamma * pairs.filter(|(a, b)| a != b).count() as f64 - norm) / 2.0
            };
            for level in Level::available() {
                for t in 0..packed.n_tiles() {
                    let (tile, rows) = packed.tile(t);
                    let mut scores = vec![[T::zero(); TILE]; k];
                    let mut out = NearestTile::default();
                    <T as Kernel>::scores_tile(level, tile, &layout, &mut scores);
                    let coded = packed_codes.tile(t);
                    <T as Kernel>::nearest_coded(level, coded, &laid, &scores, &mut out);
                    <T as Kernel>::add_mismatches(level, coded, &laid, &mut scores);
                    for l in 0..rows {
                        let mut all: Vec<f64> = (0..k).map(|j| expected(t * TILE + l, j)).collect();
                        let close = |a: f64, b: T| (a - b.into_f64()).abs() < tolerance;
                        assert!(all.iter().zip(&scores).all(|(&a, s)| close(a, s[l])));
                        assert!(close(all[out.label[l] as usize], out.best[l]), "{level:?}");
                        all.sort_by(f64::total_cmp);
                        assert!(close(all[0], out.best[l]), "{level:?}");
                        assert!(all.get(1).is_none_or(|&s| close(s, out.second[l])));
                    }
                }
            }
        }
    }

    #[test]
    fn finds_the_nearest_on_every_level() {
        // 14 products below 1 and 6 mismatches of 0.4: a dozen units of 2^-22 and of 2^-51.
        agrees::<f32>(4e-6);
        agrees::<f64>(1e-14);
    }

    fn codes_of<T: Scalar>() {
        let nan = f64::NAN;
        let cells = [
            0.0,
            -0.0,
            1.0,
            65_000.0,
            nan,
            -1.0,
            0.5,
            65_001.0,
            f64::INFINITY,
            64_999.5,
        ];
        let lane = Lane(std::array::from_fn(|l| T::from_f64(cells[l % cells.len()])));
        for level in Level::available() {
            for (n_rows, expected) in [(0, 0), (5, 0), (6, 1), (10, 5), (TILE, 30)] {
                let mut out = Lane([7; TILE]);
                let bad = <T as Kernel>::encode(level, &lane, n_rows, &mut out);
                assert_eq!(bad, expected, "{level:?} {n_rows}");
                let missing = CodeColumn::MISSING;
                assert_eq!(out.0[..5], [0, 0, 1, 65_000, missing], "{level:?}");
            }
        }
    }

    #[test]
    fn whole_numbers_become_codes_on_every_level() {
        codes_of::<f32>();
        codes_of::<f64>();
    }

    #[test]
    fn rows_and_columns_of_codes_agree() {
        let lane = Lane(std::array::from_fn(|l| l as f32));
        let tile = Tile { lanes: &[lane] };
        let column = CodeColumn::encode(tile, 0, TILE).unwrap();
        let mut packed = PackedCodes::zeros(100, 2);
        packed.set_column(0, 1, &column);
        packed.set_row(70, [3, 4]);
        packed.map_column(1, |code| code + 1);
        assert_eq!(packed.row(9).collect::<Vec<_>>(), [0, 10]);
        assert_eq!(packed.row(70).collect::<Vec<_>>(), [3, 5]);
        let broken = Lane([0.5f32; TILE]);
        let tile = Tile { lanes: &[broken] };
        assert!(CodeColumn::encode(tile, 0, 1).is_none());
    }

    #[test]
    fn codes_that_do_not_divide_are_refused() {
        assert!(Modes::new(vec![1, 2, 3], 2, 1.0f32).is_err());
        assert!(Modes::new(vec![1], 0, 1.0f32).is_err());
    }
}
