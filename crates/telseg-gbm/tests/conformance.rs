//! The shared suite on objectives with one output and several, each order of growth, with and without random draws.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use telseg_core::Result;
use telseg_gbm::{Gbm, GbmParams, Growth, Objective};
use telseg_testkit::{Facts, Subject, as_rows, conformance};

struct Boosting(GbmParams);

impl Subject for Boosting {
    type F = f32;
    type Model = Gbm;

    fn facts(&self) -> Facts {
        let facts = match self.0.objective.n_classes() {
            Some(n_classes) => Facts::classifier(n_classes as u32),
            None => Facts::regressor(),
        };
        facts.accepts_missing().rows_for_threads(40_000)
    }

    fn fit(&self, x: &ArrayRef2<f32>, y: &ArrayRef1<f64>) -> Result<Gbm> {
        self.0.fit(x, &y.mapv(|v| v as f32))
    }

    fn predict(&self, model: &Gbm, x: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        if model.n_outputs() > 1 {
            return model.predict_outputs(x);
        }
        Ok(as_rows(model.predict(x)?))
    }

    fn predict_row(&self, model: &Gbm, row: &ArrayRef1<f32>) -> Option<Result<Vec<f64>>> {
        let mut out = vec![0.0; model.n_outputs()];
        Some(
            model
                .predict_row_into(&row.to_vec(), &mut out)
                .map(|()| out),
        )
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let p = || self.0.clone();
        let objective = |objective| {
            let mut params = self.0.clone();
            params.objective = objective;
            params
        };
        [
            ("n_classes", objective(Objective::Softmax { n_classes: 1 })),
            ("delta", objective(Objective::Huber { delta: -1.0 })),
            ("level", objective(Objective::Quantile { level: 0.0 })),
            ("power", objective(Objective::Tweedie { power: 1.0 })),
            ("n_trees", p().with_n_trees(0)),
            ("learning_rate", p().with_learning_rate(0.0)),
            ("learning_rate", p().with_learning_rate(f64::NAN)),
            ("max_leaves", p().with_max_leaves(1)),
            ("max_depth", p().with_max_depth(0)),
            ("min_rows_leaf", p().with_min_rows_leaf(0)),
            ("min_hessian_leaf", p().with_min_hessian_leaf(-1.0)),
            ("l1", p().with_l1(-1.0)),
            ("l2", p().with_l2(f64::INFINITY)),
            ("min_gain", p().with_min_gain(-1.0)),
            ("max_bins", p().with_max_bins(1)),
            ("max_bins", p().with_max_bins(256)),
            ("row_share", p().with_row_share(0.0)),
            ("column_share", p().with_column_share(1.5)),
            ("column_share_node", p().with_column_share_node(-0.5)),
            ("categorical", p().with_categorical([1, 1])),
            ("validation_share", p().with_validation_share(0.2)),
            ("early_stopping", p().with_early_stopping(0)),
            ("refit", p().with_refit(telseg_gbm::Refit::AllRows)),
        ]
        .map(|(name, params)| (name, Self(params)))
        .into()
    }
}

fn params(objective: Objective) -> GbmParams {
    Gbm::params(objective).with_n_trees(10).with_max_leaves(8)
}

conformance!(binary, Boosting(params(Objective::Binary)));
conformance!(
    drawn_squared_error,
    Boosting(
        params(Objective::SquaredError)
            .with_row_share(0.7)
            .with_column_share(0.8)
            .with_column_share_node(0.7)
    )
);
conformance!(
    depth_wise,
    Boosting(
        params(Objective::Binary)
            .with_growth(Growth::DepthWise)
            .with_max_depth(3)
    )
);
conformance!(
    symmetric,
    Boosting(
        params(Objective::SquaredError)
            .with_growth(Growth::Symmetric)
            .with_column_share_node(0.8)
    )
);
conformance!(
    softmax,
    Boosting(params(Objective::Softmax { n_classes: 3 }))
);
conformance!(
    drawn_quantiles,
    Boosting(params(Objective::quantiles(&[0.1, 0.5, 0.9]).unwrap()).with_row_share(0.8))
);
