//! A client of OpenAI-compatible chat endpoints, as a [`TextGenerator`](crate::TextGenerator) of personas.
//!
//! Works with whatever answers `POST {endpoint}/chat/completions`: llama.cpp, vLLM, Ollama, hosted services. What goes
//! out is a fact sheet, which holds no row of any person; what comes back is verified sentence by sentence before it is
//! said.
//!
//! # Rules
//! - An endpoint beyond this machine is refused unless [`Reach::Anywhere`] is asked for; redirects are never followed.
//! - The key comes from an environment variable and is never printed.
//! - 408, 429 and 5xx, broken connections and time-outs are tried again, after `Retry-After` or a doubling wait; a wait
//!   longer than `max_wait` is not waited for.
//! - An answer longer than `max_bytes` is dropped. Missing, null and unknown fields are put up with.
//! - An endpoint that knows no JSON schema is asked for a JSON object, then for plain text.

mod answer;
mod client;
mod params;
mod prompt;
mod stream;

pub use client::{ChatClient, Message, Reply};
pub use params::{ChatParams, Mode, Reach};
