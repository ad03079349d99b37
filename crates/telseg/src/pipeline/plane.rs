//! The plane on which segments lie farthest apart, to draw them on.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis};
use telseg_core::Seed;
use telseg_core::kernel::dot;

use crate::report::{Map, MapPoint};

/// Subscribers drawn on the plane.
const N_POINTS: usize = 800;

/// Rounds of the power iteration; the plane is for the eye.
const ROUNDS: usize = 200;

/// Projects a sample of rows and the segments' means on the two directions in which the means, weighted by size, vary
/// most. `None` where they lie on a line or a point.
pub(super) fn map(
    x: &ArrayRef2<f32>,
    labels: &ArrayRef1<u32>,
    n_segments: usize,
    seed: u64,
) -> Option<Map> {
    let (means, sizes) = means(x, labels, n_segments);
    let base = x.mean_axis(Axis(0))?.mapv(f64::from);
    let spread: Array2<f64> = Array2::from_shape_fn(means.dim(), |(s, j)| {
        if sizes[s] > 0.0 {
            (means[[s, j]] - base[j]) * (sizes[s] / x.nrows() as f64).sqrt()
        } else {
            0.0
        }
    });
    let total: f64 = spread.iter().map(|v| v * v).sum();
    let (first, kept_first) = direction(&spread, None)?;
    let (second, kept_second) = direction(&spread, Some(&first))?;
    let point = |row: &mut dyn Iterator<Item = f64>, segment: u32| {
        let centred: Vec<f64> = row.zip(&base).map(|(v, b)| v - b).collect();
        let along =
            |axis: &Array1<f64>| axis.as_slice().map_or(f64::NAN, |axis| dot(&centred, axis));
        MapPoint {
            x: along(&first),
            y: along(&second),
            segment,
        }
    };
    let stream = Seed::new(seed).stream("report.map");
    let mut rows: Vec<usize> = (0..x.nrows()).collect();
    rows.sort_by_key(|&i| stream.bits(i as u64));
    rows.truncate(N_POINTS);
    let points = rows
        .into_iter()
        .map(|i| point(&mut x.row(i).iter().map(|&v| f64::from(v)), labels[i]))
        .collect();
    let centres = (0..n_segments)
        .filter(|&s| sizes[s] > 0.0)
        .map(|s| point(&mut means.row(s).iter().copied(), s as u32))
        .collect();
    let share = 100.0 * (kept_first + kept_second) / total;
    let method = format!(
        "A sample of {} subscribers on the plane where segment means lie farthest apart; it shows {share:.0}% of the \
         spread between segments.",
        N_POINTS.min(x.nrows())
    );
    Some(Map {
        method,
        points,
        centres,
    })
}

fn means(
    x: &ArrayRef2<f32>,
    labels: &ArrayRef1<u32>,
    n_segments: usize,
) -> (Array2<f64>, Vec<f64>) {
    let (mut sums, mut sizes) = (
        Array2::<f64>::zeros((n_segments, x.ncols())),
        vec![0.0; n_segments],
    );
    for (row, &label) in x.rows().into_iter().zip(labels) {
        sizes[label as usize] += 1.0;
        sums.row_mut(label as usize)
            .iter_mut()
            .zip(row)
            .for_each(|(s, &v)| *s += f64::from(v));
    }
    for (mut row, &size) in sums.rows_mut().into_iter().zip(&sizes) {
        row.mapv_inplace(|v| if size > 0.0 { v / size } else { 0.0 });
    }
    (sums, sizes)
}

/// The unit vector `v`, orthogonal to `against`, with the largest `|rows v|^2`, and that number.
fn direction(rows: &Array2<f64>, against: Option<&Array1<f64>>) -> Option<(Array1<f64>, f64)> {
    let clean = |mut v: Array1<f64>| {
        if let Some(other) = against {
            let along = v.dot(other);
            v.scaled_add(-along, other);
        }
        let length = v.dot(&v).sqrt();
        (length > 1e-9).then(|| v / length)
    };
    let longest = rows
        .rows()
        .into_iter()
        .max_by(|a, b| a.dot(a).total_cmp(&b.dot(b)))?
        .to_owned();
    let start = clean(longest).or_else(|| {
        rows.rows()
            .into_iter()
            .find_map(|row| clean(row.to_owned()))
    })?;
    let mut v = start;
    for _ in 0..ROUNDS {
        v = clean(rows.t().dot(&rows.dot(&v)))?;
    }
    let image = rows.dot(&v);
    Some((v, image.dot(&image)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn finds_the_plane_of_three_segments() {
        // Means at (0, 4, 0), (0, 0, 0) and (3, 0, 0): the third column holds noise only.
        let x = array![
            [0.0f32, 4.0, 1.0],
            [0.0, 4.0, -1.0],
            [0.0, 0.0, 1.0],
            [0.0, 0.0, -1.0],
            [3.0, 0.0, 1.0],
            [3.0, 0.0, -1.0]
        ];
        let map = map(&x, &array![0u32, 0, 1, 1, 2, 2], 3, 0).unwrap();
        assert!(map.method.contains("100%"), "{}", map.method);
        let distance = |a: &MapPoint, b: &MapPoint| (a.x - b.x).hypot(a.y - b.y);
        let [a, b, c] = &map.centres[..] else {
            panic!("three centres")
        };
        for (found, expected) in [
            (distance(a, b), 4.0),
            (distance(b, c), 3.0),
            (distance(a, c), 5.0),
        ] {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        assert_eq!(map.points.len(), 6);
    }

    #[test]
    fn draws_nothing_where_segments_lie_on_a_line() {
        let x = array![[0.0f32, 0.0], [1.0, 1.0]];
        assert!(map(&x, &array![0u32, 1], 2, 0).is_none());
    }
}
