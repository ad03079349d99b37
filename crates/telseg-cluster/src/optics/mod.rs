//! OPTICS: an order of the rows in which dense places are valleys, for all radii at once.
//!
//! Starting anywhere, the next row is always the one that is easiest to reach from those before it: at the *reachability
//! distance*, the greater of the distance and of the core distance of the row it is reached from. Plotted in this order,
//! clusters are valleys, and clusters within clusters are valleys within them. From one fit, clusters are taken at any radius
//! ([`Optics::cut`]) or by steepness ([`Optics::xi`]).
//!
//! An order is one of the rows it was made of: there is no prediction. For new rows, fit DBSCAN with the radius that the plot
//! suggests, or HDBSCAN*.
//!
//! # References
//! - M. Ankerst, M. Breunig, H.-P. Kriegel, J. Sander (1999), "OPTICS: ordering points to identify the clustering structure"
//!   (xi-clusters: section 4.3).
//! - E. Schubert, M. Gertz (2018), "Improving the cluster structure extracted from OPTICS plots" (the correction by
//!   predecessors).
//!
//! Deviations: of rows that are equally easy to reach, the first in the data comes next. The radius of the search need not be
//! limited: subtrees that cannot be reached more easily are skipped as wholes.

mod model;
mod order;
mod params;
mod plot;
mod xi;

pub use model::{Optics, XiClusters};
pub use params::{OpticsParams, XiParams};
