//! Whether a sentence says what its facts say, and nothing else.
//!
//! A sentence is read strictly. It falls into clauses; each clause is about the facts whose words stand in it, or goes
//! on about those of the clause before. Then
//! - every number must be one of its fact's, in its place: the segment's own, the base's after "against" or beside
//!   "base", the rest's beside "others", an interval as "41 to 45", a factor before "times", a difference before "more"
//!   or "points"; correct to the last digit written, or within 5 % after "about";
//! - every comparative must point the way the numbers point, of a fact that differs by more than chance;
//! - "most" needs a share above one half, "not" and "unknown" a fact that says so;
//! - every other word must be a cited fact's or belong to a list of words that claim nothing.
//!
//! So an invention cannot pass even where no rule knows it: its words are not on the list. The price is that good
//! sentences in unusual words fail too; they are written anew.

mod claims;
mod lexicon;
mod numbers;
mod reading;
mod text;

use serde::{Deserialize, Serialize};

use super::sensitive::is_sensitive;
use super::sheet::{FactSheet, Measure, SheetFact};

/// What is wrong with a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Violation {
    /// It cites no fact.
    CitesNothing,
    /// It cites a fact that is not on the sheet.
    UnknownFact {
        /// What it cites.
        id: String,
    },
    /// It speaks of ethnicity, health, religion or politics.
    Sensitive {
        /// The word.
        word: String,
    },
    /// It uses a word that is neither a cited fact's nor known to claim nothing.
    UnknownWord {
        /// The word.
        word: String,
    },
    /// It claims something without naming what of.
    NotNamed {
        /// The number or word that claims.
        word: String,
    },
    /// One number is said of several facts.
    Ambiguous {
        /// The number.
        word: String,
    },
    /// A number is not the fact's, or not in that place.
    WrongNumber {
        /// The number.
        number: String,
        /// The fact that it is said of.
        fact: String,
    },
    /// A comparative points the wrong way, or of a fact that does not differ.
    WrongDirection {
        /// The comparative.
        word: String,
        /// The fact that it is said of.
        fact: String,
    },
    /// Another claim in words is not true of the fact.
    WrongClaim {
        /// The word.
        word: String,
        /// The fact that it is said of.
        fact: String,
    },
    /// A fact is named, and nothing is said of it.
    SaysNothing {
        /// The fact.
        fact: String,
    },
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CitesNothing => write!(f, "cites no fact"),
            Self::UnknownFact { id } => write!(f, "cites {id:?}, which is not on the sheet"),
            Self::Sensitive { word } => write!(f, "speaks of {word:?}, which no persona may"),
            Self::UnknownWord { word } => write!(f, "{word:?} is in no cited fact"),
            Self::NotNamed { word } => write!(f, "{word:?} is said of nothing that is named"),
            Self::Ambiguous { word } => write!(f, "{word:?} is said of several facts at once"),
            Self::WrongNumber { number, fact } => {
                write!(f, "{number} is not what {fact} says there")
            }
            Self::WrongDirection { word, fact } => {
                write!(f, "{word:?} is not the way {fact} points")
            }
            Self::WrongClaim { word, fact } => write!(f, "{word:?} is not true of {fact}"),
            Self::SaysNothing { fact } => write!(f, "names {fact} and says nothing of it"),
        }
    }
}

/// What is wrong with a sentence that cites facts of a sheet; nothing when it may be said.
///
/// # Cost
/// Microseconds: linear in the words times the cited facts.
///
/// # Examples
/// ```
/// use telseg_explain::{Column, FactSheet, ProfileParams, profile, verify};
/// let labels: Vec<u32> = (0..400).map(|i| u32::from(i >= 100)).collect();
/// let gb: Vec<f64> = (0..400).map(|i| if i < 100 { 17.0 } else { 5.0 } + f64::from(i % 5)).collect();
/// let params = ProfileParams::default();
/// let segments = profile(&[Column::numeric("data_gb_mean", &gb)], &labels, 2, &params)?;
/// let sheet = FactSheet::new(&segments[0], &params);
/// let wrong = |text| verify(&sheet, text, &["f2"]).iter().map(|v| v.to_string()).collect::<Vec<_>>();
/// assert!(wrong("Their data use averages 19 GB, against 10 GB in the base.").is_empty());
/// assert_eq!(wrong("Their data averages 29 GB."), ["29 is not what f2 says there"]);
/// assert_eq!(wrong("They use less data than others."), ["\"less\" is not the way f2 points"]);
/// assert_eq!(wrong("They use more data because they stream."), ["\"because\" is in no cited fact", "\"stream\" is in no cited fact"]);
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn verify(sheet: &FactSheet, sentence: &str, cites: &[impl AsRef<str>]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut cited: Vec<&SheetFact> = Vec::new();
    for id in cites {
        match sheet.fact(id.as_ref()) {
            Some(fact) if cited.iter().any(|f| f.id == fact.id) => {}
            Some(fact) => cited.push(fact),
            None => found.push(Violation::UnknownFact {
                id: id.as_ref().to_string(),
            }),
        }
    }
    if cites.is_empty() {
        found.push(Violation::CitesNothing);
    }
    if !found.is_empty() {
        return found;
    }
    for token in text::tokens(sentence) {
        if is_sensitive(&token.text) {
            found.push(Violation::Sensitive { word: token.text });
        }
    }
    let clauses = reading::read(sheet, &cited, sentence);
    for clause in &clauses {
        numbers::check(clause, sheet, &mut found);
        claims::check(clause, sheet, &cited, &mut found);
    }
    let said = |fact: &SheetFact| {
        let about = |c: &&reading::Clause<'_>| c.facts.iter().any(|f| f.id == fact.id);
        clauses.iter().filter(about).any(|c| c.claims())
    };
    let named = |fact: &SheetFact| {
        clauses
            .iter()
            .any(|c| c.named.iter().any(|f| f.id == fact.id))
    };
    let silent = |f: &&&SheetFact| named(f) && !said(f) && f.measure != Measure::Size;
    found.extend(
        cited
            .iter()
            .filter(silent)
            .map(|f| Violation::SaysNothing { fact: f.id.clone() }),
    );
    if !clauses.iter().any(|c| c.claims()) && found.is_empty() {
        let fact = cited[0].id.clone();
        found.push(Violation::SaysNothing { fact });
    }
    found
}
