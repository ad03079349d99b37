//! Metrics against scikit-learn, against their properties and against bad input; bootstrap intervals against theory.

mod errors;
mod golden;
mod intervals;
mod properties;
