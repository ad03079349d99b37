//! The encoders of codes against scikit-learn: `golden/codes.csv`, made by `golden/make_codes.py` (its first line says
//! which versions). All numbers are whole, so nothing is tolerated.
#![allow(clippy::unwrap_used)]

use ndarray::{Array1, Array2, Axis, s};
use telseg_features::{LevelOrder, OneHot, OneHotParams, OrdinalEncoder};

const GOLDEN: &str = include_str!("golden/codes.csv");
/// Rows that are learnt from; the others hold codes that these do not.
const LEARNT: usize = 300;
/// What a missing code is here.
const MISSING: i32 = -9;

fn golden() -> Vec<Vec<&'static str>> {
    let lines = GOLDEN.lines().skip(2);
    let rows: Vec<_> = lines.map(|l| l.split(',').collect()).collect();
    assert_eq!(rows.len(), 360);
    rows
}

fn codes() -> Array2<i32> {
    let rows = golden();
    Array2::from_shape_fn((rows.len(), 3), |(i, j)| {
        rows[i][j].parse().unwrap_or(MISSING)
    })
}

/// One row as the golden file has it: columns apart, and a missing code's own column behind those of the levels.
fn text(encoder: &OneHot, row: &[f32]) -> String {
    let mut rest = row;
    let columns = encoder.columns().iter().map(|column| {
        let (own, others) = rest.split_at(column.width());
        rest = others;
        let (levels, rare) = own.split_at(column.levels.len());
        let mut order = levels.to_vec();
        if column.levels[0] == MISSING {
            order.rotate_left(1);
        }
        order.extend(rare);
        order
            .iter()
            .map(|v| if *v == 1.0 { '1' } else { '0' })
            .collect()
    });
    columns.collect::<Vec<String>>().join(" ")
}

fn one_hot(params: &OneHotParams, column: usize) {
    let (codes, golden) = (codes(), golden());
    let encoder = params.fit(&codes.slice(s![..LEARNT, ..])).unwrap();
    let found = encoder.transform::<f32>(&codes).unwrap();
    let mut alone = vec![0.0; encoder.n_outputs()];
    for (i, row) in found.rows().into_iter().enumerate() {
        assert_eq!(text(&encoder, &row.to_vec()), golden[i][column], "row {i}");
        encoder
            .transform_row(&codes.row(i).to_vec(), &mut alone)
            .unwrap();
        assert_eq!(alone, row.to_vec(), "row {i}");
    }
    // The sparse form says the same.
    let places = encoder.transform_indices(&codes).unwrap();
    for (places, row) in places.rows().into_iter().zip(found.rows()) {
        let ones: Vec<u32> = places.iter().copied().filter(|&p| p != u32::MAX).collect();
        assert!(ones.iter().all(|&p| row[p as usize] == 1.0));
        assert_eq!(ones.len() as f32, row.sum());
    }
}

#[test]
fn one_hot_with_unseen_and_missing() {
    one_hot(&OneHot::params(), 3);
}

#[test]
fn one_hot_with_a_column_for_levels_of_few_rows() {
    one_hot(&OneHot::params().with_min_weight(20.0), 4);
}

#[test]
fn one_hot_with_a_column_for_all_but_the_most_frequent() {
    one_hot(&OneHot::params().with_max_levels(Some(3)), 5);
}

#[test]
fn ordinal_with_unseen_and_missing() {
    let (codes, golden) = (codes(), golden());
    let encoder = OrdinalEncoder::params()
        .fit(&codes.slice(s![..LEARNT, ..]))
        .unwrap();
    let found = encoder.transform::<f64>(&codes).unwrap();
    let back = encoder.inverse_transform(&found).unwrap();
    for ((i, j), v) in found.indexed_iter() {
        match golden[i][6 + j].parse::<f64>() {
            Ok(expected) => {
                assert_eq!(*v, expected, "row {i}, column {j}");
                assert_eq!(back[[i, j]], Some(codes[[i, j]]));
            }
            Err(_) => assert!(v.is_nan() && back[[i, j]].is_none(), "row {i}, column {j}"),
        }
    }
}

#[test]
fn a_weight_is_a_repeated_row() {
    let codes = codes().slice_move(s![..60, ..]);
    let weights = Array1::from_shape_fn(60, |i| (i % 3) as f64);
    let each: Vec<usize> = (0..60).flat_map(|i| vec![i; i % 3]).collect();
    let repeated = codes.select(Axis(0), &each);
    let params = OneHot::params()
        .with_min_weight(7.0)
        .with_max_levels(Some(2));
    let weighted = params.fit_weighted(&codes, &weights).unwrap();
    assert_eq!(weighted, params.fit(&repeated).unwrap());
    let params = OrdinalEncoder::params().with_order(LevelOrder::Frequency);
    let weighted = params.fit_weighted(&codes, &weights).unwrap();
    assert_eq!(weighted, params.fit(&repeated).unwrap());
}
