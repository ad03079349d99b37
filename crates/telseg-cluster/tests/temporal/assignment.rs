//! The cheapest pairing: against SciPy, and against all pairings.

use ndarray::Array2;
use proptest::prelude::*;
use serde_json::Value;
use telseg_cluster::temporal::cheapest_pairs;
use telseg_core::Seed;

#[test]
fn assignments_agree_with_scipy() {
    let golden: Value = serde_json::from_str(include_str!("../golden/assignment.json")).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let table = case["cost"].as_array().unwrap();
        let cell = |i: usize, j: usize| table[i][j].as_f64().unwrap_or(f64::INFINITY);
        let shape = (table.len(), table[0].as_array().unwrap().len());
        let cost = Array2::from_shape_fn(shape, |(i, j)| cell(i, j));
        let pairs = cheapest_pairs(&cost).unwrap();
        let total: f64 = pairs.iter().map(|&at| cost[at]).sum();
        assert!(
            (total - case["total"].as_f64().unwrap()).abs() < 1e-9,
            "{shape:?}"
        );
        if case["kind"] != "integer" {
            let expected: Vec<(usize, usize)> =
                serde_json::from_value(case["pairs"].clone()).unwrap();
            assert_eq!(pairs, expected, "{shape:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_other_pairing_is_cheaper(rows in 1usize..6, columns in 1usize..6, seed: u64) {
        let stream = Seed::new(seed).stream("cost");
        let cost = Array2::from_shape_fn((rows, columns), |(i, j)| (stream.unit((i * 6 + j) as u64) * 8.0).floor());
        let pairs = cheapest_pairs(&cost).unwrap();
        prop_assert_eq!(pairs.len(), rows.min(columns));
        let total: f64 = pairs.iter().map(|&at| cost[at]).sum();
        prop_assert_eq!(total, least(&cost, 0, &mut vec![false; columns], rows.min(columns)));
    }
}

/// The least total cost by trying all pairings of `left` more.
fn least(cost: &Array2<f64>, row: usize, used: &mut Vec<bool>, left: usize) -> f64 {
    if left == 0 {
        return 0.0;
    }
    let mut best = f64::INFINITY;
    if cost.nrows() - row > left {
        best = least(cost, row + 1, used, left); // this row may stay alone
    }
    for j in 0..cost.ncols() {
        if !used[j] {
            used[j] = true;
            best = best.min(cost[[row, j]] + least(cost, row + 1, used, left - 1));
            used[j] = false;
        }
    }
    best
}
