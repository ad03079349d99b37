//! How a CSV file is read.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

/// The delimiters that are tried when none is given, in the order of preference.
pub(super) const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// How bytes become text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark; anything else is an error.
    #[default]
    Utf8,
    /// ISO 8859-1: each byte is a character, so nothing can be wrong (and nothing is noticed).
    Latin1,
}

/// How a CSV file is read; the defaults fit most files as they come.
///
/// # Examples
/// ```
/// use telseg_features::{CsvOptions, Table};
///
/// let options = CsvOptions::default().with_missing(["", "unknown"]);
/// let table = Table::from_csv_bytes("plans.csv", b"plan,price\nS,9.5\nM,unknown\n", &options)?;
/// assert_eq!(table.numbers("price")?[0], 9.5);
/// assert!(table.numbers("price")?[1].is_nan());
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CsvOptions {
    /// What separates the fields; `None` finds out among comma, semicolon, tab and bar, and says so in the report.
    pub delimiter: Option<char>,
    /// What encloses fields that hold delimiters or line breaks; `None` takes quotes as plain characters.
    pub quote: Option<char>,
    /// What separates whole from fraction: `.` or `,`.
    pub decimal: char,
    /// How bytes become text.
    pub encoding: Encoding,
    /// Texts that mean "missing", compared after trimming and without regard to ASCII case.
    /// Default: blank, `NA`, `N/A`, `NaN`, `null`, `None`, `?`, `-`.
    pub missing: Vec<String>,
    /// Share of the non-missing cells that must be numbers (or dates) for the column to be read as such.
    pub numeric_share: f64,
    /// Names of the columns of a file without a header line.
    pub names: Option<Vec<String>>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        let missing = ["", "NA", "N/A", "NaN", "null", "None", "?", "-"];
        Self {
            delimiter: None,
            quote: Some('"'),
            decimal: '.',
            encoding: Encoding::Utf8,
            missing: missing.map(str::to_owned).to_vec(),
            numeric_share: 0.95,
            names: None,
        }
    }
}

impl CsvOptions {
    /// What separates the fields.
    pub fn with_delimiter(mut self, delimiter: char) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// What encloses fields; `None` takes quotes as plain characters.
    pub fn with_quote(mut self, quote: Option<char>) -> Self {
        self.quote = quote;
        self
    }

    /// What separates whole from fraction: `.` or `,`.
    pub fn with_decimal(mut self, decimal: char) -> Self {
        self.decimal = decimal;
        self
    }

    /// How bytes become text.
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// The texts that mean "missing", in place of the default ones.
    pub fn with_missing<S: Into<String>>(mut self, texts: impl IntoIterator<Item = S>) -> Self {
        self.missing = texts.into_iter().map(Into::into).collect();
        self
    }

    /// Share of the non-missing cells that must be numbers for a numeric column.
    pub fn with_numeric_share(mut self, share: f64) -> Self {
        self.numeric_share = share;
        self
    }

    /// Names of the columns of a file without a header line.
    pub fn with_names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Checks the values alone.
    ///
    /// # Errors
    /// When a character is not ASCII, two roles share a character, or the share is not within 0 to 1.
    pub fn validate(&self) -> Result<()> {
        let chars = [("delimiter", self.delimiter), ("quote", self.quote)];
        for (name, c) in chars {
            if let Some(c) = c.filter(|c| !c.is_ascii() || matches!(c, '\n' | '\r' | '\0')) {
                return Err(Error::param(
                    name,
                    format!("must be an ASCII character within a line, not {c:?}"),
                ));
            }
        }
        if self.quote.is_some() && self.quote == self.delimiter {
            return Err(Error::param("quote", "is the delimiter too"));
        }
        if !matches!(self.decimal, '.' | ',') {
            let problem = format!("must be '.' or ',', not {:?}", self.decimal);
            return Err(Error::param("decimal", problem));
        }
        if !(self.numeric_share > 0.0 && self.numeric_share <= 1.0) {
            let problem = format!("must be above 0 and at most 1, not {}", self.numeric_share);
            return Err(Error::param("numeric_share", problem));
        }
        Ok(())
    }
}
