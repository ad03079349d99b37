//! Sums of rows in fixed-point integers: adding is associative and exact to undo.

use crate::Scalar;

/// A row that leaves one group for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Place of the row among those that are passed with it.
    pub row: u32,
    /// The group it leaves; `u32::MAX` for none.
    pub from: u32,
    /// The group it joins.
    pub to: u32,
}

/// Rows on their way onto a grid of integers: `round((x - shift) * weight * scale)` in each column.
#[derive(Clone, Copy, Debug)]
pub struct GridRows<'a, T> {
    /// Rows, one after the other.
    pub rows: &'a [T],
    /// One number a column, subtracted first.
    pub shift: &'a [T],
    /// Steps of the grid in a unit of each column.
    pub scale: &'a [f64],
    /// A weight for each row; 1 where there are none.
    pub weights: Option<&'a [f64]>,
}

/// Adds rows to the sums of the groups that they join and takes them from those that they leave; `sums` holds one row a
/// group. Numbers on the grid must be below 2^51 in size.
///
/// # Panics
/// When a row or a group lies outside.
pub fn move_rows<T: Scalar>(rows: GridRows<'_, T>, moves: &[Move], sums: &mut [i64]) {
    <T as super::Kernel>::move_rows(super::Level::best(), rows, moves, sums);
}

/// Adding it to a number below 2^51 leaves the nearest integer in the low bits.
const MAGIC: f64 = 6_755_399_441_055_744.0;

/// The nearest integer of a number below 2^51 in size.
#[inline(always)]
pub fn round(value: f64) -> i64 {
    (value + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits()) as i64
}

/// Columns that are held in registers.
const STEP: usize = 8;

#[inline(always)]
pub(super) fn body<T: Scalar>(rows: GridRows<'_, T>, moves: &[Move], sums: &mut [i64]) {
    let GridRows {
        rows,
        shift,
        scale,
        weights,
    } = rows;
    let d = shift.len();
    let scale = &scale[..d];
    let ((shifts, rest_shift), (scales, rest_scale)) =
        (shift.as_chunks::<STEP>(), scale.as_chunks::<STEP>());
    for m in moves {
        let row = &rows[m.row as usize * d..][..d];
        let weight = weights.map_or(1.0, |w| w[m.row as usize]);
        let to = m.to as usize * d;
        let from = (m.from != u32::MAX).then_some(m.from as usize * d);
        let (values, rest) = row.as_chunks::<STEP>();
        for (c, ((x, s), scale)) in values.iter().zip(shifts).zip(scales).enumerate() {
            let mut fixed = [0; STEP];
            for j in 0..STEP {
                fixed[j] = round((x[j] - s[j]).into_f64() * (weight * scale[j]));
            }
            let sum = &mut sums[to + c * STEP..][..STEP];
            sum.iter_mut()
                .zip(&fixed)
                .for_each(|(sum, fixed)| *sum += fixed);
            if let Some(from) = from {
                let sum = &mut sums[from + c * STEP..][..STEP];
                sum.iter_mut()
                    .zip(&fixed)
                    .for_each(|(sum, fixed)| *sum -= fixed);
            }
        }
        let done = d - rest.len();
        for (j, ((&x, &s), scale)) in rest.iter().zip(rest_shift).zip(rest_scale).enumerate() {
            let fixed = round((x - s).into_f64() * (weight * scale));
            sums[to + done + j] += fixed;
            if let Some(from) = from {
                sums[from + done + j] -= fixed;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kernel, Level};
    use super::*;

    #[test]
    fn rows_join_and_leave_on_every_level() {
        let d = 11;
        let rows: Vec<f32> = (0..3 * d).map(|i| (i as f32).sin()).collect();
        let (shift, scale) = (vec![0.25f32; d], vec![1024.0; d]);
        let fixed = |row: usize, j: usize, w: f64| {
            (f64::from(rows[row * d + j] - 0.25) * w * 1024.0).round_ties_even() as i64
        };
        for level in Level::available() {
            let mut sums = vec![0; 2 * d];
            let part = GridRows {
                rows: &rows,
                shift: &shift,
                scale: &scale,
                weights: Some(&[1.0, 3.0, 0.5]),
            };
            let join = |row, to| Move {
                row,
                from: u32::MAX,
                to,
            };
            <f32 as Kernel>::move_rows(
                level,
                part,
                &[
                    join(0, 0),
                    join(1, 0),
                    join(2, 1),
                    Move {
                        row: 1,
                        from: 0,
                        to: 1,
                    },
                ],
                &mut sums,
            );
            for j in 0..d {
                assert_eq!(
                    (sums[j], sums[d + j]),
                    (fixed(0, j, 1.0), fixed(1, j, 3.0) + fixed(2, j, 0.5)),
                    "{level:?}"
                );
            }
        }
    }
}
