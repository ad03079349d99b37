//! Reading files: what is accepted, what is refused, and what is said about it.
#![cfg(feature = "arrow")]
#![allow(clippy::unwrap_used)]

use std::io::Write;

use proptest::prelude::*;
use telseg_features::{Column, CsvOptions, Encoding, Table};

fn read(csv: &str) -> Table {
    Table::from_csv_bytes("c.csv", csv.as_bytes(), &CsvOptions::default()).unwrap()
}

fn refused(bytes: &[u8]) -> String {
    refused_with(bytes, &CsvOptions::default())
}

fn refused_with(bytes: &[u8], options: &CsvOptions) -> String {
    let error = Table::from_csv_bytes("c.csv", bytes, options).unwrap_err();
    error.to_string()
}

fn texts(table: &Table, name: &str) -> Vec<Option<String>> {
    table.column(name).unwrap().to_texts()
}

#[test]
fn quotes_line_breaks_and_byte_order_marks() {
    let t = read("\u{feff}\"id\",note\r\n 1 ,\"a, \"\"b\"\"\r\nc\"\r\n2,plain\r\n");
    assert_eq!(t.column_names(), ["id", "note"]);
    assert_eq!(t.numbers("id").unwrap(), [1.0, 2.0]);
    assert_eq!(texts(&t, "note")[0].as_deref(), Some("a, \"b\"\r\nc"));
}

#[test]
fn delimiters_are_found_and_said() {
    for (delimiter, name) in [(';', "';'"), ('\t', "'\\t'"), ('|', "'|'")] {
        let csv = "a,b\n1.5,x\n2,y\n".replace(',', &delimiter.to_string());
        let t = read(&csv);
        assert_eq!(t.column_names(), ["a", "b"]);
        assert!(
            t.report()
                .to_string()
                .contains(&format!("delimiter found: {name}"))
        );
    }
    // Commas inside the fields of a file with semicolons do not confuse it.
    let t = read("a;b\n1;x, y\n2;z\n");
    assert_eq!(t.n_columns(), 2);
    let comma = CsvOptions::default().with_delimiter(',');
    assert_eq!(
        refused_with(b"a;b\n1;2\n", &comma),
        "c.csv: one column named \"a;b\" when split at ','; the delimiter may be ';'"
    );
    let decimal = CsvOptions::default().with_delimiter(';').with_decimal(',');
    let t = Table::from_csv_bytes("c.csv", b"a;b\n1,5;x\n", &decimal).unwrap();
    assert_eq!(t.numbers("a").unwrap(), [1.5]);
}

#[test]
fn what_cannot_be_read_is_a_sentence() {
    assert_eq!(refused(b""), "c.csv: the file is empty");
    assert_eq!(refused(b"\n\n"), "c.csv: the file is empty");
    assert_eq!(refused(b"a,b\n"), "c.csv: a header and no data rows");
    assert_eq!(
        refused(b"a,b\n1,2\n1,2,3\n"),
        "c.csv, row 2 (line 3): expected 2 fields (as in the header), found 3"
    );
    assert_eq!(
        refused(b"a,b,a\n1,2,3\n"),
        "c.csv: the column name \"a\" occurs 2 times; names must differ"
    );
    assert_eq!(
        refused(b"a,b\n1,\x002\n"),
        "c.csv: not a text file: it has a NUL byte at offset 6"
    );
    assert!(refused(b"a,b\n1,caf\xe9\n").starts_with("c.csv: not UTF-8: byte 0xe9 in line 2"));
    assert!(refused(b"\xff\xfea\0").contains("UTF-16"));
    assert!(refused(b"PK\x03\x04rest").contains("spreadsheet"));
    assert!(refused(b"\x1f\x8bbroken").contains("cannot be unpacked"));
    let missing = Table::read("/nowhere/customers.csv")
        .unwrap_err()
        .to_string();
    assert!(missing.starts_with("/nowhere/customers.csv: "), "{missing}");
    let t = read("a,b\n1,2\n");
    assert_eq!(
        t.column("c").unwrap_err().to_string(),
        "c.csv: no column \"c\"; the columns are a, b"
    );
    let bad = CsvOptions::default().with_numeric_share(0.0);
    assert!(refused_with(b"a\n1\n", &bad).starts_with("numeric_share: "));
}

#[test]
fn a_quote_that_is_never_closed_is_named() {
    let message = refused(b"a,b\n\"1,2\n3,4\n5,6\n");
    assert!(
        message.contains("found 1; a quote that is never closed"),
        "{message}"
    );
}

#[test]
fn latin_1_is_read_when_asked_for() {
    let options = CsvOptions::default().with_encoding(Encoding::Latin1);
    let t = Table::from_csv_bytes("c.csv", b"name\ncaf\xe9\n", &options).unwrap();
    assert_eq!(texts(&t, "name"), [Some("café".to_owned())]);
}

#[test]
fn missing_and_bad_cells_are_counted_and_placed() {
    let mut csv = String::from("amount,plan\n");
    for i in 0..40 {
        csv += match i {
            5 => " ,S\n",
            9 => "n/a,M\n",
            12 => "12 GB,None\n",
            _ => "3,S\n",
        };
    }
    let t = read(&csv);
    let v = t.numbers("amount").unwrap();
    assert_eq!(v.iter().filter(|v| v.is_nan()).count(), 3);
    assert_eq!(
        (t.report().n_missing("amount"), t.report().n_bad("amount")),
        (2, 1)
    );
    assert_eq!(
        t.report().bad_sentences().next().unwrap(),
        "c.csv, row 13, column amount: \"12 GB\" is not a number (1 such cell; read as missing)"
    );
    assert_eq!(
        t.report().missing_sentences().next().unwrap(),
        "c.csv, column amount: 2 missing cells (first in row 6: \" \")"
    );
    assert_eq!(t.report().n_missing("plan"), 1);
    let keep = CsvOptions::default().with_missing([""]);
    let t = Table::from_csv_bytes("c.csv", csv.as_bytes(), &keep).unwrap();
    assert_eq!(t.report().n_missing("plan"), 0);
}

#[test]
fn the_share_of_numbers_decides() {
    // 19 of 20 are numbers: just enough. 18 of 20 are not.
    let column = |bad: usize| {
        let cells: String = (0..20)
            .map(|i| if i < bad { "x\n" } else { "1.5\n" })
            .collect();
        read(&format!("v\n{cells}"))
    };
    assert!(matches!(column(1).column("v").unwrap(), Column::Number(_)));
    let text = column(2);
    assert!(matches!(text.column("v").unwrap(), Column::Text { .. }));
    assert!(text.report().notes[0].contains("18 of 20 cells are numbers"));
}

#[test]
fn codes_stay_text_and_dates_become_days() {
    let t = read(
        "zip,iccid,day,n\n0123,8949000012345678901,2024-01-01,0\n9999,8949000012345678902,2024-01-02 10:00:00,10\n",
    );
    assert!(matches!(t.column("zip").unwrap(), Column::Text { .. }));
    assert!(matches!(t.column("iccid").unwrap(), Column::Text { .. }));
    assert_eq!(
        t.column("day").unwrap(),
        Column::Date(vec![19723.0, 19724.0])
    );
    assert_eq!(t.numbers("n").unwrap(), [0.0, 10.0]);
    assert_eq!(texts(&t, "day")[0].as_deref(), Some("2024-01-01"));
}

#[test]
fn one_row_one_column_and_nameless_columns() {
    let t = read("a\n7\n");
    assert_eq!((t.n_rows(), t.n_columns()), (1, 1));
    let t = read(",b\n1,2\n");
    assert_eq!(t.column_names(), ["column_1", "b"]);
    let options = CsvOptions::default().with_names(["u", "v"]);
    let t = Table::from_csv_bytes("c.csv", b"1,2\n3,4\n", &options).unwrap();
    assert_eq!((t.n_rows(), t.numbers("v").unwrap()), (2, vec![2.0, 4.0]));
}

#[test]
fn files_go_out_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    let t = read("id,v,d,s\nA1,1.25,2024-02-29,\"x, y\"\nA2,,,\nA3,3000002,2023-01-01,z\n");
    t.write_csv(&path).unwrap();
    let back = Table::read(&path).unwrap();
    assert_eq!(back.batch(), t.batch());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let packed = folder.path().join("out.csv.gz");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&std::fs::read(&path).unwrap()).unwrap();
    std::fs::write(&packed, gz.finish().unwrap()).unwrap();
    assert_eq!(Table::read(&packed).unwrap().batch(), t.batch());

    let parquet_path = folder.path().join("out.parquet");
    let file = std::fs::File::create(&parquet_path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, t.batch().schema(), None).unwrap();
    writer.write(t.batch()).unwrap();
    writer.close().unwrap();
    assert_eq!(Table::read(&parquet_path).unwrap().batch(), t.batch());
}

#[test]
fn rows_and_columns_are_selected_and_added() {
    let t = read("a,s\n1,x\n2,y\n3,\n");
    let part = t.select_rows(&[2, 0, 0]).unwrap();
    assert!(part.numbers("a").unwrap() == [3.0, 1.0, 1.0]);
    assert_eq!(
        texts(&part, "s"),
        [None, Some("x".into()), Some("x".into())]
    );
    assert_eq!(part.column("s").unwrap().n_distinct(), 1);
    let wrong = t.select_rows(&[3]).unwrap_err().to_string();
    assert_eq!(wrong, "rows: expected rows below 3, found row 3");
    assert_eq!(t.select_columns(&["s"]).unwrap().column_names(), ["s"]);
    let more = t.with_numbers("p", &[0.1, f64::NAN, 0.3]).unwrap();
    let more = more.with_texts("s", &["u", "v", ""]).unwrap();
    assert_eq!(more.column_names(), ["a", "s", "p"]);
    assert_eq!(more.column("p").unwrap().n_missing(), 1);
    assert_eq!(texts(&more, "s")[1].as_deref(), Some("v"));
    assert!(t.with_numbers("p", &[1.0]).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_a_table_or_a_sentence(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Err(e) = Table::from_csv_bytes("c.csv", &bytes, &CsvOptions::default()) {
            prop_assert!(e.to_string().starts_with("c.csv"));
        }
    }

    #[test]
    fn numbers_survive_writing(values in proptest::collection::vec(-1e12f64..1e12, 1..50)) {
        let csv: String = values.iter().map(|v| format!("{v},x\n")).collect();
        let t = read(&format!("v,s\n{csv}"));
        prop_assert_eq!(t.numbers("v").unwrap(), values);
    }
}
