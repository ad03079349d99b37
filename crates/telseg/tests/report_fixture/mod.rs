//! A report as a run on some seven thousand subscribers would fill it, and a very large one.

use telseg::report::*;

fn interval(estimate: f64, half: f64) -> Interval {
    Interval::new(estimate, estimate - half, estimate + half)
}

/// A logistic curve, the shape of most things here.
fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// A number in 0 to 1 that looks random and is always the same.
fn noise(i: u64) -> f64 {
    let x = i
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(0x1234_5678);
    let x = (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((x ^ (x >> 32)) >> 11) as f64 / (1u64 << 53) as f64
}

/// The filled report.
pub(crate) fn report() -> Report {
    Report {
        title: "Who our subscribers are, and who is about to leave".into(),
        source: "telco-customers.csv, read on 23 November 2026".into(),
        rows: 7_043,
        columns: 21,
        notes: vec![
            "Eleven cells of TotalCharges hold a blank; they belong to subscribers in their first month.".into(),
            "The table shows one month. Trends over time cannot be seen in it.".into(),
        ],
        words: Words {
            currency: "$".into(),
            ..Words::default()
        },
        quality: quality(),
        segmentation: segmentation(),
        prediction: Some(prediction()),
        changes: None,
        world: None,
        making: Making {
            seed: Some(42),
            versions: vec![("telseg".into(), "0.1.0".into()), ("table".into(), "sha256 16320c9c…".into())],
            methods: vec![
                "Numbers were pulled in to their 0.1% and 99.9% quantiles and standardised; levels were one-hot encoded and weighted so that a column counts once.".into(),
                "k-means++ with 10 restarts; stability from 20 bootstrap samples; silhouette on 2,000 subscribers.".into(),
                "Gradient boosted trees (300 trees, 15 leaves, learning rate 0.05), stopped early; scores calibrated on the held-out folds.".into(),
                "Intervals cover 95%: bootstrap over subscribers (1,000 samples), Wilson for rates.".into(),
            ],
            limits: vec![
                "Segments describe; they do not say what would happen if an offer were made.".into(),
                "Importances show what the model uses. Two columns that say the same share their importance.".into(),
            ],
            seconds: vec![
                ("Read and check".into(), 0.041),
                ("Prepare features".into(), 0.087),
                ("Choose the number of segments".into(), 3.92),
                ("Describe segments".into(), 0.21),
                ("Cross-validate the churn model".into(), 2.64),
                ("Explain the score".into(), 0.73),
            ],
        },
    }
}

fn numeric(
    name: &str,
    (min, median, max): (f64, f64, f64),
    shape: impl Fn(f64) -> f64,
) -> ColumnQuality {
    ColumnQuality {
        name: name.into(),
        role: Role::Numeric,
        distinct: 1_585,
        summary: Summary::Numeric {
            min,
            q25: (min + median) / 2.0,
            median,
            q75: (max + median) / 2.0,
            max,
            mean: median * 1.08,
            histogram: (0..20)
                .map(|i| (shape(f64::from(i) / 19.0) * 900.0).round())
                .collect(),
        },
        ..ColumnQuality::default()
    }
}

fn levels(name: &str, levels: &[(&str, f64)]) -> ColumnQuality {
    ColumnQuality {
        name: name.into(),
        role: if levels.len() == 2 {
            Role::Binary
        } else {
            Role::Categorical
        },
        distinct: levels.len() as u64,
        summary: Summary::Categorical {
            levels: levels
                .iter()
                .map(|(l, s)| LevelShare::new(*l, *s))
                .collect(),
        },
        ..ColumnQuality::default()
    }
}

fn quality() -> DataQuality {
    let internet = |name| {
        levels(
            name,
            &[("No", 0.44), ("Yes", 0.343), ("No internet service", 0.217)],
        )
    };
    let mut columns = vec![
        ColumnQuality {
            name: "customerID".into(),
            role: Role::Id,
            reason: "every value occurs once".into(),
            distinct: 7_043,
            ..ColumnQuality::default()
        },
        levels("gender", &[("Male", 0.505), ("Female", 0.495)]),
        levels("SeniorCitizen", &[("0", 0.838), ("1", 0.162)]),
        levels("Partner", &[("No", 0.517), ("Yes", 0.483)]),
        numeric("tenure", (0.0, 29.0, 72.0), |x| {
            0.25 + (-12.0 * x).exp() + (14.0 * (x - 1.0)).exp() * 0.7
        }),
        levels("PhoneService", &[("Yes", 0.903), ("No", 0.097)]),
        levels(
            "InternetService",
            &[("Fiber optic", 0.44), ("DSL", 0.344), ("No", 0.217)],
        ),
        internet("OnlineSecurity"),
        internet("TechSupport"),
        internet("StreamingTV"),
        levels(
            "Contract",
            &[
                ("Month-to-month", 0.55),
                ("Two year", 0.241),
                ("One year", 0.209),
            ],
        ),
        levels("PaperlessBilling", &[("Yes", 0.592), ("No", 0.408)]),
        levels(
            "PaymentMethod",
            &[
                ("Electronic check", 0.336),
                ("Mailed check", 0.229),
                ("Bank transfer (automatic)", 0.219),
                ("Credit card (automatic)", 0.216),
            ],
        ),
        numeric("MonthlyCharges", (18.25, 70.35, 118.75), |x| {
            (-70.0 * x * x).exp() + 0.55 * (-18.0 * (x - 0.62).powi(2)).exp()
        }),
        numeric("TotalCharges", (18.8, 1_397.48, 8_684.8), |x| {
            (-3.2 * x).exp()
        }),
        levels("Churn", &[("No", 0.735), ("Yes", 0.265)]),
    ];
    columns[13].role = Role::Value;
    columns[13].outliers_winsorised = 14;
    columns[14].missing_share = 11.0 / 7_043.0;
    columns[14].bad_cells = 11;
    columns[15].role = Role::Target;
    columns[15].reason = "as asked; Yes counts as the event".into();
    DataQuality {
        columns,
        bad_cells: vec!["telco-customers.csv, row 489, column TotalCharges: \" \" is not a number (11 such cells; read as missing)".into()],
        left_out: vec![
            LeftOut { column: "customerID".into(), reason: "names the row".into() },
            LeftOut { column: "MultipleLines".into(), reason: "follows from PhoneService and says little more".into() },
        ],
    }
}

const NAMES: [(&str, f64, f64, f64); 6] = [
    ("Loyal families on full packages", 0.214, 91.3, 0.118),
    ("Phone only, on contract", 0.201, 21.1, 0.052),
    ("New on fibre, month to month", 0.223, 84.6, 0.538),
    ("Young DSL explorers", 0.146, 52.4, 0.312),
    ("Long-standing DSL savers", 0.137, 58.9, 0.091),
    ("Seniors on fibre, paying by check", 0.079, 88.2, 0.417),
];

fn statements(id: usize) -> Vec<Statement> {
    let difference = |column: &str, text: &str, here: f64, rest: f64, strength: f64| Statement {
        column: column.into(),
        text: text.into(),
        segment_value: here,
        rest_value: rest,
        strength,
        kind: StatementKind::Difference,
    };
    let lift = |column: &str, text: &str, here: f64, rest: f64| Statement {
        column: column.into(),
        text: text.into(),
        segment_value: here,
        rest_value: rest,
        strength: here / rest,
        kind: StatementKind::Lift,
    };
    let mut all = vec![
        lift("Contract", "On a month-to-month contract", 0.94, 0.43),
        difference(
            "tenure",
            "With us for a much shorter time",
            12.4,
            37.2,
            -1.02,
        ),
        lift("InternetService", "Has fibre", 0.97, 0.29),
        difference("MonthlyCharges", "Pays a higher bill", 84.6, 59.3, 0.86),
        lift("TechSupport", "Has tech support", 0.11, 0.34),
        lift("PaymentMethod", "Pays by electronic check", 0.58, 0.27),
        difference(
            "TotalCharges",
            "Has brought less money so far",
            1_043.0,
            2_636.0,
            -0.71,
        ),
    ];
    all.rotate_left(id);
    all
}

fn segmentation() -> Segmentation {
    let segments = NAMES.iter().enumerate().map(|(id, (name, share, arpu, churn))| SegmentCard {
        id: id as u32,
        name: (*name).into(),
        description: [
            format!("{name}: {:.0} in 100 subscribers, with a bill {} the average.", share * 100.0, if *arpu > 64.8 { "above" } else { "below" }),
            if *churn > 0.3 {
                "One in two to three leaves within the month: a longer contract or tech support is the first thing to try.".into()
            } else {
                "They stay: protect the relation, and sell carefully.".into()
            },
        ],
        persona: Some(Persona {
            sentences: vec![format!("Their bill averages {arpu:.1} EUR, against 64.8 in the base.")],
            faithfulness: 1.0,
        }),
        n: (share * 7_043.0f64).round() as u64,
        share: *share,
        arpu: Some(interval(*arpu, 1.4)),
        churn_rate: Some(interval(*churn, 0.021)),
        statements: statements(id),
        rules: vec![Rule {
            text: "contract is Month-to-month, tenure at most 12".into(),
            precision: interval(0.71, 0.02),
            coverage: 0.64,
        }],
        told: Some(Told {
            by_rules: 0.84,
            by_forest: 0.93,
        }),
    });
    Segmentation {
        method: "Subscribers were grouped by 18 columns of what they use, pay and have signed; the target took no part.".into(),
        k: 6,
        candidates: (2..=10)
            .map(|k| {
                let x = f64::from(k);
                KCandidate {
                    k,
                    inertia: 118_000.0 / x.powf(0.42),
                    silhouette: Some(interval(0.34 - 0.012 * (x - 4.0).powi(2) / 3.0 + 0.03 * sigmoid(5.0 - x), 0.012)),
                    stability: Some(interval(if k <= 6 { 0.93 - 0.01 * x } else { 0.86 - 0.05 * (x - 6.0) }, 0.035)),
                    icl: None,
                    chosen: k == 6,
                }
            })
            .collect(),
        choice: "6 segments: the largest number whose stability stays above 0.85 and whose silhouette is within one interval of the best.".into(),
        segments: segments.collect(),
        comparison: None,
        heatmap: Some(heatmap(6, 18)),
        map: Some(map(6, 900)),
    }
}

fn heatmap(k: u32, columns: u32) -> Heatmap {
    let names = [
        "tenure",
        "MonthlyCharges",
        "TotalCharges",
        "Contract = Month-to-month",
        "InternetService = Fiber optic",
        "InternetService = No",
        "TechSupport = Yes",
        "OnlineSecurity = Yes",
        "SeniorCitizen",
        "Partner = Yes",
    ];
    let name = |c: u32| match names.get(c as usize) {
        Some(name) => (*name).to_string(),
        None => format!("usage_minutes_in_week_{c}"),
    };
    let value =
        |c: u32, s: u32| (noise(u64::from(c * 31 + s)) - 0.5) * 4.4 * (-0.06 * f64::from(c)).exp();
    Heatmap {
        columns: (0..columns).map(name).collect(),
        segments: (0..k).collect(),
        values: (0..columns)
            .map(|c| (0..k).map(|s| value(c, s)).collect())
            .collect(),
    }
}

fn map(k: u32, n: u64) -> Map {
    let centre = |s: u32| {
        (
            f64::from(s * 7 % 5) * 2.1 + noise(u64::from(s)),
            f64::from(s * 3 % 4) * 1.9 + noise(u64::from(s) + 99),
        )
    };
    let point = |i: u64| {
        let segment = (i % u64::from(k)) as u32;
        let (x, y) = centre(segment);
        let spread = |j: u64| {
            (0..4)
                .map(|r| noise(i * 8 + j * 4 + r + 1_000))
                .sum::<f64>()
                - 2.0
        };
        MapPoint {
            x: x + spread(0) * 1.1,
            y: y + spread(1),
            segment,
        }
    };
    Map {
        method: "The two main directions of the prepared columns show 41% of their variance."
            .into(),
        points: (0..n).map(point).collect(),
        centres: (0..k)
            .map(|segment| MapPoint {
                x: centre(segment).0,
                y: centre(segment).1,
                segment,
            })
            .collect(),
    }
}

fn prediction() -> Prediction {
    let grid = || (0..=100).map(|i| f64::from(i) / 100.0);
    Prediction {
        target: "Churn".into(),
        positive: "Yes".into(),
        method: "Gradient boosted trees on 19 columns; the segment took no part.".into(),
        n: 7_043,
        positives: 1_869,
        folds: 5,
        auc: interval(0.847, 0.01),
        auc_of_folds: vec![0.838, 0.851, 0.846, 0.849, 0.853],
        average_precision: interval(0.663, 0.021),
        log_loss: 0.4132,
        brier: 0.1345,
        lift_at_10: interval(2.86, 0.12),
        roc: grid().map(|x| (x, x.powf(0.18 + 0.1 * x))).collect(),
        precision_recall: grid()
            .skip(1)
            .map(|r| (r, 0.265 + 0.62 * (1.0 - r.powf(1.6))))
            .collect(),
        calibration: (0..10)
            .map(|i| {
                let p = (f64::from(i) + 0.5) / 10.0;
                Calibration {
                    predicted: p,
                    observed: p + (noise(i as u64) - 0.5) * 0.06,
                    weight: 2_600.0 * (-3.4 * p).exp(),
                }
            })
            .collect(),
        gains: grid()
            .map(|x| (x, 1.0 - (1.0 - x).powf(3.1) * (1.0 - 0.1 * x)))
            .collect(),
        importances: importances(),
        by_segment: (0..6u32)
            .map(|s| SegmentScore {
                segment: s,
                n: (NAMES[s as usize].1 * 7_043.0f64).round() as u64,
                churn_rate: NAMES[s as usize].3,
                mean_score: NAMES[s as usize].3 + (noise(u64::from(s) + 5) - 0.5) * 0.02,
                auc: (s != 1).then(|| 0.71 + 0.02 * f64::from(s)),
            })
            .collect(),
    }
}

fn importances() -> Vec<Importance> {
    let curve = |from: f64, to: f64, shape: &dyn Fn(f64) -> f64| {
        let point = |i: u32| {
            let t = f64::from(i) / 24.0;
            DependencePoint {
                x: from + t * (to - from),
                effect: interval(shape(t), 0.07 + 0.05 * t),
            }
        };
        Dependence::Numeric((0..25).map(point).collect())
    };
    let by_level = |levels: &[(&str, f64, f64)]| {
        let level = |(level, share, effect): &(&str, f64, f64)| LevelEffect {
            level: (*level).into(),
            share: *share,
            effect: *effect,
        };
        Dependence::Levels(levels.iter().map(level).collect())
    };
    let one = |feature: &str, mean_abs_shap, direction, dependence| Importance {
        feature: feature.into(),
        mean_abs_shap,
        direction,
        dependence,
    };
    let mut all = vec![
        one(
            "Contract",
            0.712,
            Direction::Mixed,
            by_level(&[
                ("Month-to-month", 0.55, 0.58),
                ("One year", 0.209, -0.55),
                ("Two year", 0.241, -1.12),
            ]),
        ),
        one(
            "tenure",
            0.634,
            Direction::Lowers,
            curve(0.0, 72.0, &|t| 1.25 * (-4.0 * t).exp() - 0.55 * t),
        ),
        one(
            "MonthlyCharges",
            0.321,
            Direction::Raises,
            curve(18.25, 118.75, &|t| 0.75 * sigmoid(9.0 * (t - 0.6)) - 0.38),
        ),
        one(
            "InternetService",
            0.287,
            Direction::Mixed,
            by_level(&[
                ("Fiber optic", 0.44, 0.35),
                ("DSL", 0.344, -0.18),
                ("No", 0.217, -0.42),
            ]),
        ),
        one(
            "TotalCharges",
            0.204,
            Direction::Lowers,
            curve(18.8, 8_684.8, &|t| 0.2 - 0.5 * t.sqrt()),
        ),
        one(
            "PaymentMethod",
            0.141,
            Direction::Mixed,
            by_level(&[
                ("Electronic check", 0.336, 0.24),
                ("Mailed check", 0.229, -0.03),
                ("Bank transfer (automatic)", 0.219, -0.09),
                ("Credit card (automatic)", 0.216, -0.11),
            ]),
        ),
    ];
    let rest = [
        "OnlineSecurity",
        "TechSupport",
        "PaperlessBilling",
        "SeniorCitizen",
        "StreamingTV",
        "Partner",
        "gender",
        "PhoneService",
    ];
    for (i, name) in (0..).zip(rest) {
        let direction = if i % 3 == 0 {
            Direction::Lowers
        } else {
            Direction::Raises
        };
        all.push(one(
            name,
            0.118 * (-0.35 * f64::from(i)).exp(),
            direction,
            Dependence::Unknown,
        ));
    }
    all
}

/// The report of a simulated table, whose truth is known.
pub(crate) fn simulated() -> Report {
    Report {
        title: "A simulated operator".into(),
        world: Some(World {
            ari: Some(0.87),
            best_auc: Some(0.861),
        }),
        ..report()
    }
}

/// No target, no money, one segment, nothing tried.
pub(crate) fn sparse() -> Report {
    let mut report = report();
    report.title = String::new();
    report.notes.clear();
    report.prediction = None;
    report.segmentation.k = 1;
    report.segmentation.choice.clear();
    report.segmentation.candidates.clear();
    report.segmentation.map = None;
    report.segmentation.heatmap = None;
    report.segmentation.segments.truncate(1);
    let only = &mut report.segmentation.segments[0];
    (only.n, only.share, only.arpu, only.churn_rate) = (7_043, 1.0, None, None);
    only.statements.clear();
    report
}

/// 200 columns, 20 segments, more points than are drawn.
pub(crate) fn large() -> Report {
    let mut report = report();
    (report.rows, report.columns) = (120_000_000, 200);
    let columns = &mut report.quality.columns;
    for i in columns.len()..200 {
        let mut column = columns[4 + i % 11].clone();
        column.name = format!("usage_minutes_in_week_{i}_by_time_of_day_and_kind_of_network");
        columns.push(column);
    }
    let segments = &mut report.segmentation.segments;
    for id in segments.len()..20 {
        let mut card = segments[id % 6].clone();
        card.id = id as u32;
        segments.push(card);
    }
    report.segmentation.k = 20;
    report.segmentation.heatmap = Some(heatmap(20, 200));
    report.segmentation.map = Some(map(20, 50_000));
    let prediction = report.prediction.as_mut().expect("the fixture has one");
    for i in prediction.importances.len()..200 {
        let mut one = prediction.importances[i % 6].clone();
        one.feature = format!("usage_minutes_in_week_{i}");
        one.mean_abs_shap = 0.01 / i as f64;
        prediction.importances.push(one);
    }
    report
}
