//! Read as LightGBM 4.7.0 means it (tests/golden/interop/make_lightgbm.py).
//!
//! Tolerance 1e-12: both sides add the same `f64` leaves in the same order, and only links round in their own ways.

use proptest::prelude::*;
use serde_json::Value;
use telseg_core::artefact;
use telseg_core::trees::{NodeView, RuleView};
use telseg_gbm::interop::{Link, TreeModel, lightgbm};

use crate::models::{Asks, agrees, golden, random_model, random_models, random_rows, rows};

fn file() -> Value {
    golden(include_str!("../golden/interop/lightgbm.json"))
}

fn text(name: &str) -> String {
    let file = file();
    let found = file["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["name"] == name)
        .unwrap();
    found["text"].as_str().unwrap().to_owned()
}

#[test]
fn models_predict_as_in_lightgbm() {
    let file = file();
    let x = rows(&file["rows"]);
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 11);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let model = lightgbm::from_text(case["text"].as_str().unwrap()).unwrap();
        agrees(&model, &x, &case["predicted"], 1e-12, name);
        // Written and read again, also as a saved model of ours.
        let again = lightgbm::from_text(&lightgbm::to_text(&model).unwrap()).unwrap();
        assert_eq!(
            again.predict(&x).unwrap(),
            model.predict(&x).unwrap(),
            "{name}"
        );
        let (saved, _) =
            artefact::from_bytes::<TreeModel>(&artefact::to_bytes(&model, &[]).unwrap()).unwrap();
        assert_eq!(saved, model);
    }
}

#[test]
fn zeros_that_are_missing_keep_their_own_question() {
    let model = lightgbm::from_text(&text("zeros are missing")).unwrap();
    let trees = model.trees();
    let turned = (0..trees.n_trees())
        .flat_map(|t| trees.tree_nodes(t).map(move |node| (t, node)))
        .filter(|&(t, node)| {
            matches!(
                trees.node(t, node),
                NodeView::Split {
                    rule: RuleView::ZeroTurned(_),
                    ..
                }
            )
        });
    assert!(turned.count() > 3);
}

#[test]
fn random_models_survive_writing_and_reading() {
    let x = random_rows(3000);
    for model in random_models([Link::SignedSquare, Link::Softplus]) {
        let link = model.link();
        let again = lightgbm::from_text(&lightgbm::to_text(&model).unwrap()).unwrap();
        assert_eq!(again.predict(&x).unwrap(), model.predict(&x).unwrap());
        assert_eq!(
            (again.link(), again.feature_names()),
            (link, model.feature_names())
        );
    }
}

#[test]
fn files_are_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("churn.txt");
    let model = random_model(1, 1, Link::Identity, Asks::Everything);
    lightgbm::save(&model, &path).unwrap();
    let again = lightgbm::load(&path).unwrap();
    assert_eq!(again.feature_names()[3], "Column_3");
    assert_eq!(
        again.predict(&random_rows(9)).unwrap(),
        model.predict(&random_rows(9)).unwrap()
    );
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    let error = lightgbm::load(&path).unwrap_err().to_string();
    assert!(error.contains("churn.txt: is not text"), "{error}");
}

#[test]
fn what_cannot_be_read_names_its_line() {
    let good = text("binary with sets, missing type NaN");
    let line = |key: &str| {
        let number = 1 + good.lines().position(|l| l.starts_with(key)).unwrap();
        (number, good.lines().nth(number - 1).unwrap().to_owned())
    };
    let refuse = |key: &str, instead: &str, said: &str| {
        let (number, old) = line(key);
        let error = lightgbm::from_text(&good.replacen(&old, instead, 1))
            .unwrap_err()
            .to_string();
        let said = said.replace("{}", &number.to_string());
        assert!(
            error.starts_with("LightGBM model: ") && error.contains(&said),
            "{error}\n{said}"
        );
    };
    refuse("tree", "forest", "line {}: expected a LightGBM model");
    refuse(
        "objective",
        "objective=median",
        "line {}, objective: \"median\" is not known",
    );
    refuse(
        "objective",
        "objective=binary sigmoid:-1",
        "the slope must be above 0",
    );
    refuse(
        "num_tree_per",
        "num_tree_per_iteration=0",
        "line {}, num_tree_per_iteration: must be 1 to 65536",
    );
    refuse(
        "num_tree_per",
        "num_tree_per_iteration=9999999999",
        "must be 1 to 65536",
    );
    refuse(
        "num_tree_per",
        "num_tree_per_iteration=2",
        "expected 2 trees a round",
    );
    refuse(
        "max_feature_idx",
        "max_feature_idx=18446744073709551615",
        "expected as many names",
    );
    refuse("Tree=1", "Tree=2", "line {}: expected \"Tree=1\"");
    refuse("num_leaves", "num_leaves=0", "expected 0 numbers, found 7");
    refuse(
        "num_leaves",
        "num_leaves=99999999999999",
        "expected 99999999999999 numbers, found 7",
    );
    refuse(
        "split_feature",
        "split_feature=9 0 0 0 0 0",
        "split 0: column 9 of 5",
    );
    refuse(
        "split_feature",
        "split_feature=0 0",
        "line {}, split_feature: expected 6 numbers, found 2",
    );
    refuse(
        "threshold",
        "threshold=a 1 1 1 1 1",
        "line {}, threshold: \"a\" is not a number",
    );
    refuse(
        "threshold",
        "threshold=nan 1 1 1 1 1",
        "split 0: the threshold is not a number",
    );
    refuse(
        "decision_type",
        "decision_type=12 9 9 9 10 8",
        "split 0: missing type 3 is not known",
    );
    refuse(
        "decision_type",
        "decision_type=9 9 9 9 10 8",
        "of levels does not exist",
    );
    refuse(
        "left_child",
        "left_child=0 1 2 3 4 5",
        "node 0 is reached twice",
    );
    refuse(
        "left_child",
        "left_child=99 1 2 3 4 5",
        "node 0: child 99 of 13 nodes",
    );
    refuse("leaf_value", "leaf_value=nan 0 0 0 0 0 0", "must be finite");
    refuse(
        "cat_boundaries",
        "cat_boundaries=0 99",
        "cat_boundaries: expected",
    );
    refuse("is_linear", "is_linear=1", "line {}: linear leaves");
    refuse(
        "end of trees",
        "",
        "expected \"Tree=3\" or \"end of trees\"",
    );
    for end in [200, 1000, 2000, good.find("end of trees").unwrap()] {
        let error = lightgbm::from_text(&good[..end]).unwrap_err().to_string();
        assert!(error.contains("truncated"), "{error}");
    }
}

#[test]
fn what_cannot_be_written_is_refused() {
    let refuse = |model: TreeModel, said: &str| {
        let error = lightgbm::to_text(&model).unwrap_err().to_string();
        assert!(error.starts_with(said), "{error}");
    };
    let model = |link, outputs| random_model(1, outputs, link, Asks::Numbers);
    refuse(
        model(Link::Step, 1),
        "link: LightGBM has no objective with Step",
    );
    refuse(
        model(Link::Exp, 2),
        "link: LightGBM has no objective with Exp and 2 outputs",
    );
    let named = |names: [&str; 4]| model(Link::Identity, 1).with_feature_names(names).unwrap();
    refuse(
        named(["a=b", "c", "d", "e"]),
        "feature_names: LightGBM has no place for []{}\":,= in names, found \"a=b\"",
    );
    refuse(
        named(["a", "c d", "c_d", "e"]),
        "feature_names: \"c_d\" is the name of two columns",
    );
    let error = model(Link::Identity, 1)
        .with_feature_names(["a"])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "feature_names: expected 4 names (as columns), found 1"
    );
}

proptest! {
    /// Damaged texts are errors or models, never panics; a model that comes out can be used.
    #[test]
    fn damaged_texts_do_no_harm(
        case in 0usize..11, cuts in prop::collection::vec((any::<prop::sample::Index>(), 0u8..5, any::<u8>()), 1..6)
    ) {
        let file = file();
        let mut bytes = file["cases"][case]["text"].as_str().unwrap().as_bytes().to_vec();
        for (place, kind, byte) in cuts {
            let at = place.index(bytes.len());
            match kind {
                0 => bytes.truncate(at + 1),
                1 => bytes[at] = byte,
                2 => bytes[at] = b"0123456789-. =\n"[byte as usize % 15],
                3 => { bytes.insert(at, b'9'); }
                _ => { bytes.remove(at); bytes.push(b'\n'); }
            }
        }
        if let Ok(model) = lightgbm::from_text(&String::from_utf8_lossy(&bytes)) {
            let n = model.trees().n_features();
            model.predict(&ndarray::Array2::zeros((2, n))).unwrap();
            model.trees().validate().unwrap();
        }
    }
}
