//! What must hold on any table.

use ndarray::{Array1, Array2, Axis, concatenate};
use proptest::prelude::*;
use telseg_gbm::{Gbm, GbmParams, Objective};
use telseg_testkit::table;

fn small(objective: Objective) -> GbmParams {
    Gbm::params(objective)
        .with_n_trees(8)
        .with_max_leaves(6)
        .with_min_rows_leaf(1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn training_loss_never_rises(seed in 0u64..1000, binary in any::<bool>()) {
        let data = table::<f32>(300, 4, seed);
        let (objective, y) = if binary {
            (Objective::Binary, data.classes(2).mapv(|c| c as f32))
        } else {
            (Objective::SquaredError, data.y.mapv(|v| v as f32))
        };
        let model = small(objective).fit(&data.x, &y).unwrap();
        prop_assert!(model.report().train_loss.windows(2).all(|w| w[1] <= w[0] + 1e-12));
    }

    #[test]
    fn columns_may_be_permuted(seed in 0u64..1000) {
        let data = table::<f32>(300, 4, seed);
        let y = data.y.mapv(|v| v as f32);
        // Small leaves would tie: two columns that part the same few rows, of which the first one is taken.
        let small = |o| small(o).with_min_rows_leaf(30);
        let order = [2, 0, 3, 1];
        let model = small(Objective::SquaredError).fit(&data.x, &y).unwrap();
        let turned_x = data.x.select(Axis(1), &order);
        let turned = small(Objective::SquaredError).fit(&turned_x, &y).unwrap();
        for (i, &j) in order.iter().enumerate() {
            prop_assert_eq!(turned.importance().splits[i], model.importance().splits[j]);
        }
        prop_assert_eq!(turned.predict(&turned_x).unwrap(), model.predict(&data.x).unwrap());
    }

    #[test]
    fn a_weight_is_as_good_as_a_repeated_row(seed in 0u64..1000) {
        // Gradients are rounded to 2^-15 of the largest, so that splits of nearly equal gain may change places.
        let data = table::<f32>(200, 3, seed);
        let y = data.y.mapv(|v| v as f32);
        let weights = Array1::from_shape_fn(200, |i| (1 + i % 2) as f32);
        let odd: Vec<usize> = (0..200).filter(|i| i % 2 == 1).collect();
        let x2 = concatenate![Axis(0), data.x, data.x.select(Axis(0), &odd)];
        let y2 = concatenate![Axis(0), y, y.select(Axis(0), &odd)];
        let params = small(Objective::SquaredError).with_n_trees(3);
        let weighted = params.fit_weighted(&data.x, &y, &weights).unwrap();
        let repeated = params.fit(&x2, &y2).unwrap();
        let last = |m: &Gbm| m.report().train_loss[2];
        prop_assert!((last(&weighted) / last(&repeated) - 1.0).abs() < 0.03);
        prop_assert_eq!(weighted.trees().base(), repeated.trees().base());
        prop_assert_eq!(weighted.trees().cover(0), repeated.trees().cover(0));
    }
}

#[test]
fn rows_of_weight_zero_are_absent() {
    let data = table::<f32>(300, 3, 1);
    let mut y = data.y.mapv(|v| v as f32);
    let weights = Array1::from_shape_fn(300, |i| (i < 200) as u8 as f32);
    let params = small(Objective::SquaredError);
    let first = params.fit_weighted(&data.x, &y, &weights).unwrap();
    y.iter_mut().skip(200).for_each(|v| *v = 1e6);
    let second = params.fit_weighted(&data.x, &y, &weights).unwrap();
    assert_eq!(first.trees(), second.trees());
    let x: Array2<f32> = data.x;
    assert_eq!(first.trees().cover(0), 200.0);
    assert!(first.predict(&x).unwrap().iter().all(|v| v.abs() < 100.0));
}
