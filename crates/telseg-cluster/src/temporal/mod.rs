//! Segments over time: the same segment keeps its number, month after month, and what changed is said.
//!
//! A clustering that is fitted again numbers its clusters anew. A [`SegmentHistory`] takes one [`Month`] after the other
//! (subscriber ids, labels of any method, and the rows they came from) and gives back a [`Transition`]: which cluster is
//! which segment, who moved where, what was born, died, split or merged, how centres and columns drifted, and alarms in
//! plain sentences.
//!
//! # Which cluster is which segment
//! The similarity of last month's segment `i` and this month's cluster `j` is `s_ij = l J_ij + (1 - l) c_ij` (1):
//! - `J_ij`, shared subscribers: weight in both over weight in either (Jaccard), among subscribers that are in the base in
//!   both months: who joins or leaves is no evidence;
//! - `c_ij = exp(-d^2 / 2)`, nearness of the centres, `d^2` the mean over columns of their squared distance in standard
//!   deviations of last month's base;
//! - `l = min(1, r / enough_shared)`, how much ids count: `r` is the share of last month's base that is found again. From
//!   `enough_shared` on ids alone decide; without common ids, centres alone; without rows, ids alone.
//!
//! The pairing of largest total similarity among pairs with `s_ij >= same` is found exactly ([`cheapest_pairs`]). A
//! cluster without a partner is a new segment with a number that no segment ever had; a segment without a partner has
//! died, and does not come back.
//!
//! # What happened
//! With `f_ij` the flow of subscribers in both months, a segment *splits* into the clusters that each take at least `part`
//! of it and consist of it by half; segments *merge* into a cluster of which each makes at least `part`, and which takes
//! half of each. Drift is judged column by column, on means (Welch's test) and on distributions (population stability
//! index, `sum (q - p) ln(q / p)` over bins at the first month's deciles and one for missing values), against last month
//! and against the month of birth: slow drift that no month shows alone is seen too. All p-values of a month are adjusted
//! together (Benjamini-Hochberg), and an alarm must be significant *and* large. Where the whole base drifted, a segment is
//! spoken of only when it moved otherwise.
//!
//! # Rules
//! - Most subscribers are there in both months and resemble themselves, which tests of independent rows do not know: they
//!   are too careful, their alarms rarer than `max_q` says.
//! - Weights: a subscriber who stays counts with this month's weight, one who left with last month's. Tests and intervals
//!   use Kish's effective number of rows.
//! - Missing values in rows are left out column by column. Rows without a segment (noise) are a group of their own that is
//!   no segment. A subscriber who was away for a month joins anew.
//! - The columns and their units must be the same each month: scale all months as the first.
//!
//! # References
//! - M. Spiliopoulou, I. Ntoutsi, Y. Theodoridis, R. Schult (2006), "MONIC: modeling and monitoring cluster transitions".
//! - D. Greene, D. Doyle, P. Cunningham (2010), "Tracking the evolution of communities in dynamic social networks".
//! - B. Yurdakul (2018), "Statistical properties of population stability index" (its chi-squared distribution).
//!
//! Deviations: MONIC and Greene match greedily and by overlap alone; here the pairing is optimal, and falls back on centres.

mod alarm;
mod align;
mod alluvial;
mod assign;
mod drift;
mod event;
mod history;
mod hysteresis;
mod migration;
mod month;
mod params;
mod stats;
mod step;
mod transition;

pub use alarm::{Alarm, AlarmKind};
pub use alluvial::{Alluvial, AlluvialBar, AlluvialMonth, AlluvialRibbon};
pub use assign::cheapest_pairs;
pub use drift::{Drift, Since};
pub use event::{Event, Flow};
pub use history::{SegmentHistory, SegmentRecord};
pub use hysteresis::{Held, Hysteresis};
pub use migration::{Migration, Place};
pub use month::{Month, subscriber_key};
pub use params::HistoryParams;
pub use transition::{Match, SegmentId, Size, Transition};
