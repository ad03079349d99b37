//! What we write, the other libraries read: files in tests/golden/interop/written, and what those libraries predict from
//! them (tests/golden/interop/read_written.py; versions in written.json).
//!
//! To make the files anew after a deliberate change: `cargo test -p telseg-gbm --test interop -- --ignored`, then the
//! script. Tolerances: LightGBM adds `f64`, so 1e-12; the others add `f32`, so 1e-6.

use std::path::PathBuf;

use serde_json::{Value, json};
use telseg_gbm::interop::{Link, TreeModel, lightgbm, onnx, xgboost};

use crate::models::{Asks, agrees, golden, random_model, random_rows, rows};

/// Names, models and what they are written to.
fn models() -> Vec<(&'static str, TreeModel)> {
    let names = ["minutes", "days", "plan", "region"];
    let named = |model: TreeModel| model.with_feature_names(names).unwrap();
    vec![
        (
            "churn",
            named(random_model(
                11,
                1,
                Link::Logistic { slope: 1.0 },
                Asks::Everything,
            )),
        ),
        ("spend", random_model(12, 1, Link::Identity, Asks::Numbers)),
        ("visits", random_model(13, 1, Link::Exp, Asks::Everything)),
        (
            "tariff",
            random_model(15, 3, Link::Logistic { slope: 0.5 }, Asks::Numbers),
        ),
        (
            "offer",
            named(random_model(14, 3, Link::Softmax, Asks::Everything)),
        ),
    ]
}

fn files(name: &str, model: &TreeModel) -> Vec<(String, Vec<u8>)> {
    vec![
        (
            format!("{name}.txt"),
            lightgbm::to_text(model).unwrap().into_bytes(),
        ),
        (
            format!("{name}.json"),
            xgboost::to_json(model).unwrap().into_bytes(),
        ),
        (format!("{name}.ubj"), xgboost::to_ubjson(model).unwrap()),
        (format!("{name}.onnx"), onnx::to_bytes(model).unwrap()),
    ]
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/interop/written")
}

#[test]
#[ignore = "makes the golden files anew"]
fn write_them() {
    std::fs::create_dir_all(folder()).unwrap();
    for (name, model) in models() {
        for (file, bytes) in files(name, &model) {
            std::fs::write(folder().join(file), bytes).unwrap();
        }
    }
    let x = random_rows(60);
    let cells: Vec<Value> = x.rows().into_iter().map(|r| json!(r.to_vec())).collect();
    std::fs::write(
        folder().with_file_name("written_rows.json"),
        json!(cells).to_string() + "\n",
    )
    .unwrap();
}

#[test]
fn files_are_the_ones_that_the_libraries_read() {
    let read = |name| golden(&std::fs::read_to_string(folder().with_file_name(name)).unwrap());
    let file = read("written.json");
    let x = rows(&read("written_rows.json"));
    for (name, model) in models() {
        for (file_name, bytes) in files(name, &model) {
            let golden = std::fs::read(folder().join(&file_name)).unwrap();
            assert!(golden == bytes, "{file_name} is not what is written now");
            let tolerance = if file_name.ends_with(".txt") {
                1e-12
            } else {
                1e-6
            };
            agrees(
                &model,
                &x,
                &file["predicted"][&file_name],
                tolerance,
                &file_name,
            );
        }
    }
}

#[test]
fn onnx_files_are_saved_and_need_a_column() {
    let folder = tempfile::tempdir().unwrap();
    let (_, model) = models().remove(0);
    onnx::save(&model, folder.path().join("churn.onnx")).unwrap();
    let bytes = std::fs::read(folder.path().join("churn.onnx")).unwrap();
    assert_eq!(bytes, onnx::to_bytes(&model).unwrap());
    let names = br#"["minutes","days","plan","region"]"#;
    assert!(bytes.windows(names.len()).any(|w| w == names));
    let none = telseg_core::trees::TreeEnsemble::new(0, vec![0.0], vec![]).unwrap();
    let error = onnx::to_bytes(&TreeModel::new(none, Link::Identity).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "model: ONNX needs at least one column");
}
