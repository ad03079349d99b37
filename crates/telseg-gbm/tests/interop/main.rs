//! Models of other libraries: read as those libraries mean them, written so that they read them.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

mod lightgbm;
mod models;
mod written;
mod xgboost;
