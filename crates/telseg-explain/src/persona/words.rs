//! From column and level names to words that a marketer reads.

/// Words of a column name, lower case except acronyms: splits `snake_case`, `CamelCase` and digits' edges.
pub(crate) fn tokens(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|j| chars[j]);
        let lower = |c: Option<&char>| c.is_some_and(|c| c.is_lowercase());
        let starts = c.is_uppercase()
            && (lower(before.as_ref())
                || (before.is_some_and(char::is_uppercase)
                    && lower(chars.get(i + 1))
                    && chars.get(i + 1..i + 3) != Some(&['s', '_'])));
        if !c.is_alphanumeric() || starts {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().expect("invariant: never empty").push(c);
        }
    }
    words.retain(|w| !w.is_empty());
    words.iter().map(|w| spell(w)).collect()
}

/// Known abbreviations written out, acronyms in capitals, the rest in lower case.
fn spell(word: &str) -> String {
    let lower = word.to_lowercase();
    let known = match lower.as_str() {
        "gb" => "GB",
        "mb" => "MB",
        "kb" => "KB",
        "sms" => "SMS",
        "mms" => "MMS",
        "tv" => "TV",
        "rv" => "RV",
        "arpu" => "ARPU",
        "nps" => "NPS",
        "sim" => "SIM",
        "id" => "ID",
        "us" => "US",
        "non" => "non",
        "ott" => "OTT",
        "lte" => "LTE",
        "perc" | "pct" => "percent",
        "hh" | "hh1" => "household",
        "hh2" => "second household member",
        "avg" => "mean",
        "num" => "number",
        "min" | "mins" => "minutes",
        "topup" => "top-up",
        "topups" => "top-ups",
        "threeway" => "three-way",
        "amt" => "amount",
        _ => return lower,
    };
    known.to_string()
}

const AVERAGES: [&str; 3] = ["mean", "average", "monthly mean"];
const UNITS: [&str; 4] = ["GB", "MB", "KB", "minutes"];

/// The name as words: "MonthlyCharges" is "monthly charges", "data_gb_mean" is "data GB".
pub(crate) fn readable(name: &str) -> String {
    let words = tokens(name);
    let kept: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|w| words.len() == 1 || !AVERAGES.contains(w))
        .collect();
    match kept.as_slice() {
        [] => name.trim().to_string(),
        // "dropped_rate_last" is the newest of a row of values.
        [subject @ .., "last"] if !subject.is_empty() => format!("recent {}", subject.join(" ")),
        _ => kept.join(" ").replace(" in out", " in and out"),
    }
}

/// What is measured and in which unit, when the name ends with one: "data_gb_mean" is ("data", "GB").
pub(crate) fn subject_and_unit(name: &str) -> (String, Option<String>) {
    let whole = readable(name);
    if let Some((subject, last)) = whole.rsplit_once(' ')
        && UNITS.contains(&last)
        && ["data", "voice", "download", "upload"].contains(&subject)
    {
        return (subject.to_string(), Some(last.to_string()));
    }
    (whole, None)
}

/// "heavy data" or "light data": a numeric column where a segment has more or less than others.
pub(crate) fn amount(name: &str, more: bool) -> String {
    let phrase = readable(name);
    let (subject, _) = subject_and_unit(name);
    let words: Vec<&str> = phrase.split(' ').collect();
    let has = |w: &str| words.contains(&w);
    let last = words.last().copied().unwrap_or("");
    let pick = |yes: &str, no: &str| {
        if more {
            yes.to_string()
        } else {
            no.to_string()
        }
    };
    if phrase == "age" || (words[0] == "age" && has("household")) {
        return pick("older", "young");
    }
    if phrase == "tenure" || phrase == "tenure months" || phrase == "months in service" {
        return pick("long-tenure", "short-tenure");
    }
    if ["data", "voice", "download", "upload", "roaming"].contains(&subject.as_str()) {
        return pick(&format!("heavy {subject}"), &format!("light {subject}"));
    }
    if words[0] == "percent" && words.get(1) == Some(&"change") && words.len() > 2 {
        let what = words[2..].join(" ");
        return pick(&format!("rising {what}"), &format!("falling {what}"));
    }
    if phrase == "current equipment days" || phrase == "handset age" || phrase == "device age" {
        return pick("old handset", "new handset");
    }
    if last == "days" && (words[0] == "days" || has("since")) {
        return pick(&format!("long {phrase}"), &format!("short {phrase}"));
    }
    if ["top-ups", "top-up count", "top-up number"].contains(&phrase.as_str()) {
        return pick("frequent top-ups", "rare top-ups");
    }
    if phrase == "top-up amount" {
        return pick("large top-ups", "small top-ups");
    }
    if let Some(counted) = phrase.strip_suffix(" count") {
        let counted = plural(counted);
        return pick(&format!("many {counted}"), &format!("few {counted}"));
    }
    if last == "size" && words.len() > 1 {
        let what = words[..words.len() - 1].join(" ");
        return pick(&format!("large {what}"), &format!("small {what}"));
    }
    if COUNTED.contains(&last) {
        return pick(&format!("many {phrase}"), &format!("few {phrase}"));
    }
    pick(&format!("high {phrase}"), &format!("low {phrase}"))
}

/// "lower fee": as [`amount`], where the difference is slight.
pub(crate) fn comparison(name: &str, more: bool) -> String {
    let phrase = amount(name, more);
    for (plain, compared) in COMPARED {
        if let Some(rest) = phrase.strip_prefix(plain)
            && (rest.is_empty() || rest.starts_with([' ', '-']))
        {
            return format!("{compared}{rest}");
        }
    }
    phrase
}

/// First words of amounts, and their comparatives.
const COMPARED: [(&str, &str); 17] = [
    ("many", "more"),
    ("few", "fewer"),
    ("high", "higher"),
    ("low", "lower"),
    ("heavy", "more"),
    ("light", "less"),
    ("young", "younger"),
    ("long", "longer"),
    ("short", "shorter"),
    ("large", "larger"),
    ("small", "smaller"),
    ("frequent", "more frequent"),
    ("rare", "fewer"),
    ("old", "older"),
    ("new", "newer"),
    ("rising", "slightly rising"),
    ("falling", "slightly falling"),
];

/// Last words of things that are many or few rather than high or low.
const COUNTED: [&str; 29] = [
    "minutes",
    "calls",
    "contacts",
    "visits",
    "days",
    "months",
    "handsets",
    "models",
    "subs",
    "lines",
    "complaints",
    "tickets",
    "services",
    "offers",
    "SMS",
    "messages",
    "events",
    "apps",
    "products",
    "friends",
    "devices",
    "accepted",
    "outages",
    "payments",
    "purchases",
    "orders",
    "sessions",
    "out",
    "subscriber",
];

/// A level that is typical of a segment: "month-to-month", "with partner", "without internet service".
pub(crate) fn level(column: &str, level: &str) -> String {
    let phrase = readable(column);
    if let Some(yes) = answer(level) {
        return flag(&phrase, yes);
    }
    match level.trim().to_lowercase().as_str() {
        "unknown" | "known" | "other" | "none" | "high" | "medium" | "low" => {
            return format!("{phrase} {}", level.trim().to_lowercase());
        }
        _ => {}
    }
    let level = level.trim();
    let plain = level
        .chars()
        .filter(|c| c.is_alphabetic())
        .collect::<String>();
    let acronym = plain.chars().all(char::is_uppercase);
    if plain.chars().count() <= 2
        || level.contains(|c: char| c.is_ascii_digit())
        || (acronym && plain.len() > 5)
    {
        return format!("{phrase} {level}");
    }
    let words = if acronym {
        level.to_string()
    } else {
        lower_first(level)
    };
    let counted = ["one ", "two ", "three "]
        .iter()
        .any(|n| words.starts_with(n));
    if counted && ["year", "month"].iter().any(|t| words.ends_with(t)) {
        return format!("{} {phrase}", words.replace(' ', "-"));
    }
    words
}

/// Yes or no, where a level is one of the two.
pub(crate) fn answer(level: &str) -> Option<bool> {
    match level.trim().to_lowercase().as_str() {
        "yes" | "y" | "true" | "t" | "1" => Some(true),
        "no" | "n" | "false" | "f" | "0" => Some(false),
        _ => None,
    }
}

/// What is true of those who have a level, after their number: "are with partner", "do not own computer", "have
/// month-to-month as their contract".
pub(crate) fn predicate(column: &str, level: &str) -> String {
    let phrase = readable(column);
    let Some(yes) = answer(level) else {
        let level = level.trim().replace('_', " ");
        return format!("have {} as their {phrase}", lower_first(&level));
    };
    let (first, rest) = phrase.split_once(' ').unwrap_or((&phrase, ""));
    if let Some((verb, stem)) = VERBS.iter().find(|(verb, _)| *verb == first)
        && !rest.is_empty()
    {
        return match (yes, *verb) {
            (true, "made") => format!("made {rest}"),
            (true, _) => format!("{stem} {rest}"),
            (false, "made") => format!("did not {stem} {rest}"),
            (false, _) => format!("do not {stem} {rest}"),
        };
    }
    if first == "has" && !rest.is_empty() {
        return if yes {
            format!("have {rest}")
        } else {
            format!("do not have {rest}")
        };
    }
    format!("are {}", flag(&phrase, yes))
}

/// Verbs of flags: as they stand in a column name, and after "do not".
const VERBS: [(&str, &str); 6] = [
    ("buys", "buy"),
    ("responds", "respond"),
    ("uses", "use"),
    ("owns", "own"),
    ("made", "make"),
    ("plays", "play"),
];

fn flag(phrase: &str, yes: bool) -> String {
    let (first, rest) = phrase.split_once(' ').unwrap_or((phrase, ""));
    let last = phrase.rsplit(' ').next().unwrap_or("");
    if !rest.is_empty() {
        if let Some((verb, stem)) = VERBS.iter().find(|(verb, _)| *verb == first) {
            return match (yes, *verb) {
                (true, _) => format!("{verb} {rest}"),
                (false, "made") => format!("did not {stem} {rest}"),
                (false, _) => format!("does not {stem} {rest}"),
            };
        }
        if first == "is" || first == "not" {
            let rest = if PERSONS.contains(&last) {
                plural(rest)
            } else {
                rest.into()
            };
            return if yes == (first == "is") {
                rest
            } else {
                format!("not {rest}")
            };
        }
        if first == "has" {
            return format!("{} {rest}", if yes { "with" } else { "without" });
        }
    }
    if PERSONS.contains(&last) {
        let many = plural(phrase);
        return if yes { many } else { format!("not {many}") };
    }
    if STATES.contains(&last) {
        return if yes {
            phrase.to_string()
        } else {
            format!("not {phrase}")
        };
    }
    format!("{} {phrase}", if yes { "with" } else { "without" })
}

/// Flags that say who somebody is.
const PERSONS: [&str; 6] = [
    "owner",
    "user",
    "citizen",
    "customer",
    "subscriber",
    "member",
];
/// Flags that say how something is.
const STATES: [&str; 9] = [
    "refurbished",
    "capable",
    "active",
    "prepaid",
    "postpaid",
    "urban",
    "rural",
    "married",
    "roaming",
];

fn plural(noun: &str) -> String {
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if noun.ends_with('s') || noun.ends_with("SMS") => noun.to_string(),
        _ => format!("{noun}s"),
    }
}

/// The first letter in lower case, unless the first word is an acronym.
pub(crate) fn lower_first(text: &str) -> String {
    let first = text.split([' ', '-', '_']).next().unwrap_or("");
    if first.chars().count() > 1 && first.chars().all(|c| c.is_uppercase() || c.is_numeric()) {
        return text.to_string();
    }
    with_first(text, |c| c.to_lowercase().collect())
}

/// The first letter in upper case.
pub(crate) fn upper_first(text: &str) -> String {
    with_first(text, |c| c.to_uppercase().collect())
}

fn with_first(text: &str, change: impl Fn(char) -> String) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => change(first) + chars.as_str(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_names_become_words() {
        for (name, words) in [
            ("MonthlyCharges", "monthly charges"),
            ("data_gb_mean", "data GB"),
            ("StreamingTV", "streaming TV"),
            ("RVOwner", "RV owner"),
            ("AgeHH1", "age household"),
            ("ChildrenInHH", "children in household"),
            ("NonUSTravel", "non US travel"),
            ("voice_min", "voice minutes"),
            ("tenure", "tenure"),
            ("mean", "mean"),
            ("care-contacts", "care contacts"),
            ("PercChangeMinutes", "percent change minutes"),
            ("PeakCallsInOut", "peak calls in and out"),
            ("dropped_rate_last", "recent dropped rate"),
        ] {
            assert_eq!(readable(name), words);
        }
    }

    #[test]
    fn amounts_and_levels_read_well() {
        assert_eq!(amount("data_gb_mean", true), "heavy data");
        assert_eq!(amount("voice_minutes_mean", false), "light voice");
        assert_eq!(amount("age", false), "young");
        assert_eq!(amount("tenure", true), "long-tenure");
        assert_eq!(amount("MonthlyCharges", true), "high monthly charges");
        assert_eq!(amount("topup_count", true), "frequent top-ups");
        assert_eq!(amount("care_contacts", true), "many care contacts");
        assert_eq!(amount("complaint_count", false), "few complaints");
        assert_eq!(amount("PercChangeMinutes", false), "falling minutes");
        assert_eq!(amount("household_size", true), "large household");
        assert_eq!(comparison("data_gb_mean", false), "less data");
        assert_eq!(comparison("MonthlyCharges", true), "higher monthly charges");
        assert_eq!(comparison("care_contacts", false), "fewer care contacts");
        assert_eq!(comparison("tenure", false), "shorter-tenure");
        assert_eq!(comparison("age", true), "older");
        for (column, of, text) in [
            ("Contract", "Month-to-month", "month-to-month"),
            ("Contract", "Two year", "two-year contract"),
            ("InternetService", "Fiber optic", "fiber optic"),
            ("InternetService", "DSL", "DSL"),
            ("InternetService", "No", "without internet service"),
            (
                "OnlineSecurity",
                "No internet service",
                "no internet service",
            ),
            ("Partner", "Yes", "with partner"),
            ("SeniorCitizen", "1", "senior citizens"),
            ("TruckOwner", "No", "not truck owners"),
            ("OwnsComputer", "No", "does not own computer"),
            ("HasCreditCard", "Yes", "with credit card"),
            ("CreditRating", "1-Highest", "credit rating 1-Highest"),
            ("Occupation", "Other", "occupation other"),
            ("HandsetRefurbished", "No", "not handset refurbished"),
        ] {
            assert_eq!(level(column, of), text);
        }
        for (column, of, text) in [
            (
                "Contract",
                "Month-to-month",
                "have month-to-month as their contract",
            ),
            ("plan", "GOLD_24", "have GOLD 24 as their plan"),
            ("Partner", "Yes", "are with partner"),
            ("InternetService", "No", "are without internet service"),
            ("SeniorCitizen", "0", "are not senior citizens"),
            ("OwnsComputer", "No", "do not own computer"),
            ("BuysViaMailOrder", "Yes", "buy via mail order"),
            (
                "MadeCallToRetentionTeam",
                "Yes",
                "made call to retention team",
            ),
            ("HasCreditCard", "No", "do not have credit card"),
        ] {
            assert_eq!(predicate(column, of), text);
        }
    }
}
