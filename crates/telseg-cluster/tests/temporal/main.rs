//! Segments over time: against SciPy, by hand, and what holds whatever the data.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod assignment;
mod data;
mod drift;
mod events;
mod hysteresis;
mod identity;
mod input;
mod picture;
mod saved;
