//! Parallel work over fixed chunks, folded in index order: same bits for any number of threads.
//!
//! All functions run in the caller's rayon pool. The chunk length is a constant of the algorithm, never of the machine.

use std::ops::Range;

use rayon::prelude::*;

/// The row ranges of length `chunk` (the last may be shorter) that cover `0..n`.
pub fn chunks(n: usize, chunk: usize) -> impl ExactSizeIterator<Item = Range<usize>> + Clone {
    let chunk = chunk.max(1);
    (0..n.div_ceil(chunk)).map(move |i| i * chunk..((i + 1) * chunk).min(n))
}

/// Applies `map` to each chunk of `0..n` in parallel; the results come back in index order.
pub fn map<T: Send>(
    n: usize,
    chunk: usize,
    map: impl Fn(Range<usize>) -> T + Sync + Send,
) -> Vec<T> {
    let chunk = chunk.max(1);
    (0..n.div_ceil(chunk))
        .into_par_iter()
        .map(|i| map(i * chunk..((i + 1) * chunk).min(n)))
        .collect()
}

/// Applies `map` to each chunk of `0..n` in parallel and folds the results in index order.
pub fn map_fold<T: Send, A>(
    n: usize,
    chunk: usize,
    map_chunk: impl Fn(Range<usize>) -> T + Sync + Send,
    start: A,
    fold: impl FnMut(A, T) -> A,
) -> A {
    map(n, chunk, map_chunk).into_iter().fold(start, fold)
}

/// Fills `out` in parallel, `chunk` elements at a time; `fill` gets the range and its slice.
pub fn fill<T: Send>(
    out: &mut [T],
    chunk: usize,
    fill: impl Fn(Range<usize>, &mut [T]) + Sync + Send,
) {
    let chunk = chunk.max(1);
    out.par_chunks_mut(chunk)
        .enumerate()
        .for_each(|(i, part)| fill(i * chunk..i * chunk + part.len(), part));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_the_range_once() {
        for (n, chunk) in [(0, 3), (1, 3), (3, 3), (10, 3), (5, 0)] {
            let all: Vec<usize> = chunks(n, chunk).flatten().collect();
            assert_eq!(all, (0..n).collect::<Vec<_>>());
            assert_eq!(
                map(n, chunk, |r| r)
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>(),
                all
            );
        }
    }

    #[test]
    fn folds_in_order() {
        let order = map_fold(
            1000,
            7,
            |r| r.start,
            Vec::new(),
            |mut v, s| {
                v.push(s);
                v
            },
        );
        assert!(order.is_sorted());
        let mut out = vec![0; 100];
        fill(&mut out, 9, |range, part| {
            part.iter_mut().zip(range).for_each(|(o, i)| *o = i)
        });
        assert_eq!(out, (0..100).collect::<Vec<_>>());
    }
}
