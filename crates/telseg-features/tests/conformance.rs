//! The array-level pieces under the suite that every estimator passes, in both precisions.

use std::marker::PhantomData;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use telseg_core::{Result, Scalar};
use telseg_features::array::{
    ImputerParams, MissingIndicatorParams, NumericPipelineParams, QuantileTransformerParams,
    RobustScalerParams, StandardScalerParams, WinsorizerParams,
};
use telseg_features::{
    ImputeWith, Imputer, LevelOrder, Log1p, MissingIndicator, NumericPipeline, OneHot,
    OneHotParams, OrdinalEncoder, OrdinalEncoderParams, QuantileOutput, QuantileTransformer,
    RobustScaler, ScaleWith, StandardScaler, UnseenCode, Winsorizer,
};
use telseg_testkit::{Check, Facts, Sample, Subject, as_rows, blobs, conformance};

/// Parameters under test, for rows of this number type.
struct Piece<P, F>(P, PhantomData<F>);

fn piece<P, F>(params: P) -> Piece<P, F> {
    Piece(params, PhantomData)
}

fn facts(has_bad_params: bool) -> Facts {
    let facts = Facts::transformer()
        .accepts_missing()
        .rows_for_threads(20_000);
    match has_bad_params {
        true => facts,
        false => facts.except(Check::BadParams, "no parameter can have a wrong value"),
    }
}

/// A piece that changes rows in place: its parameters, its model, and changes to the parameters that must be refused,
/// each with the name that the error starts with.
macro_rules! in_place {
    ($params:ident, $model:ident, [$($bad:literal: $change:expr),*]) => {
        impl<F: Scalar> Subject for Piece<$params, F> {
            type F = F;
            type Model = $model;

            fn facts(&self) -> Facts {
                facts(!self.bad_params().is_empty())
            }

            fn fit(&self, x: &ArrayRef2<F>, _: &ArrayRef1<f64>) -> Result<$model> {
                self.0.fit(x)
            }

            fn predict(&self, model: &$model, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
                Ok(as_rows(model.transform(x)?.mapv(Scalar::into_f64)))
            }

            fn predict_row(&self, model: &$model, row: &ArrayRef1<F>) -> Option<Result<Vec<f64>>> {
                let mut row = row.to_vec();
                let done = model.transform_row(&mut row);
                Some(done.map(|()| row.into_iter().map(Scalar::into_f64).collect()))
            }

            fn bad_params(&self) -> Vec<(&'static str, Self)> {
                let change = |change: fn($params) -> $params| -> Self { piece(change(self.0.clone())) };
                let _ = &change;
                vec![$(($bad, change($change))),*]
            }
        }
    };
}

in_place!(ImputerParams, Imputer, ["with": |p| p.with_value(ImputeWith::Constant(f64::NAN))]);
in_place!(WinsorizerParams, Winsorizer, [
    "low": |p| p.with_low(-0.1),
    "low": |p| p.with_low(f64::NAN),
    "high": |p| p.with_high(1.1),
    "high": |p| p.with_high(0.0),
    "high": |p| p.with_high(f64::NAN)
]);
in_place!(StandardScalerParams, StandardScaler, []);
in_place!(RobustScalerParams, RobustScaler, [
    "low": |p| p.with_low(1.0),
    "high": |p| p.with_high(0.25),
    "high": |p| p.with_high(f64::INFINITY)
]);
in_place!(QuantileTransformerParams, QuantileTransformer, [
    "n_quantiles": |p| p.with_n_quantiles(0),
    "n_quantiles": |p| p.with_n_quantiles(100_001)
]);
in_place!(NumericPipelineParams, NumericPipeline, [
    "winsor": |p| p.with_winsor(Some((0.9, 0.1))),
    "impute": |p| p.with_impute(Some(ImputeWith::Constant(f64::INFINITY)))
]);

impl<F: Scalar> Subject for Piece<MissingIndicatorParams, F> {
    type F = F;
    type Model = MissingIndicator;

    fn facts(&self) -> Facts {
        facts(true)
    }

    fn fit(&self, x: &ArrayRef2<F>, _: &ArrayRef1<f64>) -> Result<MissingIndicator> {
        self.0.fit(x)
    }

    fn predict(&self, model: &MissingIndicator, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        Ok(as_rows(model.transform(x)?.mapv(Scalar::into_f64)))
    }

    fn predict_row(
        &self,
        model: &MissingIndicator,
        row: &ArrayRef1<F>,
    ) -> Option<Result<Vec<f64>>> {
        let mut out = vec![F::zero(); model.columns().len()];
        let done = model.transform_row(&row.to_vec(), &mut out);
        Some(done.map(|()| out.into_iter().map(Scalar::into_f64).collect()))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let bad = |share| ("min_share", piece(self.0.clone().with_min_share(share)));
        vec![bad(-0.1), bad(f64::NAN)]
    }

    fn sample(&self, rows: usize) -> Sample<F> {
        let (mut x, _) = blobs::<F>(rows, 5, 3, 1);
        for ((i, j), v) in x.indexed_iter_mut() {
            if j % 2 == 1 && (i + j) % 5 == 0 {
                *v = F::nan();
            }
        }
        let y = Array1::zeros(rows);
        Sample { x, y }
    }
}

/// The suite's numbers as codes; a missing one is -1.
fn codes<F: Scalar>(x: &ArrayRef2<F>) -> Array2<i32> {
    x.map(|v| code(*v))
}

fn code<F: Scalar>(value: F) -> i32 {
    let value = value.into_f64();
    if value.is_nan() { -1 } else { value as i32 }
}

/// Columns of a few codes, small and large (so that both ways of looking codes up are used), unevenly frequent.
fn coded<F: Scalar>(rows: usize) -> Sample<F> {
    let (x, _) = blobs::<F>(rows, 5, 3, 1);
    let mut codes = x.map(|v| F::from_f64((v.into_f64() / 4.0).floor()));
    codes.column_mut(4).map_inplace(|v| {
        *v *= F::from_f64(100_000.0);
    });
    let y = Array1::zeros(rows);
    Sample { x: codes, y }
}

/// An encoder of codes: how many numbers it makes of a row, and changes that must be refused.
macro_rules! encoder {
    ($params:ident, $model:ident, $width:expr, [$($bad:literal: $change:expr),*]) => {
        impl<F: Scalar> Subject for Piece<$params, F> {
            type F = F;
            type Model = $model;

            fn facts(&self) -> Facts {
                facts(!self.bad_params().is_empty())
            }

            fn fit(&self, x: &ArrayRef2<F>, _: &ArrayRef1<f64>) -> Result<$model> {
                self.0.fit(&codes(x))
            }

            fn predict(&self, model: &$model, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
                Ok(as_rows(model.transform::<F>(&codes(x))?.mapv(Scalar::into_f64)))
            }

            fn predict_row(&self, model: &$model, row: &ArrayRef1<F>) -> Option<Result<Vec<f64>>> {
                let row: Vec<i32> = row.iter().map(|v| code(*v)).collect();
                let width: fn(&$model) -> usize = $width;
                let mut out = vec![F::zero(); width(model)];
                let done = model.transform_row(&row, &mut out);
                Some(done.map(|()| out.into_iter().map(Scalar::into_f64).collect()))
            }

            fn bad_params(&self) -> Vec<(&'static str, Self)> {
                let change = |change: fn($params) -> $params| -> Self { piece(change(self.0.clone())) };
                let _ = &change;
                vec![$(($bad, change($change))),*]
            }

            fn sample(&self, rows: usize) -> Sample<F> {
                coded(rows)
            }
        }
    };
}

encoder!(OneHotParams, OneHot, OneHot::n_outputs, [
    "max_levels": |p| p.with_max_levels(Some(0)),
    "min_weight": |p| p.with_min_weight(f64::NAN),
    "min_weight": |p| p.with_min_weight(-1.0)
]);
encoder!(
    OrdinalEncoderParams,
    OrdinalEncoder,
    |m| m.columns().len(),
    []
);

/// The suite for both number types.
macro_rules! both {
    ($name:ident, $params:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            conformance!(f32, piece::<_, f32>($params));
            conformance!(f64, piece::<_, f64>($params));
        }
    };
}

both!(imputer, Imputer::params());
both!(missing_indicator, MissingIndicator::params());
both!(winsorizer, Winsorizer::params());
both!(standard_scaler, StandardScaler::params());
both!(robust_scaler, RobustScaler::params());
both!(quantile_transformer, QuantileTransformer::params());
both!(
    to_normal,
    QuantileTransformer::params().with_output(QuantileOutput::Normal)
);
both!(numeric_pipeline, NumericPipeline::params());
both!(
    skewed_pipeline,
    NumericPipeline::params()
        .with_impute(Some(ImputeWith::Mean))
        .with_log1p(Log1p::Skewed)
        .with_scale(ScaleWith::Uniform)
);
both!(one_hot, OneHot::params());
both!(
    one_hot_of_frequent_levels,
    OneHot::params()
        .with_max_levels(Some(3))
        .with_min_weight(2.0)
);
both!(
    ordinal_by_frequency,
    OrdinalEncoder::params().with_order(LevelOrder::Frequency)
);
both!(ordinal, OrdinalEncoder::params());

#[test]
fn refused_codes_are_named_with_their_place() {
    let known = ndarray::array![[1, 10], [2, 20]];
    let stray = ndarray::array![[1, 20], [2, 11]];
    let one_hot = OneHot::params().with_unseen(UnseenCode::Error);
    let one_hot = one_hot.fit(&known).expect("valid");
    let ordinal = OrdinalEncoder::params().with_unseen(UnseenCode::Error);
    let ordinal = ordinal.fit(&known).expect("valid");
    let table = "x: code 11 was not seen at fit in row 1, column 1";
    let row = "row: code 11 was not seen at fit in column 1";
    let said = |r: Result<()>| r.expect_err("the code is unknown").to_string();
    assert_eq!(said(one_hot.transform::<f32>(&stray).map(drop)), table);
    assert_eq!(said(ordinal.transform::<f32>(&stray).map(drop)), table);
    assert_eq!(said(one_hot.transform_row(&[2, 11], &mut [0.0f32; 4])), row);
    assert_eq!(said(ordinal.transform_row(&[2, 11], &mut [0.0f32; 2])), row);
    let short = said(ordinal.transform_row(&[2, 20], &mut [0.0f32; 1]));
    assert_eq!(short, "out: expected length 2, found 1");
}
