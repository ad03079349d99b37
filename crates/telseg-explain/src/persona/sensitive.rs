//! What no persona speaks of: ethnicity, health, religion, politics, and what is as private.

/// Stems; a word that begins with one is about such a thing.
const STEMS: [&str; 58] = [
    "ethnic",
    "racial",
    "racist",
    "skin",
    "caucasian",
    "hispanic",
    "latino",
    "latina",
    "asian",
    "african",
    "arab",
    "immigra",
    "migrant",
    "refugee",
    "native",
    "nationalit",
    "foreign",
    "tribe",
    "caste",
    "health",
    "ill",
    "illness",
    "sick",
    "disease",
    "disab",
    "diabet",
    "cancer",
    "pregnan",
    "medic",
    "patient",
    "depress",
    "mental",
    "obes",
    "addict",
    "religio",
    "christian",
    "muslim",
    "islam",
    "jew",
    "hindu",
    "buddhis",
    "sikh",
    "atheis",
    "church",
    "mosque",
    "faith",
    "catholic",
    "protestant",
    "politic",
    "democrat",
    "republican",
    "conservative",
    "liberal",
    "socialis",
    "voter",
    "elect",
    "union",
    "sexual",
];

/// Words that stand alone: as stems they would catch too much.
const WORDS: [&str; 9] = [
    "race",
    "races",
    "black",
    "white",
    "gay",
    "lesbian",
    "party",
    "left-wing",
    "right-wing",
];

/// Words that begin like a sensitive one and are none.
const HARMLESS: [&str; 5] = [
    "electronic",
    "electronics",
    "electric",
    "electrical",
    "electricity",
];

/// Whether a word is about something sensitive.
pub(super) fn is_sensitive(word: &str) -> bool {
    let word = word.to_lowercase();
    if HARMLESS.contains(&word.as_str()) {
        return false;
    }
    // "ill" and "skin" are words of their own, not the beginnings of others.
    let begins = |stem: &str| match stem {
        "ill" | "skin" | "union" | "native" | "faith" => word == stem,
        _ => word.starts_with(stem),
    };
    WORDS.contains(&word.as_str()) || STEMS.iter().any(|s| begins(s))
}

#[cfg(test)]
mod tests {
    use super::is_sensitive;

    #[test]
    fn private_matters_are_known_and_bills_are_not() {
        for word in [
            "Religion",
            "ethnicity",
            "healthy",
            "illness",
            "ill",
            "voters",
            "Muslims",
            "election",
            "race",
        ] {
            assert!(is_sensitive(word), "{word}");
        }
        for word in [
            "electronic",
            "data",
            "tenure",
            "billing",
            "skins",
            "illustration",
            "traces",
            "racing",
            "unions",
        ] {
            assert!(!is_sensitive(word), "{word}");
        }
    }
}
