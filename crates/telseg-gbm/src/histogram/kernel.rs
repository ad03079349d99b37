//! The inner loops: histogram accumulation, row partition, leaf scores.
#![allow(unsafe_code)]

use crate::bins::RowBlock;

/// Rows between the one being added and the one being fetched: below the root, rows are scattered.
const AHEAD: usize = 24;

#[inline(always)]
fn prefetch<T>(_pointer: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch is a hint; it reads nothing and cannot fault, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(_pointer.cast());
    }
}

/// Adds each row's cell to its bin of every column.
pub(crate) fn accumulate(
    block: &RowBlock,
    (n_features, stride): (usize, usize),
    rows: &[u32],
    cells: &[u64],
    histogram: &mut [u64],
) {
    let (lines, words) = block.lines();
    assert!(
        histogram.len() >= n_features * stride
            && rows.len() == cells.len()
            && words * 8 >= n_features
    );
    assert!(lines.len() * 8 >= block.n_rows() * words);
    let base = lines.as_ptr().cast::<u64>();
    let (full, tail) = (n_features / 8, n_features % 8);
    let last = rows.len().saturating_sub(1);
    for (i, (&row, &cell)) in rows.iter().zip(cells).enumerate() {
        debug_assert!((row as usize) < block.n_rows());
        // SAFETY: every row number handed to the crate's kernels lies below the block's number of rows, so that its
        // words lie in `lines` (second assertion); `(i + AHEAD).min(last)` indexes `rows`. Bins of a column are below
        // `stride` (`Shape::of` takes the largest), so that cell `j * stride + bin` lies in `histogram` (first
        // assertion).
        unsafe {
            let next = *rows.get_unchecked((i + AHEAD).min(last)) as usize;
            let ahead = base.add(next * words);
            prefetch(ahead);
            if words > 8 {
                prefetch(ahead.add(8));
            }
            let row = base.add(row as usize * words);
            let mut column = histogram.as_mut_ptr();
            for w in 0..full {
                let word = *row.add(w);
                for k in 0..8 {
                    let at = column.add((word >> (8 * k)) as u8 as usize);
                    *at = (*at).wrapping_add(cell);
                    column = column.add(stride);
                }
            }
            let mut word = if tail > 0 { *row.add(full) } else { 0 };
            for _ in 0..tail {
                let at = column.add(word as u8 as usize);
                *at = (*at).wrapping_add(cell);
                column = column.add(stride);
                word >>= 8;
            }
        }
    }
}

/// Writes whether each row goes left; returns how many do.
pub(crate) fn mark(rows: &[u32], column: &[u8], left: &[u8; 256], flags: &mut [u8]) -> usize {
    let mut n = 0;
    for (flag, &row) in flags.iter_mut().zip(rows) {
        *flag = left[column[row as usize] as usize];
        n += *flag as usize;
    }
    n
}

/// A mutable slice whose disjoint elements several threads write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared<T>(*mut T, usize);

// SAFETY: the pointer stems from an exclusive borrow of a slice of `T: Send`; the functions below that write through it
// require that no element is written by two threads.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) fn new(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr(), slice.len())
    }
}

/// Moves marked rows to `left..` and the others to `right..`, both in order.
///
/// # Safety
/// The slices behind `to` must be borrowed for the call and have room for the marked rows at `left` and the others at
/// `right`; no other thread may touch those elements meanwhile.
pub(crate) unsafe fn scatter(
    (rows, cells, flags): (&[u32], &[u64], &[u8]),
    to: (Shared<u32>, Shared<u64>),
    (mut left, mut right): (usize, usize),
) {
    for ((&row, &cell), &flag) in rows.iter().zip(cells).zip(flags) {
        let flag = flag as usize;
        let at = if flag == 1 { left } else { right };
        debug_assert!(at < to.0.1 && at < to.1.1);
        // SAFETY: the caller has made room for as many rows as are marked and not.
        unsafe {
            *to.0.0.add(at) = row;
            *to.1.0.add(at) = cell;
        }
        left += flag;
        right += 1 - flag;
    }
}

/// Adds `value` to the scores of rows.
///
/// # Safety
/// The slice behind `scores` must be borrowed for the call, rows must lie in it, and no other thread may touch them.
pub(crate) unsafe fn add_to_rows(rows: &[u32], value: f64, scores: Shared<f64>) {
    for &row in rows {
        debug_assert!((row as usize) < scores.1);
        // SAFETY: the caller's promise.
        unsafe { *scores.0.add(row as usize) += value };
    }
}

#[cfg(test)]
mod tests {
    use crate::{BinnedData, Gbm, Objective, histogram::Shape};
    use ndarray::Array2;

    #[test]
    fn accumulation_equals_its_plain_twin_on_every_width_and_thread_count() {
        for d in [1, 7, 8, 9, 30, 33, 70] {
            let n = 40_000;
            let x = Array2::from_shape_fn((n, d), |(i, j)| ((i * (2 * j + 3) + j) % 300) as f32);
            let data = BinnedData::new(&x, &Gbm::params(Objective::Binary)).unwrap();
            let shape = Shape::of(&data);
            let rows: Vec<u32> = (0..n as u32).filter(|r| r % 3 != 1).collect();
            let cells: Vec<u64> = rows
                .iter()
                .map(|&r| u64::from(r).wrapping_mul(0x9e37_79b9_7f4a_7c15))
                .collect();
            let mut plain = vec![0u64; shape.len()];
            for (&row, cell) in rows.iter().zip(&cells) {
                for j in 0..d {
                    let at = j * shape.stride + data.column(j)[row as usize] as usize;
                    plain[at] = plain[at].wrapping_add(*cell);
                }
            }
            for threads in [1, 2, 3, 7] {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .unwrap();
                let mut histogram = vec![0u64; shape.len()];
                pool.install(|| shape.add(&data, &rows, &cells, &mut histogram));
                assert_eq!(histogram, plain, "{d} columns, {threads} threads");
            }
        }
    }
}
