//! What is wrong with the data: missing cells, outliers, impossible codes.

use telseg_core::Seed;
use telseg_core::seed::Stream;

use crate::config::WorldConfig;
use crate::snapshot::{column_index, takes_outliers};

/// A rule for a column that is missing more often for some.
struct Rule {
    column: usize,
    by: usize,
    threshold: f32,
    rates: [f64; 2],
}

/// Spoils clean rows as the configuration says.
pub(crate) struct Spoiler {
    stream: Stream,
    missing: f64,
    outliers: f64,
    impossible: f64,
    ln_factor: [f64; 2],
    rules: Vec<Rule>,
    age: usize,
    tenure: usize,
}

impl Spoiler {
    pub(crate) fn new(config: &WorldConfig, seed: Seed, month: u32) -> Self {
        let place = |name: &str| column_index(name).expect("invariant: a validated column name");
        let noise = &config.noise;
        let rule = |m: &crate::config::MissingAtRandom| Rule {
            column: place(&m.column),
            by: place(&m.by),
            threshold: m.threshold as f32,
            rates: [m.rate_below, m.rate_above],
        };
        Self {
            stream: seed.stream("sim.noise").child(month.into()),
            missing: noise.missing,
            outliers: noise.outliers,
            impossible: noise.impossible,
            ln_factor: noise.outlier_factor.map(f64::ln),
            rules: noise.missing_at_random.iter().map(rule).collect(),
            age: place("age"),
            tenure: place("tenure_months"),
        }
    }

    /// Spoils `seen`, a copy of `clean`. Order: outliers, impossible codes, missing at random, missing completely at
    /// random; each has its own uniform numbers.
    pub(crate) fn row(&self, id: u64, clean: &[f32], seen: &mut [f32]) {
        let cells = self.stream.child(id);
        let (missing, outlier, factor) = (cells.child(0), cells.child(1), cells.child(2));
        let (codes, rules) = (cells.child(3), cells.child(4));
        for (column, value) in seen.iter_mut().enumerate() {
            let cell = column as u64;
            if takes_outliers(column) && outlier.unit(cell) < self.outliers {
                let [low, high] = self.ln_factor;
                *value *= (low + (high - low) * factor.unit(cell)).exp() as f32;
            }
        }
        if codes.unit(0) < self.impossible {
            seen[self.age] = 999.0;
        }
        if codes.unit(1) < self.impossible {
            seen[self.tenure] = -1.0;
        }
        for (i, rule) in self.rules.iter().enumerate() {
            let above = usize::from(clean[rule.by] > rule.threshold);
            if rules.unit(i as u64) < rule.rates[above] {
                seen[rule.column] = f32::NAN;
            }
        }
        for (column, value) in seen.iter_mut().enumerate() {
            if missing.unit(column as u64) < self.missing {
                *value = f32::NAN;
            }
        }
    }
}
