//! The suite that every estimator passes.

use std::marker::PhantomData;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use telseg_cluster::KPrototypes;
use telseg_cluster::kprototypes::{KPrototypesParams, PrototypeSearch};
use telseg_core::{Result, Scalar};
use telseg_testkit::{Facts, Sample, Subject, as_rows, conformance};

use crate::data::mixed;

struct Prototypes<F>(KPrototypesParams, PhantomData<F>);

fn prototypes<F: Scalar>(search: PrototypeSearch) -> Prototypes<F> {
    let params = KPrototypes::params(4, &[3, 4]).with_seed(3);
    Prototypes(params.with_search(search), PhantomData)
}

impl<F: Scalar> Subject for Prototypes<F> {
    type F = F;
    type Model = KPrototypes<F>;

    fn facts(&self) -> Facts {
        Facts::clusterer(4).names("categorical")
    }

    fn fit(&self, x: &ArrayRef2<F>, _: &ArrayRef1<f64>) -> Result<KPrototypes<F>> {
        self.0.fit(x)
    }

    fn predict(&self, model: &KPrototypes<F>, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        Ok(as_rows(model.predict(x)?))
    }

    fn predict_row(&self, model: &KPrototypes<F>, row: &ArrayRef1<F>) -> Option<Result<Vec<f64>>> {
        Some(model.predict_row(row).map(|label| vec![f64::from(label)]))
    }

    fn labels(&self, model: &KPrototypes<F>) -> Option<Array2<f64>> {
        let labels = model.labels();
        (!labels.is_empty()).then(|| as_rows(labels.clone()))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let bad = |name, params| (name, Self(params, PhantomData));
        let (mut none, mut twice) = (self.0.clone(), self.0.clone());
        none.n_clusters = 0;
        twice.categorical = vec![3, 3];
        vec![
            bad("n_clusters", none),
            bad("categorical", twice),
            bad("gamma", self.0.clone().with_gamma(f64::NAN)),
            bad("n_init", self.0.clone().with_n_init(0)),
            bad("max_iter", self.0.clone().with_max_iter(0)),
            bad("tol", self.0.clone().with_tol(-1.0)),
        ]
    }

    fn sample(&self, rows: usize) -> Sample<F> {
        Sample {
            x: mixed(rows, 3, 2, 4, 1),
            y: Array1::zeros(rows),
        }
    }
}

conformance!(kprototypes_f32, prototypes::<f32>(PrototypeSearch::Full));
conformance!(kprototypes_f64, prototypes::<f64>(PrototypeSearch::Hamerly));
