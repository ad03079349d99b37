//! Mixtures under the suite that every estimator passes.

use std::marker::PhantomData;

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use telseg_cluster::{Covariance, GaussianMixture, GaussianMixtureParams};
use telseg_core::{Result, Scalar};
use telseg_testkit::{Facts, Subject, as_rows, conformance};

struct Gaussian<F>(GaussianMixtureParams, PhantomData<F>);

fn gaussian<F: Scalar>(covariance: Covariance) -> Gaussian<F> {
    let params = GaussianMixture::params(4).with_seed(3);
    Gaussian(params.with_covariance(covariance), PhantomData)
}

impl<F: Scalar> Subject for Gaussian<F> {
    type F = F;
    type Model = GaussianMixture<F>;

    fn facts(&self) -> Facts {
        Facts::clusterer(4)
            .names("n_components")
            .rows_for_threads(20_000)
    }

    fn fit(&self, x: &ArrayRef2<F>, _: &ArrayRef1<f64>) -> Result<GaussianMixture<F>> {
        self.0.fit(x)
    }

    fn predict(&self, model: &GaussianMixture<F>, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        Ok(as_rows(model.predict(x)?))
    }

    fn predict_row(
        &self,
        model: &GaussianMixture<F>,
        row: &ArrayRef1<F>,
    ) -> Option<Result<Vec<f64>>> {
        Some(model.predict_row(row).map(|label| vec![f64::from(label)]))
    }

    fn labels(&self, model: &GaussianMixture<F>) -> Option<Array2<f64>> {
        let labels = model.labels();
        (!labels.is_empty()).then(|| as_rows(labels.clone()))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let bad = |name, params| (name, Self(params, PhantomData));
        let mut none = self.0.clone();
        none.n_components = 0;
        vec![
            bad("n_components", none),
            bad("n_init", self.0.clone().with_n_init(0)),
            bad("max_iter", self.0.clone().with_max_iter(0)),
            bad("tol", self.0.clone().with_tol(f64::NAN)),
            bad("reg_covar", self.0.clone().with_reg_covar(-1.0)),
        ]
    }
}

conformance!(full_f32, gaussian::<f32>(Covariance::Full));
conformance!(full_f64, gaussian::<f64>(Covariance::Full));
conformance!(tied_f32, gaussian::<f32>(Covariance::Tied));
conformance!(tied_f64, gaussian::<f64>(Covariance::Tied));
conformance!(diagonal_f32, gaussian::<f32>(Covariance::Diagonal));
conformance!(diagonal_f64, gaussian::<f64>(Covariance::Diagonal));
conformance!(spherical_f32, gaussian::<f32>(Covariance::Spherical));
conformance!(spherical_f64, gaussian::<f64>(Covariance::Spherical));
