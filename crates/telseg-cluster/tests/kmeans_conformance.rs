//! The further kinds of k-means under the suite that every estimator passes.

use std::marker::PhantomData;

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use telseg_cluster::{
    Distance, Init, KMeans, KMeansParams, MiniBatchKMeans, MiniBatchKMeansParams,
};
use telseg_core::{Result, Scalar};
use telseg_testkit::{Facts, Subject, as_rows, conformance};

struct Spherical<F>(KMeansParams, PhantomData<F>);
struct MiniBatch<F>(MiniBatchKMeansParams, PhantomData<F>);

fn spherical<F: Scalar>(init: Init) -> Spherical<F> {
    let params = KMeans::params(4)
        .with_seed(3)
        .with_distance(Distance::Cosine)
        .with_init(init);
    Spherical(params, PhantomData)
}

fn minibatch<F: Scalar>() -> MiniBatch<F> {
    MiniBatch(
        MiniBatchKMeans::params(4)
            .with_batch_size(64)
            .with_max_iter(40)
            .with_seed(3),
        PhantomData,
    )
}

impl<F: Scalar> Subject for Spherical<F> {
    type F = F;
    type Model = KMeans<F>;

    fn facts(&self) -> Facts {
        Facts::clusterer(4).names("n_clusters")
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
        vec![("n_init", Self(self.0.clone().with_n_init(0), PhantomData))]
    }
}

impl<F: Scalar> Subject for MiniBatch<F> {
    type F = F;
    type Model = MiniBatchKMeans<F>;

    fn facts(&self) -> Facts {
        Facts::clusterer(4).names("n_clusters")
    }

    fn fit(&self, x: &ArrayRef2<F>, _: &ArrayRef1<f64>) -> Result<MiniBatchKMeans<F>> {
        self.0.fit(x)
    }

    fn predict(&self, model: &MiniBatchKMeans<F>, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        Ok(as_rows(model.predict(x)?))
    }

    fn predict_row(
        &self,
        model: &MiniBatchKMeans<F>,
        row: &ArrayRef1<F>,
    ) -> Option<Result<Vec<f64>>> {
        Some(model.predict_row(row).map(|label| vec![f64::from(label)]))
    }

    fn labels(&self, model: &MiniBatchKMeans<F>) -> Option<Array2<f64>> {
        let labels = model.labels();
        (!labels.is_empty()).then(|| as_rows(labels.clone()))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let bad = |name, params| (name, Self(params, PhantomData));
        let mut none = self.0.clone();
        none.n_clusters = 0;
        vec![
            bad("n_clusters", none),
            bad("batch_size", self.0.clone().with_batch_size(0)),
            bad("max_iter", self.0.clone().with_max_iter(0)),
            bad(
                "max_no_improvement",
                self.0.clone().with_max_no_improvement(Some(0)),
            ),
        ]
    }
}

conformance!(spherical_f32, spherical::<f32>(Init::KMeansPlusPlus));
conformance!(spherical_f64, spherical::<f64>(Init::KMeansPlusPlus));
conformance!(parallel_seeds_f32, spherical::<f32>(Init::KMeansParallel));
conformance!(minibatch_f32, minibatch::<f32>());
conformance!(minibatch_f64, minibatch::<f64>());
