//! From a report to its two files.

use std::path::Path;

use telseg_core::Result;
use telseg_core::artefact::write_atomic;

use super::Report;
use super::page;

impl Report {
    /// The page as one HTML text that needs nothing else.
    ///
    /// # Cost
    /// Linear in what the report holds; a few milliseconds for 200 columns and 20 segments.
    pub fn to_html(&self) -> String {
        page::page(self).into_string()
    }

    /// The report as JSON; numbers that are not finite become `null`.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("invariant: a report has no map keys or types that JSON lacks");
        text.push('\n');
        text
    }

    /// Writes [`Report::to_html`] to a file; the file is complete or not there.
    ///
    /// # Errors
    /// [`telseg_core::Error::Io`] when the system refuses.
    pub fn write_html(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomic(path, self.to_html().as_bytes())
    }

    /// Writes [`Report::to_json`] to a file; the file is complete or not there.
    ///
    /// # Errors
    /// [`telseg_core::Error::Io`] when the system refuses.
    pub fn write_json(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomic(path, self.to_json().as_bytes())
    }
}
