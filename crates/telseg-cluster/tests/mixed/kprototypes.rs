//! k-prototypes against kmodes and a plain form in numpy, and what holds whatever the data.

use ndarray::{Array1, Array2, Axis, array, s};
use proptest::prelude::*;
use telseg_cluster::KPrototypes;
use telseg_cluster::kprototypes::{KPrototypesParams, PrototypeInit, PrototypeSearch};
use telseg_core::Scalar;

use crate::data::{cases, close, indices, mixed, numbers, table};

fn from(init: &Array2<f64>, categorical: &[usize]) -> KPrototypesParams {
    KPrototypes::params(init.nrows(), categorical)
        .with_init(PrototypeInit::Centers(init.clone()))
        .with_n_init(1)
        .with_tol(0.0)
}

#[test]
fn same_start_same_end_as_kmodes() {
    for case in cases("kprototypes") {
        let (x, init) = (table(&case["x"]), table(&case["init"]));
        let categorical = indices(&case["categorical"]);
        for search in [PrototypeSearch::Full, PrototypeSearch::Hamerly] {
            let params = from(&init, &categorical)
                .with_gamma(case["gamma"].as_f64().unwrap())
                .with_search(search);
            let model = params.fit(&x).unwrap();
            assert_eq!(model.labels().mapv(f64::from), numbers(&case["labels"]));
            assert!(close(model.report().cost, case["cost"].as_f64().unwrap()));
            assert_eq!(
                model.report().n_iter as u64,
                case["n_iter"].as_u64().unwrap()
            );
            let weighted = params.fit_weighted(&x, &numbers(&case["weights"])).unwrap();
            assert_eq!(
                weighted.labels().mapv(f64::from),
                numbers(&case["weighted_labels"])
            );
            let cost = case["weighted_cost"].as_f64().unwrap();
            assert!(close(weighted.report().cost, cost));
        }
    }
}

#[test]
fn gamma_is_half_the_mean_deviation_unless_given() {
    // Population deviations 1 and 3; the codes do not count.
    let x = array![
        [1.0, 6.0, 9.0],
        [-1.0, 0.0, 3.0],
        [1.0, 6.0, 1.0],
        [-1.0, 0.0, 1.0]
    ];
    let model = KPrototypes::params(2, &[2]).fit(&x).unwrap();
    assert_eq!(model.report().gamma, 1.0);
    let x = array![[5.0, 1.0], [5.0, 2.0]];
    let model = KPrototypes::params(2, &[1]).fit(&x).unwrap();
    assert_eq!(model.report().gamma, 1.0); // nothing varies but the codes
}

#[test]
fn without_codes_it_is_kmeans_and_without_numbers_kmodes() {
    let x = mixed::<f64>(400, 5, 0, 6, 3);
    let init = x.slice(s![..6, ..]).to_owned();
    let model = from(&init, &[]).fit(&x).unwrap();
    let means = telseg_cluster::KMeans::params(6)
        .with_init(telseg_cluster::Init::Centers(init))
        .with_n_init(1)
        .with_tol(0.0);
    let means = means.fit(&x).unwrap();
    assert_eq!(model.labels(), means.labels());
    assert!(close(model.report().cost, means.report().inertia));

    // Codes only: from the first and the last row, {0, 1, 2} lie nearer to [0, 0, 0].
    let x = array![
        [0.0, 0.0, 0.0],
        [0.0, 0.0, 4.0],
        [7.0, 0.0, 0.0],
        [1.0, 2.0, 3.0],
        [1.0, 2.0, 0.0]
    ];
    let model = from(&x.select(Axis(0), &[0, 3]), &[0, 1, 2])
        .fit(&x)
        .unwrap();
    assert_eq!(model.labels(), array![0, 0, 0, 1, 1]);
    assert_eq!(model.centers(), array![[0.0, 0.0, 0.0], [1.0, 2.0, 0.0]]);
    assert_eq!(model.report().cost, 3.0); // 4, 7 and one of 3 and 0 (a tie: the lowest is the mode)
}

#[test]
fn a_missing_code_is_a_level_and_a_new_one_matches_nothing() {
    let nan = f32::NAN;
    let x = array![[0.0, nan], [0.0, nan], [0.1, 4.0], [0.1, 4.0]];
    let model = KPrototypes::params(2, &[1])
        .with_gamma(1.0)
        .fit(&x)
        .unwrap();
    assert_eq!(model.labels()[0], model.labels()[1]);
    assert_ne!(model.labels()[0], model.labels()[2]);
    assert!(model.centers()[[model.labels()[0] as usize, 1]].is_nan());
    // 4 matches; 5 was not seen, so the number decides.
    assert_eq!(
        model.predict_row(&array![0.0, 4.0]).unwrap(),
        model.labels()[2]
    );
    assert_eq!(
        model.predict_row(&array![0.0, 5.0]).unwrap(),
        model.labels()[0]
    );
    assert_eq!(
        model.predict_row(&array![0.1, 5.0]).unwrap(),
        model.labels()[2]
    );
}

fn same_bits<F: Scalar>(x: &Array2<F>, categorical: &[usize], k: usize, seed: u64) {
    let params = KPrototypes::params(k, categorical)
        .with_n_init(1)
        .with_tol(0.0)
        .with_max_iter(60)
        .with_seed(seed);
    let fit = |search| params.clone().with_search(search).fit(x).unwrap();
    let (full, bounded) = (fit(PrototypeSearch::Full), fit(PrototypeSearch::Hamerly));
    assert_eq!(full.labels(), bounded.labels());
    assert_eq!(full.report().trace, bounded.report().trace);
    assert_eq!(
        full.report().cost.to_bits(),
        bounded.report().cost.to_bits()
    );
    assert_eq!(&bounded.predict(x).unwrap(), full.labels());
    for (row, &label) in x.rows().into_iter().zip(full.labels()).take(50) {
        assert_eq!(full.predict_row(&row).unwrap(), label);
    }
    let trace = &full.report().trace;
    let slack = 1e-9 * (trace[0] + 1.0);
    assert!(trace.windows(2).all(|w| w[1] <= w[0] + slack), "{trace:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn bounds_change_no_bit(n in 20usize..700, d in 0usize..8, c in 0usize..6, k in 1usize..16, seed: u64) {
        prop_assume!(d + c > 0);
        let categorical: Vec<usize> = (d..d + c).collect();
        same_bits(&mixed::<f32>(n, d, c, 1 + k / 2, seed), &categorical, k, seed);
        same_bits(&mixed::<f64>(n, d, c, 1 + k / 2, seed), &categorical, k, seed);
        // Far from the origin, with ties.
        let far = mixed::<f32>(n, d, c, 1 + k / 2, seed).mapv(|v| (v * 2.0).round());
        let mut far = far;
        far.slice_mut(s![.., ..d]).mapv_inplace(|v| 1e4 + v);
        same_bits(&far, &categorical, k, seed);
    }

    #[test]
    fn a_weight_is_so_many_rows(seed: u64, weights in prop::collection::vec(0usize..4, 40)) {
        prop_assume!(weights[..3].iter().all(|&w| w > 0));
        let x = mixed::<f64>(40, 2, 2, 3, seed);
        let each: Vec<usize> = weights.iter().enumerate().flat_map(|(i, &w)| vec![i; w]).collect();
        let params = from(&x.slice(s![..3, ..]).to_owned(), &[2, 3]).with_gamma(0.7);
        let weights = Array1::from_iter(weights.iter().map(|&w| w as f64));
        let weighted = params.fit_weighted(&x, &weights).unwrap();
        let repeated = params.fit(&x.select(Axis(0), &each)).unwrap();
        prop_assert!(close(weighted.report().cost, repeated.report().cost));
        prop_assert_eq!(&weighted.report().sizes, &repeated.report().sizes);
    }

    #[test]
    fn the_order_of_columns_and_the_names_of_codes_do_not_matter(seed: u64) {
        let x = mixed::<f64>(200, 2, 2, 4, seed);
        let init = x.slice(s![..4, ..]).to_owned();
        let plain = from(&init, &[2, 3]).fit(&x).unwrap();
        let order = [3, 0, 2, 1];
        // A strictly rising change of the codes keeps the rule for ties.
        let named = |x: &Array2<f64>| {
            let mut x = x.select(Axis(1), &order);
            x.column_mut(0).mapv_inplace(|c| 3.0 * c + 1000.0);
            x
        };
        let turned = from(&named(&init), &[0, 2]).fit(&named(&x)).unwrap();
        prop_assert!(close(turned.report().cost, plain.report().cost));
    }
}

#[test]
fn what_is_wrong_is_said() {
    let x = array![[1.0f32, 2.0], [3.0, 4.5]];
    let message = |r: telseg_core::Result<KPrototypes<f32>>| r.unwrap_err().to_string();
    let params = |c: &[usize]| KPrototypes::params(2, c);
    assert_eq!(
        message(params(&[1]).fit(&x)),
        "x: 4.5 is no code (a whole number from 0 to 65000, or NaN) in row 1, column 1"
    );
    assert_eq!(
        message(params(&[2]).fit(&x)),
        "categorical: column 2 is not there: x has 2 columns"
    );
    assert_eq!(
        message(params(&[0, 0]).fit(&x)),
        "categorical: column 0 is named twice"
    );
    assert_eq!(
        message(params(&[0]).with_gamma(-1.0).fit(&x)),
        "gamma: expected a number of at least 0, found -1"
    );
    assert_eq!(
        message(params(&[0]).fit(&array![[1.0, f32::NAN], [0.0, 0.0]])),
        "x: NaN (impute missing values before clustering) in row 0, column 1"
    );
}
