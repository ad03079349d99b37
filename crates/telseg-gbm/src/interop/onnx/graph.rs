//! The parts of an ONNX file around the trees. Numbers of fields are those of onnx.proto3.

use super::proto::Message;
use super::trees::Flat;
use crate::interop::{Link, TreeModel};

/// ONNX 1.10: every runtime of the last years reads it.
const IR_VERSION: i64 = 8;
const OPSET: i64 = 15;
/// Names of tensor types.
const FLOAT: i64 = 1;
const BYTE: i64 = 2;
const DOUBLE: i64 = 11;

pub(super) fn model(model: &TreeModel) -> Result<Vec<u8>, String> {
    let flat = Flat::of(model)?;
    let ml_version = if flat.has_sets() { 5 } else { 3 };
    let opset = |domain: &str, version| Message::default().bytes(1, domain).int(2, version);
    let mut file = Message::default()
        .int(1, IR_VERSION)
        .bytes(2, "telseg")
        .bytes(3, env!("CARGO_PKG_VERSION"))
        .message(7, graph(model, &flat))
        .message(8, opset("", OPSET))
        .message(8, opset("ai.onnx.ml", ml_version));
    if !model.feature_names().is_empty() {
        let names = serde_json::to_string(model.feature_names()).map_err(|e| e.to_string())?;
        file = file.message(
            14,
            Message::default().bytes(1, "feature_names").bytes(2, names),
        );
    }
    Ok(file.into_bytes())
}

fn graph(model: &TreeModel, flat: &Flat) -> Message {
    let (d, k) = (model.trees().n_features(), model.trees().n_outputs());
    let mut graph = Message::default();
    let mut node = |node: Message| graph = std::mem::take(&mut graph).message(1, node);
    node(operator("Cast", &["input"], "wide").message(5, attribute_int("to", DOUBLE)));
    if flat.has_sets() {
        node(flat.ensemble(&["wide"], "sums", k));
        node(operator("Add", &["sums", "base"], "wide_scores"));
        node(operator("Cast", &["wide_scores"], "scores").message(5, attribute_int("to", FLOAT)));
    } else {
        node(flat.regressor(&["wide"], "scores", (k, model.trees().base())));
    }
    for operator in link(model.link()) {
        node(operator);
    }
    let mut graph = graph.bytes(2, "telseg");
    let scalar =
        |name: &str, value: f64| tensor(name, FLOAT, &[1], (value as f32).to_le_bytes().to_vec());
    if flat.has_sets() {
        let base = model
            .trees()
            .base()
            .iter()
            .flat_map(|b| b.to_le_bytes())
            .collect();
        graph = graph.message(5, tensor("base", DOUBLE, &[k], base));
    }
    match model.link() {
        Link::Logistic { slope } => graph = graph.message(5, scalar("slope", slope)),
        Link::Step => graph = graph.message(5, scalar("zero", 0.0)),
        _ => {}
    }
    graph
        .message(11, value_info("input", d))
        .message(12, value_info("scores", k))
        .message(12, value_info("predictions", k))
}

/// From `scores` to `predictions`.
fn link(link: Link) -> Vec<Message> {
    let last = |name: &str, inputs: &[&str]| vec![operator(name, inputs, "predictions")];
    match link {
        Link::Identity => last("Identity", &["scores"]),
        Link::Logistic { .. } => vec![
            operator("Mul", &["scores", "slope"], "steep"),
            operator("Sigmoid", &["steep"], "predictions"),
        ],
        Link::Exp => last("Exp", &["scores"]),
        Link::Softmax => {
            vec![
                operator("Softmax", &["scores"], "predictions")
                    .message(5, attribute_int("axis", 1)),
            ]
        }
        Link::SignedSquare => vec![
            operator("Abs", &["scores"], "sizes"),
            operator("Mul", &["scores", "sizes"], "predictions"),
        ],
        Link::Softplus => last("Softplus", &["scores"]),
        Link::Step => vec![
            operator("Greater", &["scores", "zero"], "above"),
            operator("Cast", &["above"], "predictions").message(5, attribute_int("to", FLOAT)),
        ],
    }
}

pub(super) fn operator(name: &str, inputs: &[&str], output: &str) -> Message {
    let node = inputs
        .iter()
        .fold(Message::default(), |node, input| node.bytes(1, input));
    node.bytes(2, output).bytes(3, output).bytes(4, name)
}

fn value_info(name: &str, width: usize) -> Message {
    let rows = Message::default().bytes(2, "rows");
    let columns = Message::default().int(1, width as i64);
    let shape = Message::default().message(1, rows).message(1, columns);
    let tensor = Message::default().int(1, FLOAT).message(2, shape);
    Message::default()
        .bytes(1, name)
        .message(2, Message::default().message(1, tensor))
}

fn tensor(name: &str, kind: i64, dims: &[usize], raw: Vec<u8>) -> Message {
    let dims = dims.iter().map(|d| *d as i64);
    Message::default()
        .ints(1, dims)
        .int(2, kind)
        .bytes(8, name)
        .bytes(9, raw)
}

pub(super) fn attribute_int(name: &str, value: i64) -> Message {
    Message::default().bytes(1, name).int(3, value).int(20, 2)
}

pub(super) fn attribute_text(name: &str, value: &str) -> Message {
    Message::default().bytes(1, name).bytes(4, value).int(20, 3)
}

pub(super) fn attribute_ints(name: &str, values: impl IntoIterator<Item = i64>) -> Message {
    Message::default().bytes(1, name).ints(8, values).int(20, 7)
}

pub(super) fn attribute_texts<'a>(
    name: &str,
    values: impl IntoIterator<Item = &'a str>,
) -> Message {
    let start = Message::default().bytes(1, name);
    let texts = values
        .into_iter()
        .fold(start, |message, value| message.bytes(9, value));
    texts.int(20, 8)
}

pub(super) fn attribute_doubles(name: &str, values: &[f64]) -> Message {
    let raw = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    attribute_tensor(name, tensor(name, DOUBLE, &[values.len()], raw))
}

pub(super) fn attribute_bytes(name: &str, values: &[u8]) -> Message {
    attribute_tensor(name, tensor(name, BYTE, &[values.len()], values.to_vec()))
}

fn attribute_tensor(name: &str, tensor: Message) -> Message {
    Message::default()
        .bytes(1, name)
        .message(5, tensor)
        .int(20, 4)
}
