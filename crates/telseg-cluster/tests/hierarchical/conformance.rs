//! Under the suite that every estimator passes.

use std::marker::PhantomData;

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use telseg_cluster::{Assign, Connectivity, Cut, Hierarchical, HierarchicalParams, Linkage};
use telseg_core::{Result, Scalar};
use telseg_testkit::{Facts, Subject, as_rows, conformance};

struct Subjected<F>(HierarchicalParams, PhantomData<F>);

fn linkage<F: Scalar>(linkage: Linkage) -> Subjected<F> {
    Subjected(Hierarchical::params(4).with_linkage(linkage), PhantomData)
}

fn by_center<F: Scalar>() -> Subjected<F> {
    let params = Hierarchical::params(4).with_assign(Assign::NearestCenter);
    Subjected(params, PhantomData)
}

fn connected<F: Scalar>() -> Subjected<F> {
    let params = Hierarchical::params(4).with_connectivity(Connectivity::Neighbours(6));
    Subjected(params, PhantomData)
}

fn by_height<F: Scalar>() -> Subjected<F> {
    Subjected(
        Hierarchical::params(4).with_cut(Cut::Height(30.0)),
        PhantomData,
    )
}

impl<F: Scalar> Subject for Subjected<F> {
    type F = F;
    type Model = Hierarchical<F>;

    fn facts(&self) -> Facts {
        Facts::clusterer(4)
            .names("n_clusters")
            .rows_for_threads(1500)
    }

    fn fit(&self, x: &ArrayRef2<F>, _: &ArrayRef1<f64>) -> Result<Hierarchical<F>> {
        self.0.fit(x)
    }

    fn predict(&self, model: &Hierarchical<F>, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        Ok(as_rows(model.predict(x)?))
    }

    fn predict_row(&self, model: &Hierarchical<F>, row: &ArrayRef1<F>) -> Option<Result<Vec<f64>>> {
        Some(model.predict_row(row).map(|label| vec![f64::from(label)]))
    }

    fn labels(&self, model: &Hierarchical<F>) -> Option<Array2<f64>> {
        let labels = model.labels();
        (!labels.is_empty()).then(|| as_rows(labels.clone()))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let bad = |name, params| (name, Self(params, PhantomData));
        let params = || self.0.clone();
        vec![
            bad("n_clusters", params().with_cut(Cut::Clusters(0))),
            bad("height", params().with_cut(Cut::Height(f64::NAN))),
            bad(
                "connectivity",
                params().with_connectivity(Connectivity::Neighbours(0)),
            ),
            bad("max_matrix_bytes", params().with_max_matrix_bytes(0)),
        ]
    }
}

conformance!(ward_f32, linkage::<f32>(Linkage::Ward));
conformance!(ward_f64, linkage::<f64>(Linkage::Ward));
conformance!(complete_f32, linkage::<f32>(Linkage::Complete));
conformance!(average_f64, linkage::<f64>(Linkage::Average));
conformance!(weighted_f32, linkage::<f32>(Linkage::Weighted));
conformance!(single_f32, linkage::<f32>(Linkage::Single));
conformance!(single_f64, linkage::<f64>(Linkage::Single));
conformance!(by_center_f32, by_center::<f32>());
conformance!(connected_f32, connected::<f32>());
conformance!(connected_f64, connected::<f64>());
conformance!(by_height_f32, by_height::<f32>());
