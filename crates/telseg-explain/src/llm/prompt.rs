//! What a model is told: the rules, the facts, and what was wrong last time.

use serde_json::{Value, json};

use super::client::Message;
use crate::persona::{FactSheet, Measure, SheetFact, TextRequest, number_text};

const RULES: &str = "You write short, plain English sentences about a group of telecom subscribers. Use only the facts \
that you are given. Every sentence cites the identifiers of its facts. Rules: name what a number is about; write numbers \
exactly as given; one fact a sentence, or each fact in a clause of its own; compare only with the base, after \"against\" \
or \"than the base\"; say \"more\", \"less\", \"higher\", \"lower\" only as the numbers go; no reasons, no advice, no \
guesses, no adjectives of your own; nothing about ethnicity, health, religion or politics. Answer with JSON: \
{\"sentences\": [{\"text\": \"...\", \"facts\": [\"f1\"]}]}.";

pub(super) fn messages(request: &TextRequest<'_>) -> Vec<Message> {
    let sheet = request.sheet;
    let facts: Vec<Value> = sheet.facts.iter().map(|f| fact(sheet, f)).collect();
    let mut wanted = json!({
        "name": sheet.name,
        "noun": sheet.noun,
        "facts": facts,
        "sentences": request.n_sentences,
    });
    if let Some(rejected) = request.instead_of {
        let problems: Vec<String> = rejected
            .violations
            .iter()
            .map(ToString::to_string)
            .collect();
        wanted["rewrite"] = json!({ "text": rejected.draft.text, "facts": rejected.draft.facts, "problems": problems });
    }
    vec![Message::system(RULES), Message::user(wanted.to_string())]
}

fn fact(sheet: &FactSheet, fact: &SheetFact) -> Value {
    let number = |value: f64| number_text(fact, value);
    let mut shown = json!({ "id": fact.id, "subject": fact.subject, "value": number(fact.value) });
    match &fact.measure {
        Measure::Size => shown["count"] = json!(sheet.n),
        Measure::Share { level } => shown["has"] = json!(level),
        Measure::Missing => shown["has"] = json!("unknown"),
        Measure::Mean => shown["is"] = json!("a mean"),
    }
    if let Some(base) = fact.base {
        shown["base"] = json!(number(base));
    }
    if let Some([low, high]) = fact.interval {
        shown["interval"] = json!([number(low), number(high)]);
    }
    shown["differs"] = json!(fact.differs);
    shown
}

/// The form of an answer, as a JSON schema.
pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "properties": { "sentences": { "type": "array", "items": {
            "type": "object",
            "properties": {
                "text": { "type": "string" },
                "facts": { "type": "array", "items": { "type": "string" } },
            },
            "required": ["text", "facts"],
            "additionalProperties": false,
        } } },
        "required": ["sentences"],
        "additionalProperties": false,
    })
}
