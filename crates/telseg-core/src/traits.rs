//! The few traits that let stages be composed and replaced. People call the inherent methods of the same names.

use crate::Result;

/// Parameters that learn a model from data; `Y` is the target, `()` where there is none.
pub trait Fit<X: ?Sized, Y: ?Sized = ()> {
    /// What is learnt.
    type Model;

    /// Learns a model from the rows of `x` and their targets `y`.
    ///
    /// # Errors
    /// Parameters, shapes and values are checked in this order before any work is done.
    fn fit(&self, x: &X, y: &Y) -> Result<Self::Model>;
}

/// A model that says something of each row.
pub trait Predict<X: ?Sized> {
    /// What is said of all rows.
    type Output;

    /// One prediction for each row of `x`.
    ///
    /// # Errors
    /// When the width is not the one at fit or a value cannot be worked with.
    fn predict(&self, x: &X) -> Result<Self::Output>;
}

/// A model that turns rows into other rows.
pub trait Transform<X: ?Sized> {
    /// The new rows.
    type Output;

    /// The new form of each row of `x`.
    ///
    /// # Errors
    /// When the width is not the one at fit or a value cannot be worked with.
    fn transform(&self, x: &X) -> Result<Self::Output>;
}
