//! Asking: tries, waits, and what may come back.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use telseg_core::{Error, Result};
use ureq::http::Response;
use ureq::{Agent, Body};

use super::stream::Broken;
use super::{ChatParams, Mode, Reach, answer, prompt, stream};
use crate::persona::{Draft, TextGenerator, TextRequest};

/// A client of one endpoint.
pub struct ChatClient {
    params: ChatParams,
    url: String,
    key: Option<String>,
    agent: Agent,
    /// How an answer's form is asked for: index into [`FORMS`]; rises where the endpoint refuses one.
    form: AtomicU8,
}

/// Ways to ask for JSON, the strictest first.
const FORMS: [&str; 3] = ["json_schema", "json_object", "text"];

impl std::fmt::Debug for ChatClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = self.key.as_ref().map(|_| "(hidden)");
        f.debug_struct("ChatClient")
            .field("params", &self.params)
            .field("key", &key)
            .finish()
    }
}

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// "system", "user" or "assistant".
    pub role: &'static str,
    /// What is said.
    pub content: String,
}

impl Message {
    /// What the model is to do.
    pub fn system(content: impl Into<String>) -> Self {
        Self {
            role: "system",
            content: content.into(),
        }
    }

    /// What it is asked.
    pub fn user(content: impl Into<String>) -> Self {
        Self {
            role: "user",
            content: content.into(),
        }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What it says.
    pub content: String,
    /// Tries that it took.
    pub tries: usize,
}

/// How a try failed.
enum Failure {
    /// Another try may do better, after the wait that the endpoint asks for.
    Again(String, Option<Duration>),
    /// The endpoint does not know the form that was asked for.
    Form(String),
    /// No use in trying again.
    Final(String),
}

impl ChatClient {
    pub(super) fn new(params: &ChatParams) -> Result<Self> {
        params.validate()?;
        let key = match &params.key_variable {
            None => None,
            Some(variable) => Some(
                std::env::var(variable)
                    .ok()
                    .filter(|k| !k.is_empty())
                    .ok_or_else(|| {
                        Error::param(
                            "key_variable",
                            format!("the environment holds no {variable}"),
                        )
                    })?,
            ),
        };
        let config = Agent::config_builder()
            .timeout_global(Some(params.timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false);
        // What is for this machine goes through no proxy.
        let config = match params.reach {
            Reach::ThisMachine => config.proxy(None),
            Reach::Anywhere => config,
        };
        Ok(Self {
            url: format!("{}/chat/completions", params.endpoint.trim_end_matches('/')),
            params: params.clone(),
            key,
            agent: config.build().into(),
            form: AtomicU8::new(0),
        })
    }

    /// An answer to a conversation; with a schema, one in its form as far as the endpoint can.
    ///
    /// # Errors
    /// When the endpoint cannot be reached, answers with an error, too much or nothing, after all tries.
    pub fn complete(&self, messages: &[Message], schema: Option<&Value>) -> Result<Reply> {
        self.complete_with(messages, schema, &mut |_| {})
    }

    /// As [`complete`](Self::complete); in [`Mode::Stream`], `on_piece` hears every piece as it comes. After a
    /// connection that broke it hears the next try from its beginning.
    ///
    /// # Errors
    /// As [`complete`](Self::complete).
    pub fn complete_with(
        &self,
        messages: &[Message],
        schema: Option<&Value>,
        on_piece: &mut dyn FnMut(&str),
    ) -> Result<Reply> {
        let error = |problem: String| Error::data(self.url.clone(), problem);
        let (mut tries, mut repeated) = (0, 0);
        loop {
            tries += 1;
            match self.once(messages, schema, on_piece) {
                Ok(content) => return Ok(Reply { content, tries }),
                Err(Failure::Form(problem)) => {
                    let form = self.form.load(Ordering::Relaxed);
                    if schema.is_none() || usize::from(form) + 1 >= FORMS.len() {
                        return Err(error(problem));
                    }
                    self.form.store(form + 1, Ordering::Relaxed);
                }
                Err(Failure::Final(problem)) => return Err(error(problem)),
                Err(Failure::Again(problem, asked)) => {
                    let wait = asked.unwrap_or(self.params.backoff * (1u32 << repeated.min(16)));
                    if repeated == self.params.retries {
                        return Err(error(format!("{problem} ({tries} tries)")));
                    }
                    if wait > self.params.max_wait && asked.is_some() {
                        let seconds = wait.as_secs();
                        return Err(error(format!(
                            "{problem}; it asks to wait {seconds} s, longer than max_wait"
                        )));
                    }
                    std::thread::sleep(wait.min(self.params.max_wait));
                    repeated += 1;
                }
            }
        }
    }

    fn once(
        &self,
        messages: &[Message],
        schema: Option<&Value>,
        on_piece: &mut dyn FnMut(&str),
    ) -> std::result::Result<String, Failure> {
        let body = self.body(messages, schema).to_string();
        let mut request = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json");
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let mut response = request.send(body.as_bytes()).map_err(|e| broken(&e))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(self.refused(status, &mut response));
        }
        let limit = self.params.max_bytes;
        match self.params.mode {
            Mode::Stream => {
                let reader = response.body_mut().with_config().limit(limit).reader();
                stream::read(reader, on_piece).map_err(|e| match e {
                    Broken::Connection(problem) => Failure::Again(problem, None),
                    Broken::Content(problem) => Failure::Final(problem),
                })
            }
            Mode::Whole => {
                let text = response
                    .body_mut()
                    .with_config()
                    .limit(limit)
                    .read_to_string()
                    .map_err(|e| broken(&e))?;
                let body: Value = serde_json::from_str(&text).map_err(|e| {
                    Failure::Final(format!(
                        "its answer is no JSON ({e}): {}",
                        answer::short(&text)
                    ))
                })?;
                answer::content(&body).map_err(|problem| {
                    Failure::Final(format!("its answer is of no use: {problem}"))
                })
            }
        }
    }

    fn body(&self, messages: &[Message], schema: Option<&Value>) -> Value {
        let p = &self.params;
        let messages: Vec<Value> = messages
            .iter()
            .map(|m| json!({ "role": m.role, "content": m.content }))
            .collect();
        let mut body = json!({
            "model": p.model,
            "messages": messages,
            "temperature": p.temperature,
            "seed": p.seed,
            "max_tokens": p.max_tokens,
            "stream": p.mode == Mode::Stream,
        });
        if let Some(schema) = schema {
            match FORMS[usize::from(self.form.load(Ordering::Relaxed))] {
                "json_schema" => {
                    let named = json!({ "name": "sentences", "schema": schema, "strict": true });
                    body["response_format"] =
                        json!({ "type": "json_schema", "json_schema": named });
                }
                "json_object" => body["response_format"] = json!({ "type": "json_object" }),
                _ => {}
            }
        }
        body
    }

    /// What an answer with an error status means.
    fn refused(&self, status: u16, response: &mut Response<Body>) -> Failure {
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|v| v.to_str().ok())
                .map(str::to_string)
        };
        let wait = header("retry-after")
            .and_then(|v| v.trim().parse().ok())
            .map(Duration::from_secs);
        let text = response
            .body_mut()
            .with_config()
            .limit(self.params.max_bytes)
            .read_to_string()
            .unwrap_or_default();
        let said = match serde_json::from_str::<Value>(&text) {
            Ok(body) => answer::error_message(&body).unwrap_or_else(|| answer::short(&text)),
            Err(_) => answer::short(&text),
        };
        let problem = format!(
            "status {status}: {}",
            if said.is_empty() {
                "no reason given"
            } else {
                &said
            }
        );
        match status {
            408 | 429 | 500..=599 => Failure::Again(problem, wait),
            400 | 422 if said.contains("response_format") || said.contains("schema") => {
                Failure::Form(problem)
            }
            _ => Failure::Final(problem),
        }
    }
}

/// What a failed connection means: too long an answer stays too long, the rest may go better.
fn broken(error: &ureq::Error) -> Failure {
    match error {
        ureq::Error::BodyExceedsLimit(limit) => Failure::Final(format!(
            "its answer is longer than max_bytes, {limit} bytes"
        )),
        other => Failure::Again(other.to_string(), None),
    }
}

impl TextGenerator for ChatClient {
    fn generate(&self, request: &TextRequest<'_>) -> Result<Vec<Draft>> {
        let reply = self.complete(&prompt::messages(request), Some(&prompt::schema()))?;
        answer::drafts(&reply.content).map_err(|problem| {
            Error::data(
                self.url.clone(),
                format!("its answer is of no use: {problem}"),
            )
        })
    }
}
