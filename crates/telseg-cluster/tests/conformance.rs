//! k-means under the suite that every estimator passes.

use std::marker::PhantomData;

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use telseg_cluster::{Algorithm, KMeans, KMeansParams};
use telseg_core::{Result, Scalar};
use telseg_testkit::{Facts, Subject, as_rows, conformance};

struct Subjected<F>(KMeansParams, PhantomData<F>);

fn kmeans<F: Scalar>(algorithm: Algorithm) -> Subjected<F> {
    let params = KMeans::params(4).with_seed(3).with_algorithm(algorithm);
    Subjected(params, PhantomData)
}

impl<F: Scalar> Subject for Subjected<F> {
    type F = F;
    type Model = KMeans<F>;

    fn facts(&self) -> Facts {
        // Five chunks of the assignment, the last of them not full.
        Facts::clusterer(4)
            .names("n_clusters")
            .rows_for_threads(20_000)
    }

    fn fit(&self, x: &ArrayRef2<F>, _: &ArrayRef1<f64>) -> Result<KMeans<F>> {
        self.0.fit(x)
    }

    fn predict(&self, model: &KMeans<F>, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        Ok(as_rows(model.predict(x)?))
    }

    fn predict_row(&self, model: &KMeans<F>, row: &ArrayRef1<F>) -> Option<Result<Vec<f64>>> {
        Some(model.predict_row(row).map(|label| vec![f64::from(label)]))
    }

    fn labels(&self, model: &KMeans<F>) -> Option<Array2<f64>> {
        let labels = model.labels();
        (!labels.is_empty()).then(|| as_rows(labels.clone()))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let bad = |name, params| (name, Self(params, PhantomData));
        let mut none = self.0.clone();
        none.n_clusters = 0;
        vec![
            bad("n_clusters", none),
            bad("n_init", self.0.clone().with_n_init(0)),
            bad("max_iter", self.0.clone().with_max_iter(0)),
            bad("tol", self.0.clone().with_tol(f64::NAN)),
        ]
    }
}

conformance!(lloyd_f32, kmeans::<f32>(Algorithm::Lloyd));
conformance!(lloyd_f64, kmeans::<f64>(Algorithm::Lloyd));
conformance!(hamerly_f32, kmeans::<f32>(Algorithm::Hamerly));
conformance!(hamerly_f64, kmeans::<f64>(Algorithm::Hamerly));
