//! k-means: `k` centres that minimise the sum of squared distances to the nearest.
//!
//! `inertia = sum_i w_i min_j |x_i - c_j|^2`. Exact Lloyd rounds from greedy k-means++ or k-means|| seeds; where the shape of
//! the data makes it worth while, Hamerly's bounds and Exponion's rings skip rows whose label cannot change, with the same
//! labels. [`minibatch`] follows a stream; [`stats`] divides exact rounds among parts.
//!
//! # References
//! - S. Lloyd (1982), "Least squares quantization in PCM".
//! - D. Arthur, S. Vassilvitskii (2007), "k-means++: the advantages of careful seeding".
//! - G. Hamerly (2010), "Making k-means even faster".
//! - J. Newling, F. Fleuret (2016), "Fast k-means with accurate bounds".
//! - B. Bahmani et al. (2012), "Scalable k-means++".
//! - I. Dhillon, D. Modha (2001), "Concept decompositions for large sparse text data using clustering" (the cosine).
//!
//! Deviations: sums of rows are kept in fixed-point integers (`2^-40` of a column's largest value for up to 4 million
//! rows), so that rows can move between clusters without a trace and results do not depend on the number of threads. A
//! cluster that runs empty takes the row farthest from its centre.

mod blocks;
mod bounds;
mod choose;
mod codebook;
mod data;
mod init;
mod lloyd;
pub mod minibatch;
mod model;
mod near;
mod params;
mod path;
mod saved;
pub mod stats;
pub(crate) mod sums;

pub use choose::Choice;
pub use minibatch::{MiniBatchKMeans, MiniBatchKMeansParams, MiniBatchReport};
pub use model::{KMeans, KMeansReport};
pub use params::{Algorithm, Distance, Init, KMeansParams};
pub use saved::KMeansV1;
pub use stats::{KMeansExtent, KMeansState, KMeansStats};
