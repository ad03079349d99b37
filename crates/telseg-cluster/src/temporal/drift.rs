//! How the columns of a segment moved.

use serde::{Deserialize, Serialize};
use telseg_core::stats::{Z95, two_sided_p};

use super::params::HistoryParams;
use super::stats::Stats;
use super::transition::SegmentId;

/// What this month is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Since {
    /// The month before.
    LastMonth,
    /// The month in which the segment was born, or in which its drift was accepted; of the base, the first.
    Birth,
}

/// How one column of one segment moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Drift {
    /// The segment; `None`: the whole base.
    pub segment: Option<SegmentId>,
    /// Compared with when.
    pub since: Since,
    /// The column's place.
    pub column: usize,
    /// Its name.
    pub name: String,
    /// Mean then, in the column's unit.
    pub before: f64,
    /// Mean now.
    pub after: f64,
    /// `(after - before) / sd`, sd that of last month's base.
    pub shift: f64,
    /// 95 % interval of the shift (Welch's, normal).
    pub interval: [f64; 2],
    /// p-value of the shift, adjusted for all tests of the month.
    pub q_value: f64,
    /// Population stability index of the distribution.
    pub psi: f64,
    /// p-value of the index, adjusted for all tests of the month.
    pub psi_q_value: f64,
}

impl Drift {
    /// Whether the mean moved far enough, and not by accident.
    pub(super) fn mean_moved(&self, params: &HistoryParams) -> bool {
        self.shift.abs() >= params.drift_alarm && self.q_value <= params.max_q
    }

    /// Whether the distribution changed enough, and not by accident.
    pub(super) fn distribution_changed(&self, params: &HistoryParams) -> bool {
        self.psi >= params.psi_alarm && self.psi_q_value <= params.max_q
    }
}

/// Two groups of rows that are compared.
pub(super) struct Pair<'a> {
    pub(super) segment: Option<SegmentId>,
    pub(super) since: Since,
    pub(super) before: &'a Stats,
    pub(super) after: &'a Stats,
    /// Standard deviations of last month's base.
    pub(super) scale: &'a [f64],
}

impl Pair<'_> {
    /// One entry a column that can be judged; `q_value` and `psi_q_value` are p-values still.
    pub(super) fn measure(&self, names: &[String], min_rows: usize) -> Vec<Drift> {
        let least = min_rows as f64;
        let same = self.before.moments.n_columns() == self.after.moments.n_columns();
        let enough = |j: &usize| {
            let (a, b) = (self.before.effective_in(*j), self.after.effective_in(*j));
            a >= least && b >= least && self.scale[*j] > 0.0
        };
        let columns = if same { self.scale.len() } else { 0 };
        (0..columns)
            .filter(enough)
            .map(|j| self.column(j, &names[j]))
            .collect()
    }

    fn column(&self, j: usize, name: &str) -> Drift {
        let of = |s: &Stats| {
            (
                s.moments.mean()[j],
                s.moments.variance()[j],
                s.effective_in(j),
            )
        };
        let ((m1, v1, n1), (m2, v2, n2)) = (of(self.before), of(self.after));
        let scale = self.scale[j];
        let shift = (m2 - m1) / scale;
        let error = (v1 / n1 + v2 / n2).sqrt() / scale;
        let p = if shift == 0.0 {
            1.0
        } else {
            two_sided_p(shift / error)
        };
        let (psi, psi_p) = stability(
            (self.before.bins(j), self.before.effective()),
            (self.after.bins(j), self.after.effective()),
        );
        Drift {
            segment: self.segment,
            since: self.since,
            column: j,
            name: name.to_owned(),
            before: m1,
            after: m2,
            shift,
            interval: [shift - Z95 * error, shift + Z95 * error],
            q_value: p,
            psi,
            psi_q_value: psi_p,
        }
    }
}

/// Population stability index of two histograms, and its p-value: without change, `PSI / (1 / n + 1 / m)` has about the
/// chi-squared distribution with one degree of freedom less than there are bins. Half a row is added to each bin.
fn stability((a, n): (&[f64], f64), (b, m): (&[f64], f64)) -> (f64, f64) {
    let (total_a, total_b): (f64, f64) = (a.iter().sum(), b.iter().sum());
    let bins: Vec<(f64, f64)> = a
        .iter()
        .zip(b)
        .filter(|(a, b)| **a + **b > 0.0)
        .map(|(a, b)| (a / total_a * n + 0.5, b / total_b * m + 0.5))
        .collect();
    if bins.len() < 2 {
        return (0.0, 1.0);
    }
    let half = 0.5 * bins.len() as f64;
    let psi = bins.iter().map(|(a, b)| {
        let (p, q) = (a / (n + half), b / (m + half));
        (q - p) * (q / p).ln()
    });
    let psi = psi.sum::<f64>().max(0.0);
    (
        psi,
        chi_squared_tail(psi / (1.0 / n + 1.0 / m), bins.len() - 1),
    )
}

/// Probability that a chi-squared variable with `df` degrees of freedom is above `x`: `Q(df / 2, x / 2)`.
///
/// By the recurrence `Q(a + 1, y) = Q(a, y) + y^a e^-y / Gamma(a + 1)` from `Q(1/2, y) = erfc(sqrt y)` or `Q(0, y) = 0`:
/// all terms are positive, so no digits are lost.
fn chi_squared_tail(x: f64, df: usize) -> f64 {
    let y = 0.5 * x;
    if y <= 0.0 {
        return 1.0;
    }
    // The term is y^a e^-y / Gamma(a + 1); Gamma(3/2) = sqrt(pi) / 2.
    let (mut q, mut a, mut term) = match df % 2 {
        1 => (
            two_sided_p(x.sqrt()),
            0.5,
            2.0 * (y / std::f64::consts::PI).sqrt() * (-y).exp(),
        ),
        _ => (0.0, 0.0, (-y).exp()),
    };
    while a < 0.5 * df as f64 {
        q += term;
        a += 1.0;
        term *= y / a;
    }
    q.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::{chi_squared_tail, stability};

    #[test]
    fn tails_of_chi_squared() {
        // scipy.stats.chi2.sf, scipy 1.17.1.
        for (x, df, p) in [
            (3.841_458_820_694_124, 1, 0.05),
            (2.0, 2, 0.367_879_441_171_442_3),
            (16.9, 9, 0.050_305_190_124_310_8),
            (25.0, 10, 0.005_345_505_487_134_069),
            (200.0, 9, 3.312_992_393_909_567e-38),
        ] {
            let found = chi_squared_tail(x, df);
            assert!((found / p - 1.0).abs() < 1e-9, "{x} {df}: {found:e}");
        }
        assert_eq!(chi_squared_tail(0.0, 3), 1.0);
    }

    #[test]
    fn stability_by_hand() {
        // Shares (20.5, 80.5) / 101 and (50.5, 50.5) / 101: (0.5 - 0.20297) ln(0.5 / 0.20297) + (0.5 - 0.79703) ln(0.5 / 0.79703).
        let (psi, p) = stability((&[20.0, 80.0], 100.0), (&[50.0, 50.0], 100.0));
        let (a, b) = (20.5 / 101.0, 80.5 / 101.0);
        let expected = (0.5 - a) * f64::ln(0.5 / a) + (0.5 - b) * f64::ln(0.5 / b);
        assert!((psi - expected).abs() < 1e-12, "{psi}");
        assert!(p < 1e-3);
        assert_eq!(
            stability((&[5.0, 0.0], 5.0), (&[9.0, 0.0], 9.0)),
            (0.0, 1.0)
        );
        let (same, p) = stability((&[30.0, 70.0], 100.0), (&[60.0, 140.0], 200.0));
        assert!(same < 1e-4 && p > 0.9, "{same} {p}");
    }
}
