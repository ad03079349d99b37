//! The workloads that telseg answers, a file an area.

mod gbm;
mod kmeans;
mod treeshap;

use crate::folder::{Clock, Folder, Result};

/// Runs one workload: reads its inputs, works under the clock, writes its outputs.
pub(crate) type Workload = fn(&Folder, &mut Clock) -> Result<()>;

const ALL: &[(&str, Workload)] = &[
    ("kmeans", kmeans::kmeans),
    ("kmeans_hd", kmeans::kmeans),
    ("gbm", gbm::gbm),
    ("gbm_reg", gbm::gbm),
    ("gbm_single_row", gbm::single_row),
    ("treeshap", treeshap::treeshap),
    ("treeshap_xgb", treeshap::treeshap),
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
