//! A small operator whose segments differ in many ways, in columns named as real tables name them.

use telseg_core::Seed;
use telseg_explain::{Column, FactSheet, ProfileParams, Role, SegmentProfile, profile};

const N: usize = 3_000;
const SEGMENTS: usize = 4;

/// Numeric columns: name, unit, mean of each segment, spread.
const NUMERIC: [(&str, Option<&str>, [f64; SEGMENTS], f64); 8] = [
    (
        "data_gb_mean",
        Some("GB a month"),
        [18.2, 4.1, 8.3, 0.9],
        2.0,
    ),
    (
        "voice_minutes_mean",
        None,
        [210.0, 640.0, 320.0, 95.0],
        60.0,
    ),
    ("MonthlyCharges", Some("EUR"), [74.9, 51.3, 63.0, 20.7], 9.0),
    ("age", Some("years"), [27.4, 63.0, 44.0, 39.0], 6.0),
    ("tenure", None, [9.5, 61.0, 33.0, 24.0], 8.0),
    ("care_contacts", None, [1.42, 0.31, 0.74, 0.12], 0.3),
    (
        "dropped_rate_last",
        None,
        [0.031, 0.012, 0.018, 0.009],
        0.005,
    ),
    ("arpu", Some("EUR"), [41.0, 35.5, 29.9, 11.2], 7.0),
];

/// Categorical columns: name, levels, shares of the first level and of the second in each segment.
type Levels = (&'static str, &'static [&'static str], [[f64; 2]; SEGMENTS]);
const CATEGORICAL: [Levels; 7] = [
    (
        "Contract",
        &["Month-to-month", "Two year", "One year"],
        [[0.81, 0.07], [0.12, 0.66], [0.44, 0.25], [0.93, 0.02]],
    ),
    (
        "InternetService",
        &["Fiber optic", "DSL", "No"],
        [[0.78, 0.2], [0.31, 0.4], [0.45, 0.35], [0.05, 0.15]],
    ),
    (
        "Partner",
        &["Yes", "No"],
        [[0.22, 0.78], [0.71, 0.29], [0.5, 0.5], [0.33, 0.67]],
    ),
    (
        "OwnsComputer",
        &["Yes", "No"],
        [[0.9, 0.1], [0.35, 0.65], [0.6, 0.4], [0.2, 0.8]],
    ),
    (
        "HasCreditCard",
        &["Yes", "No"],
        [[0.61, 0.39], [0.84, 0.16], [0.7, 0.3], [0.09, 0.91]],
    ),
    (
        "PaymentMethod",
        &[
            "Electronic check",
            "Bank transfer (automatic)",
            "Mailed check",
        ],
        [[0.63, 0.2], [0.2, 0.55], [0.33, 0.33], [0.1, 0.1]],
    ),
    (
        "plan",
        &["GOLD_24", "SILVER_12", "5G Start"],
        [[0.55, 0.3], [0.1, 0.2], [0.2, 0.55], [0.01, 0.04]],
    ),
];

/// Churn in each segment.
const CHURN: [f64; SEGMENTS] = [0.43, 0.08, 0.21, 0.31];

pub(crate) fn profiles() -> Vec<SegmentProfile> {
    let labels: Vec<u32> = (0..N)
        .map(|i| [0, 0, 1, 1, 1, 2, 2, 2, 2, 3][i % 10])
        .collect();
    let of = |i: usize| labels[i] as usize;
    let numeric: Vec<Vec<f64>> = NUMERIC
        .iter()
        .map(|(name, _, means, spread)| {
            let draw = Seed::new(1).stream(name);
            // A triangular spread; a twentieth of the values is not known.
            let noise = |i: usize| draw.unit(2 * i as u64) + draw.unit(2 * i as u64 + 1) - 1.0;
            let known =
                |i: usize| draw.child(7).unit(i as u64) > if of(i) == 3 { 0.4 } else { 0.05 };
            (0..N)
                .map(|i| {
                    let value = (means[of(i)] + 2.4 * spread * noise(i)).max(0.0);
                    if *name != "tenure" || known(i) {
                        value
                    } else {
                        f64::NAN
                    }
                })
                .collect()
        })
        .collect();
    let codes: Vec<Vec<u32>> = CATEGORICAL
        .iter()
        .map(|(name, _, shares)| {
            let draw = Seed::new(2).stream(name);
            (0..N)
                .map(|i| {
                    let [first, second] = shares[of(i)];
                    let u = draw.unit(i as u64);
                    if u < first {
                        0
                    } else {
                        1 + u32::from(u >= first + second)
                    }
                })
                .collect()
        })
        .collect();
    let levels: Vec<Vec<String>> = CATEGORICAL
        .iter()
        .map(|(_, levels, _)| levels.iter().map(|l| l.to_string()).collect())
        .collect();
    let draw = Seed::new(3).stream("churn");
    let churn: Vec<f64> = (0..N)
        .map(|i| f64::from(u8::from(draw.unit(i as u64) < CHURN[of(i)])))
        .collect();
    let mut columns: Vec<Column<'_>> = NUMERIC
        .iter()
        .zip(&numeric)
        .map(|((name, unit, ..), values)| {
            let column = Column::numeric(name, values);
            let column = match unit {
                Some(unit) => column.with_unit(unit),
                None => column,
            };
            if *name == "arpu" {
                column.with_role(Role::Outcome)
            } else {
                column
            }
        })
        .collect();
    for (((name, _, _), codes), levels) in CATEGORICAL.iter().zip(&codes).zip(&levels) {
        let known = codes.iter().all(|c| (*c as usize) < levels.len());
        assert!(known, "{name}");
        columns.push(Column::categorical(name, codes, levels));
    }
    columns.push(Column::numeric("churn", &churn).with_role(Role::Outcome));
    let params = ProfileParams::default().with_max_correlation(0.95);
    profile(&columns, &labels, SEGMENTS, &params).unwrap()
}

pub(crate) fn sheets() -> Vec<FactSheet> {
    profiles()
        .iter()
        .map(|p| FactSheet::new(p, &ProfileParams::default()))
        .collect()
}
