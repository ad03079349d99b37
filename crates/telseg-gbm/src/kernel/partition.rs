//! Rows of a leaf to its two children.
#![allow(unsafe_code)]

use std::hint::select_unpredictable;

use rayon::prelude::*;

use super::Shared;

/// Whether each bin goes left.
pub(crate) type LeftBins = [bool; 256];

/// Rows of one task of [`partition_together`].
const CHUNK: usize = 16_384;

/// Moves rows and their cells, left ones to the front in order, the others to the back in reverse; returns how many went
/// left.
///
/// The order of a leaf's rows means nothing: what is summed over them are whole numbers. One pass is enough that way.
pub(crate) fn partition(
    (rows, cells): (&[u32], &[u32]),
    column: &[u8],
    left: &LeftBins,
    (to_rows, to_cells): (&mut [u32], &mut [u32]),
) -> usize {
    let n = rows.len();
    assert!(cells.len() == n && to_rows.len() == n && to_cells.len() == n);
    let (mut front, mut back) = (0, n);
    for (&row, &cell) in rows.iter().zip(cells) {
        let goes = usize::from(left[column[row as usize] as usize]);
        let at = select_unpredictable(goes == 1, front, back - 1);
        // SAFETY: `back - front` rows are left, this one at least; hence `front < back <= n`.
        unsafe {
            *to_rows.get_unchecked_mut(at) = row;
            *to_cells.get_unchecked_mut(at) = cell;
        }
        front += goes;
        back -= 1 - goes;
    }
    front
}

/// The same by all threads together: a first pass counts, so that each chunk of rows knows its places.
pub(crate) fn partition_together(
    (rows, cells): (&[u32], &[u32]),
    column: &[u8],
    left: &LeftBins,
    (to_rows, to_cells): (&mut [u32], &mut [u32]),
) -> usize {
    let n = rows.len();
    assert!(cells.len() == n && to_rows.len() == n && to_cells.len() == n);
    let goes = |row: u32| usize::from(left[column[row as usize] as usize]);
    let counts = rows.par_chunks(CHUNK);
    let counts: Vec<usize> = counts
        .map(|rows| rows.iter().map(|&row| goes(row)).sum())
        .collect();
    let n_left = counts.iter().sum();
    let mut starts = Vec::with_capacity(counts.len());
    let mut next = (0, n_left);
    for (rows, count) in rows.chunks(CHUNK).zip(&counts) {
        starts.push(next);
        next = (next.0 + count, next.1 + rows.len() - count);
    }
    let to = (Shared::new(to_rows), Shared::new(to_cells));
    let chunks = rows.par_chunks(CHUNK).zip(cells.par_chunks(CHUNK));
    chunks.zip(starts).for_each(|((rows, cells), mut next)| {
        for (&row, &cell) in rows.iter().zip(cells) {
            let goes = goes(row);
            let at = select_unpredictable(goes == 1, next.0, next.1);
            // SAFETY: the places of a chunk begin where those of the chunks before end, by the counts of the same rows:
            // left ones from 0, the others from `n_left`, so that no place is written twice and none lies beyond `n`.
            unsafe {
                to.0.set(at, row);
                to.1.set(at, cell);
            }
            next.0 += goes;
            next.1 += 1 - goes;
        }
    });
    n_left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_where_their_bin_goes() {
        for n in [0usize, 1, 2, 64, 1000, 40_000] {
            let column: Vec<u8> = (0..3 * n + 1).map(|i| (i * 89 % 256) as u8).collect();
            let rows: Vec<u32> = (0..n as u32).map(|i| i * 3 + i % 2).collect();
            let cells: Vec<u32> = rows.iter().map(|&r| r << 13 | 5).collect();
            for left in [
                [false; 256],
                [true; 256],
                std::array::from_fn(|i| i % 7 < 3),
            ] {
                let goes = |r: &u32| left[column[*r as usize] as usize];
                let (a, b): (Vec<u32>, Vec<u32>) = rows.iter().partition(|r| goes(r));
                for together in [false, true] {
                    let (mut r, mut c) = (vec![0; n], vec![0; n]);
                    let from = (&rows[..], &cells[..]);
                    let run = if together {
                        partition_together
                    } else {
                        partition
                    };
                    assert_eq!(run(from, &column, &left, (&mut r, &mut c)), a.len());
                    assert!(r.iter().zip(&c).all(|(r, c)| r << 13 | 5 == *c));
                    let (found_a, found_b) = r.split_at_mut(a.len());
                    found_a.sort_unstable();
                    found_b.sort_unstable();
                    assert_eq!((&a[..], &b[..]), (&*found_a, &*found_b));
                }
            }
        }
    }
}
