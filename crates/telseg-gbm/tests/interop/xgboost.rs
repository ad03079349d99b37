//! Read as XGBoost 3.2.0 means it (tests/golden/interop/make_xgboost.py).
//!
//! Tolerance 1e-6: XGBoost adds `f32` and links in `f32`.

use proptest::prelude::*;
use serde_json::Value;
use telseg_gbm::interop::{Link, TreeModel, xgboost};

use crate::models::{Asks, agrees, golden, random_model, random_models, random_rows, rows};

fn file() -> Value {
    golden(include_str!("../golden/interop/xgboost.json"))
}

fn hex(digits: &Value) -> Option<Vec<u8>> {
    let digits = digits.as_str()?.as_bytes();
    let pair = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    Some(digits.chunks(2).map(pair).collect())
}

#[test]
fn models_predict_as_in_xgboost() {
    let file = file();
    let x = rows(&file["rows"]);
    let cases = file["cases"].as_array().unwrap();
    let mut binary = 0;
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let model = xgboost::from_bytes(case["text"].as_str().unwrap().as_bytes()).unwrap();
        agrees(&model, &x, &case["predicted"], 1e-6, name);
        if let Some(bytes) = hex(&case["ubjson"]) {
            assert_eq!(xgboost::from_bytes(&bytes).unwrap(), model, "{name}");
            binary += 1;
        }
        let expected = model.predict(&x).unwrap();
        for bytes in [
            xgboost::to_json(&model).unwrap().into_bytes(),
            xgboost::to_ubjson(&model).unwrap(),
        ] {
            let again = xgboost::from_bytes(&bytes).unwrap().predict(&x).unwrap();
            for (a, b) in again.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-6 * b.abs().max(1.0), "{name}: {a} {b}");
            }
        }
    }
    assert_eq!((cases.len(), binary), (10, 4));
}

#[test]
fn vector_leaves_stay_vectors_and_pruned_nodes_are_left_out() {
    let file = file();
    let model = |i: usize| {
        let case = &file["cases"][i];
        xgboost::from_bytes(case["text"].as_str().unwrap().as_bytes()).unwrap()
    };
    assert_eq!(model(9).trees().tree_output(0), None);
    assert_eq!(model(8).trees().tree_output(1), Some(1));
    let text = file["cases"][7]["text"].as_str().unwrap();
    let n_nodes: usize = text
        .split("\"num_nodes\":\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().parse::<usize>().unwrap())
        .sum();
    assert_eq!(model(7).trees().n_nodes() + 8 + 16 + 18, n_nodes);
}

#[test]
fn random_models_survive_writing_and_reading() {
    let x = random_rows(2000);
    for model in random_models([Link::Step, Link::Identity]) {
        let names = ["min\"utes", "da\\ys", "plan\n", "région"];
        let model = model.with_feature_names(names).unwrap();
        let text = xgboost::from_bytes(xgboost::to_json(&model).unwrap().as_bytes()).unwrap();
        let binary = xgboost::from_bytes(&xgboost::to_ubjson(&model).unwrap()).unwrap();
        assert_eq!(text, binary);
        assert_eq!(text.feature_names(), model.feature_names());
        right_children_follow_left_ones(&xgboost::to_json(&model).unwrap());
        let (found, expected) = (text.predict(&x).unwrap(), model.predict(&x).unwrap());
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-6 * b.abs().max(1.0), "{a} {b}");
        }
    }
}

/// XGBoost's predictor takes the node after the left child for the right child.
fn right_children_follow_left_ones(text: &str) {
    let json = golden(text);
    let trees = &json["learner"]["gradient_booster"]["model"]["trees"];
    for tree in trees.as_array().unwrap() {
        let children = |key: &str| {
            tree[key]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| v.as_i64().unwrap())
                .collect()
        };
        let (left, right): (Vec<i64>, Vec<i64>) =
            (children("left_children"), children("right_children"));
        assert!(left.iter().zip(&right).all(|(l, r)| *l < 0 || l + 1 == *r));
    }
}

#[test]
fn files_are_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let model = random_model(1, 1, Link::Identity, Asks::Everything);
    let read = ["churn.json", "churn.ubj"].map(|name| {
        let path = folder.path().join(name);
        xgboost::save(&model, &path).unwrap();
        (
            std::fs::read(&path).unwrap()[1] == b'"',
            xgboost::load(&path).unwrap(),
        )
    });
    assert!(read[0].0 && !read[1].0);
    assert_eq!(read[0].1, read[1].1);
    let error = xgboost::load(folder.path().join("none"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("none: "), "{error}");
}

#[test]
fn what_cannot_be_read_names_its_place() {
    let file = file();
    let good = file["cases"][0]["text"].as_str().unwrap();
    let refuse = |old: &str, instead: &str, said: &str| {
        assert!(good.contains(old), "{old}");
        let text = good.replacen(old, instead, 1);
        let error = xgboost::from_bytes(text.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("XGBoost model: ") && error.contains(said),
            "{error}\n{said}"
        );
    };
    refuse(
        "{\"learner\"",
        "[\"learner\"",
        "expected JSON or UBJSON, which begins with {",
    );
    refuse(
        "{\"learner\"",
        "binf\"learner\"",
        "the binary format of old versions",
    );
    refuse(
        "\"num_feature\":\"5\",\"num_target\"",
        "\"num_feature\":\"x\",\"num_target\"",
        "learner_model_param, num_feature: \"x\"",
    );
    refuse(
        "\"num_class\":\"0\"",
        "\"num_class\":\"99999999999\"",
        "at most 65536 outputs",
    );
    refuse(
        "\"name\":\"gbtree\"",
        "\"name\":\"gblinear\"",
        "expected trees (gbtree or dart), found \"gblinear\"",
    );
    refuse(
        "binary:logistic",
        "binary:magic",
        "objective: \"binary:magic\" is not known",
    );
    refuse(
        "[5.75E-1]",
        "[2]",
        "base_score: 2 stands for no finite score",
    );
    refuse(
        "[5.75E-1]",
        "[0.5,0.5]",
        "base_score: expected 1 or 1 numbers, found 2",
    );
    refuse("[5.75E-1]", "half", "base_score: \"half\" is not a number");
    refuse(
        "\"tree_info\":[0,0,0]",
        "\"tree_info\":[0,0]",
        "tree_info: expected 3 numbers (as trees), found 2",
    );
    refuse(
        "\"tree_info\":[0,0,0]",
        "\"tree_info\":[0,7,0]",
        "its output does not exist",
    );
    refuse(
        "\"tree_info\":[0,0,0]",
        "\"tree_info\":[0,-1,0]",
        "line 1 column",
    );
    refuse(
        "\"left_children\":[1",
        "\"left_children\":[0",
        "trees[0]: node 0 is reached twice",
    );
    refuse(
        "\"left_children\":[1",
        "\"left_children\":[99",
        "trees[0]: node 0: child 99 of",
    );
    refuse(
        "\"right_children\":[2",
        "\"right_children\":[-1",
        "trees[0]: node 0: it has a left child only",
    );
    refuse(
        "\"right_children\":[2,",
        "\"right_children\":[",
        "trees[0]: right_children: expected",
    );
    refuse(
        "\"size_leaf_vector\":\"1\"",
        "\"size_leaf_vector\":\"3\"",
        "trees[0]: size_leaf_vector: expected 1",
    );
    refuse(
        "\"categories_nodes\":[",
        "\"categories_nodes\":[9999,",
        "trees[0]: categories_nodes:",
    );
    refuse(
        "\"categories_segments\":[0",
        "\"categories_segments\":[9999",
        "do not exist",
    );
    refuse(
        "\"categories\":[",
        "\"categories\":[16777216,",
        "trees[0]: categories: 16777216 of node",
    );
    refuse(
        "\"split_indices\":[",
        "\"split_indices\":[5",
        "trees[0]: node 0: column 5",
    );
    let cut = &good[..good.len() / 2];
    let error = xgboost::from_bytes(cut.as_bytes()).unwrap_err().to_string();
    assert!(
        error.contains("EOF while parsing") && error.contains("line 1 column"),
        "{error}"
    );
}

#[test]
fn damaged_binary_files_name_the_byte() {
    let file = file();
    let good = hex(&file["cases"][0]["ubjson"]).unwrap();
    let error = |bytes: &[u8]| xgboost::from_bytes(bytes).unwrap_err().to_string();
    assert!(error(&good[..good.len() / 2]).contains("truncated"));
    let mut longer = good.clone();
    longer.push(b'}');
    let expected = format!(
        "XGBoost model: byte {}: expected the end of the file",
        good.len()
    );
    assert_eq!(error(&longer), expected);
    // Lengths that no memory holds, containers without end.
    for hostile in [
        &b"{L\x7f\xff\xff\xff\xff\xff\xff\xffx"[..],
        b"{L\0\0\0\0\0\0\0\x07learner[$T#L\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"{L\0\0\0\0\0\0\0\x07learner[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"{i\x07learner[#L\x80\0\0\0\0\0\0\0",
    ] {
        assert!(
            error(hostile).starts_with("XGBoost model: byte "),
            "{}",
            error(hostile)
        );
    }
    let mut deep = b"{i\x01x".to_vec();
    deep.extend(vec![b'['; 100_000]);
    assert!(
        error(&deep).contains("more than 64 containers"),
        "{}",
        error(&deep)
    );
    let deep = "{\"x\":".to_owned() + &"[".repeat(100_000);
    assert!(
        error(deep.as_bytes()).contains("EOF"),
        "{}",
        error(deep.as_bytes())
    );
}

#[test]
fn what_cannot_be_written_is_refused() {
    let refuse = |model: TreeModel, said: &str| {
        let error = xgboost::to_json(&model).unwrap_err().to_string();
        assert!(error.starts_with(said), "{error}");
    };
    let model = |link, outputs| random_model(1, outputs, link, Asks::Numbers);
    refuse(
        model(Link::Softplus, 1),
        "link: XGBoost has no objective with Softplus",
    );
    refuse(
        model(Link::Exp, 2),
        "link: XGBoost has no objective with Exp and 2 outputs",
    );
}

fn harm(case: usize, binary: bool, cuts: &[(prop::sample::Index, u8, u8)]) {
    let file = file();
    let mut bytes = if binary {
        hex(&file["cases"][[0, 2, 7, 9][case % 4]]["ubjson"]).unwrap()
    } else {
        file["cases"][case]["text"]
            .as_str()
            .unwrap()
            .as_bytes()
            .to_vec()
    };
    for (place, kind, byte) in cuts {
        let at = place.index(bytes.len());
        match kind {
            0 => bytes.truncate(at + 1),
            1 => bytes[at] = *byte,
            2 => bytes[at] = b"0123456789-.E,[]{}\"$#"[*byte as usize % 21],
            3 => bytes.insert(at, *byte),
            _ => {
                bytes.remove(at);
                bytes.push(b' ');
            }
        }
    }
    if let Ok(model) = xgboost::from_bytes(&bytes) {
        model.trees().validate().unwrap();
        if model.trees().n_features() < 100 {
            model
                .predict(&ndarray::Array2::zeros((2, model.trees().n_features())))
                .unwrap();
        }
    }
}

proptest! {
    /// Damaged files are errors or models, never panics; a model that comes out can be used.
    #[test]
    fn damaged_files_do_no_harm(
        case in 0usize..10, binary: bool,
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0u8..5, any::<u8>()), 1..6)
    ) {
        harm(case, binary, &cuts);
    }
}
