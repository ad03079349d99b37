//! Clustering by density under the suite that every estimator passes.

use std::marker::PhantomData;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use telseg_cluster::{
    Assignment, Dbscan, DbscanParams, Extraction, Hdbscan, HdbscanParams, Membership, Optics,
    OpticsParams, Selection, XiParams,
};
use telseg_core::{Result, Scalar};
use telseg_testkit::{Facts, Subject, as_rows, conformance};

/// Noise as a label of its own.
fn codes(labels: &Array1<Assignment>) -> Array2<f64> {
    as_rows(labels.mapv(|label| label.cluster().map_or(-1.0, f64::from)))
}

struct Density<P, F>(P, PhantomData<F>);

impl<F: Scalar> Subject for Density<DbscanParams, F> {
    type F = F;
    type Model = Dbscan<F>;

    fn facts(&self) -> Facts {
        Facts::clusterer(4)
    }

    fn fit(&self, x: &ArrayRef2<F>, _: &ArrayRef1<f64>) -> Result<Dbscan<F>> {
        self.0.fit(x)
    }

    fn predict(&self, model: &Dbscan<F>, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        Ok(codes(&model.predict(x)?))
    }

    fn predict_row(&self, model: &Dbscan<F>, row: &ArrayRef1<F>) -> Option<Result<Vec<f64>>> {
        let label = model.predict_row(row);
        Some(label.map(|label| vec![label.cluster().map_or(-1.0, f64::from)]))
    }

    fn labels(&self, model: &Dbscan<F>) -> Option<Array2<f64>> {
        (!model.labels().is_empty()).then(|| codes(model.labels()))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let bad = |name, params| (name, Self(params, PhantomData));
        vec![
            bad("eps", Dbscan::params(0.0)),
            bad("eps", Dbscan::params(f64::NAN)),
            bad("min_points", self.0.clone().with_min_points(0)),
        ]
    }
}

/// Labels with strengths and outlier scores.
fn members(members: &[Membership]) -> Array2<f64> {
    let cells = members.iter().flat_map(|m| member(*m)).collect();
    Array2::from_shape_vec((members.len(), 3), cells).expect("three numbers a row")
}

fn member(member: Membership) -> [f64; 3] {
    let label = member.assignment.cluster().map_or(-1.0, f64::from);
    [label, member.strength, member.outlier_score]
}

impl<F: Scalar> Subject for Density<HdbscanParams, F> {
    type F = F;
    type Model = Hdbscan<F>;

    fn facts(&self) -> Facts {
        Facts::clusterer(4)
    }

    fn fit(&self, x: &ArrayRef2<F>, _: &ArrayRef1<f64>) -> Result<Hdbscan<F>> {
        self.0.fit(x)
    }

    fn predict(&self, model: &Hdbscan<F>, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        Ok(members(&model.predict_members(x)?))
    }

    fn predict_row(&self, model: &Hdbscan<F>, row: &ArrayRef1<F>) -> Option<Result<Vec<f64>>> {
        Some(model.predict_member(row).map(|m| member(m).to_vec()))
    }

    fn labels(&self, model: &Hdbscan<F>) -> Option<Array2<f64>> {
        (!model.labels().is_empty()).then(|| members(model.members()))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let bad = |name, params| (name, Self(params, PhantomData));
        vec![
            bad("min_cluster_size", Hdbscan::params(1)),
            bad("min_samples", self.0.clone().with_min_samples(0)),
            bad("epsilon", self.0.clone().with_epsilon(f64::NAN)),
            bad(
                "max_cluster_size",
                Hdbscan::params(12).with_max_cluster_size(3),
            ),
        ]
    }
}

/// HDBSCAN by its soft membership.
struct Shares<F>(Density<HdbscanParams, F>);

impl<F: Scalar> Subject for Shares<F> {
    type F = F;
    type Model = Hdbscan<F>;

    fn facts(&self) -> Facts {
        // Shares, unlike labels, are not kept at fit.
        Facts::transformer()
    }

    fn fit(&self, x: &ArrayRef2<F>, y: &ArrayRef1<f64>) -> Result<Hdbscan<F>> {
        self.0.fit(x, y)
    }

    fn predict(&self, model: &Hdbscan<F>, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        model.predict_proba(x)
    }

    fn predict_row(&self, model: &Hdbscan<F>, row: &ArrayRef1<F>) -> Option<Result<Vec<f64>>> {
        Some(model.predict_proba_row(row).map(|shares| shares.to_vec()))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let bad = self.0.bad_params().into_iter();
        bad.map(|(name, params)| (name, Self(params))).collect()
    }
}

impl<F: Scalar> Subject for Density<OpticsParams, F> {
    type F = F;
    type Model = Optics<F>;

    fn facts(&self) -> Facts {
        Facts::clusterer(4)
    }

    fn fit(&self, x: &ArrayRef2<F>, _: &ArrayRef1<f64>) -> Result<Optics<F>> {
        self.0.fit(x)
    }

    fn predict(&self, model: &Optics<F>, x: &ArrayRef2<F>) -> Result<Array2<f64>> {
        Ok(codes(&model.predict(x)?))
    }

    fn predict_row(&self, model: &Optics<F>, row: &ArrayRef1<F>) -> Option<Result<Vec<f64>>> {
        let label = model.predict_row(row);
        Some(label.map(|label| vec![label.cluster().map_or(-1.0, f64::from)]))
    }

    fn labels(&self, model: &Optics<F>) -> Option<Array2<f64>> {
        Some(codes(model.labels()))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let bad = |name, params| (name, Self(params, PhantomData));
        let params = || Optics::params(5);
        let cut = |eps| params().with_extraction(Extraction::Cut { eps });
        let xi = |xi| params().with_extraction(Extraction::Xi(xi));
        vec![
            bad("min_points", Optics::params(1)),
            bad("max_eps", params().with_max_eps(f64::NAN)),
            bad("max_eps", params().with_max_eps(0.0)),
            bad("eps", cut(0.0)),
            bad("eps", cut(f64::INFINITY)),
            bad("eps", cut(2.0).with_max_eps(1.0)),
            bad("xi", xi(XiParams::default().with_xi(1.0))),
            bad(
                "min_cluster_size",
                xi(XiParams::default().with_min_cluster_size(1)),
            ),
        ]
    }
}

fn optics<F>(extraction: Extraction) -> Density<OpticsParams, F> {
    Density(Optics::params(5).with_extraction(extraction), PhantomData)
}

fn dbscan<F>() -> Density<DbscanParams, F> {
    Density(Dbscan::params(2.0).with_min_points(5), PhantomData)
}

fn hdbscan<F>(selection: Selection) -> Density<HdbscanParams, F> {
    let params = Hdbscan::params(12).with_min_samples(4);
    Density(params.with_selection(selection), PhantomData)
}

conformance!(dbscan_f32, dbscan::<f32>());
conformance!(dbscan_f64, dbscan::<f64>());
conformance!(hdbscan_f32, hdbscan::<f32>(Selection::ExcessOfMass));
conformance!(hdbscan_f64, hdbscan::<f64>(Selection::ExcessOfMass));
conformance!(hdbscan_leaves_f32, hdbscan::<f32>(Selection::Leaf));
conformance!(
    optics_xi_f32,
    optics::<f32>(Extraction::Xi(XiParams::default()))
);
conformance!(
    optics_xi_f64,
    optics::<f64>(Extraction::Xi(XiParams::default()))
);
conformance!(optics_cut_f32, optics::<f32>(Extraction::Cut { eps: 2.0 }));
conformance!(optics_cut_f64, optics::<f64>(Extraction::Cut { eps: 2.0 }));
conformance!(soft_f32, Shares(hdbscan::<f32>(Selection::ExcessOfMass)));
conformance!(soft_f64, Shares(hdbscan::<f64>(Selection::ExcessOfMass)));
