//! The inner loop of histograms.
#![allow(unsafe_code)]

use crate::bins::RowBlock;
use crate::histogram::Packing;

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
///
/// The distance of two columns is a constant of each instance, so that an update is one load of a byte and one addition to
/// memory, with nothing computed in between.
pub(crate) fn accumulate(
    block: &RowBlock,
    (n_features, stride): (usize, usize),
    packing: Packing,
    (rows, cells): (&[u32], &[u32]),
    histogram: &mut [u64],
) {
    let (lines, words) = block.lines();
    assert!(
        histogram.len() >= n_features * stride
            && rows.len() == cells.len()
            && words * 8 >= n_features
    );
    assert!(lines.len() * 8 >= block.n_rows() * words);
    let base = lines.as_ptr().cast::<u8>();
    let columns = (n_features / 8, n_features % 8);
    macro_rules! instances {
        ($($stride:literal: $($tail:literal)*),*) => {
            match (stride, columns.1) {
                // SAFETY: as asserted above; every row number handed to the crate's kernels lies below the block's number of
                // rows, and bins of a column are below the stride (`Shape::of` takes it from the largest).
                $($(($stride, $tail) => unsafe {
                    add_rows::<$stride, $tail>((base, words * 8), columns.0, packing, (rows, cells), histogram)
                },)*)*
                _ => unreachable!("Shape::of knows these strides only"),
            }
        };
    }
    instances!(24: 0 1 2 3 4 5 6 7, 72: 0 1 2 3 4 5 6 7, 264: 0 1 2 3 4 5 6 7);
}

/// The distances of two columns that there are instances for.
pub(crate) const STRIDES: [usize; 3] = [24, 72, 264];

/// # Safety
/// Rows must lie in the block at `base` (rows of `width` bytes, at least `8 * full + TAIL`), and `histogram` must have
/// `STRIDE` cells for each column, more than any of its bins.
#[inline(always)]
unsafe fn add_rows<const STRIDE: usize, const TAIL: usize>(
    (base, width): (*const u8, usize),
    full: usize,
    packing: Packing,
    (rows, cells): (&[u32], &[u32]),
    histogram: &mut [u64],
) {
    let last = rows.len().saturating_sub(1);
    for (i, (&row, &cell)) in rows.iter().zip(cells).enumerate() {
        let cell = packing.widen(cell);
        // SAFETY: the caller's promise; `(i + AHEAD).min(last)` indexes `rows`.
        unsafe {
            let next = *rows.get_unchecked((i + AHEAD).min(last)) as usize;
            let ahead = base.add(next * width);
            prefetch(ahead);
            if width > 64 {
                prefetch(ahead.add(64));
            }
            let mut bins = base.add(row as usize * width);
            let mut column = histogram.as_mut_ptr();
            for _ in 0..full {
                add_columns::<STRIDE, 8>(bins, column, cell);
                bins = bins.add(8);
                column = column.add(8 * STRIDE);
            }
            add_columns::<STRIDE, TAIL>(bins, column, cell);
        }
    }
}

/// # Safety
/// `bins` must point to `N` bytes below `STRIDE`, `column` to `N` columns of `STRIDE` cells.
#[inline(always)]
unsafe fn add_columns<const STRIDE: usize, const N: usize>(
    bins: *const u8,
    column: *mut u64,
    cell: u64,
) {
    for k in 0..N {
        // SAFETY: the caller's promise.
        unsafe {
            let at = column.add(k * STRIDE + *bins.add(k) as usize);
            *at = (*at).wrapping_add(cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::histogram::{Packing, Shape};
    use crate::{BinnedData, Gbm, Objective};
    use ndarray::Array2;

    #[test]
    fn accumulation_equals_its_plain_twin_on_every_width_and_thread_count() {
        for d in [1, 7, 8, 9, 30, 33, 70] {
            let n = 40_000;
            let x = Array2::from_shape_fn((n, d), |(i, j)| ((i * (2 * j + 3) + j) % 300) as f32);
            let data = BinnedData::new(&x, &Gbm::params(Objective::Binary)).unwrap();
            let shape = Shape::of(&data);
            let rows: Vec<u32> = (0..n as u32).filter(|r| r % 3 != 1).collect();
            let cells: Vec<u32> = rows.iter().map(|&r| r.wrapping_mul(0x9e37_79b9)).collect();
            let packing = Packing::new(n, [1.0, 1.0]);
            let mut plain = vec![0u64; shape.len()];
            for (&row, cell) in rows.iter().zip(&cells) {
                for j in 0..d {
                    let at = j * shape.stride + data.column(j)[row as usize] as usize;
                    plain[at] = plain[at].wrapping_add(packing.widen(*cell));
                }
            }
            for threads in [1, 2, 3, 7] {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .unwrap();
                let mut histogram = vec![0u64; shape.len()];
                pool.install(|| shape.add(&data, packing, (&rows, &cells), &mut histogram, true));
                assert_eq!(histogram, plain, "{d} columns, {threads} threads");
            }
        }
    }
}
