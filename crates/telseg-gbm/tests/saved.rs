//! Files of released formats still load and predict what they predicted.

use ndarray::{Array1, Array2};
use telseg_core::artefact;
use telseg_gbm::{Gbm, Objective};

/// Twelve rows of a quantity and a level code.
fn rows() -> Array2<f32> {
    Array2::from_shape_fn(
        (12, 2),
        |(i, j)| if j == 0 { i as f32 } else { (i % 3) as f32 },
    )
}

/// Written by version 0.1.0, body version 1: two binary trees over a quantity and a level code, with their report.
#[test]
fn version_1_loads() {
    let bytes = include_bytes!("golden/gbm_1.telseg");
    let (model, header) = artefact::from_bytes::<Gbm>(bytes).unwrap();
    assert_eq!((header.version, model.objective()), (1, Objective::Binary));
    assert_eq!(model.trees().n_trees(), 2);
    let found = model.predict(&rows()).unwrap();
    // What that version predicted.
    let (stays, leaves) = (0.4716166360143785, 0.6610723342109551);
    for (i, p) in found.iter().enumerate() {
        let expected = if i > 7 || i % 3 == 1 { leaves } else { stays };
        assert_eq!(*p, expected, "row {i}");
    }
}

#[test]
fn every_objective_is_saved_and_loaded() {
    let x = Array2::from_shape_fn((300, 2), |(i, j)| ((i * (3 + j)) % 50) as f32);
    let y = Array1::from_shape_fn(300, |i| f32::from(u8::from(x[(i, 0)] > 25.0)) + 1.0);
    for objective in [
        Objective::Softmax { n_classes: 3 },
        Objective::AbsoluteError,
        Objective::Huber { delta: 0.5 },
        Objective::Quantile { level: 0.9 },
        Objective::quantiles(&[0.25, 0.75]).unwrap(),
        Objective::Poisson,
        Objective::Gamma,
        Objective::Tweedie { power: 1.2 },
    ] {
        let params = Gbm::params(objective).with_n_trees(3);
        let model = params.fit(&x, &y).unwrap();
        let bytes = artefact::to_bytes(&model, &[]).unwrap();
        let (back, _) = artefact::from_bytes::<Gbm>(&bytes).unwrap();
        assert_eq!(back, model);
        // Each byte of the body flipped: an error or a model that holds its invariants, never a panic.
        for at in 0..bytes.len() {
            let mut odd = bytes.clone();
            odd[at] ^= 0x11;
            let _ = artefact::from_bytes::<Gbm>(&odd);
        }
    }
}
