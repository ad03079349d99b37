//! An answer as server-sent events.

use std::io::{BufRead, BufReader, Read};

use serde_json::Value;

use super::answer::{error_message, short};

/// Why a stream did not come to its end.
#[derive(Debug)]
pub(super) enum Broken {
    /// The connection, which may do better next time.
    Connection(String),
    /// What was sent.
    Content(String),
}

/// The text of a stream; `on_piece` hears every piece as it comes.
pub(super) fn read(reader: impl Read, on_piece: &mut dyn FnMut(&str)) -> Result<String, Broken> {
    let mut text = String::new();
    let mut finished = false;
    for line in BufReader::new(reader).lines() {
        let line = line.map_err(|e| match e.get_ref().and_then(|e| e.downcast_ref()) {
            Some(ureq::Error::BodyExceedsLimit(limit)) => Broken::Content(format!(
                "its answer is longer than max_bytes, {limit} bytes"
            )),
            _ => Broken::Connection(e.to_string()),
        })?;
        // Comments (": keep-alive"), event names and blank lines say nothing.
        let Some(data) = line.strip_prefix("data:").map(str::trim) else {
            continue;
        };
        if data == "[DONE]" {
            finished = true;
            break;
        }
        let event: Value = serde_json::from_str(data).map_err(|e| {
            Broken::Content(format!("an event cannot be read ({e}): {}", short(data)))
        })?;
        if let Some(problem) = error_message(&event) {
            return Err(Broken::Content(problem));
        }
        // The last event may have "choices": [] or null beside the usage.
        let Some(choice) = event.get("choices").and_then(|c| c.get(0)) else {
            continue;
        };
        if let Some(piece) = choice
            .get("delta")
            .and_then(|d| d.get("content"))
            .and_then(Value::as_str)
        {
            text.push_str(piece);
            on_piece(piece);
        }
        match choice.get("finish_reason").and_then(Value::as_str) {
            Some("length") => return Err(Broken::Content("it was cut off at max_tokens".into())),
            Some(_) => finished = true,
            None => {}
        }
    }
    if !finished {
        return Err(Broken::Connection(
            "the stream ends before the answer does".into(),
        ));
    }
    if text.trim().is_empty() {
        return Err(Broken::Content("its message is empty".into()));
    }
    Ok(text)
}
