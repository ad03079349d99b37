//! The quickstart as a stranger runs it: what it writes, and what it says of input that it cannot use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The example's binary, which cargo builds beside the tests.
fn binary() -> PathBuf {
    let tests = std::env::current_exe().expect("the test's own path");
    let folder = tests
        .parent()
        .and_then(Path::parent)
        .expect("target/PROFILE/deps/TEST");
    let binary = folder
        .join("examples")
        .join(format!("quickstart{}", std::env::consts::EXE_SUFFIX));
    assert!(
        binary.is_file(),
        "{} is not built: run cargo test for the whole package",
        binary.display()
    );
    binary
}

fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new(binary())
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .expect("the example starts")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// 300 subscribers with a target that depends on tenure, and a blank cell.
fn customers() -> String {
    let mut csv = String::from("id,tenure,plan,monthly_charges,churn\n");
    for i in 0..300 {
        let (tenure, plan) = (1 + (i * 7) % 60, ["S", "M", "L"][i % 3]);
        let churn = if (i * 13) % 60 > tenure { "yes" } else { "no" };
        let charges = if i == 17 {
            " ".to_owned()
        } else {
            (10 + 20 * (i % 3) + i % 7).to_string()
        };
        csv += &format!("C{i:04},{tenure},{plan},{charges},{churn}\n");
    }
    csv
}

fn fitted(folder: &TempDir) {
    fs::write(folder.path().join("customers.csv"), customers()).expect("written");
    let out = run(
        folder,
        &[
            "--data",
            "customers.csv",
            "--save",
            "model.telseg",
            "--report",
            "report.html",
            "--json",
            "found.json",
        ],
    );
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
}

#[test]
fn a_file_is_segmented_saved_loaded_and_scored() {
    let folder = folder();
    fitted(&folder);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("written");
    let found: serde_json::Value = serde_json::from_str(&read("found.json")).expect("JSON");
    assert_eq!(
        (found["rows"].as_u64(), found["columns"].as_u64()),
        (Some(300), Some(5))
    );
    let segments = found["segments"].as_array().expect("a list");
    assert_eq!(
        segments
            .iter()
            .map(|s| s["n"].as_u64().expect("n"))
            .sum::<u64>(),
        300
    );
    for key in ["id", "name", "share", "arpu", "churn_rate"] {
        assert!(segments.iter().all(|s| !s[key].is_null()), "{key}: {found}");
    }
    assert!(
        found["churn_auc"].as_f64().is_some_and(|auc| auc > 0.7),
        "{found}"
    );
    assert!(found["seconds"]["total"].as_f64().is_some_and(|s| s > 0.0));
    assert!(found["ari"].is_null());
    let html = read("report.html");
    assert!(html.contains("<svg") && html.len() < 2_000_000);

    // Columns in another order, without the target, with a level that was not there before.
    fs::write(
        folder.path().join("new.csv"),
        "plan,tenure,id,monthly_charges\nXL,3,N1,50\nS,58,N2,12\n",
    )
    .expect("written");
    let out = run(
        &folder,
        &[
            "--load",
            "model.telseg",
            "--data",
            "new.csv",
            "--out",
            "scored.csv",
        ],
    );
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let scored = read("scored.csv");
    let lines: Vec<&str> = scored.lines().collect();
    assert_eq!(lines[0], "id,segment,segment_name,churn_score");
    let score = |line: &str| {
        line.rsplit(',')
            .next()
            .and_then(|s| s.parse::<f64>().ok())
            .expect("a number")
    };
    assert!(
        lines[1].starts_with("N1,") && score(lines[1]) > score(lines[2]),
        "{scored}"
    );
}

#[test]
fn a_month_follows_the_month_before() {
    let folder = folder();
    fs::write(folder.path().join("february.csv"), customers()).expect("written");
    // In March the first ten subscribers are gone, and the tenure of all others has grown by a month.
    let february = customers();
    let mut march = String::new();
    for (i, line) in february.lines().enumerate() {
        if i > 10 {
            let mut cells: Vec<&str> = line.split(',').collect();
            let tenure = (cells[1].parse::<u32>().expect("months") + 1).to_string();
            cells[1] = &tenure;
            march += &(cells.join(",") + "\n");
        } else if i == 0 {
            march += &(line.to_owned() + "\n");
        }
    }
    fs::write(folder.path().join("march.csv"), march).expect("written");
    let fits = |arguments: &[&str]| {
        let out = run(&folder, arguments);
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{arguments:?}: {said}");
    };
    let html = || fs::read_to_string(folder.path().join("report.html")).expect("written");
    let common = [
        "--segments",
        "3",
        "--method",
        "ward",
        "--report",
        "report.html",
    ];
    let first = [
        "--data",
        "february.csv",
        "--save",
        "february.telseg",
        "--remember",
    ];
    fits(&[&first[..], &common].concat());
    assert!(!html().contains("<section id=\"changes\""));
    let second = ["--data", "march.csv", "--previous", "february.telseg"];
    fits(&[&second[..], &common].concat());
    assert!(html().contains("<section id=\"changes\"") && html().contains("Since last month"));

    fs::write(folder.path().join("broken.telseg"), "not a model").expect("written");
    let third = ["--data", "march.csv", "--previous", "broken.telseg"];
    refuses(&folder, &third, &["broken.telseg"]);
}

#[test]
fn a_simulated_base_is_held_against_its_truth() {
    let folder = folder();
    let out = run(
        &folder,
        &[
            "--subscribers",
            "1500",
            "--segments",
            "6",
            "--json",
            "found.json",
            "--quiet",
        ],
    );
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert!(
        out.stdout.is_empty() && out.stderr.is_empty(),
        "quiet means quiet"
    );
    let text = fs::read_to_string(folder.path().join("found.json")).expect("written");
    let found: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(found["segments"].as_array().map(Vec::len), Some(6));
    assert!(
        found["ari"].as_f64().is_some_and(|ari| ari > 0.2),
        "{found}"
    );
    assert!(
        found["best_auc"].as_f64().is_some_and(|auc| auc > 0.7),
        "{found}"
    );
    assert!(folder.path().join("target/telseg/report.html").is_file());
}

/// Runs with bad input and checks: exit code 2, one sentence that holds all of `parts`, nothing written.
fn refuses(folder: &TempDir, arguments: &[&str], parts: &[&str]) {
    let before = listing(folder.path());
    let out = run(folder, arguments);
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{arguments:?}: {said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    for part in parts {
        assert!(
            said.contains(part),
            "{arguments:?} says {said:?}, which lacks {part:?}"
        );
    }
    assert_eq!(
        listing(folder.path()),
        before,
        "{arguments:?} left something behind"
    );
}

fn listing(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .expect("readable")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    found.sort();
    found
}

#[test]
fn tables_that_cannot_be_used_are_refused_in_a_sentence() {
    let folder = folder();
    let write =
        |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("written");
    write("customers.csv", customers().as_bytes());
    write("empty.csv", b"");
    write("header.csv", b"id,tenure,churn\n");
    write("one.csv", b"id,tenure,churn\n1,2,yes\n");
    write("ragged.csv", b"id,tenure,churn\n1,2,yes\n2,3\n");
    write(
        "binary.csv",
        &[0x7f, b'E', b'L', b'F', 0, 1, 2, 3, 0, 0, 255, 254],
    );
    write("delimiter.csv", b"id^tenure^churn\n1^2^yes\n2^3^no\n");
    for (file, part) in [
        ("nothing.csv", "nothing.csv"),
        ("empty.csv", "empty"),
        ("header.csv", "row"),
        ("one.csv", "at least 20 rows"),
        ("ragged.csv", "row 2"),
        ("binary.csv", "binary"),
        ("delimiter.csv", "the delimiter may be '^'"),
    ] {
        refuses(
            &folder,
            &[
                "--data",
                file,
                "--save",
                "model.telseg",
                "--out",
                "scored.csv",
            ],
            &[file, part],
        );
    }
    refuses(
        &folder,
        &["--data", "customers.csv", "--target", "left"],
        &["left", "id, tenure, plan, monthly_charges, churn"],
    );
    refuses(
        &folder,
        &["--data", "customers.csv", "--target", "plan"],
        &["plan", "two"],
    );
    refuses(
        &folder,
        &["--data", "customers.csv", "--positive", "maybe"],
        &["maybe", "yes"],
    );
    refuses(
        &folder,
        &["--data", "customers.csv", "--id", "nobody"],
        &["nobody", "tenure"],
    );
    refuses(&folder, &["--world", "customers.csv"], &["customers.csv"]);
}

#[test]
fn model_files_that_cannot_be_trusted_are_refused() {
    let folder = folder();
    fitted(&folder);
    let model = fs::read(folder.path().join("model.telseg")).expect("readable");
    let damaged =
        |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("written");
    damaged("truncated.telseg", &model[..model.len() / 2]);
    let mut flipped = model.clone();
    flipped[model.len() * 3 / 4] ^= 4;
    damaged("flipped.telseg", &flipped);
    let mut version = model.clone();
    version[8] = version[8].wrapping_add(7);
    damaged("version.telseg", &version);
    damaged("table.telseg", customers().as_bytes());
    damaged("nothing.telseg", b"");
    for name in [
        "truncated.telseg",
        "flipped.telseg",
        "version.telseg",
        "table.telseg",
        "nothing.telseg",
        "absent.telseg",
    ] {
        refuses(
            &folder,
            &[
                "--load",
                name,
                "--data",
                "customers.csv",
                "--out",
                "scored.csv",
            ],
            &[name],
        );
    }
    fs::write(folder.path().join("narrow.csv"), "id,plan\nN1,S\n").expect("written");
    refuses(
        &folder,
        &[
            "--load",
            "model.telseg",
            "--data",
            "narrow.csv",
            "--out",
            "scored.csv",
        ],
        &["tenure"],
    );
}
