//! Mixtures under the suite that every estimator passes.

use std::marker::PhantomData;

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use telseg_cluster::{
    Covariance, Family, GaussianMixture, GaussianMixtureParams, LatentClass, LatentClassParams,
};
use telseg_core::{Result, Scalar};
use telseg_testkit::{Facts, Sample, Subject, as_rows, conformance};

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

/// A number, codes, a count, a count with many zeros and another number; one cell in eleven is missing.
struct Latent<F>(LatentClassParams, PhantomData<F>);

fn latent<F: Scalar>() -> Latent<F> {
    let families = [
        Family::Normal,
        Family::Categorical { n_levels: 3 },
        Family::Poisson,
        Family::ZeroInflatedPoisson,
        Family::Normal,
    ];
    let params = LatentClass::params(4, families).with_seed(3).with_n_init(2);
    Latent(params.with_max_iter(60), PhantomData)
}

impl<F: Scalar> Subject for Latent<F> {
    type F = F;
    type Model = LatentClass;

    fn facts(&self) -> Facts {
        Facts::clusterer(4)
            .names("n_components")
            .accepts_missing()
            .rows_for_threads(10_000)
    }

    fn sample(&self, rows: usize) -> Sample<F> {
        let stream = telseg_core::Seed::new(1).stream("latent.sample");
        let x = Array2::from_shape_fn((rows, 5), |(i, j)| {
            let (u, kind) = (stream.unit((i * 5 + j) as u64), i % 4);
            let cell = match j {
                _ if (i + 3 * j) % 11 == 7 => f64::NAN,
                1 => ((kind as f64 + 3.0 * u) / 2.0).floor().min(2.0),
                2 => (2.0 * kind as f64 + 4.0 * u).floor(),
                3 if u < 0.5 => 0.0,
                3 => (3.0 + 5.0 * u - kind as f64).floor().max(0.0),
                _ => 3.0 * kind as f64 + u,
            };
            F::from_f64(cell)
        });
        let y = ndarray::Array1::zeros(rows);
        Sample { x, y }
    }

    fn fit(&self, x: &ArrayRef2<F>, _: &ArrayRef1<f64>) -> Result<LatentClass> {
        self.0.fit(x)
    }

    fn predict(&self, model: &LatentClass, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        Ok(as_rows(model.predict(x)?))
    }

    fn predict_row(&self, model: &LatentClass, row: &ArrayRef1<F>) -> Option<Result<Vec<f64>>> {
        Some(model.predict_row(row).map(|label| vec![f64::from(label)]))
    }

    fn labels(&self, model: &LatentClass) -> Option<Array2<f64>> {
        let labels = model.labels();
        (!labels.is_empty()).then(|| as_rows(labels.clone()))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let bad = |name, params| (name, Self(params, PhantomData));
        let (mut none, mut empty) = (self.0.clone(), self.0.clone());
        none.n_components = 0;
        empty.families.clear();
        vec![
            bad("n_components", none),
            bad("families", empty),
            bad("n_init", self.0.clone().with_n_init(0)),
            bad("max_iter", self.0.clone().with_max_iter(0)),
            bad("tol", self.0.clone().with_tol(f64::NAN)),
            bad("smoothing", self.0.clone().with_smoothing(-1.0)),
        ]
    }
}

conformance!(latent_f32, latent::<f32>());
conformance!(latent_f64, latent::<f64>());
