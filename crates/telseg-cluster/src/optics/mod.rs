//! OPTICS: an order of the rows in which dense places are valleys, for all radii at once.
//!
//! Starting anywhere, the next row is always the one that is easiest to reach from those before it: at the *reachability
//! distance*, the greater of the distance and of the core distance of the row it is reached from. Plotted in this order,
//! clusters are valleys, and clusters within clusters are valleys within them. From one fit, clusters are taken at any radius
//! ([`Optics::cut`]) or by steepness ([`Optics::xi`]).
//!
//! **New rows.** [`Optics::predict`] asks which training row reaches a row most easily, and gives it that row's cluster where
//! it is reached no harder than the cluster allows: at a cut the radius, in a valley the hardest to reach of its rows but the
//! first, which was reached from outside. Else it is noise. A row that equals a training row gets what that row got.
//!
//! **Equal rows** have one label: that of the one that was reached most easily. The walk may meet one of them long before
//! the others, on its way to the cluster that they are in.
//!
//! # References
//! - M. Ankerst, M. Breunig, H.-P. Kriegel, J. Sander (1999), "OPTICS: ordering points to identify the clustering structure"
//!   (xi-clusters: section 4.3).
//! - E. Schubert, M. Gertz (2018), "Improving the cluster structure extracted from OPTICS plots" (the correction by
//!   predecessors).
//!
//! Deviations: of rows that are equally easy to reach, the first in the data comes next. The radius of the search need not be
//! limited: subtrees that cannot be reached more easily are skipped as wholes.

mod extract;
mod model;
mod order;
mod params;
mod plot;
mod saved;
mod xi;

pub use extract::XiClusters;
pub use model::{Optics, OpticsReport};
pub use params::{Extraction, OpticsParams, XiParams};
