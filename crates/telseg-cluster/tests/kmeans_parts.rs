//! k-means on rows in parts: statistics that merge, blocks, batches, and what else changes the way rows come in.
#![allow(clippy::unwrap_used)]

use ndarray::{Array1, Array2, Axis, array, s};
use telseg_cluster::{
    Algorithm, Distance, Init, KMeans, KMeansExtent, KMeansState, KMeansStats, MiniBatchKMeans,
};
use telseg_core::Seed;
use telseg_core::merge::{Merge, fold};
use telseg_testkit::blobs;

fn rows(n: usize) -> (Array2<f32>, Array2<f32>) {
    let (x, _) = blobs::<f32>(n, 5, 6, 3);
    let init = x.select(Axis(0), &[0, 1, 2, 3, 4, 5]);
    (x, init)
}

/// Ten rounds on parts that are cut at `cuts` and merged in this or the opposite order.
fn train(
    x: &Array2<f32>,
    weights: &Array1<f64>,
    init: &Array2<f32>,
    cuts: &[usize],
    reverse: bool,
) -> (KMeansState<f32>, KMeansStats) {
    let ends: Vec<usize> = cuts.iter().copied().chain([x.nrows()]).collect();
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let mut parts: Vec<_> = starts
        .zip(ends)
        .map(|(a, b)| (x.slice(s![a..b, ..]), weights.slice(s![a..b])))
        .collect();
    if reverse {
        parts.reverse();
    }
    let extents = parts
        .iter()
        .map(|(x, w)| KMeansExtent::of(x, Some(w)).unwrap());
    let mut state = KMeansState::new(init, &fold(extents).unwrap().unwrap()).unwrap();
    let summarise = |state: &KMeansState<f32>| {
        let stats = parts
            .iter()
            .map(|(x, w)| state.summarise(x, Some(w)).unwrap());
        fold(stats).unwrap().unwrap()
    };
    for _ in 0..10 {
        let stats = summarise(&state);
        state.update(&stats).unwrap();
    }
    let stats = summarise(&state);
    (state, stats)
}

#[test]
fn seven_parts_train_as_one() {
    let (x, init) = rows(3000);
    let stream = Seed::new(5).stream("weights");
    let weights = Array1::from_shape_fn(3000, |i| 0.1 + stream.unit(i as u64));
    let whole = train(&x, &weights, &init, &[], false);
    let cuts = [1, 65, 700, 701, 1500, 2900];
    assert_eq!(whole, train(&x, &weights, &init, &cuts, false));
    assert_eq!(whole, train(&x, &weights, &init, &cuts, true));
    assert_eq!(whole.1.n_rows(), 3000);
    // The same optimum as the fit on all rows, whose digits are kept relative to another point.
    let params = KMeans::params(6)
        .with_init(Init::Centers(init.mapv(f64::from)))
        .with_n_init(1)
        .with_tol(0.0)
        .with_max_iter(10);
    let fit = params.fit_weighted(&x, &weights).unwrap();
    let (a, b) = (fit.report().inertia, whole.1.inertia());
    assert!((a - b).abs() < 1e-5 * a, "{a} {b}");
    assert!(
        fit.report()
            .sizes
            .iter()
            .zip(whole.1.sizes())
            .all(|(a, b)| (a - b).abs() < 1e-6 * a)
    );
}

#[test]
fn statistics_travel_and_refuse_what_does_not_fit() {
    let (x, init) = rows(200);
    let extent = KMeansExtent::of(&x, None).unwrap();
    let state = KMeansState::new(&init, &extent).unwrap();
    let mut stats = state.summarise(&x, None).unwrap();
    let sent: KMeansStats = serde_json::from_str(&serde_json::to_string(&stats).unwrap()).unwrap();
    assert_eq!(sent, stats);
    let arrived: KMeansState<f32> =
        serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
    assert_eq!(arrived, state);
    arrived.validate().unwrap();
    let wider = KMeansExtent::of(&(&x * 2.0), None).unwrap();
    let other = KMeansState::new(&init, &wider)
        .unwrap()
        .summarise(&x, None)
        .unwrap();
    let problem = stats.merge(&other).unwrap_err().to_string();
    assert_eq!(
        problem,
        "stats: were made with another grid: all parts need the same state"
    );
    let problem = state.summarise(&(&x * 2.0), None).unwrap_err().to_string();
    assert_eq!(
        problem,
        "x: rows or weights lie outside the extent that the state was made for"
    );
    let problem = KMeansState::new(&init.slice(s![.., ..2]), &extent)
        .unwrap_err()
        .to_string();
    assert_eq!(problem, "centers: expected 5 columns, found 2");
}

#[test]
fn inertia_and_sums_by_hand() {
    // Rows 0, 2 and 10 with weights 1, 1, 3, centres 1 and 9: squares 1, 1 and 3 * 1.
    let (x, w) = (array![[0.0f64], [2.0], [10.0]], array![1.0, 1.0, 3.0]);
    let mut state = KMeansState::new(
        &array![[1.0], [9.0]],
        &KMeansExtent::of(&x, Some(&w)).unwrap(),
    )
    .unwrap();
    let stats = state.summarise(&x, Some(&w)).unwrap();
    assert_eq!(
        (stats.inertia(), stats.inertias(), stats.sizes()),
        (5.0, vec![2.0, 3.0], vec![2.0, 3.0])
    );
    assert_eq!(state.update(&stats).unwrap(), 1.0);
    assert_eq!(state.centers(), array![[1.0], [10.0]]);
}

#[test]
fn blocks_give_the_bits_of_one_block() {
    let (x, init) = rows(2500);
    let params = KMeans::params(6)
        .with_init(Init::Centers(init.mapv(f64::from)))
        .with_n_init(1)
        .with_tol(0.0);
    let fit = |size: usize| {
        let blocks = || Ok(x.axis_chunks_iter(Axis(0), size).map(|b| Ok(b.to_owned())));
        params.fit_blocks(blocks).unwrap()
    };
    let whole = fit(2500);
    assert_eq!(whole, fit(357));
    assert!(whole.report().converged);
    let direct = params.fit(&x).unwrap();
    assert_eq!(&whole.predict(&x).unwrap(), direct.labels());
    assert!(
        whole
            .report()
            .trace
            .windows(2)
            .all(|w| w[1] <= w[0] * (1.0 + 1e-9))
    );
    let none = params.fit_blocks::<f32, _>(|| Ok(std::iter::empty()));
    assert_eq!(none.unwrap_err().to_string(), "blocks: there are none");
}

#[test]
fn batches_come_near_the_optimum() {
    let (x, _) = rows(20_000);
    let exact = KMeans::params(6).with_seed(1).fit(&x).unwrap();
    let inertia = |labels: &Array1<u32>, centers: &Array2<f32>| -> f64 {
        let rows = x.rows().into_iter().zip(labels);
        rows.map(|(row, &l)| {
            row.iter()
                .zip(centers.row(l as usize))
                .map(|(a, b)| f64::from(a - b).powi(2))
                .sum::<f64>()
        })
        .sum()
    };
    let params = MiniBatchKMeans::params(6).with_batch_size(512).with_seed(1);
    let model = params.fit(&x).unwrap();
    let found = inertia(&model.predict(&x).unwrap(), model.centers());
    assert!(
        found < 1.01 * exact.report().inertia,
        "{found} {}",
        exact.report().inertia
    );
    let blocks = x.axis_chunks_iter(Axis(0), 3000).map(|b| Ok(b.to_owned()));
    let streamed = params.fit_blocks(blocks).unwrap();
    let found = inertia(&streamed.predict(&x).unwrap(), streamed.centers());
    assert!(found < 1.02 * exact.report().inertia, "{found}");
    // 3000 rows are batches of 512 and a rest; the weight of the sample comes on top.
    assert_eq!(streamed.report().n_iter, 6 * 6 + 4);
}

#[test]
fn a_batch_moves_centres_by_its_share() {
    // Centre 0 has the mean of weight 0 at first: the batch (1 + 3) / 2 = 2; then 2 rows of mean 2 and one of 5: 3.
    let x = array![[1.0f64], [3.0], [100.0]];
    let params = MiniBatchKMeans::params(2)
        .with_init(Init::Centers(array![[0.0], [90.0]]))
        .with_max_iter(1);
    let blocks = [x.clone()].map(Ok);
    let mut model = params.fit_blocks(blocks).unwrap();
    assert_eq!(model.centers(), array![[2.0], [100.0]]);
    model.partial_fit(&array![[5.0]]).unwrap();
    assert_eq!(
        (model.centers()[[0, 0]], model.weights()),
        (3.0, &[3.0, 1.0][..])
    );
    model
        .partial_fit_weighted(&array![[7.0]], &array![3.0])
        .unwrap();
    assert_eq!(model.centers()[[0, 0]], 5.0);
    assert_eq!(
        model
            .partial_fit(&array![[f64::NAN]])
            .unwrap_err()
            .to_string(),
        "x: NaN (impute missing values before clustering) in row 0, column 0"
    );
}

#[test]
fn the_cosine_sees_proportions() {
    // Two kinds by what they do, whatever the amount: mostly voice, mostly data.
    let x = array![
        [10.0f64, 1.0],
        [1000.0, 90.0],
        [1.0, 0.12],
        [2.0, 20.0],
        [30.0, 310.0],
        [0.1, 1.0]
    ];
    for algorithm in [Algorithm::Lloyd, Algorithm::Hamerly, Algorithm::Exponion] {
        let params = KMeans::params(2)
            .with_distance(Distance::Cosine)
            .with_algorithm(algorithm);
        let model = params.fit(&x).unwrap();
        let labels = model.labels();
        assert!(labels.iter().skip(1).take(2).all(|l| *l == labels[0]));
        assert!(labels.iter().skip(3).all(|l| *l == 1 - labels[0]));
        assert!(
            model
                .centers()
                .rows()
                .into_iter()
                .all(|c| (c.dot(&c) - 1.0).abs() < 1e-12)
        );
        assert_eq!(&model.predict(&(&x * 7.0)).unwrap(), labels);
        assert_eq!(model.predict_row(&array![50.0, 4.0]).unwrap(), labels[0]);
        // inertia = sum of 2 (1 - cos), and the last trace is that of the final centres
        let cos = |row: usize| {
            let (x, c) = (x.row(row), model.centers().row(labels[row] as usize));
            x.dot(&c) / x.dot(&x).sqrt()
        };
        let expected: f64 = (0..6).map(|i| 2.0 * (1.0 - cos(i))).sum();
        assert!((model.report().inertia - expected).abs() < 1e-12);
        assert!((model.report().trace.last().unwrap() - expected).abs() < 1e-9);
    }
}

#[test]
fn parallel_seeds_are_as_good() {
    let (x, _) = rows(5000);
    let best = KMeans::params(6)
        .with_n_init(5)
        .fit(&x)
        .unwrap()
        .report()
        .inertia;
    let init = Init::KMeansParallel;
    let found = KMeans::params(6)
        .with_init(init.clone())
        .with_n_init(5)
        .fit(&x)
        .unwrap()
        .report()
        .inertia;
    assert!(found <= best * 1.001, "{found} {best}");
    let same = Array2::from_elem((9, 2), 5.0f32);
    assert_eq!(
        KMeans::params(3)
            .with_init(init)
            .fit(&same)
            .unwrap()
            .report()
            .inertia,
        0.0
    );
}

#[test]
fn a_path_is_never_worse_than_its_fits_and_never_rises() {
    let (x, _) = rows(1500);
    let params = KMeans::params(1).with_seed(4);
    let path = params.path(1..=9, &x).unwrap();
    for (k, model) in (1..).zip(&path) {
        let alone = KMeans::params(k).with_seed(4).fit(&x).unwrap();
        assert_eq!(model.n_clusters(), k);
        assert!(model.report().inertia <= alone.report().inertia, "{k}");
        assert_eq!(model.report().starts.len(), 3 + usize::from(k > 1));
        assert_eq!(&model.predict(&x).unwrap(), model.labels());
    }
    assert!(
        path.windows(2)
            .all(|w| w[1].report().inertia <= w[0].report().inertia)
    );
    let problem = params.path(0..=3, &x).unwrap_err().to_string();
    assert_eq!(
        problem,
        "ks: expected a range from at least 1 up, found 0..=3"
    );
}

#[test]
fn a_warm_start_stays_where_nothing_changed() {
    let (x, _) = rows(1500);
    let model = KMeans::params(6).with_tol(0.0).fit(&x).unwrap();
    let again = model.warm_start().with_tol(0.0).fit(&x).unwrap();
    assert_eq!((again.report().n_iter, again.labels()), (1, model.labels()));
}
