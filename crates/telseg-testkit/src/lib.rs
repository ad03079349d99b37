#![doc = include_str!("../README.md")]

mod checks;
mod data;
mod facts;
mod same;
mod subject;
mod suite;

pub use data::{Sample, Table, blobs, shared_data, table};
pub use facts::{Check, Facts, Missing, Target};
pub use same::{as_rows, pool, same_bits};
pub use subject::{Subject, Unsaved};
pub use suite::{check, run};
