//! The workloads that telseg answers, a file an area.

mod density;
mod forest;
mod gbm;
mod hierarchy;
mod kmeans;
mod mixed;
mod mixture;
mod preprocess;
mod treeshap;

use crate::folder::{Clock, Folder, Result};

/// Runs one workload: reads its inputs, works under the clock, writes its outputs.
pub(crate) type Workload = fn(&Folder, &mut Clock) -> Result<()>;

const ALL: &[(&str, Workload)] = &[
    ("kmeans", kmeans::kmeans),
    ("kmeans_hd", kmeans::kmeans),
    ("kprototypes", mixed::kprototypes),
    ("kmedoids", mixed::kmedoids),
    ("constrained_kmeans", mixed::constrained),
    ("gmm", mixture::gmm),
    ("latent", mixture::latent),
    ("dbscan", density::dbscan),
    ("dbscan_d8", density::dbscan),
    ("hdbscan", density::hdbscan),
    ("hdbscan_d3", density::hdbscan),
    ("ward", hierarchy::ward),
    ("silhouette", hierarchy::silhouette),
    ("minibatch_kmeans", kmeans::minibatch),
    ("gbm", gbm::gbm),
    ("gbm_reg", gbm::gbm),
    ("gbm_multi", gbm::multi),
    ("gbm_single_row", gbm::single_row),
    ("rf", forest::rf),
    ("preprocess", preprocess::preprocess),
    ("treeshap", treeshap::treeshap),
    ("treeshap_xgb", treeshap::treeshap),
    ("treeshap_background", treeshap::background),
    ("treeshap_interactions", treeshap::interactions),
    ("treeshap_row", treeshap::row),
];

pub(crate) fn find(name: &str) -> Result<Workload> {
    let found = ALL.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, run)| *run)
        .ok_or_else(|| format!("no workload {name}; there are: {}", names()).into())
}

pub(crate) fn names() -> String {
    ALL.iter()
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join(" ")
}
