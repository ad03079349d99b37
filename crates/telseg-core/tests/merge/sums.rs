//! Counts, moments and co-moments.

use ndarray::{Array2, ArrayRef2, Axis, s};
use proptest::prelude::*;
use telseg_core::Seed;
use telseg_core::merge::{CoMoments, Counts, Merge, Moments, fold};

/// Columns that are hard: far from 0 with little spread, with missing values, skewed, constant.
fn table(n: usize) -> (Array2<f64>, Vec<f64>) {
    let stream = Seed::new(11).stream("test.table");
    let unit = |i: usize, j: usize| stream.unit((i * 5 + j) as u64);
    let x = Array2::from_shape_fn((n, 4), |(i, j)| match j {
        0 => 1e4 + unit(i, 0),
        1 if unit(i, 4) < 0.2 => f64::NAN,
        1 => unit(i, 1) - 0.5,
        2 => -(unit(i, 2) + 1e-9).ln() + 3.0 * unit(i, 0),
        _ => 7.0,
    });
    let weights = (0..n).map(|i| (4.0 * unit(i, 3)).floor() + 0.5 * unit(i, 3));
    (x, weights.collect())
}

/// Seven parts of unlike size.
fn parts(n: usize) -> Vec<std::ops::Range<usize>> {
    let ends = [0, 1, 5, n / 10, n / 10, n / 3, n / 2, n];
    ends.windows(2).map(|e| e[0]..e[1]).collect()
}

#[track_caller]
fn near<'a>(
    name: &str,
    a: impl IntoIterator<Item = &'a f64>,
    b: impl IntoIterator<Item = &'a f64>,
) {
    for (i, (a, b)) in a.into_iter().zip(b).enumerate() {
        let same = (a - b).abs() <= 1e-12 * a.abs().max(1.0);
        assert!(same || (a.is_nan() && b.is_nan()), "{name}[{i}]: {a}, {b}");
    }
}

#[track_caller]
fn same_moments(a: &Moments, b: &Moments) {
    assert_eq!((a.n(), a.n_missing()), (b.n(), b.n_missing()));
    let bits = |v: ndarray::Array1<f64>| v.mapv(f64::to_bits);
    assert_eq!(bits(a.min()), bits(b.min()));
    assert_eq!(bits(a.max()), bits(b.max()));
    near("weight", a.weight(), b.weight());
    near("mean", &a.mean(), &b.mean());
    near("variance", &a.variance(), &b.variance());
}

#[track_caller]
fn same_comoments(a: &CoMoments, b: &CoMoments) {
    assert_eq!((a.n(), a.n_missing()), (b.n(), b.n_missing()));
    near("mean", &a.mean(), &b.mean());
    near("covariance", &a.covariance(), &b.covariance());
}

/// Two passes with exact weights, column by column: the definition.
fn by_definition(x: &ArrayRef2<f64>, w: &[f64], column: usize) -> (f64, f64) {
    let values = || {
        let column = x.column(column).into_iter().zip(w);
        column.filter(|(v, _)| !v.is_nan()).collect::<Vec<_>>()
    };
    let total: f64 = values().iter().map(|(_, w)| **w).sum();
    // Deviations from the first value keep the digits of a mean far from 0.
    let first = *values()[0].0;
    let mean = first
        + values()
            .iter()
            .map(|(v, w)| **w * (**v - first))
            .sum::<f64>()
            / total;
    let m2: f64 = values()
        .iter()
        .map(|(v, w)| **w * (**v - mean).powi(2))
        .sum();
    (mean, m2 / total)
}

#[test]
fn seven_parts_are_the_whole() {
    let (x, w) = table(3000);
    for weighted in [false, true] {
        let of = |rows: std::ops::Range<usize>| weighted.then(|| &w[rows]);
        let whole = Moments::of(&x, of(0..3000)).unwrap();
        let parted = parts(3000)
            .into_iter()
            .map(|rows| Moments::of(&x.slice(s![rows.clone(), ..]), of(rows)).unwrap());
        same_moments(&whole, &fold(parted).unwrap().unwrap());

        let whole = CoMoments::of(&x, of(0..3000)).unwrap();
        let parted = parts(3000)
            .into_iter()
            .map(|rows| CoMoments::of(&x.slice(s![rows.clone(), ..]), of(rows)).unwrap());
        same_comoments(&whole, &fold(parted).unwrap().unwrap());
    }
}

#[test]
fn moments_are_what_they_are_called() {
    let (x, w) = table(3000);
    let moments = Moments::of(&x, Some(&w)).unwrap();
    for column in 0..4 {
        let (mean, variance) = by_definition(&x, &w, column);
        near("mean", [&mean], [&moments.mean()[column]]);
        near("variance", [&variance], [&moments.variance()[column]]);
    }
    assert_eq!(moments.variance()[3], 0.0);
    assert_eq!((moments.min()[3], moments.max()[3]), (7.0, 7.0));
    let counted = w.iter().filter(|&&w| w > 0.0).count() as u64;
    assert_eq!(moments.n()[0], counted);
    assert_eq!(moments.n()[1] + moments.n_missing()[1], counted);
    let unbiased = moments.variance()[0] * moments.weight()[0] / (moments.weight()[0] - 1.0);
    near("sample", [&unbiased], [&moments.sample_variance()[0]]);

    // Without the column that misses values, the diagonal of the covariance is the variance.
    let whole = x.select(Axis(1), &[0, 2, 3]);
    let moments = Moments::of(&whole, Some(&w)).unwrap();
    let together = CoMoments::of(&whole, Some(&w)).unwrap();
    near("mean", &moments.mean(), &together.mean());
    near(
        "diagonal",
        &moments.variance(),
        together.covariance().diag(),
    );
    assert_eq!(together.covariance(), together.covariance().t());
    // Column 2 is an exponential number plus 3 × column 0: correlation √(9/12) / √(1 + 9/12) = 0.65.
    let correlation = together.correlation();
    assert!((correlation[[0, 1]] - 0.65).abs() < 0.05, "{correlation}");
    assert!(correlation[[0, 2]].is_nan() && correlation[[1, 1]] == 1.0);
}

#[test]
fn strides_types_and_threads_do_not_matter() {
    let (x, w) = table(70_000); // three chunks
    let run = |n_threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new();
        let pool = pool.num_threads(n_threads).build().unwrap();
        pool.install(|| {
            (
                Moments::of(&x, Some(&w)).unwrap(),
                CoMoments::of(&x, Some(&w)).unwrap(),
            )
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(7));

    let by_column = x.slice(s![..500, ..]).t().as_standard_layout().into_owned();
    let rows = x.slice(s![..500, ..]);
    assert_eq!(
        Moments::of(&by_column.t(), None).unwrap(),
        Moments::of(&rows, None).unwrap()
    );
    let single = rows.mapv(|v| v as f32);
    assert_eq!(
        Moments::of(&single, None).unwrap(),
        Moments::of(&single.mapv(f64::from), None).unwrap()
    );
    let saved = postcard::to_stdvec(&one).unwrap();
    assert_eq!(
        postcard::from_bytes::<(Moments, CoMoments)>(&saved).unwrap(),
        one
    );
}

fn small() -> impl Strategy<Value = Array2<f64>> {
    let cell = prop_oneof![9 => (-50i8..50).prop_map(|v| f64::from(v) / 4.0), 1 => Just(f64::NAN)];
    prop::collection::vec(cell, 0..30).prop_map(|mut cells| {
        cells.truncate(cells.len() / 2 * 2);
        Array2::from_shape_vec((cells.len() / 2, 2), cells).unwrap()
    })
}

proptest! {
    #[test]
    fn merging_is_associative_and_commutative(a in small(), b in small(), c in small()) {
        let [a, b, c] = [a, b, c].map(|x| (Moments::of(&x, None).unwrap(), CoMoments::of(&x, None).unwrap()));
        let join = |x: &(Moments, CoMoments), y: &(Moments, CoMoments)| {
            let mut joined = x.clone();
            joined.0.merge(&y.0).unwrap();
            joined.1.merge(&y.1).unwrap();
            joined
        };
        let left = join(&join(&a, &b), &c);
        for other in [join(&a, &join(&b, &c)), join(&join(&c, &b), &a)] {
            same_moments(&left.0, &other.0);
            same_comoments(&left.1, &other.1);
        }
        let nothing = (Moments::new(2), CoMoments::new(2));
        prop_assert_eq!(&join(&a, &nothing), &a);
        prop_assert_eq!(&join(&nothing, &a), &a);
    }

    #[test]
    fn whole_weight_is_repeated_row(x in small(), w in prop::collection::vec(0usize..4, 15)) {
        let w = &w[..x.nrows()];
        let copies: Vec<usize> = (0..w.len()).flat_map(|i| std::iter::repeat_n(i, w[i])).collect();
        let copied = x.select(Axis(0), &copies);
        let w: Vec<f64> = w.iter().map(|&w| w as f64).collect();
        let weighted = Moments::of(&x, Some(&w)).unwrap();
        let repeated = Moments::of(&copied, None).unwrap();
        near("weight", weighted.weight(), repeated.weight());
        near("mean", &weighted.mean(), &repeated.mean());
        near("variance", &weighted.variance(), &repeated.variance());
        prop_assert_eq!(weighted.max().map(|v| v.to_bits()), repeated.max().map(|v| v.to_bits()));
        let (weighted, repeated) = (CoMoments::of(&x, Some(&w)).unwrap(), CoMoments::of(&copied, None).unwrap());
        near("covariance", &weighted.covariance(), &repeated.covariance());
    }

    #[test]
    fn counts_of_parts_are_those_of_the_whole(rows in prop::collection::vec((0u32..6, 0u8..5), 0..80), cuts in prop::collection::vec(0usize..80, 6)) {
        let count = |rows: &[(u32, u8)]| {
            let mut counts = Counts::new();
            rows.iter().for_each(|&(c, w)| counts.push_weighted(c, f64::from(w)).unwrap());
            counts
        };
        let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(rows.len())).chain([0, rows.len()]).collect();
        cuts.sort_unstable();
        let whole = count(&rows);
        let merged = fold(cuts.windows(2).map(|c| count(&rows[c[0]..c[1]]))).unwrap().unwrap();
        prop_assert_eq!(&whole, &merged); // whole numbers add exactly
        let sum: f64 = rows.iter().filter(|r| r.0 == 3).map(|r| f64::from(r.1)).sum();
        prop_assert_eq!(whole.weight(&3), sum);
        prop_assert_eq!(whole.total(), rows.iter().map(|r| f64::from(r.1)).sum::<f64>());
        whole.validate().unwrap();
    }
}
