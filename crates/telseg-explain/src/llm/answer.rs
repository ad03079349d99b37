//! Answers as endpoints really give them: with fields missing, null or of their own.

use serde_json::Value;

use crate::persona::Draft;

/// What a completion says, or why it says nothing.
pub(super) fn content(body: &Value) -> Result<String, String> {
    if let Some(problem) = error_message(body) {
        return Err(problem);
    }
    let choice = body
        .get("choices")
        .and_then(|c| c.get(0))
        .ok_or("it holds no choice")?;
    let message = choice.get("message").ok_or("its choice holds no message")?;
    if let Some(refusal) = message.get("refusal").and_then(Value::as_str) {
        return Err(format!("the model refuses: {}", short(refusal)));
    }
    if choice.get("finish_reason").and_then(Value::as_str) == Some("length") {
        return Err("it was cut off at max_tokens".into());
    }
    match message.get("content") {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.clone()),
        // Some servers answer in parts, as one may ask.
        Some(Value::Array(parts)) => Ok(parts
            .iter()
            .filter_map(|p| p.get("text").and_then(Value::as_str))
            .collect()),
        _ => Err("its message is empty".into()),
    }
}

/// What an error body says, in one line.
pub(super) fn error_message(body: &Value) -> Option<String> {
    let error = body.get("error").filter(|e| !e.is_null())?;
    let message = error
        .get("message")
        .and_then(Value::as_str)
        .or(error.as_str());
    Some(message.map_or_else(|| short(&error.to_string()), short))
}

/// The sentences of an answer: as the schema says, or a bare list, or inside a fence or after thinking aloud.
pub(super) fn drafts(content: &str) -> Result<Vec<Draft>, String> {
    let content = content.rsplit("</think>").next().unwrap_or(content);
    let start = content.find(['{', '[']).ok_or("it holds no JSON")?;
    let close = if content[start..].starts_with('{') {
        '}'
    } else {
        ']'
    };
    let end = content
        .rfind(close)
        .filter(|end| *end > start)
        .ok_or("its JSON does not end")?;
    let value: Value = serde_json::from_str(&content[start..=end])
        .map_err(|e| format!("its JSON cannot be read: {e}"))?;
    let list = match &value {
        Value::Array(list) => list,
        _ => value
            .get("sentences")
            .and_then(Value::as_array)
            .ok_or("it holds no list \"sentences\"")?,
    };
    let draft = |item: &Value| {
        let text = item.get("text")?.as_str()?.trim().to_string();
        let facts = item.get("facts").or(item.get("fact_ids"))?.as_array()?;
        let facts = facts
            .iter()
            .filter_map(|f| f.as_str().map(str::to_string))
            .collect();
        Some(Draft { text, facts })
    };
    let drafts: Vec<Draft> = list.iter().filter_map(draft).collect();
    if drafts.is_empty() {
        return Err("it holds no sentence with its facts".into());
    }
    Ok(drafts)
}

/// A foreign text for a message of ours: one line, 200 characters.
pub(super) fn short(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(200) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_found_where_models_put_them() {
        let sentence = r#"{"text": "Data averages 19 GB.", "facts": ["f2"]}"#;
        let wanted = vec![Draft {
            text: "Data averages 19 GB.".into(),
            facts: vec!["f2".into()],
        }];
        for content in [
            format!(r#"{{"sentences": [{sentence}]}}"#),
            format!("[{sentence}]"),
            format!(
                "<think>{{hm}}</think>```json\n{{\"sentences\": [{sentence}, {{\"text\": 3}}]}}\n```"
            ),
        ] {
            assert_eq!(drafts(&content), Ok(wanted.clone()), "{content}");
        }
        for (content, problem) in [
            ("I cannot.", "it holds no JSON"),
            ("{", "its JSON does not end"),
            ("{}", "it holds no list \"sentences\""),
            ("[1, 2]", "it holds no sentence with its facts"),
        ] {
            assert_eq!(drafts(content), Err(problem.to_string()));
        }
    }

    #[test]
    fn odd_completions_say_why_they_say_nothing() {
        let read = |text: &str| content(&serde_json::from_str(text).expect("test data"));
        assert_eq!(
            read(r#"{"choices": null}"#),
            Err("it holds no choice".into())
        );
        assert_eq!(read(r#"{"choices": []}"#), Err("it holds no choice".into()));
        assert_eq!(
            read(r#"{"error": {"message": "no\nmodel"}}"#),
            Err("no model".into())
        );
        assert_eq!(
            read(r#"{"choices": [{"message": {"content": null, "refusal": "No."}}]}"#),
            Err("the model refuses: No.".into())
        );
        assert_eq!(
            read(r#"{"choices": [{"message": {"content": "x"}, "finish_reason": "length"}]}"#),
            Err("it was cut off at max_tokens".into())
        );
        assert_eq!(
            read(r#"{"choices": [{"message": {"content": [{"text": "a"}, {"text": "b"}]}}]}"#),
            Ok("ab".into())
        );
    }
}
