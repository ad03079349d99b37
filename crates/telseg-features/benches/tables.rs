//! From a CSV file of 50,000 subscribers to a matrix: reading, finding the roles of columns, encoding.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use telseg_core::Seed;
use telseg_features::{CsvOptions, SchemaParams, Table, TableEncoderParams, TableSchema};

const PLANS: [&str; 5] = ["Prepaid", "S", "M", "L", "Family"];

/// An identifier, 20 amounts with blanks, 10 columns of levels, yes or no, and churn.
fn file(rows: usize) -> String {
    let cells = Seed::new(1).stream("bench.table");
    let mut text = String::from("customerID");
    (0..20).for_each(|j| write!(text, ",minutes_{j}").unwrap());
    (0..10).for_each(|j| write!(text, ",plan_{j}").unwrap());
    text += ",paperless,Churn\n";
    for i in 0..rows {
        let unit = |j: usize| cells.unit((i * 32 + j) as u64);
        write!(text, "C{i:07}").unwrap();
        for j in 0..20 {
            match unit(j) < 0.03 {
                true => text += ",",
                false => write!(text, ",{:.2}", -100.0 * unit(j).ln()).unwrap(),
            }
        }
        for j in 20..30 {
            write!(text, ",{}", PLANS[(5.0 * unit(j)) as usize]).unwrap();
        }
        let yes = |j: usize, share: f64| if unit(j) < share { "Yes" } else { "No" };
        writeln!(text, ",{},{}", yes(30, 0.4), yes(31, 0.2)).unwrap();
    }
    text
}

fn tables(c: &mut Criterion) {
    // `cargo test --benches` and `-- --test` only see that it runs.
    let test = std::env::args().any(|a| a == "--test") || !std::env::args().any(|a| a == "--bench");
    let rows = if test { 500 } else { 50_000 };
    let text = file(rows);
    let read = || Table::from_csv_bytes("bench.csv", text.as_bytes(), &CsvOptions::default());
    let table = read().unwrap();
    let schema = TableSchema::infer(&table, &SchemaParams::default()).unwrap();
    assert_eq!(schema.id(), Some("customerID"));
    assert_eq!((table.n_rows(), schema.feature_names().len()), (rows, 31));

    let mut group = c.benchmark_group("tables");
    group.sample_size(10);
    group.bench_function("read CSV", |b| b.iter(|| read().unwrap()));
    group.bench_function("infer the schema", |b| {
        b.iter(|| TableSchema::infer(black_box(&table), &SchemaParams::default()).unwrap())
    });
    for (name, params) in [
        ("for distances", TableEncoderParams::for_distances()),
        ("for trees", TableEncoderParams::for_trees()),
    ] {
        group.bench_function(format!("{name}, fit"), |b| {
            b.iter(|| params.fit(black_box(&table), &schema).unwrap())
        });
        let encoder = params.fit(&table, &schema).unwrap();
        group.bench_function(format!("{name}, encode"), |b| {
            b.iter(|| encoder.transform(black_box(&table)).unwrap())
        });
    }
    group.finish();
}

criterion_group!(benches, tables);
criterion_main!(benches);
