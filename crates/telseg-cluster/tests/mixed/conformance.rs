//! The suite that every estimator passes.

use std::marker::PhantomData;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use telseg_cluster::constrained::{ConstrainedInit, ConstrainedKMeansParams};
use telseg_cluster::kmedoids::{KMedoidsParams, MedoidInit, MedoidMethod, Metric};
use telseg_cluster::kprototypes::{KPrototypesParams, PrototypeSearch};
use telseg_cluster::{ConstrainedKMeans, Gower, GowerColumn, GowerParams, KMedoids, KPrototypes};
use telseg_core::{Result, Scalar};
use telseg_testkit::{Check, Facts, Sample, Subject, as_rows, blobs, conformance};

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
        Facts::clusterer(4)
            .names("categorical")
            .rows_for_threads(20_000)
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

struct MedoidSubject<F>(KMedoidsParams, PhantomData<F>);

fn medoids<F: Scalar>(metric: Metric, init: MedoidInit) -> MedoidSubject<F> {
    let params = KMedoids::params(4).with_seed(3).with_n_init(2);
    MedoidSubject(params.with_metric(metric).with_init(init), PhantomData)
}

fn sampled() -> MedoidSubject<f32> {
    let mut subject = medoids(Metric::Euclidean, MedoidInit::Lab);
    subject.0.method = MedoidMethod::Clara {
        n_samples: 3,
        sample_size: 100,
    };
    subject
}

fn gower() -> GowerParams {
    let (n, c) = (GowerColumn::Numeric, GowerColumn::Categorical);
    Gower::params(&[n, GowerColumn::Ordinal, n, c, c])
}

impl<F: Scalar> Subject for MedoidSubject<F> {
    type F = F;
    type Model = KMedoids<F>;

    fn facts(&self) -> Facts {
        let facts = Facts::clusterer(4).rows_for_threads(2500);
        match self.0.metric {
            Metric::Gower(_) => facts.accepts_missing(),
            _ => facts,
        }
    }

    fn fit(&self, x: &ArrayRef2<F>, _: &ArrayRef1<f64>) -> Result<KMedoids<F>> {
        self.0.fit(x)
    }

    fn predict(&self, model: &KMedoids<F>, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        Ok(as_rows(model.predict(x)?))
    }

    fn predict_row(&self, model: &KMedoids<F>, row: &ArrayRef1<F>) -> Option<Result<Vec<f64>>> {
        Some(model.predict_row(row).map(|label| vec![f64::from(label)]))
    }

    fn labels(&self, model: &KMedoids<F>) -> Option<Array2<f64>> {
        let labels = model.labels();
        (!labels.is_empty()).then(|| as_rows(labels.clone()))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let bad = |name, params| (name, Self(params, PhantomData));
        let mut none = self.0.clone();
        none.n_clusters = 0;
        let clara = MedoidMethod::Clara {
            n_samples: 0,
            sample_size: 100,
        };
        let twice = MedoidInit::Rows(vec![0, 1, 2, 2]);
        let weighted = Metric::Gower(gower().with_weights(&[-1.0; 5]));
        vec![
            bad("n_clusters", none),
            bad("n_init", self.0.clone().with_n_init(0)),
            bad("max_iter", self.0.clone().with_max_iter(0)),
            bad("method", self.0.clone().with_method(clara)),
            bad("init", self.0.clone().with_init(twice)),
            bad("weights", self.0.clone().with_metric(weighted)),
        ]
    }

    fn sample(&self, rows: usize) -> Sample<F> {
        let x = match self.0.metric {
            Metric::Gower(_) => mixed(rows, 3, 2, 4, 1),
            _ => blobs(rows, 5, 4, 1).0,
        };
        Sample {
            x,
            y: Array1::zeros(rows),
        }
    }
}

conformance!(
    kmedoids_euclidean_f32,
    medoids::<f32>(Metric::Euclidean, MedoidInit::Lab)
);
conformance!(
    kmedoids_manhattan_f64,
    medoids::<f64>(Metric::Manhattan, MedoidInit::Random)
);
conformance!(
    kmedoids_gower_f32,
    medoids::<f32>(Metric::Gower(gower()), MedoidInit::Lab)
);
conformance!(kmedoids_sampled_f32, sampled());

struct Constrained<F>(ConstrainedKMeansParams, PhantomData<F>);

fn sized<F: Scalar>() -> Constrained<F> {
    let params = ConstrainedKMeans::params(3).with_seed(3);
    Constrained(params.with_min_size(90).with_max_size(12_000), PhantomData)
}

fn linked<F: Scalar>() -> Constrained<F> {
    let params = ConstrainedKMeans::params(4).with_seed(3);
    let params = params
        .with_must_link(&[(0, 1), (1, 6)])
        .with_cannot_link(&[(2, 6), (3, 7)]);
    Constrained(params, PhantomData)
}

impl<F: Scalar> Subject for Constrained<F> {
    type F = F;
    type Model = ConstrainedKMeans<F>;

    fn facts(&self) -> Facts {
        Facts::clusterer(self.0.n_clusters)
            .rows_for_threads(20_000)
            .names("min_size")
            .names("must_link")
            .names("cannot_link")
            .except(
                Check::Labels,
                "labels obey the constraints, predict gives the nearest centre",
            )
    }

    fn fit(&self, x: &ArrayRef2<F>, _: &ArrayRef1<f64>) -> Result<ConstrainedKMeans<F>> {
        self.0.fit(x)
    }

    fn predict(&self, model: &ConstrainedKMeans<F>, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        Ok(as_rows(model.predict(x)?))
    }

    fn predict_row(
        &self,
        model: &ConstrainedKMeans<F>,
        row: &ArrayRef1<F>,
    ) -> Option<Result<Vec<f64>>> {
        Some(model.predict_row(row).map(|label| vec![f64::from(label)]))
    }

    fn labels(&self, model: &ConstrainedKMeans<F>) -> Option<Array2<f64>> {
        let labels = model.labels();
        (!labels.is_empty()).then(|| as_rows(labels.clone()))
    }

    fn sample(&self, rows: usize) -> Sample<F> {
        // Two blobs for three clusters: one is split, and its halves are too small.
        let k = if self.0.must_link.is_empty() { 2 } else { 4 };
        Sample {
            x: blobs(rows, 5, k, 1).0,
            y: Array1::zeros(rows),
        }
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let bad = |name, params| (name, Self(params, PhantomData));
        let mut none = self.0.clone();
        none.n_clusters = 0;
        let no_start = ConstrainedInit::KMeans { n_init: 0 };
        vec![
            bad("n_clusters", none),
            bad("tol", self.0.clone().with_tol(f64::NAN)),
            bad("max_iter", self.0.clone().with_max_iter(0)),
            bad("max_size", self.0.clone().with_min_size(9).with_max_size(8)),
            bad("init", self.0.clone().with_init(no_start)),
        ]
    }
}

conformance!(constrained_sizes_f32, sized::<f32>());
conformance!(constrained_sizes_f64, sized::<f64>());
conformance!(constrained_links_f32, linked::<f32>());
conformance!(constrained_links_f64, linked::<f64>());
