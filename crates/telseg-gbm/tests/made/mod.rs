//! Data that Rust and Python make from the same integers.

use ndarray::{Array1, Array2};

/// SplitMix64's finaliser of a counter, as 24 bits in [0, 1).
pub(crate) fn unit(i: u64) -> f64 {
    let z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 40) as f64 / (1u64 << 24) as f64
}

/// Rows to train on, and as many to judge by.
pub(crate) const N: usize = 8000;

/// Rows and what they are judged by: a line, a step times a column, a product, a level effect, and missing cells that
/// matter.
pub(crate) struct Made {
    pub(crate) x: Array2<f32>,
    /// What the columns say.
    pub(crate) score: Array1<f64>,
    pub(crate) class: Array1<f32>,
    pub(crate) number: Array1<f32>,
}

pub(crate) fn made() -> Made {
    let mut x = Array2::from_shape_fn((2 * N, 8), |(i, j)| unit((i * 8 + j) as u64) as f32);
    let (mut class, mut number) = (Array1::zeros(2 * N), Array1::zeros(2 * N));
    let mut scores = Array1::zeros(2 * N);
    for i in 0..2 * N {
        x[(i, 6)] = (x[(i, 6)] * 24.0).floor();
        let (noise, hole) = (
            unit(10_000_000 + i as u64),
            unit(20_000_000 + i as u64) < 0.2,
        );
        let v = |j: usize| f64::from(x[(i, j)]);
        let step = if v(1) > 0.6 { 4.0 * v(2) } else { 0.0 };
        let score = 3.0 * v(0) + step - 2.0 * v(3) * v(4)
            + (v(6) % 3.0 - 1.0) * 0.8
            + if hole { 0.7 } else { 0.0 };
        scores[i] = score;
        class[i] = (score / 3.0 - 0.65 + 0.9 * (noise - 0.5) * 1.6 > 0.1) as u8 as f32;
        number[i] = (score + 2.0 * (noise - 0.5)) as f32;
        if hole {
            x[(i, 0)] = f32::NAN;
        }
    }
    Made {
        x,
        score: scores,
        class,
        number,
    }
}
