//! Rows that mix numbers and codes, and the golden file.

use ndarray::{Array1, Array2};
use serde_json::Value;
use telseg_core::{Scalar, Seed};

/// The part of the golden file with this name.
pub(crate) fn golden(name: &str) -> Value {
    let golden: Value = serde_json::from_str(include_str!("../golden/mixed.json")).unwrap();
    golden[name].clone()
}

/// The cases of a part of the golden file.
pub(crate) fn cases(name: &str) -> Vec<Value> {
    golden(name).as_array().unwrap().clone()
}

/// Numbers; NaN where there is none.
pub(crate) fn numbers(value: &Value) -> Array1<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

pub(crate) fn indices(value: &Value) -> Vec<usize> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_u64().unwrap() as usize).collect()
}

pub(crate) fn table(value: &Value) -> Array2<f64> {
    let rows: Vec<_> = value.as_array().unwrap().iter().map(numbers).collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

pub(crate) fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + b.abs())
}

/// `n` rows of `d` numbers around `k` centres, then `c` codes of up to 6 levels, a few of them missing.
pub(crate) fn mixed<F: Scalar>(n: usize, d: usize, c: usize, k: usize, seed: u64) -> Array2<F> {
    let stream = Seed::new(seed).stream("mixed");
    let (centres, rows) = (stream.child(0), stream.child(1));
    Array2::from_shape_fn((n, d + c), |(i, j)| {
        let (of, cell) = (i % k, (i * (d + c) + j) as u64);
        F::from_f64(if j < d {
            8.0 * centres.unit((of * d + j) as u64) + rows.unit(cell) + rows.unit(cell + 1)
        } else if rows.bits(cell) % 10 < 7 {
            (centres.bits((1000 + of * c + j) as u64) % 6) as f64
        } else if rows.bits(cell) % 10 == 9 {
            f64::NAN
        } else {
            (rows.bits(cell) / 10 % 6) as f64
        })
    })
}
