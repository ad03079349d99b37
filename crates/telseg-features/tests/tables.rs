//! Roles and encoding on small tables.
#![cfg(feature = "arrow")]
#![allow(clippy::unwrap_used)]

use telseg_core::artefact;
use telseg_features::{
    Cell, CsvOptions, FeatureKind, LevelOrder, Role, SchemaParams, Table, TableEncoder,
    TableEncoderParams, TableSchema, UnseenCode, quality,
};

fn read(csv: &str) -> Table {
    Table::from_csv_bytes("c.csv", csv.as_bytes(), &CsvOptions::default()).unwrap()
}

/// 100 customers; every role occurs.
fn customers() -> Table {
    let mut csv = String::from(
        "msisdn,row,plan,plan_code,minutes,usage,joined,country,flag,area,comment,empty,churn_reason,ChurnScore,Churn\n",
    );
    for i in 0..100u32 {
        let churned = i % 4 == 0;
        let plan = ["S", "M", "L"][(i % 3) as usize];
        let usage = if i % 10 == 9 {
            String::new()
        } else {
            (i * 31 % 97).to_string()
        };
        csv += &format!(
            "44{:07},{},{plan},{plan}{plan},{}.5,{usage},2024-01-{:02},UK,{},{},word {i} and {},,{},{},{}\n",
            i * 7919 % 100_003,
            i + 1,
            i * 13 % 50,
            i % 28 + 1,
            u8::from(i == 3),
            400 + i % 3,
            i * i,
            if churned { "price" } else { "" },
            if churned { 80 + i % 15 } else { i % 70 },
            if churned { "Yes" } else { "No" },
        );
    }
    read(&csv)
}

fn infer(table: &Table, params: &SchemaParams) -> TableSchema {
    TableSchema::infer(table, params).unwrap()
}

#[test]
fn every_role_is_found() {
    let t = customers();
    let schema = infer(&t, &SchemaParams::default());
    let roles: Vec<(&str, &Role)> = schema
        .columns()
        .iter()
        .map(|c| (c.name.as_str(), &c.role))
        .collect();
    let duplicate = Role::Duplicate { of: "plan".into() };
    let expected = [
        ("msisdn", &Role::Identifier),
        ("row", &Role::Identifier),
        ("plan", &Role::Categorical),
        ("plan_code", &duplicate),
        ("minutes", &Role::Numeric),
        ("usage", &Role::Numeric),
        ("joined", &Role::Date),
        ("country", &Role::Constant),
        ("flag", &Role::Numeric),
        ("area", &Role::Numeric),
        ("comment", &Role::FreeText),
        ("empty", &Role::Constant),
        ("churn_reason", &Role::Leak),
        ("ChurnScore", &Role::Leak),
        ("Churn", &Role::Target),
    ];
    assert_eq!(roles, expected, "{schema}");
    assert_eq!(schema.id(), Some("msisdn"));
    assert!(schema.notes()[0].contains("target taken to be Churn"));
    assert!(schema.columns().iter().all(|c| !c.reason.is_empty()));

    let params = SchemaParams::default()
        .with_id("row")
        .with_target("Churn")
        .with_positive("No")
        .with_categorical(["area"])
        .with_ignore(["minutes"])
        .with_keep_leaks(true);
    let schema = infer(&t, &params);
    assert_eq!(schema.role("area"), Some(&Role::Categorical));
    assert_eq!(schema.role("minutes"), Some(&Role::Ignored));
    assert_eq!(schema.role("ChurnScore"), Some(&Role::Numeric));
    assert_eq!(schema.target(&t).unwrap().rate(), 0.75);
}

#[test]
fn measures_in_small_tables_are_no_identifiers() {
    let t = read("bill,bytes,name\n10,123456,a\n20,99999,b\n35,5,c\n");
    let schema = infer(&t, &SchemaParams::default());
    assert_eq!(schema.feature_names(), ["bill", "bytes", "name"]);
    let t = read("id,bytes\n7,123456\n9,99999\n");
    assert_eq!(infer(&t, &SchemaParams::default()).id(), Some("id"));
}

#[test]
fn targets_are_checked() {
    let t = read("a,b,churn\n1,2,1\n3,4,\n5,6,0\n1,3,0\n");
    let schema = infer(&t, &SchemaParams::default());
    let target = schema.target(&t).unwrap();
    assert!(target.y[0] == 1.0 && target.y[1].is_nan() && target.y[2..] == [0.0, 0.0]);
    assert_eq!(target.missing_rows, [1]);
    assert_eq!(target.known_rows(), [0, 2, 3]);
    let message = |params: &SchemaParams| TableSchema::infer(&t, params).unwrap_err().to_string();
    let named = |name: &str| SchemaParams::default().with_target(name);
    assert_eq!(
        message(&named("Churn")),
        "c.csv: no column \"Churn\"; the columns are a, b, churn"
    );
    assert_eq!(
        message(&named("a")),
        "c.csv, target a: expected two values, found 3: \"1\" (2 rows), \"3\" (1 rows), \"5\" (1 rows)"
    );
    assert_eq!(
        message(&named("churn").with_positive("yes")),
        "c.csv, target churn: the positive value \"yes\" does not occur; the values are \"0\" and \"1\""
    );
    assert!(message(&named("churn").with_id("churn")).contains("declared more than once"));
    // The rarer value is positive when nothing else is known.
    let t = read("v,target\n1,bad\n2,good\n3,good\n");
    assert_eq!(
        infer(&t, &SchemaParams::default())
            .target_spec()
            .unwrap()
            .positive,
        "bad"
    );
    let other = read("v,target\n1,ugly\n").select_rows(&[0]).unwrap();
    let schema = infer(&t, &SchemaParams::default());
    assert_eq!(
        schema.target(&other).unwrap_err().to_string(),
        "c.csv, row 1, target target: expected \"bad\" or \"good\", found \"ugly\""
    );
}

#[test]
fn distances_by_hand() {
    let t = read("v,plan,two\n1,S,no\n,M,no\n3,,yes\n5,S,no\n");
    let schema = infer(&t, &SchemaParams::default().with_categorical(["plan"]));
    let params = TableEncoderParams::for_distances().with_winsor(None);
    let encoder = params.fit(&t, &schema).unwrap();
    assert_eq!(
        encoder.feature_names(),
        [
            "v",
            "v=(missing)",
            "plan=(missing)",
            "plan=M",
            "plan=S",
            "two=yes"
        ]
    );
    // Median 3 fills: 1 3 3 5, mean 3, variance 2.
    let f = encoder.transform(&t).unwrap();
    let z = (2.0f64.sqrt()) as f32;
    assert_eq!(f.x.row(0).to_vec(), [-z, 0.0, 0.0, 0.0, 1.0, 0.0]);
    assert_eq!(f.x.row(1).to_vec(), [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(f.x.row(2).to_vec(), [0.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
    assert_eq!(f.source_column, ["v", "v", "plan", "plan", "plan", "two"]);
    assert_eq!(f.kinds[3], FeatureKind::OneHot { level: "M".into() });
    assert!((encoder.inverse_value(0, f64::from(z)).unwrap() - 5.0).abs() < 1e-6);
    assert_eq!(encoder.inverse_value(3, 1.0), None);
}

#[test]
fn rare_and_unseen_levels() {
    let mut csv = String::from("plan\n");
    for (level, n) in [("S", 50), ("M", 40), ("L", 9), ("XL", 1)] {
        csv += &format!("{level}\n").repeat(n);
    }
    let t = read(&csv);
    let schema = infer(&t, &SchemaParams::default());
    let params = TableEncoderParams::for_distances().with_categories(
        telseg_features::CategoryEncoding::OneHot {
            max_levels: 2,
            min_share: 0.0,
        },
    );
    let encoder = params.fit(&t, &schema).unwrap();
    assert_eq!(
        encoder.feature_names(),
        ["plan=M", "plan=S", "plan=(other)"]
    );
    let new = read("plan\nL\nnew\nS\n\"\"\n");
    let x = encoder.transform(&new).unwrap().x;
    assert_eq!(
        x.rows().into_iter().map(|r| r.to_vec()).collect::<Vec<_>>(),
        [
            [0.0, 0.0, 1.0],
            [0.0, 0.0, 1.0],
            [0.0, 1.0, 0.0],
            [0.0, 0.0, 0.0]
        ]
    );
    let strict = params
        .with_unseen(UnseenCode::Error)
        .fit(&t, &schema)
        .unwrap();
    assert_eq!(
        strict.transform(&new).unwrap_err().to_string(),
        "c.csv, column plan: the level \"new\" in row 2 was not seen at fit"
    );
    let trees = TableEncoderParams::for_trees().with_categories(
        telseg_features::CategoryEncoding::Ordinal {
            order: LevelOrder::Frequency,
        },
    );
    let encoder = trees.fit(&t, &schema).unwrap();
    assert_eq!(encoder.categorical_features(), [(0, 4)]);
    assert_eq!(
        encoder.feature_kinds()[0].levels().unwrap(),
        ["S", "M", "L", "XL"]
    );
    let x = encoder.transform(&new).unwrap().x;
    assert!(x[[0, 0]] == 2.0 && x[[1, 0]].is_nan() && x[[2, 0]] == 0.0 && x[[3, 0]].is_nan());
}

#[test]
fn columns_are_matched_by_name_and_rows_agree_with_batches() {
    let t = customers();
    let schema = infer(&t, &SchemaParams::default().with_categorical(["area"]));
    let turned = t
        .select_columns(&["joined", "area", "flag", "usage", "minutes", "plan", "row"])
        .unwrap();
    for params in [
        TableEncoderParams::for_distances(),
        TableEncoderParams::for_trees(),
    ] {
        let encoder = params.fit(&t, &schema).unwrap();
        let x = encoder.transform(&t).unwrap().x;
        let other = encoder.transform(&turned).unwrap();
        let bits = |x: &ndarray::Array2<f32>| x.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&other.x), bits(&x));
        assert_eq!(other.ignored_columns, ["row"]);
        for i in 0..t.n_rows() {
            let columns: Vec<_> = turned
                .column_names()
                .into_iter()
                .map(|n| (n, turned.column(n).unwrap()))
                .collect();
            let cells: Vec<(&str, Cell<'_>)> =
                columns.iter().map(|(n, c)| (*n, c.cell(i))).collect();
            let mut row = vec![9.0; encoder.n_features()];
            encoder.transform_row(&cells, &mut row).unwrap();
            assert!(
                row.iter()
                    .zip(x.row(i))
                    .all(|(a, b)| a.to_bits() == b.to_bits()),
                "{row:?} {}",
                x.row(i)
            );
        }
        let rows: Vec<u32> = (0..60).collect();
        let part = params.fit(&t.select_rows(&rows).unwrap(), &schema).unwrap();
        assert_eq!(params.fit_rows(&t, &schema, &rows).unwrap(), part);
    }
}

#[test]
fn encoder_errors_are_sentences() {
    let t = customers();
    let schema = infer(&t, &SchemaParams::default());
    let encoder = TableEncoderParams::for_trees().fit(&t, &schema).unwrap();
    let message = |csv: &str| encoder.transform(&read(csv)).unwrap_err().to_string();
    assert_eq!(
        message("plan,minutes,usage\nS,1,2\n"),
        "c.csv: the columns joined, flag, area of the training table are missing"
    );
    assert_eq!(
        message("plan,minutes,usage,joined,flag,area\nS,many,1,2024-01-01,0,400\n"),
        "c.csv, column minutes: expected numbers (as at fit), found text such as \"many\""
    );
    let mut row = vec![0.0; encoder.n_features()];
    let found = encoder
        .transform_row(&[("plan", "S".into())], &mut row)
        .unwrap_err();
    assert_eq!(found.to_string(), "row: no cell for column minutes");
    let only_id = read("id,churn\n1,0\n2,1\n");
    let nothing = infer(&only_id, &SchemaParams::default());
    let found = TableEncoderParams::for_trees()
        .fit(&only_id, &nothing)
        .unwrap_err();
    assert_eq!(
        found.to_string(),
        "c.csv: no column can be used as a feature"
    );
    let bad = TableEncoderParams::for_distances().with_winsor(Some((0.9, 0.1)));
    assert!(
        bad.fit(&t, &schema)
            .unwrap_err()
            .to_string()
            .starts_with("winsor: ")
    );
}

#[test]
fn encoders_are_saved_and_checked() {
    let t = customers();
    let schema = infer(&t, &SchemaParams::default().with_categorical(["area"]));
    for params in [
        TableEncoderParams::for_distances(),
        TableEncoderParams::for_trees(),
    ] {
        let encoder = params.fit(&t, &schema).unwrap();
        let bytes = artefact::to_bytes(&encoder, &[]).unwrap();
        let (back, _) = artefact::from_bytes::<TableEncoder>(&bytes).unwrap();
        assert_eq!(back, encoder);
        for at in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x41;
            assert!(artefact::from_bytes::<TableEncoder>(&damaged).is_err());
        }
    }
}

#[test]
fn quality_by_hand() {
    let t = read("v,s\n0,a\n-1,b\n2,a\n,\n3,a\n");
    let q = quality(&t);
    let n = q[0].numbers.unwrap();
    assert_eq!((q[0].n, q[0].n_missing, q[0].n_distinct), (5, 1, 4));
    assert_eq!((n.min, n.q50, n.max, n.mean), (-1.0, 1.0, 3.0, 1.0));
    assert_eq!((n.n_zero, n.n_negative), (1, 1));
    assert!((n.sd - 2.5f64.sqrt()).abs() < 1e-12);
    assert_eq!(
        (q[1].top[0].level.as_str(), q[1].top[0].n, q[1].n_missing),
        ("a", 3, 1)
    );
}
