//! Random forests and extremely randomised trees.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

mod conformance;
mod golden;
mod rules;
mod tree;
