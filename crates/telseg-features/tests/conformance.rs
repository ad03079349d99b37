//! The array-level pieces under the suite that every estimator passes.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use telseg_core::Result;
use telseg_features::{
    ImputeWith, Imputer, NumericPipeline, QuantileTransformer, RobustScaler, StandardScaler,
    Winsorizer,
};
use telseg_testkit::{Check, Facts, Subject, Unsaved, as_rows, conformance};

/// A piece, its parameters, and a change to them that must be refused, with the name that the error starts with.
macro_rules! piece {
    ($name:ident, $model:ident, [$($bad:literal: $change:expr),*]) => {
        struct $name(telseg_features::array::$name);

        impl Subject for $name {
            type F = f64;
            type Model = Unsaved<$model>;

            fn facts(&self) -> Facts {
                let saved = "saved as a part of the table encoder, which has tests of its own";
                let facts = Facts::transformer()
                    .accepts_missing()
                    .rows_for_threads(20_000)
                    .except(Check::Saved, saved)
                    .except(Check::Hostile, saved);
                match self.bad_params().is_empty() {
                    true => facts.except(Check::BadParams, "no parameter can have a wrong value"),
                    false => facts,
                }
            }

            fn fit(&self, x: &ArrayRef2<f64>, _: &ArrayRef1<f64>) -> Result<Self::Model> {
                Ok(Unsaved(self.0.fit(x)?))
            }

            fn predict(&self, model: &Self::Model, x: &ArrayRef2<f64>) -> Result<Array2<f64>> {
                Ok(as_rows(model.0.transform(x)?))
            }

            fn predict_row(&self, model: &Self::Model, row: &ArrayRef1<f64>) -> Option<Result<Vec<f64>>> {
                let mut row = row.to_vec();
                Some(model.0.transform_row(&mut row).map(|()| row))
            }

            fn bad_params(&self) -> Vec<(&'static str, Self)> {
                vec![$(($bad, Self($change(self.0.clone())))),*]
            }
        }
    };
}

use telseg_features::array as a;
piece!(ImputerParams, Imputer, ["with": |p: a::ImputerParams| p.with_value(ImputeWith::Constant(f64::NAN))]);
piece!(WinsorizerParams, Winsorizer, ["low": |p: a::WinsorizerParams| p.with_low(0.9).with_high(0.1)]);
piece!(StandardScalerParams, StandardScaler, []);
piece!(RobustScalerParams, RobustScaler, ["low": |p: a::RobustScalerParams| p.with_low(0.9).with_high(0.1)]);
piece!(QuantileTransformerParams, QuantileTransformer, ["n_quantiles": |p: a::QuantileTransformerParams| p.with_n_quantiles(0)]);
piece!(NumericPipelineParams, NumericPipeline, ["winsor": |p: a::NumericPipelineParams| p.with_winsor(Some((0.9, 0.1)))]);

conformance!(imputer, ImputerParams(Imputer::params()));
conformance!(winsorizer, WinsorizerParams(Winsorizer::params()));
conformance!(
    standard_scaler,
    StandardScalerParams(StandardScaler::params())
);
conformance!(robust_scaler, RobustScalerParams(RobustScaler::params()));
conformance!(
    quantile_transformer,
    QuantileTransformerParams(QuantileTransformer::params())
);
conformance!(
    numeric_pipeline,
    NumericPipelineParams(NumericPipeline::params())
);
