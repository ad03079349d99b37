//! Which endpoint, which model, and how patient.

use std::net::IpAddr;
use std::time::Duration;

use telseg_core::{Error, Result};

use super::ChatClient;

/// How an endpoint is asked.
///
/// # Examples
/// ```
/// use telseg_explain::llm::{ChatParams, Reach};
/// let here = ChatParams::new("http://127.0.0.1:8080/v1", "qwen3-8b");
/// assert!(here.validate().is_ok());
/// let away = ChatParams::new("https://api.example.com/v1", "large");
/// assert_eq!(
///     away.validate().unwrap_err().to_string(),
///     "endpoint: api.example.com is not this machine: set reach to Anywhere to send fact sheets there"
/// );
/// assert!(away.with_reach(Reach::Anywhere).validate().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChatParams {
    /// Address up to and with the version: "http://127.0.0.1:8080/v1".
    pub endpoint: String,
    /// Name of the model.
    pub model: String,
    /// Environment variable that holds the key. Default none: no key is sent.
    pub key_variable: Option<String>,
    /// Where an endpoint may be. Default this machine only.
    pub reach: Reach,
    /// Longest time for one try, from connecting to the last byte. Default 60 s.
    pub timeout: Duration,
    /// How often a failed try is repeated. Default 3.
    pub retries: usize,
    /// Wait before the first repetition, doubled each time. Default 0.5 s.
    pub backoff: Duration,
    /// Longest wait between tries. Default 20 s.
    pub max_wait: Duration,
    /// Longest answer in bytes. Default 1 MiB.
    pub max_bytes: u64,
    /// Most tokens of an answer. Default 800.
    pub max_tokens: u32,
    /// Randomness of the words, 0 to 2. Default 0: as repeatable as the endpoint can.
    pub temperature: f64,
    /// Seed that is sent along. Default 0.
    pub seed: u64,
    /// Whether the answer comes in one piece or as a stream. Default one piece.
    pub mode: Mode,
}

/// Where an endpoint may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On this machine (loopback addresses and "localhost").
    ThisMachine,
    /// Anywhere; fact sheets leave the machine.
    Anywhere,
}

/// How an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In one piece.
    Whole,
    /// As server-sent events, piece by piece.
    Stream,
}

macro_rules! setters {
    ($($setter:ident $field:ident: $type:ty),* $(,)?) => {
        $(#[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
        #[must_use]
        pub fn $setter(mut self, $field: $type) -> Self {
            self.$field = $field;
            self
        })*
    };
}

impl ChatParams {
    /// An endpoint and a model; the rest by default.
    pub fn new(endpoint: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            model: model.into(),
            key_variable: None,
            reach: Reach::ThisMachine,
            timeout: Duration::from_secs(60),
            retries: 3,
            backoff: Duration::from_millis(500),
            max_wait: Duration::from_secs(20),
            max_bytes: 1 << 20,
            max_tokens: 800,
            temperature: 0.0,
            seed: 0,
            mode: Mode::Whole,
        }
    }

    /// Sets [`key_variable`](Self::key_variable).
    #[must_use]
    pub fn with_key_variable(mut self, variable: impl Into<String>) -> Self {
        self.key_variable = Some(variable.into());
        self
    }

    setters! {
        with_reach reach: Reach,
        with_timeout timeout: Duration,
        with_retries retries: usize,
        with_backoff backoff: Duration,
        with_max_wait max_wait: Duration,
        with_max_bytes max_bytes: u64,
        with_max_tokens max_tokens: u32,
        with_temperature temperature: f64,
        with_seed seed: u64,
        with_mode mode: Mode,
    }

    /// A client with these parameters.
    ///
    /// # Errors
    /// When a parameter cannot have its value or the key's variable is not set.
    pub fn connect(&self) -> Result<ChatClient> {
        ChatClient::new(self)
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// The first that cannot have its value; an endpoint beyond this machine unless [`Reach::Anywhere`] is asked for.
    pub fn validate(&self) -> Result<()> {
        let host = self.host()?;
        if self.reach == Reach::ThisMachine && !is_loopback(&host) {
            let problem = format!(
                "{host} is not this machine: set reach to Anywhere to send fact sheets there"
            );
            return Err(Error::param("endpoint", problem));
        }
        if self.model.trim().is_empty() {
            return Err(Error::param("model", "must not be empty"));
        }
        if self.timeout.is_zero() {
            return Err(Error::param("timeout", "must be above 0"));
        }
        if self.max_bytes == 0 {
            return Err(Error::param("max_bytes", "must be at least 1, found 0"));
        }
        if self.max_tokens == 0 {
            return Err(Error::param("max_tokens", "must be at least 1, found 0"));
        }
        if !(0.0..=2.0).contains(&self.temperature) {
            let problem = format!("must be 0 to 2, found {}", self.temperature);
            return Err(Error::param("temperature", problem));
        }
        Ok(())
    }

    fn host(&self) -> Result<String> {
        let wrong = || {
            let problem = format!(
                "must be like http://127.0.0.1:8080/v1, found {:?}",
                self.endpoint
            );
            Error::param("endpoint", problem)
        };
        let uri: ureq::http::Uri = self.endpoint.parse().map_err(|_| wrong())?;
        let scheme = uri.scheme_str().unwrap_or_default();
        if scheme != "http" && scheme != "https" {
            return Err(wrong());
        }
        let authority = uri.authority().ok_or_else(wrong)?;
        // "http://127.0.0.1@far.example": who reads it sees this machine.
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(wrong());
        }
        Ok(authority.host().to_string())
    }
}

fn is_loopback(host: &str) -> bool {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || plain.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
