//! A churn model leaves for LightGBM, XGBoost and an ONNX runtime, and a model of LightGBM's is scored and explained here.

use std::io::Write;

use telseg::explain::TreeShap;
use telseg::gbm::interop::{lightgbm, onnx, xgboost};
use telseg::prelude::*;
use telseg::sim::{WorldConfig, customers};

fn main() -> Result<()> {
    let base = customers(&WorldConfig::default().with_n_subscribers(4000), 3)?;
    let table = Table::from_batch(base.to_record_batch())?;
    let run = Pipeline::new().segments(6..=6).fit(&table)?;
    let none = || Error::data("table", "has no target to predict");
    let (model, encoder) = run
        .predictor()
        .zip(run.predictor_encoder())
        .ok_or_else(none)?;

    let folder = std::env::temp_dir().join(format!("telseg-exchange-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    lightgbm::save(&model, folder.join("churn.txt"))?; // lightgbm.Booster(model_file="churn.txt")
    xgboost::save(&model, folder.join("churn.json"))?; // xgboost.Booster(model_file="churn.json")
    onnx::save(&model, folder.join("churn.onnx"))?; // onnxruntime.InferenceSession("churn.onnx")
    for name in ["churn.txt", "churn.json", "churn.onnx"] {
        let size = std::fs::metadata(folder.join(name))
            .map_err(|e| Error::io(&folder, e))?
            .len();
        say(&format!(
            "{name:<11} {:>5} kB, {} trees",
            size / 1000,
            model.trees().n_trees()
        ));
    }

    // The other way: a file from elsewhere, scored and explained.
    let foreign = lightgbm::load(folder.join("churn.txt"))?;
    let rows = encoder.transform(&table)?.x;
    let scored = foreign.predict(&rows)?;
    let ours = run.score(&table)?.scores.ok_or_else(none)?;
    for (a, b) in scored.column(0).iter().zip(&ours) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
    let shap = TreeShap::new(foreign.trees())?;
    let first = rows.slice(ndarray::s![..1, ..]);
    let values = shap.shap_values_for(&first, 0)?;
    let score = foreign.trees().predict(&first)?[(0, 0)];
    assert!((values.sum() + shap.expected_value()[0] - score).abs() < 1e-9);
    let mut reasons: Vec<(f64, &str)> = values
        .iter()
        .zip(foreign.feature_names())
        .map(|(v, name)| (*v, name.as_str()))
        .collect();
    reasons.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    say(&format!(
        "the first subscriber leaves with probability {:.3}, because of",
        scored[(0, 0)]
    ));
    for (value, name) in &reasons[..3] {
        say(&format!("  {name:<24} {value:+.2}"));
    }
    std::fs::remove_dir_all(&folder).map_err(|e| Error::io(&folder, e))
}

fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
