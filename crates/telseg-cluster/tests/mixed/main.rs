//! k-prototypes, Gower's distance, k-medoids and constrained k-means: golden files, properties, and the suite that every
//! estimator passes.
#![allow(clippy::unwrap_used)]

mod conformance;
mod constrained;
mod data;
mod gower;
mod kmedoids;
mod kprototypes;
