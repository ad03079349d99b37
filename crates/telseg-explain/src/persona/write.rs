//! Personas: a few sentences about a segment, each from the fact sheet, each verified.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Seed};

use super::grammar::Grammar;
use super::sheet::{FactSheet, SheetFact};
use super::verify::{Violation, verify};

/// How a persona is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PersonaParams {
    /// Most sentences. Default 6.
    pub max_sentences: usize,
    /// How often a generator may write a sentence anew before the grammar's takes its place. Default 2.
    pub retries: usize,
    /// Of a segment with fewer rows only its size is told: the rest would be about persons. Default 10.
    pub min_rows: usize,
    /// Root of the grammar's choices. Default 0.
    pub seed: u64,
}

impl Default for PersonaParams {
    fn default() -> Self {
        Self {
            max_sentences: 6,
            retries: 2,
            min_rows: 10,
            seed: 0,
        }
    }
}

impl PersonaParams {
    /// Sets [`max_sentences`](Self::max_sentences).
    #[must_use]
    pub fn with_max_sentences(self, max_sentences: usize) -> Self {
        Self {
            max_sentences,
            ..self
        }
    }

    /// Sets [`retries`](Self::retries).
    #[must_use]
    pub fn with_retries(self, retries: usize) -> Self {
        Self { retries, ..self }
    }

    /// Sets [`min_rows`](Self::min_rows).
    #[must_use]
    pub fn with_min_rows(self, min_rows: usize) -> Self {
        Self { min_rows, ..self }
    }

    /// Sets [`seed`](Self::seed).
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// When `max_sentences` is 0.
    pub fn validate(&self) -> Result<()> {
        if self.max_sentences == 0 {
            return Err(Error::param("max_sentences", "must be at least 1, found 0"));
        }
        Ok(())
    }
}

/// Whoever writes sentences from a fact sheet: a language model, a template, a person.
///
/// What it writes is not trusted: every sentence is verified.
pub trait TextGenerator {
    /// Sentences from the facts of a sheet.
    ///
    /// # Errors
    /// When it cannot write; the grammar does then.
    fn generate(&self, request: &TextRequest<'_>) -> Result<Vec<Draft>>;
}

/// What a generator is asked for.
#[derive(Clone, Copy, Debug)]
pub struct TextRequest<'a> {
    /// The facts, and all that may be said.
    pub sheet: &'a FactSheet,
    /// How many sentences.
    pub n_sentences: usize,
    /// The sentence that is to be written anew, as it was last time, and what was wrong with it.
    pub instead_of: Option<&'a Rejected>,
}

/// A sentence as a generator gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The sentence.
    pub text: String,
    /// The facts that it says ([`SheetFact::id`]).
    pub facts: Vec<String>,
}

/// A draft that may not be said, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The draft.
    pub draft: Draft,
    /// What is wrong with it.
    pub violations: Vec<Violation>,
}

/// Who wrote a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Author {
    /// The embedded grammar.
    Grammar,
    /// The generator that was given.
    Generator,
}

/// A verified sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// The sentence.
    pub text: String,
    /// The facts that it says ([`SheetFact::id`]).
    pub facts: Vec<String>,
    /// Who wrote it.
    pub author: Author,
}

/// A segment in words. Every sentence has passed [`verify`].
///
/// # Examples
/// ```
/// use telseg_explain::{Column, FactSheet, Persona, PersonaParams, ProfileParams, profile};
/// let labels: Vec<u32> = (0..400).map(|i| u32::from(i >= 100)).collect();
/// let gb: Vec<f64> = (0..400).map(|i| if i < 100 { 17.0 } else { 5.0 } + f64::from(i % 5)).collect();
/// let params = ProfileParams::default();
/// let segments = profile(&[Column::numeric("data_gb_mean", &gb)], &labels, 2, &params)?;
/// let persona = Persona::new(&FactSheet::new(&segments[0], &params), &PersonaParams::default())?;
/// assert_eq!(
///     persona.sentences[0].text,
///     "The segment “Heavy data” holds 100 subscribers, 25% of the base."
/// );
/// assert!(persona.sentences[1].text.contains("19 GB"));
/// assert_eq!(persona.faithfulness, 1.0);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Persona {
    /// Label of the segment.
    pub segment: u32,
    /// Its name.
    pub name: String,
    /// The sentences; the first says how many there are.
    pub sentences: Vec<Sentence>,
    /// Share of the sentences written, first tries and new ones, that passed; 1 when all did.
    pub faithfulness: f64,
    /// What did not pass, in the order of writing.
    pub rejected: Vec<Rejected>,
    /// Why the generator could not write, where it could not.
    pub generator_error: Option<String>,
}

impl std::fmt::Display for Persona {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, sentence) in self.sentences.iter().enumerate() {
            let space = if i == 0 { "" } else { " " };
            write!(f, "{space}{}", sentence.text)?;
        }
        Ok(())
    }
}

impl Persona {
    /// A persona from the grammar: the same sheet and seed, the same words; no network.
    ///
    /// # Errors
    /// When a parameter cannot have its value.
    pub fn new(sheet: &FactSheet, params: &PersonaParams) -> Result<Self> {
        let mut writer = Writer::new(sheet, params)?;
        writer.tell_by_grammar();
        Ok(writer.finish())
    }

    /// A persona from a generator. A sentence that fails verification is asked for anew [`PersonaParams::retries`]
    /// times, with what was wrong; then the grammar's sentence about the same facts takes its place. Where the
    /// generator fails altogether, the grammar writes the persona and [`Persona::generator_error`] says why.
    ///
    /// # Errors
    /// When a parameter cannot have its value.
    pub fn with_generator(
        sheet: &FactSheet,
        generator: &dyn TextGenerator,
        params: &PersonaParams,
    ) -> Result<Self> {
        let mut writer = Writer::new(sheet, params)?;
        if sheet.n < params.min_rows {
            writer.tell_by_grammar();
            return Ok(writer.finish());
        }
        let request = TextRequest {
            sheet,
            n_sentences: params.max_sentences,
            instead_of: None,
        };
        match generator.generate(&request) {
            Ok(drafts) => {
                for draft in drafts.into_iter().take(params.max_sentences) {
                    writer.take(draft, generator);
                }
            }
            Err(error) => writer.persona.generator_error = Some(error.to_string()),
        }
        if writer.persona.sentences.is_empty() {
            writer.tell_by_grammar();
        }
        Ok(writer.finish())
    }
}

/// A persona while it is written.
struct Writer<'a> {
    sheet: &'a FactSheet,
    params: &'a PersonaParams,
    grammar: Grammar<'a>,
    persona: Persona,
    /// Drafts that passed.
    passed: usize,
}

impl<'a> Writer<'a> {
    fn new(sheet: &'a FactSheet, params: &'a PersonaParams) -> Result<Self> {
        params.validate()?;
        let stream = Seed::new(params.seed).stream("explain.persona");
        Ok(Self {
            sheet,
            params,
            grammar: Grammar::new(sheet, stream.index(u64::from(sheet.segment))),
            persona: Persona {
                segment: sheet.segment,
                name: sheet.name.clone(),
                sentences: Vec::new(),
                faithfulness: 1.0,
                rejected: Vec::new(),
                generator_error: None,
            },
            passed: 0,
        })
    }

    /// The size, the most telling facts, the outcomes.
    fn tell_by_grammar(&mut self) {
        let sheet = self.sheet;
        let enough = sheet.n >= self.params.min_rows;
        let room = if enough { self.params.max_sentences } else { 1 };
        let outcomes: Vec<&SheetFact> = sheet
            .facts
            .iter()
            .filter(|f| f.outcome)
            .take(room / 3)
            .collect();
        let describing = sheet.facts.iter().filter(|f| !f.outcome);
        let told: Vec<&SheetFact> = describing
            .take(room - outcomes.len())
            .chain(outcomes)
            .collect();
        for fact in told {
            self.tell(fact);
        }
    }

    /// The grammar's sentence about a fact; like any other it is said only when it passes.
    fn tell(&mut self, fact: &SheetFact) {
        let draft = Draft {
            text: self.grammar.sentence(fact),
            facts: vec![fact.id.clone()],
        };
        self.judge(draft, Author::Grammar);
    }

    /// Says a draft, or notes why not.
    fn judge(&mut self, draft: Draft, author: Author) -> bool {
        let violations = verify(self.sheet, &draft.text, &draft.facts);
        if violations.is_empty() {
            self.passed += 1;
            let Draft { text, facts } = draft;
            self.persona.sentences.push(Sentence {
                text,
                facts,
                author,
            });
            return true;
        }
        self.persona.rejected.push(Rejected { draft, violations });
        false
    }

    /// A generator's sentence, written anew where it fails, replaced where it goes on failing.
    fn take(&mut self, first: Draft, generator: &dyn TextGenerator) {
        let mut draft = first.clone();
        for attempt in 0..=self.params.retries {
            if self.judge(draft.clone(), Author::Generator) {
                return;
            }
            if attempt == self.params.retries {
                break;
            }
            let request = TextRequest {
                sheet: self.sheet,
                n_sentences: 1,
                instead_of: self.persona.rejected.last(),
            };
            match generator.generate(&request) {
                Ok(drafts) => match drafts.into_iter().next() {
                    Some(next) => draft = next,
                    None => break,
                },
                Err(error) => {
                    self.persona.generator_error = Some(error.to_string());
                    break;
                }
            }
        }
        // The facts that it was to say, unless they are said already; else the next that nobody has said.
        let said: BTreeSet<String> = self
            .persona
            .sentences
            .iter()
            .flat_map(|s| s.facts.clone())
            .collect();
        let untold = |f: &&SheetFact| !said.contains(&f.id);
        let wanted = self
            .sheet
            .facts
            .iter()
            .filter(untold)
            .find(|f| first.facts.contains(&f.id));
        if let Some(fact) = wanted.or_else(|| self.sheet.facts.iter().find(untold)) {
            self.tell(fact);
        }
    }

    fn finish(mut self) -> Persona {
        let written = self.passed + self.persona.rejected.len();
        self.persona.faithfulness = if written == 0 {
            1.0
        } else {
            self.passed as f64 / written as f64
        };
        self.persona
    }
}
