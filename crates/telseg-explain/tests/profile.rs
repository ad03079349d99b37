//! Profiles of hand-made segments: the numbers by hand, the texts to the letter.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

use telseg_explain::{
    Column, Fact, MISSING, ProfileParams, Role, SegmentProfile, profile, profile_weighted,
};

fn levels(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| n.to_string()).collect()
}

/// 40 young heavy users, mostly month-to-month; 60 older light ones, mostly on two years; 100 in between.
type Base = (Vec<u32>, Vec<f64>, Vec<f64>, Vec<u32>, Vec<f64>);

fn base() -> Base {
    let segment = |i: usize| {
        if i < 40 {
            0
        } else if i < 100 {
            1
        } else {
            2
        }
    };
    let rows = || 0..200;
    let labels = rows().map(|i| segment(i) as u32).collect();
    let wiggle = |i: usize| (i % 5) as f64 - 2.0;
    let gb = rows()
        .map(|i| [18.0, 4.0, 8.0][segment(i)] + wiggle(i))
        .collect();
    let age = rows()
        .map(|i| [24.0, 61.0, 43.0][segment(i)] + wiggle(i / 5))
        .collect();
    let contract = rows().map(|i| match segment(i) {
        0 => u32::from(i % 10 == 0),
        1 => u32::from(i % 10 != 0),
        _ => u32::from(i % 2 == 0),
    });
    let contract = contract.collect();
    let churn = rows()
        .map(|i| f64::from(u8::from(i % [2, 20, 5][segment(i)] == 0)))
        .collect();
    (labels, gb, age, contract, churn)
}

fn profiles() -> Vec<SegmentProfile> {
    let (labels, gb, age, contract, churn) = base();
    let terms = levels(&["Month-to-month", "Two year"]);
    let columns = [
        Column::numeric("data_gb_mean", &gb).with_unit("GB a month"),
        Column::numeric("age", &age),
        Column::categorical("Contract", &contract, &terms),
        Column::numeric("churn", &churn).with_role(Role::Outcome),
    ];
    let params = ProfileParams::default().with_max_correlation(0.95);
    profile(&columns, &labels, 3, &params).unwrap()
}

#[test]
fn texts_to_the_letter() {
    let all: Vec<String> = profiles().iter().map(|p| p.to_string()).collect();
    assert_eq!(all.join("\n"), include_str!("golden/texts.txt").trim_end());
}

#[test]
fn numbers_by_hand() {
    // Segment means 1, 3 (variance 2 each: values +-1 around, n / (n - 1) = 2) against 5, 7: d = -4 / sqrt 2.
    let values = [1.0, 3.0, 5.0, 7.0, f64::NAN];
    let labels = [0, 0, 1, 1, 1];
    let found = profile(
        &[Column::numeric("x", &values)],
        &labels,
        2,
        &ProfileParams::default(),
    );
    let found = found.unwrap();
    let mean = found[0]
        .statements
        .iter()
        .find(|s| matches!(s.fact, Fact::Mean { .. }));
    let mean = mean.unwrap();
    assert!(
        (mean.effect + 4.0 / 2f64.sqrt()).abs() < 1e-12,
        "{}",
        mean.effect
    );
    // Welch: z = -4 / sqrt(2/2 + 2/2) = -2.828, p = 0.00468.
    assert!(
        (mean.p_value - 0.004_677_734_981_047_3).abs() < 1e-12,
        "{}",
        mean.p_value
    );
    let Fact::Mean {
        mean,
        median,
        rest_mean,
        base_mean,
        ..
    } = mean.fact
    else {
        unreachable!()
    };
    assert_eq!((mean, median, rest_mean, base_mean), (2.0, 2.0, 6.0, 4.0));
    // One of three in segment 1 has no value, none of two in segment 0: lift (1/3) / (1/5).
    let missing = found[1].statements.iter().find_map(|s| match s.fact {
        Fact::Missing { share, lift, .. } => Some((share, lift)),
        _ => None,
    });
    let (share, lift) = missing.unwrap();
    assert!((share - 1.0 / 3.0).abs() < 1e-15 && (lift - 5.0 / 3.0).abs() < 1e-12);
    assert_eq!(found[1].n, 3);
    assert_eq!(found[1].share, 0.6);
    // Two rows are too few to name anything.
    assert_eq!(found[0].name, "Close to average");
    assert_eq!(found[1].name, "Close to average 2");
}

#[test]
fn shares_by_hand() {
    // 30 of 40 against 20 of 60: base 1/2, z = (3/4 - 1/3) / sqrt(1/4 (1/40 + 1/60)) = 4.0825, lift 1.5.
    let labels: Vec<u32> = (0..100).map(|i| u32::from(i >= 40)).collect();
    let codes: Vec<u32> = (0..100)
        .map(|i| u32::from(!(i < 30 || (40..60).contains(&i))))
        .collect();
    let names = levels(&["Fiber optic", "DSL"]);
    let column = Column::categorical("InternetService", &codes, &names);
    let found = profile(&[column], &labels, 2, &ProfileParams::default()).unwrap();
    let s = &found[0].statements[0];
    let Fact::Share {
        share,
        rest_share,
        lift,
        ..
    } = s.fact
    else {
        unreachable!()
    };
    assert!((share - 0.75).abs() < 1e-15 && (rest_share - 1.0 / 3.0).abs() < 1e-15);
    assert!((lift - 1.5).abs() < 1e-12);
    assert!(
        (s.effect.abs() - (2.0 * (0.75f64.sqrt().asin() - (1.0 / 3.0f64).sqrt().asin()))).abs()
            < 1e-12
    );
    assert!((s.p_value - 4.455_7e-5).abs() < 1e-8, "{}", s.p_value);
    assert_eq!(found[0].name, "Fiber optic");
    assert_eq!(found[1].name, "DSL");
}

#[test]
fn weights_stand_for_rows() {
    let labels = [0, 0, 1, 1];
    let values = [1.0, 2.0, 3.0, 9.0];
    let columns = [Column::numeric("x", &values)];
    let weights = [3.0, 1.0, 1.0, 0.0];
    let found = profile_weighted(
        &columns,
        &labels,
        2,
        Some(&weights),
        &ProfileParams::default(),
    )
    .unwrap();
    assert_eq!((found[0].share, found[1].share, found[1].n), (0.8, 0.2, 1));
    let Fact::Mean {
        mean,
        median,
        rest_mean,
        ..
    } = found[0].statements[0].fact
    else {
        unreachable!()
    };
    assert_eq!((mean, median, rest_mean), (1.25, 1.0, 3.0));
}

#[test]
fn edges_have_rules() {
    let nothing = vec![f64::NAN; 60];
    let constant = vec![0.1; 60];
    let codes = vec![MISSING; 60];
    let names = levels(&["a"]);
    let columns = [
        Column::numeric("nothing", &nothing),
        Column::numeric("constant", &constant),
        Column::categorical("codes", &codes, &names),
    ];
    let labels: Vec<u32> = (0..60).map(|i| i % 2).collect();
    let found = profile(&columns, &labels, 3, &ProfileParams::default()).unwrap();
    let called: Vec<&str> = found.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(
        called,
        ["Close to average", "Close to average 2", "Empty segment"]
    );
    assert_eq!(found[2].description[0], "0% of base (0 subscribers).");
    assert!(
        found
            .iter()
            .flat_map(|p| &p.statements)
            .all(|s| s.effect == 0.0 && s.p_value == 1.0)
    );
    let one = profile(&columns, &[0; 60], 1, &ProfileParams::default()).unwrap();
    assert_eq!(one[0].name, "Whole base");
    let text = serde_json::to_string(&found).unwrap();
    let back: Vec<SegmentProfile> = serde_json::from_str(&text).unwrap();
    let shown = |all: &[SegmentProfile]| all.iter().map(|p| p.to_string()).collect::<Vec<_>>();
    assert_eq!(shown(&back), shown(&found));
}

#[test]
fn errors_are_sentences() {
    let says = |columns: &[Column<'_>], labels: &[u32], n, text: &str| {
        let error = profile(columns, labels, n, &ProfileParams::default()).unwrap_err();
        assert_eq!(error.to_string(), text);
    };
    let values = [1.0, f64::INFINITY];
    let x = Column::numeric("x", &values);
    says(
        &[x],
        &[0],
        1,
        "column x: expected 1 rows (as labels), found 2",
    );
    says(
        &[x],
        &[0, 0],
        1,
        "column x: infinite value in row 1, column 0",
    );
    says(
        &[],
        &[0, 2],
        2,
        "labels: segment 2 in row 1 where there are 2 segments (counted from 0)",
    );
    says(&[], &[], 2, "labels: has no rows");
    says(&[], &[0], 0, "n_segments: must be at least 1, found 0");
    let params = ProfileParams::default().with_max_q(2.0);
    let error = profile(&[], &[0], 1, &params).unwrap_err();
    assert_eq!(error.to_string(), "max_q: must be between 0 and 1, found 2");
}

/// 1,200 subscribers on six plans, three of them prepaid; contracts run only where a bill is paid afterwards.
///
/// Segment 0: 80 % Prepaid Basic, 20 % other prepaid plans. Segment 1: Postpaid M with long contracts. Segment 2: a
/// third prepaid, the rest postpaid with short contracts.
fn plans() -> Vec<SegmentProfile> {
    let segment = |i: usize| i % 3;
    let plan = |i: usize| match (segment(i), i / 3 % 10) {
        (0, 0..8) | (2, 0) => 0,
        (0, _) | (2, 1..4) => 1 + i / 30 % 2,
        (1, _) | (2, 4) => 4,
        _ => [3, 5][i / 30 % 2],
    };
    let rows = || 0..1200;
    let labels: Vec<u32> = rows().map(|i| segment(i) as u32).collect();
    let tariff: Vec<u32> = rows().map(|i| plan(i) as u32).collect();
    let payment: Vec<u32> = rows().map(|i| u32::from(plan(i) > 2)).collect();
    let left: Vec<f64> = rows()
        .map(|i| match (plan(i), segment(i)) {
            (0..3, _) => 0.0,
            (_, 1) => 14.0 + (i % 7) as f64,
            _ => (i % 11) as f64,
        })
        .collect();
    let wiggle = |i: usize, j: usize| ((i * (7919 + j)) % 1013) as f64 / 1013.0;
    let calls = |j: usize, spread: f64| -> Vec<f64> {
        let level = |i: usize| [0.2, 0.2, 0.8][segment(i)];
        rows().map(|i| level(i) + spread * wiggle(i, j)).collect()
    };
    // The newest month says little of the mean, and nothing that follows from it.
    let (care, last) = (calls(0, 1.0), calls(400, 8.0));
    let tariffs = ["Basic", "Plus", "Max", "S", "M", "L"].map(|p| match p.len() {
        1 => format!("Postpaid {p}"),
        _ => format!("Prepaid {p}"),
    });
    let kinds = levels(&["prepaid", "postpaid"]);
    let columns = [
        Column::categorical("payment", &payment, &kinds),
        Column::categorical("tariff", &tariff, &tariffs),
        Column::numeric("contract_months_left", &left),
        Column::numeric("care_contacts_mean", &care),
        Column::numeric("care_contacts_last", &last),
    ];
    profile(&columns, &labels, 3, &ProfileParams::default()).unwrap()
}

#[test]
fn what_follows_is_not_said_again() {
    let found = plans();
    let said = |i: usize| format!("{}. {}", found[i].name, found[i].description.join(" "));
    // Whoever has Prepaid Basic is prepaid; the special takes the place of the general.
    assert!(found[0].name.starts_with("Prepaid Basic"), "{}", said(0));
    assert!(!said(0).contains("100% prepaid"), "{}", said(0));
    // Whoever has a contract that runs, or Postpaid M, is postpaid.
    assert!(said(1).contains("ontract months left"), "{}", said(1));
    assert!(!said(1).contains("100% postpaid "), "{}", said(1));
    // The same measure of another month is no news, whatever the two correlate.
    assert!(said(2).contains("are contacts"), "{}", said(2));
    assert!(!said(2).contains("ecent care contacts"), "{}", said(2));
}

#[test]
fn what_most_of_the_base_has_comes_after_what_sets_apart() {
    // 70 % of the base and all of segment 0 have the level; its usage is 1.2 deviations above the rest's.
    let codes: Vec<u32> = (0..400)
        .map(|i| u32::from(i >= 100 && i % 10 >= 6))
        .collect();
    let names = levels(&["postpaid", "prepaid"]);
    let mb = |i: usize| if i < 100 { 12.0 } else { 0.0 } + (i * 37 % 40) as f64;
    let mb: Vec<f64> = (0..400).map(mb).collect();
    let labels: Vec<u32> = (0..400).map(|i| u32::from(i >= 100)).collect();
    let columns = [
        Column::categorical("payment", &codes, &names),
        Column::numeric("sessions", &mb),
    ];
    let found = profile(&columns, &labels, 2, &ProfileParams::default()).unwrap();
    assert_eq!(found[0].name, "Many sessions, postpaid");
}

#[test]
fn a_level_that_follows_from_an_amount_is_not_said_beside_it() {
    // Contracts of 12 to 18 months in segment 0; elsewhere an eighth is prepaid without one, others have 1 to 19 left.
    let prepaid = |i: usize| i % 16 == 1;
    let left: Vec<f64> = (0..800)
        .map(|i| match i % 2 {
            0 => 12.0 + (i % 7) as f64,
            _ if prepaid(i) => 0.0,
            _ => (i % 20) as f64,
        })
        .collect();
    let payment: Vec<u32> = (0..800).map(|i| u32::from(!prepaid(i))).collect();
    let labels: Vec<u32> = (0..800).map(|i| i % 2).collect();
    let kinds = levels(&["prepaid", "postpaid"]);
    let columns = [
        Column::numeric("contract_months_left", &left),
        Column::categorical("payment", &payment, &kinds),
    ];
    let found = profile(&columns, &labels, 2, &ProfileParams::default()).unwrap();
    assert_eq!(found[0].name, "High contract months left");
    let said = found[0].description.join(" ");
    assert!(!said.contains("postpaid"), "{said}");
}
