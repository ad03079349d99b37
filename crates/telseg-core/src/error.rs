//! One error for all algorithm crates, so that services compose them with a bare `?`.

use std::borrow::Cow;
use std::path::PathBuf;

/// `Result` with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong: every message says what, where, expected and found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter has a value that it cannot have, or two parameters conflict.
    #[error("{name}: {problem}")]
    Param {
        /// The parameter's name, as its field is spelled.
        name: Cow<'static, str>,
        /// What is wrong, with the value that was found.
        problem: String,
    },
    /// An array has the wrong number of rows, columns or elements.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// Which argument.
        what: Cow<'static, str>,
        /// What it should have been, with the unit ("12 columns (as at fit)").
        expected: String,
        /// What it was.
        found: String,
    },
    /// A cell holds a value that the method cannot work with.
    #[error("{what}: {problem} in row {row}, column {column}")]
    Value {
        /// Which argument.
        what: Cow<'static, str>,
        /// What is wrong with the value.
        problem: String,
        /// Row, counted from 0.
        row: usize,
        /// Column, counted from 0.
        column: usize,
    },
    /// The data as a whole cannot be worked with.
    #[error("{what}: {problem}")]
    Data {
        /// Which argument or file.
        what: Cow<'static, str>,
        /// What is wrong.
        problem: String,
    },
    /// A saved model is truncated, altered, of another kind or of another version.
    #[error("{what}: {problem}")]
    Artefact {
        /// Which file or part of it.
        what: Cow<'static, str>,
        /// What is wrong.
        problem: String,
    },
    /// The operating system refused to read or write.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// A parameter that cannot have its value.
    pub fn param(name: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self::Param {
            name: name.into(),
            problem: problem.into(),
        }
    }

    /// An array of the wrong size.
    pub fn shape(
        what: impl Into<Cow<'static, str>>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Shape {
            what: what.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// A cell with an impossible value.
    pub fn value(
        what: impl Into<Cow<'static, str>>,
        problem: impl Into<String>,
        (row, column): (usize, usize),
    ) -> Self {
        Self::Value {
            what: what.into(),
            problem: problem.into(),
            row,
            column,
        }
    }

    /// Data that cannot be worked with as a whole.
    pub fn data(what: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self::Data {
            what: what.into(),
            problem: problem.into(),
        }
    }

    /// A saved model that cannot be trusted.
    pub fn artefact(what: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self::Artefact {
            what: what.into(),
            problem: problem.into(),
        }
    }

    /// A refusal of the operating system.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io {
            path: path.into(),
            source,
        }
    }
}
