//! Hierarchical clustering: conformance, independent implementations, properties, public sets.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod conformance;
mod golden;
mod hand;
mod known_sets;
mod properties;
