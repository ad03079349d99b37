//! Intervals and sets that hold the truth as often as they say, whatever the model.
//!
//! The one assumption: the rows that the margins are learnt on and those that they are used on come in no telling order
//! (they are exchangeable). The model need not be good; a better one gives smaller intervals and sets.
//!
//! # References
//! V. Vovk, A. Gammerman, G. Shafer (2005), "Algorithmic learning in a random world" (split and Mondrian); Y. Romano,
//! E. Patterson, E. Candès (2019), "Conformalized quantile regression"; R. Barber, E. Candès, A. Ramdas, R. Tibshirani (2021),
//! "Predictive inference with the jackknife+" (CV+); Y. Romano, M. Sesia, E. Candès (2020), "Classification with valid and
//! adaptive coverage".

mod cross;
mod intervals;
mod sets;
mod threshold;

pub use cross::{CvPlus, fit_cv_plus};
pub use intervals::{ConformalIntervals, IntervalParams};
pub use sets::{ConformalSets, SetParams, SetScore};
pub use threshold::{Sparse, Threshold};
