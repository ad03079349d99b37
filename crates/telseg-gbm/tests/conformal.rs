//! Conformal intervals and sets: they hold the truth as often as they say, on many draws of the data.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use ndarray::{Array1, Array2, array, s};
use telseg_core::artefact;
use telseg_core::seed::{Seed, Stream};
use telseg_gbm::{
    ConformalIntervals, ConformalSets, CvPlus, Gbm, Objective, SetScore, Sparse, fit_cv_plus,
};
use telseg_testkit::{pool, table};

/// The sum of four uniform numbers, with mean 0 and variance 1.
fn bell(stream: Stream, i: usize) -> f64 {
    ((0..4).map(|k| stream.unit((4 * i + k) as u64)).sum::<f64>() - 2.0) * 3.0f64.sqrt()
}

/// Mean coverage over draws of `n` known rows and one new row each, in the group of each new row.
fn coverage(draws: u64, n: usize, holds: impl Fn(Stream, &Array1<u32>, u32) -> bool) -> [f64; 2] {
    let (mut held, mut seen) = ([0.0; 2], [0.0; 2]);
    for draw in 0..draws {
        let stream = Seed::new(1).stream("test.coverage").child(draw);
        let groups = Array1::from_shape_fn(n, |i| (i % 3 == 0) as u32);
        let group = (draw % 2) as u32;
        held[group as usize] += f64::from(u8::from(holds(stream, &groups, group)));
        seen[group as usize] += 1.0;
    }
    [held[0] / seen[0], held[1] / seen[1]]
}

#[test]
fn intervals_cover_within_every_group() {
    // Group 1 is ten times as noisy. 60 known rows, 20 and 40 a group; 4000 draws: standard error 0.007 a group. The
    // guarantee: 0.8 to 0.8 + 1 / 21.
    let n = 60;
    let noise = |stream: Stream, i: usize, group: u32| {
        bell(stream, i) * if group == 1 { 10.0 } else { 1.0 }
    };
    let truth = |stream: Stream, groups: &Array1<u32>| {
        Array1::from_shape_fn(n, |i| noise(stream, i, groups[i]) as f32)
    };
    let zero = Array1::zeros(n);
    let within = |[low, high]: [f64; 2], y: f64| low <= y && y <= high;
    let grouped = coverage(4000, n, |stream, groups, group| {
        let fitted = ConformalIntervals::params(0.8)
            .fit_grouped((&zero, &zero), &truth(stream, groups), groups)
            .unwrap();
        within(fitted.interval_in(group, [0.0; 2]), noise(stream, n, group))
    });
    assert!(
        grouped.iter().all(|c| (0.78..0.87).contains(c)),
        "{grouped:?}"
    );
    // All rows together: the noisy group is let down.
    let pooled = coverage(2000, n, |stream, groups, group| {
        let fitted = ConformalIntervals::params(0.8)
            .fit((&zero, &zero), &truth(stream, groups))
            .unwrap();
        within(fitted.interval([0.0; 2]), noise(stream, n, group))
    });
    assert!(pooled[0] > 0.97 && pooled[1] < 0.7, "{pooled:?}");
    // Quantiles that are wrong by any amount: -2 to 5 for a noise of variance 1, or far too narrow.
    for band in [[-2.0, 5.0], [-0.1, 0.2]] {
        let (low, high) = (Array1::from_elem(n, band[0]), Array1::from_elem(n, band[1]));
        let found = coverage(4000, n, |stream, _, _| {
            let y = Array1::from_shape_fn(n, |i| bell(stream, i) as f32);
            let fitted = ConformalIntervals::params(0.8)
                .fit((&low, &high), &y)
                .unwrap();
            within(fitted.interval(band), bell(stream, n))
        });
        let mean = 0.5 * (found[0] + found[1]);
        assert!((0.785..0.835).contains(&mean), "{mean}"); // 0.8 to 0.8 + 1 / 61, standard error 0.0063
    }
}

#[test]
fn sets_cover_within_every_group() {
    // Three classes with probabilities that a model gets wrong; group 1 is pure chance.
    let n = 80;
    let said = |stream: Stream, i: usize| -> [f64; 3] {
        let raw: [f64; 3] =
            std::array::from_fn(|k| 0.05 + stream.unit(1_000_000 + (3 * i + k) as u64).powi(3));
        let sum: f64 = raw.iter().sum();
        raw.map(|v| v / sum)
    };
    let truth = |stream: Stream, i: usize, group: u32| -> u32 {
        let p = if group == 1 {
            [1.0 / 3.0; 3]
        } else {
            said(stream, i)
        };
        let u = stream.unit(2_000_000 + i as u64);
        if u < p[0] {
            0
        } else if u < p[0] + p[1] {
            1
        } else {
            2
        }
    };
    // The last class of all scores 1 on every row: such ties make adaptive sets larger than they need be.
    for (score, most) in [(SetScore::LeastAmbiguous, 0.88), (SetScore::Adaptive, 1.0)] {
        let found = coverage(4000, n, |stream, groups, group| {
            let p = Array2::from_shape_fn((n, 3), |(i, k)| said(stream, i)[k]);
            let labels = Array1::from_shape_fn(n, |i| truth(stream, i, groups[i]));
            let params = ConformalSets::params(0.8).with_score(score);
            let fitted = params.fit_grouped(&p, &labels, groups).unwrap();
            fitted.set_in(group, &said(stream, n)).unwrap()[truth(stream, n, group) as usize]
        });
        assert!(
            found.iter().all(|c| (0.78..most).contains(c)),
            "{score:?} {found:?}"
        );
    }
}

#[test]
fn cv_plus_covers_and_is_narrower_than_chance() {
    let data = table::<f32>(1500, 5, 9);
    let y = data.y.mapv(|v| v as f32);
    let params = Gbm::params(Objective::SquaredError)
        .with_n_trees(40)
        .with_max_leaves(8);
    let (x, target) = (data.x.slice(s![..500, ..]), y.slice(s![..500]));
    let fit = || fit_cv_plus(&params, 0.9, (&x, &target), (5, 0)).unwrap();
    let model = fit();
    let rows = data.x.slice(s![500.., ..]);
    let intervals = model.predict(&rows).unwrap();
    let held = intervals
        .rows()
        .into_iter()
        .zip(y.slice(s![500..]))
        .filter(|(i, y)| i[0] <= f64::from(**y) && f64::from(**y) <= i[1]);
    let share = held.count() as f64 / 1000.0;
    // 0.9 in practice, 0.8 for certain; standard error 0.0095, and that of the margin about 0.013.
    assert!((0.86..0.95).contains(&share), "{share}");
    let width = (&intervals.column(1) - &intervals.column(0))
        .mean()
        .unwrap();
    let spread = y.iter().map(|y| f64::from(*y).abs()).sum::<f64>() / 1500.0;
    assert!(width < 2.5 * spread, "{width} {spread}");
    assert_eq!(
        model.interval(&rows.row(3).to_vec()).unwrap().to_vec(),
        intervals.row(3).to_vec()
    );
    assert_eq!(pool(1, fit), model);
    let bytes = artefact::to_bytes(&model, &[]).unwrap();
    assert_eq!(
        artefact::from_bytes::<CvPlus<Gbm>>(&bytes).unwrap().0,
        model
    );
    let error = fit_cv_plus(&params, 1.0, (&x, &target), (5, 0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "coverage: must lie between 0 and 1, found 1"
    );
}

#[test]
fn groups_of_few_rows_say_everything_or_what_all_say() {
    let y = array![1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 50.0];
    let groups = array![0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
    let zero = Array1::zeros(10);
    let params = ConformalIntervals::params(0.9);
    let kept = params.fit_grouped((&zero, &zero), &y, &groups).unwrap();
    assert_eq!(kept.interval_in(0, [1.0, 2.0]), [-8.0, 11.0]);
    for group in [1, 2, 99] {
        assert_eq!(
            kept.interval_in(group, [0.0; 2]),
            [f64::NEG_INFINITY, f64::INFINITY]
        );
    }
    let rows: Vec<f64> = kept.group_margins().iter().map(|g| g.rows).collect();
    assert_eq!(rows, [9.0, 0.0, 1.0]);
    let pooled = params
        .clone()
        .with_sparse(Sparse::Pooled)
        .fit_grouped((&zero, &zero), &y, &groups)
        .unwrap();
    assert_eq!(pooled.interval_in(2, [0.0; 2]), [-50.0, 50.0]); // ceil(0.9 * 11) = 10 of 10
    // Quantiles too far apart are drawn in, to their middle at most.
    let (low, high) = (Array1::from_elem(10, -100.0), Array1::from_elem(10, 100.0));
    let narrow = params.fit((&low, &high), &y).unwrap();
    assert_eq!(narrow.interval([-100.0, 100.0]), [-50.0, 50.0]);
    assert_eq!(narrow.interval([0.0, 4.0]), [2.0, 2.0]);
    // A weight is a repeated row.
    let weights = Array1::from_shape_fn(10, |i| (1 + i % 2) as f32);
    let weighted = params
        .fit_with((&zero, &zero), &y, None, Some(&weights))
        .unwrap();
    assert_eq!(
        (weighted.margin().rows, weighted.margin().value),
        (15.0, 50.0)
    );
    let bytes = artefact::to_bytes(&kept, &[]).unwrap();
    assert_eq!(
        artefact::from_bytes::<ConformalIntervals>(&bytes)
            .unwrap()
            .0,
        kept
    );
}

#[test]
fn errors_are_sentences() {
    let (zero, y) = (Array1::zeros(2), array![1.0f32, 2.0]);
    let params = ConformalIntervals::params(0.9);
    let text = |e: telseg_core::Error| e.to_string();
    let short = Array1::zeros(1);
    assert_eq!(
        text(params.fit((&short, &zero), &y).unwrap_err()),
        "low: expected 2 predictions (as targets), found 1"
    );
    let nan = array![0.0, f64::NAN];
    assert_eq!(
        text(params.fit((&zero, &nan), &y).unwrap_err()),
        "high: must be finite, found NaN in row 1"
    );
    let none = Array1::zeros(0);
    assert_eq!(
        text(params.fit((&none, &none), &array![]).unwrap_err()),
        "y: expected at least one row, found 0"
    );
    let far = array![0, u32::MAX];
    assert!(
        text(params.fit_grouped((&zero, &zero), &y, &far).unwrap_err())
            .starts_with("groups: must be numbered")
    );
    let sets = ConformalSets::params(0.5);
    let p = array![[0.4, 0.6], [0.3, 0.7]];
    assert_eq!(
        text(sets.fit(&p, &array![0, 2]).unwrap_err()),
        "labels: must be below 2, found 2 in row 1"
    );
    assert_eq!(
        text(
            sets.fit(&p, &array![0, 1])
                .unwrap()
                .set(&[0.1])
                .unwrap_err()
        ),
        "p: expected 2 classes (as at fit), found 1"
    );
}
