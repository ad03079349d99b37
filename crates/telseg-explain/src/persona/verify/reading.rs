//! Who is spoken of where: a sentence as clauses, each about facts, each word on the segment's side or another's.

use super::lexicon::{self, Whom};
use super::text::{self, Kind, Number, Token};
use crate::persona::sheet::{FactSheet, Measure, SheetFact};
use crate::persona::words;

/// A piece of a sentence, and whether a fact's own words (or the segment's name) have taken it.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) token: Token,
    pub(super) taken: bool,
}

impl Piece {
    /// The word, where it is one that no name has taken.
    pub(super) fn word(&self) -> Option<&str> {
        (!self.taken && self.token.kind == Kind::Word).then_some(self.token.text.as_str())
    }

    /// The number, where it is one that no name has taken.
    pub(super) fn number(&self) -> Option<Number> {
        self.token.number().filter(|_| !self.taken)
    }
}

/// Whose number or claim it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Own,
    Other(Whom),
}

/// A part of a sentence that is about the same facts.
#[derive(Debug)]
pub(super) struct Clause<'a> {
    pub(super) pieces: Vec<Piece>,
    pub(super) facts: Vec<&'a SheetFact>,
    /// The facts whose words stand in it.
    pub(super) named: Vec<&'a SheetFact>,
    pub(super) sides: Vec<Side>,
    /// Whether it names those whom the segment is compared with.
    pub(super) names_others: bool,
}

/// The clauses of a sentence.
pub(super) fn read<'a>(
    sheet: &FactSheet,
    cited: &[&'a SheetFact],
    sentence: &str,
) -> Vec<Clause<'a>> {
    let mut pieces: Vec<Piece> = text::tokens(sentence)
        .into_iter()
        .map(|token| Piece {
            token,
            taken: false,
        })
        .collect();
    for start in find(&pieces, &text::tokens(&sheet.name), false) {
        let n = text::tokens(&sheet.name).len();
        pieces[start.0..start.0 + n]
            .iter_mut()
            .for_each(|p| p.taken = true);
    }
    let mentions = mentions(&mut pieces, cited, &sheet.noun);
    let mut clauses: Vec<Clause<'a>> = Vec::new();
    let mut pending: Vec<&'a SheetFact> = Vec::new();
    let mut last: Vec<&'a SheetFact> = Vec::new();
    let mut opening: Vec<(usize, usize)> = Vec::new();
    let mut others = None;
    let ranges = split(&pieces);
    let end = ranges.len();
    for (at, range) in ranges.into_iter().enumerate() {
        let named = dominant(cited, &mentions, range);
        opening.push(range);
        // What is said before anything is named belongs to what is named next: "For 63%, the contract is ...".
        if named.is_empty() && pending.is_empty() && last.is_empty() && at + 1 < end {
            continue;
        }
        let mut facts = std::mem::take(&mut pending);
        for fact in &named {
            if !facts.iter().any(|f| f.id == fact.id) {
                facts.push(fact);
            }
        }
        if facts.is_empty() {
            facts.clone_from(&last);
        }
        let mut clause = Clause {
            pieces: Vec::new(),
            facts,
            named,
            sides: Vec::new(),
            names_others: false,
        };
        for (from, to) in opening.drain(..) {
            clause.add(&pieces[from..to], &mut others);
        }
        if !clause.claims() {
            // "Data, voice and roaming are higher": what is named waits for what is said of it.
            pending.clone_from(&clause.facts);
        }
        last.clone_from(&clause.facts);
        clauses.push(clause);
    }
    clauses
}

impl Clause<'_> {
    /// Takes on a range of the sentence; `others` are those with whom the sentence last compared.
    fn add(&mut self, pieces: &[Piece], others: &mut Option<Whom>) {
        let size_only = self.facts.iter().all(|f| f.measure == Measure::Size);
        let (sides, names_others) = sides(pieces, size_only, others);
        self.pieces.extend_from_slice(pieces);
        self.sides.extend(sides);
        self.names_others |= names_others;
    }

    /// Whether it says something that can be true or false.
    pub(super) fn claims(&self) -> bool {
        self.pieces.iter().any(|p| {
            p.number().is_some()
                || p.word().is_some_and(|w| {
                    lexicon::way(w).is_some()
                        || lexicon::is_majority(w)
                        || lexicon::is_same(w)
                        || lexicon::factor(w).is_some()
                        || lexicon::fraction(w).is_some()
                        || lexicon::number(w).is_some()
                })
        })
    }

    /// Whom it compares with; the base where it does not say.
    pub(super) fn whom(&self) -> Whom {
        let named = self.sides.iter().find_map(|s| match s {
            Side::Other(whom) => Some(*whom),
            Side::Own => None,
        });
        named.unwrap_or(Whom::Base)
    }

    /// The word at a place, where it is one that no name has taken.
    pub(super) fn word(&self, at: usize) -> Option<&str> {
        self.pieces.get(at).and_then(Piece::word)
    }
}

/// Where one clause ends and the next begins.
fn split(pieces: &[Piece]) -> Vec<(usize, usize)> {
    let mut ranges = Vec::new();
    let (mut from, mut between) = (0, false);
    for (at, piece) in pieces.iter().enumerate() {
        let mark = !piece.taken
            && piece.token.kind == Kind::Mark
            && [
                ";", ":", ",", ".", "(", ")", "!", "?", "\u{2013}", "\u{2014}",
            ]
            .contains(&piece.token.text.as_str());
        let word = piece.word();
        between |= word == Some("between");
        let joins = between && word == Some("and");
        if joins {
            between = false;
        }
        if mark || (word.is_some_and(lexicon::opens_clause) && !joins) {
            if from < at {
                ranges.push((from, at));
            }
            from = at + usize::from(mark);
        }
    }
    if from < pieces.len() {
        ranges.push((from, pieces.len()));
    }
    ranges
}

/// Whose each piece of a range is, and whether others are named in it.
fn sides(pieces: &[Piece], size_only: bool, others: &mut Option<Whom>) -> (Vec<Side>, bool) {
    let mut found = pieces
        .iter()
        .filter_map(|p| p.word().and_then(lexicon::whom));
    let first = found.next();
    // "everyone else", "the rest of the base": the rest.
    let named = if found.any(|w| w == Whom::Rest) {
        Some(Whom::Rest)
    } else {
        first
    };
    // "26% of the base" is the segment's own size.
    let named = named.filter(|_| !size_only);
    *others = named.or(*others);
    // "as many as": what follows the second "as" is the other.
    let word = |i: usize| pieces.get(i).and_then(Piece::word);
    let second_as = |i: usize| {
        let before = i.checked_sub(1).and_then(word);
        word(i) == Some("as") && before.is_some_and(|w| lexicon::way(w).is_some())
    };
    let compares = |i: usize| word(i).is_some_and(lexicon::is_comparator) || second_as(i);
    let comparator = (0..pieces.len()).find(|&i| compares(i));
    let Some(at) = comparator else {
        let side = named.map_or(Side::Own, Side::Other);
        return (vec![side; pieces.len()], named.is_some());
    };
    let side = Side::Other(others.unwrap_or(Whom::Base));
    let side_of = |i: usize| if i > at { side } else { Side::Own };
    ((0..pieces.len()).map(side_of).collect(), named.is_some())
}

/// The facts named in a range, without those whose words are a part of another's that is named there.
fn dominant<'a>(
    cited: &[&'a SheetFact],
    mentions: &[Vec<(usize, usize)>],
    (from, to): (usize, usize),
) -> Vec<&'a SheetFact> {
    let here = |spans: &[(usize, usize)]| {
        let inside: Vec<(usize, usize)> = spans
            .iter()
            .copied()
            .filter(|s| s.0 >= from && s.1 <= to)
            .collect();
        inside
    };
    let spans: Vec<Vec<(usize, usize)>> = mentions.iter().map(|m| here(m)).collect();
    let mut named: Vec<&SheetFact> = Vec::new();
    for (fact, own) in cited.iter().zip(&spans) {
        let free = |span: &(usize, usize)| {
            let wider =
                |o: &(usize, usize)| o.0 <= span.0 && span.1 <= o.1 && o.1 - o.0 > span.1 - span.0;
            !spans.iter().flatten().any(wider)
        };
        if fact.measure != Measure::Size && own.iter().any(free) {
            named.push(fact);
        }
    }
    if named.is_empty() {
        let size = cited
            .iter()
            .zip(&spans)
            .find(|(f, own)| f.measure == Measure::Size && !own.is_empty());
        named.extend(size.map(|(f, _)| *f));
    }
    named
}

/// Where the words of each fact stand; they are taken.
fn mentions(pieces: &mut [Piece], cited: &[&SheetFact], noun: &str) -> Vec<Vec<(usize, usize)>> {
    let mut taken: Vec<(usize, usize)> = Vec::new();
    let all: Vec<Vec<(usize, usize)>> = cited
        .iter()
        .map(|fact| {
            if fact.measure == Measure::Size {
                return size_spans(pieces, noun);
            }
            let (naming, besides) = needles(fact, cited);
            let mut spans: Vec<(usize, usize)> = Vec::new();
            for needle in &naming {
                spans.extend(find(pieces, needle, true));
            }
            taken.extend(&spans);
            for needle in &besides {
                taken.extend(find(pieces, needle, true));
            }
            if let Some(subject) = implied(fact) {
                let says = |p: &Piece| {
                    p.word()
                        .is_some_and(|w| lexicon::implied_subject(w) == Some(subject))
                };
                spans.extend(
                    (0..pieces.len())
                        .filter(|&i| says(&pieces[i]))
                        .map(|i| (i, i + 1)),
                );
            }
            spans
        })
        .collect();
    for (from, to) in taken {
        pieces[from..to].iter_mut().for_each(|p| p.taken = true);
    }
    all
}

/// What comparatives may leave unsaid of a fact.
fn implied(fact: &SheetFact) -> Option<&'static str> {
    let is_age = fact.measure == Measure::Mean && fact.subject.split(' ').any(|w| w == "age");
    is_age.then_some("age")
}

/// Where the text speaks of how many there are: at the noun, and at "of the base" where nothing is compared.
fn size_spans(pieces: &[Piece], noun: &str) -> Vec<(usize, usize)> {
    let mut spans = find(pieces, &text::tokens(noun), false);
    let compared = |(start, _): &(usize, usize)| {
        let before = &pieces[start.saturating_sub(4)..*start];
        before
            .iter()
            .any(|p| p.word().is_some_and(lexicon::is_comparator))
    };
    let of_base = find(pieces, &text::tokens("of the base"), false);
    spans.extend(of_base.into_iter().filter(|s| !compared(s)));
    spans
}

/// The sequences of words that name a fact, and those that may stand besides.
fn needles(fact: &SheetFact, cited: &[&SheetFact]) -> (Vec<Vec<Token>>, Vec<Vec<Token>>) {
    let subject = text::tokens(&fact.subject);
    let Measure::Share { level } = &fact.measure else {
        return (vec![subject], Vec::new());
    };
    if fact.flag().is_some() {
        // "own computer" for "owns computer": the verb without its ending.
        let verb = text::tokens(&words::predicate(&fact.column, "Yes"));
        let are = |t: &Token| ["are", "with", "have"].contains(&t.text.as_str());
        let verb: Vec<Token> = verb.into_iter().skip_while(are).collect();
        let stem = text::tokens(&words::predicate(&fact.column, "No"));
        let not =
            |t: &Token| ["are", "do", "did", "not", "without", "have"].contains(&t.text.as_str());
        let stem: Vec<Token> = stem.into_iter().skip_while(not).collect();
        return (vec![subject, verb, stem], Vec::new());
    }
    let level = text::tokens(&level.replace('_', " "));
    // A level that two cited columns have needs its column beside it.
    let shared = cited.iter().any(|other| {
        other.id != fact.id
            && matches!(&other.measure, Measure::Share { level: l } if text::tokens(&l.replace('_', " ")) == level)
    });
    if shared {
        let together = |link: &[&str]| {
            let mut words = level.clone();
            words.extend(link.iter().flat_map(|w| text::tokens(w)));
            words.extend(subject.iter().cloned());
            words
        };
        let mut reversed = subject.clone();
        reversed.extend(level.iter().cloned());
        return (
            vec![together(&["as", "their"]), together(&[]), reversed],
            vec![level, subject],
        );
    }
    (vec![level], vec![subject])
}

/// Where a sequence stands, allowing for endings and small words between.
fn find(pieces: &[Piece], needle: &[Token], loosely: bool) -> Vec<(usize, usize)> {
    const SMALL: [&str; 8] = ["of", "the", "their", "in", "a", "an", "to", "is"];
    if needle.is_empty() {
        return Vec::new();
    }
    let ends_at = |start: usize| {
        let mut at = start;
        for (i, wanted) in needle.iter().enumerate() {
            let small = |p: &Piece| {
                SMALL.contains(&p.token.text.as_str()) && stem(&p.token.text) != stem(&wanted.text)
            };
            if loosely && i > 0 && pieces.get(at).is_some_and(small) {
                at += 1;
            }
            let piece = pieces.get(at)?;
            if stem(&piece.token.text) != stem(&wanted.text) {
                return None;
            }
            at += 1;
        }
        Some(at)
    };
    (0..pieces.len())
        .filter_map(|start| Some((start, ends_at(start)?)))
        .collect()
}

/// A word without the ending of its plural or possessive.
pub(super) fn stem(word: &str) -> String {
    let word = word.strip_suffix("'s").unwrap_or(word);
    if let Some(stem) = word.strip_suffix("ies") {
        return format!("{stem}y");
    }
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with('s') => stem.to_string(),
        _ => word.to_string(),
    }
}
