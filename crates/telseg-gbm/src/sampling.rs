//! Which rows a tree is grown on.

use telseg_core::par;
use telseg_core::seed::Stream;

use crate::leaves::CHUNK;

/// The given share of `rows`, without replacement and in order: the share of each chunk, so that chunks are independent.
pub(crate) fn draw_rows(rows: &[u32], share: f64, stream: Stream) -> Vec<u32> {
    let quota = |end: usize| (end as f64 * share).round() as usize;
    let parts = par::map(rows.len(), CHUNK, |range| {
        let mut wanted = quota(range.end) - quota(range.start);
        let mut left = range.len();
        let mut chosen = Vec::with_capacity(wanted);
        // Selection sampling (Knuth, vol. 2, algorithm 3.4.2 S).
        for &row in &rows[range] {
            if stream.unit(row.into()) * (left as f64) < wanted as f64 {
                chosen.push(row);
                wanted -= 1;
            }
            left -= 1;
        }
        chosen
    });
    let mut chosen = parts.concat();
    if chosen.is_empty() {
        chosen.extend(rows.first());
    }
    chosen
}
