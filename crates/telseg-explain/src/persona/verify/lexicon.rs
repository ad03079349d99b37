//! The words that a persona may use besides those of its facts, and what they claim.
//!
//! The vocabulary is closed: a word that is neither here nor in a cited fact is taken for an invention. So causes
//! ("because"), advice ("should"), the future ("will") and motives ("loyal") cannot be said.

/// Which way a word compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

const UP: [&str; 25] = [
    "more",
    "higher",
    "above",
    "greater",
    "larger",
    "bigger",
    "older",
    "longer",
    "heavier",
    "heavy",
    "high",
    "long",
    "many",
    "old",
    "large",
    "big",
    "often",
    "frequently",
    "frequent",
    "exceeds",
    "exceed",
    "exceeding",
    "over",
    "beyond",
    "stronger",
];

const DOWN: [&str; 26] = [
    "less",
    "fewer",
    "lower",
    "below",
    "smaller",
    "younger",
    "shorter",
    "lighter",
    "light",
    "low",
    "short",
    "few",
    "young",
    "small",
    "rarely",
    "rare",
    "seldom",
    "under",
    "beneath",
    "only",
    "just",
    "merely",
    "weaker",
    "newer",
    "new",
    "infrequent",
];

/// The way that a word compares, if it does.
pub(super) fn way(word: &str) -> Option<Way> {
    if UP.contains(&word) {
        return Some(Way::Up);
    }
    DOWN.contains(&word).then_some(Way::Down)
}

/// What a comparative is about where the sentence does not say it: "older" is about an age.
pub(super) fn implied_subject(word: &str) -> Option<&'static str> {
    ["old", "older", "young", "younger", "aged"]
        .contains(&word)
        .then_some("age")
}

/// After these stands what the segment is compared with.
pub(super) fn is_comparator(word: &str) -> bool {
    is_bound(word) || ["vs", "versus", "against", "compared", "relative", "unlike"].contains(&word)
}

/// With a number and nobody to compare with, these bound it: "over 18 GB".
pub(super) fn is_bound(word: &str) -> bool {
    [
        "than",
        "above",
        "below",
        "over",
        "under",
        "beyond",
        "beneath",
        "exceeds",
        "exceed",
        "exceeding",
    ]
    .contains(&word)
}

/// Whom the segment is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    Base,
    Rest,
}

/// The group that a word names.
pub(super) fn whom(word: &str) -> Option<Whom> {
    match word.strip_suffix("'s").unwrap_or(word) {
        "base" | "overall" | "everyone" | "everybody" | "operator" | "whole" => Some(Whom::Base),
        "rest" | "others" | "other" | "else" | "remaining" => Some(Whom::Rest),
        _ => None,
    }
}

/// Words that put a share above one half.
pub(super) fn is_majority(word: &str) -> bool {
    [
        "most",
        "mostly",
        "majority",
        "mainly",
        "typically",
        "usually",
        "predominantly",
    ]
    .contains(&word)
}

/// Words that deny.
pub(super) fn is_negation(word: &str) -> bool {
    [
        "no", "not", "without", "never", "none", "nobody", "neither", "nor", "cannot", "lack",
    ]
    .contains(&word)
        || word.ends_with("n't")
}

/// Words that say that a value is not known.
pub(super) fn is_unknown(word: &str) -> bool {
    ["unknown", "missing", "unrecorded"].contains(&word)
}

/// Words that claim that there is no difference.
pub(super) fn is_same(word: &str) -> bool {
    [
        "same",
        "similar",
        "similarly",
        "equal",
        "equally",
        "identical",
        "alike",
        "close",
        "near",
    ]
    .contains(&word)
}

/// Words before a number that is not exact.
pub(super) fn is_about(word: &str) -> bool {
    [
        "about",
        "around",
        "roughly",
        "approximately",
        "some",
        "nearly",
        "almost",
    ]
    .contains(&word)
}

/// A factor in one word.
pub(super) fn factor(word: &str) -> Option<f64> {
    match word {
        "twice" | "double" | "twofold" => Some(2.0),
        "thrice" | "triple" | "threefold" => Some(3.0),
        _ => None,
    }
}

/// A share in one word.
pub(super) fn fraction(word: &str) -> Option<f64> {
    match word {
        "half" => Some(0.5),
        "third" => Some(1.0 / 3.0),
        "quarter" => Some(0.25),
        "fifth" => Some(0.2),
        "tenth" => Some(0.1),
        _ => None,
    }
}

/// A small number in one word.
pub(super) fn number(word: &str) -> Option<f64> {
    let small = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
    ];
    small.iter().position(|w| *w == word).map(|n| n as f64)
}

/// Words that claim nothing.
const NEUTRAL: &[&str] = &[
    "a",
    "an",
    "the",
    "this",
    "that",
    "these",
    "those",
    "they",
    "them",
    "their",
    "it",
    "its",
    "itself",
    "here",
    "there",
    "who",
    "whose",
    "which",
    "what",
    "is",
    "are",
    "was",
    "were",
    "be",
    "being",
    "been",
    "has",
    "have",
    "had",
    "having",
    "do",
    "does",
    "did",
    "stands",
    "stand",
    "standing",
    "lies",
    "lie",
    "sits",
    "sit",
    "averages",
    "average",
    "averaging",
    "mean",
    "means",
    "amounts",
    "amount",
    "reaches",
    "reach",
    "comes",
    "come",
    "runs",
    "run",
    "shows",
    "show",
    "holds",
    "hold",
    "counts",
    "count",
    "makes",
    "make",
    "up",
    "forms",
    "form",
    "covers",
    "cover",
    "comprises",
    "includes",
    "accounts",
    "account",
    "contains",
    "consists",
    "of",
    "in",
    "on",
    "at",
    "by",
    "for",
    "from",
    "to",
    "with",
    "within",
    "among",
    "amongst",
    "across",
    "per",
    "as",
    "and",
    "but",
    "while",
    "whereas",
    "where",
    "when",
    "though",
    "although",
    "yet",
    "also",
    "too",
    "besides",
    "further",
    "furthermore",
    "moreover",
    "likewise",
    "both",
    "each",
    "every",
    "all",
    "member",
    "members",
    "segment",
    "segments",
    "group",
    "groups",
    "people",
    "customer",
    "customers",
    "subscriber",
    "subscribers",
    "person",
    "persons",
    "user",
    "users",
    "size",
    "share",
    "shares",
    "part",
    "parts",
    "percent",
    "percentage",
    "point",
    "points",
    "value",
    "values",
    "figure",
    "figures",
    "number",
    "rate",
    "rates",
    "level",
    "levels",
    "interval",
    "between",
    "times",
    "out",
    "so",
    "such",
    "then",
    "than",
    "via",
    "into",
    "addition",
    "total",
    "sets",
    "set",
    "apart",
    "stand-out",
    "uses",
    "use",
    "using",
    "found",
    "one's",
    "respect",
    "terms",
    "measured",
    "known",
];

/// Whether a word claims nothing.
pub(super) fn is_neutral(word: &str) -> bool {
    NEUTRAL.contains(&word)
}

/// Words that begin a clause of their own.
pub(super) fn opens_clause(word: &str) -> bool {
    [
        "and", "but", "while", "whereas", "where", "though", "although", "yet",
    ]
    .contains(&word)
}
