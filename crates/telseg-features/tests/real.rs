//! The three public churn sets, without any description by hand; skipped where the files are not at hand.
#![cfg(feature = "arrow")]
#![allow(clippy::unwrap_used)]

use telseg_features::{Role, SchemaParams, Table, TableEncoderParams, TableSchema};
use telseg_testkit::shared_data;

fn both_encoders(table: &Table, schema: &TableSchema) -> (usize, usize) {
    let mut widths = Vec::new();
    for params in [
        TableEncoderParams::for_distances(),
        TableEncoderParams::for_trees(),
    ] {
        let rows: Vec<u32> = (0..table.n_rows() as u32).filter(|i| i % 5 != 0).collect();
        let encoder = params.fit_rows(table, schema, &rows).unwrap();
        let f = encoder.transform(table).unwrap();
        assert_eq!(f.x.dim(), (table.n_rows(), f.names.len()));
        widths.push(f.names.len());
        if params == TableEncoderParams::for_distances() {
            assert!(f.x.iter().all(|v| v.is_finite()));
            assert!(f.x.iter().all(|v| v.abs() < 100.0));
        }
    }
    (widths[0], widths[1])
}

#[test]
fn telco_ibm() {
    let Some(path) = shared_data("telco_ibm/Telco-Customer-Churn.csv") else {
        return;
    };
    let t = Table::read(path).unwrap();
    assert_eq!((t.n_rows(), t.n_columns()), (7043, 21));
    let total = t
        .report()
        .missing
        .iter()
        .find(|m| m.column == "TotalCharges")
        .unwrap();
    assert_eq!(
        (total.count, total.row, total.text.as_str()),
        (11, 489, " ")
    );
    assert!(t.report().bad.is_empty());
    let schema = TableSchema::infer(&t, &SchemaParams::default()).unwrap();
    assert_eq!(schema.role("customerID"), Some(&Role::Identifier));
    for numeric in ["SeniorCitizen", "tenure", "MonthlyCharges", "TotalCharges"] {
        assert_eq!(schema.role(numeric), Some(&Role::Numeric), "{numeric}");
    }
    let categorical = schema
        .columns()
        .iter()
        .filter(|c| c.role == Role::Categorical);
    assert_eq!(categorical.count(), 15);
    let target = schema.target(&t).unwrap();
    assert_eq!(target.positive, "Yes");
    assert!((target.rate() - 0.2654).abs() < 5e-5);
    assert_eq!(both_encoders(&t, &schema).1, 19);
}

#[test]
fn churn_3333() {
    let Some(path) = shared_data("churn_3333/churnTrain.csv") else {
        return;
    };
    let t = Table::read(path).unwrap();
    assert_eq!((t.n_rows(), t.n_columns()), (3333, 20));
    assert!(t.report().missing.is_empty());
    let schema = TableSchema::infer(&t, &SchemaParams::default()).unwrap();
    for categorical in [
        "state",
        "area_code",
        "international_plan",
        "voice_mail_plan",
    ] {
        assert_eq!(
            schema.role(categorical),
            Some(&Role::Categorical),
            "{categorical}"
        );
    }
    assert_eq!(t.column("state").unwrap().n_distinct(), 51);
    assert_eq!(schema.feature_names().len(), 19, "{schema}");
    assert!((schema.target(&t).unwrap().rate() - 0.1449).abs() < 5e-5);
    assert_eq!(both_encoders(&t, &schema).1, 19);
}

#[test]
fn cell2cell() {
    let Some(path) = shared_data("cell2cell/cell2celltrain.csv.gz") else {
        return;
    };
    let t = Table::read(path).unwrap();
    assert_eq!((t.n_rows(), t.n_columns()), (51_047, 58));
    let missing: usize = t.report().missing.iter().map(|m| m.count).sum();
    assert_eq!(missing, 3491 + 24);
    assert_eq!(t.report().n_missing("AgeHH1"), 909);
    let schema = TableSchema::infer(&t, &SchemaParams::default()).unwrap();
    assert_eq!(schema.role("CustomerID"), Some(&Role::Identifier));
    assert_eq!(schema.role("HandsetPrice"), Some(&Role::Categorical));
    assert_eq!(schema.role("ServiceArea"), Some(&Role::Categorical));
    assert_eq!(t.column("ServiceArea").unwrap().n_distinct(), 747);
    let categorical = schema
        .columns()
        .iter()
        .filter(|c| c.role == Role::Categorical);
    assert_eq!(categorical.count(), 22, "{schema}");
    assert_eq!(schema.feature_names().len(), 56, "{schema}");
    assert!((schema.target(&t).unwrap().rate() - 0.2882).abs() < 5e-5);
    assert_eq!(both_encoders(&t, &schema).1, 56);
}
