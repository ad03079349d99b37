//! Rows into lanes: what makes a tile of rows that lie one after the other.
//!
//! On x86-64 the elements travel through registers, eight rows by eight columns at a time (four by four in double
//! precision). Without AVX2 a plain loop does the same; nothing is computed but `x - shift`, so that the bits agree.

use num_traits::Float;

use super::pack::{Lane, TILE};

/// The plain twin: rows `0 .. rows.len() / shift.len()` into the lanes of a tile.
#[inline(always)]
pub(super) fn plain<T: Float>(rows: &[T], shift: &[T], lanes: &mut [Lane<T>]) {
    for (l, row) in rows.chunks_exact(shift.len()).enumerate() {
        put(lanes, l, row, shift);
    }
}

/// One row minus the shift into lane `l`.
#[inline(always)]
pub(super) fn put<T: Float>(lanes: &mut [Lane<T>], l: usize, row: &[T], shift: &[T]) {
    for ((lane, &v), &s) in lanes.iter_mut().zip(row).zip(shift) {
        lane.0[l] = v - s;
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Registers;

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx2 {
    use std::arch::x86_64::*;

    use super::*;

    /// Elements whose square blocks are transposed in registers.
    pub(in super::super) trait Registers: Float {
        /// A full tile: 64 rows.
        ///
        /// # Safety
        /// The machine has AVX2.
        unsafe fn transpose(rows: &[Self], shift: &[Self], lanes: &mut [Lane<Self>]);
    }

    /// Walks a full tile in square blocks of `$n` rows and columns; the last columns are loaded under a mask.
    macro_rules! registers {
        ($t:ident, $n:literal, $mask:ident, $loadu:ident, $maskload:ident, $storeu:ident, $sub:ident, $block:ident) => {
            impl Registers for $t {
                #[target_feature(enable = "avx2")]
                unsafe fn transpose(rows: &[$t], shift: &[$t], lanes: &mut [Lane<$t>]) {
                    let d = shift.len();
                    assert!(rows.len() == TILE * d && lanes.len() == d);
                    for c in (0..d).step_by($n) {
                        let width = (d - c).min($n);
                        let mask = $mask(width);
                        // SAFETY: columns c .. c + width lie within a row; a mask keeps the others unread.
                        let load = |at: *const $t| unsafe {
                            if width == $n {
                                $loadu(at)
                            } else {
                                $maskload(at, mask)
                            }
                        };
                        let origin = load(shift[c..].as_ptr());
                        for l in (0..TILE).step_by($n) {
                            let row =
                                |r: usize| $sub(load(rows[(l + r) * d + c..].as_ptr()), origin);
                            let columns = $block(std::array::from_fn(row));
                            for (lane, column) in lanes[c..c + width].iter_mut().zip(columns) {
                                // SAFETY: l + $n is at most 64, the length of a lane.
                                unsafe { $storeu(lane.0[l..].as_mut_ptr(), column) };
                            }
                        }
                    }
                }
            }
        };
    }
    registers!(
        f32,
        8,
        mask8,
        _mm256_loadu_ps,
        _mm256_maskload_ps,
        _mm256_storeu_ps,
        _mm256_sub_ps,
        block8
    );
    registers!(
        f64,
        4,
        mask4,
        _mm256_loadu_pd,
        _mm256_maskload_pd,
        _mm256_storeu_pd,
        _mm256_sub_pd,
        block4
    );

    #[inline]
    #[target_feature(enable = "avx2")]
    fn mask8(width: usize) -> __m256i {
        let on = |l: usize| if l < width { -1 } else { 0 };
        _mm256_setr_epi32(on(0), on(1), on(2), on(3), on(4), on(5), on(6), on(7))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn mask4(width: usize) -> __m256i {
        let on = |l: usize| if l < width { -1 } else { 0 };
        _mm256_setr_epi64x(on(0), on(1), on(2), on(3))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn block8(r: [__m256; 8]) -> [__m256; 8] {
        // Pairs of rows, then fours, then the two halves.
        let pairs = |a: usize| {
            (
                _mm256_unpacklo_ps(r[a], r[a + 1]),
                _mm256_unpackhi_ps(r[a], r[a + 1]),
            )
        };
        let fours = |(a, b): (__m256, __m256), (c, d): (__m256, __m256)| {
            [
                _mm256_shuffle_ps::<0x44>(a, c),
                _mm256_shuffle_ps::<0xee>(a, c),
                _mm256_shuffle_ps::<0x44>(b, d),
                _mm256_shuffle_ps::<0xee>(b, d),
            ]
        };
        let (a, b) = (fours(pairs(0), pairs(2)), fours(pairs(4), pairs(6)));
        std::array::from_fn(|i| {
            if i < 4 {
                _mm256_permute2f128_ps::<0x20>(a[i], b[i])
            } else {
                _mm256_permute2f128_ps::<0x31>(a[i - 4], b[i - 4])
            }
        })
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn block4(r: [__m256d; 4]) -> [__m256d; 4] {
        let (a, b) = (
            _mm256_unpacklo_pd(r[0], r[1]),
            _mm256_unpackhi_pd(r[0], r[1]),
        );
        let (c, d) = (
            _mm256_unpacklo_pd(r[2], r[3]),
            _mm256_unpackhi_pd(r[2], r[3]),
        );
        [
            _mm256_permute2f128_pd::<0x20>(a, c),
            _mm256_permute2f128_pd::<0x20>(b, d),
            _mm256_permute2f128_pd::<0x31>(a, c),
            _mm256_permute2f128_pd::<0x31>(b, d),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kernel, Level};
    use super::*;
    use crate::Scalar;

    fn agrees<T: Scalar>() {
        for d in [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33] {
            let rows: Vec<T> = (0..TILE * d)
                .map(|i| T::from_f64((i as f64).sin() * 10.0))
                .collect();
            let shift: Vec<T> = (0..d).map(|i| T::from_f64((i as f64).cos())).collect();
            for n in [TILE, 40, 1] {
                let twin = |level| {
                    let mut lanes = vec![Lane([T::zero(); TILE]); d];
                    <T as Kernel>::transpose(level, &rows[..n * d], &shift, &mut lanes);
                    lanes
                        .iter()
                        .flat_map(|lane| lane.0[..n].to_vec())
                        .collect::<Vec<T>>()
                };
                let expected: Vec<T> = (0..d)
                    .flat_map(|j| (0..n).map(move |l| (j, l)))
                    .map(|(j, l)| rows[l * d + j] - shift[j])
                    .collect();
                for level in Level::available() {
                    assert_eq!(twin(level), expected, "{level:?} {d} {n}");
                }
            }
        }
    }

    #[test]
    fn every_level_moves_every_element() {
        agrees::<f32>();
        agrees::<f64>();
    }
}
