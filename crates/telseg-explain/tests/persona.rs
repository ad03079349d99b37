//! Personas: what the grammar writes passes, what lies does not, what others write truly mostly does.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

mod operator;

use std::cell::RefCell;

use operator::sheets;
use telseg_core::{Error, Result};
use telseg_explain::{
    Author, Column, Draft, FactSheet, Measure, Persona, PersonaParams, ProfileParams, Sentence,
    SheetFact, TextGenerator, TextRequest, Violation, profile, verify,
};

/// Every sentence of many personas, with its sheet.
fn written() -> Vec<(FactSheet, Sentence)> {
    let mut all = Vec::new();
    for seed in 0..15 {
        for sheet in sheets() {
            let params = PersonaParams::default()
                .with_seed(seed)
                .with_max_sentences(20);
            let persona = Persona::new(&sheet, &params).unwrap();
            assert!(persona.rejected.is_empty(), "{:?}", persona.rejected);
            assert_eq!(persona.faithfulness, 1.0);
            assert!(persona.sentences.len() >= 10, "{persona}");
            all.extend(persona.sentences.into_iter().map(|s| (sheet.clone(), s)));
        }
    }
    all
}

fn passes(sheet: &FactSheet, text: &str, facts: &[String]) -> bool {
    verify(sheet, text, facts).is_empty()
}

/// The numbers of a text: where each stands, as written.
fn numbers(text: &str) -> Vec<(usize, String)> {
    let bytes: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        while at < bytes.len()
            && (bytes[at].is_ascii_digit() || (at > start && ".,".contains(bytes[at])))
        {
            at += 1;
        }
        if at > start {
            let written: String = bytes[start..at].iter().collect();
            let written = written.trim_end_matches(['.', ',']).to_string();
            let before = start.checked_sub(1).map(|b| bytes[b]);
            let alone = !before.is_some_and(char::is_alphanumeric)
                && !bytes
                    .get(start + written.len())
                    .is_some_and(|c| c.is_alphanumeric());
            if alone {
                found.push((bytes[..start].iter().collect::<String>().len(), written));
            }
        }
        at += 1;
    }
    found
}

#[test]
fn changed_numbers_are_caught() {
    let mut tried = 0;
    for (sheet, sentence) in written() {
        // What stands in a level or a name is no number: "GOLD 24".
        let named = |n: &str| {
            sheet.name.contains(n)
                || sentence
                    .facts
                    .iter()
                    .filter_map(|id| sheet.fact(id))
                    .any(|f| match &f.measure {
                        Measure::Share { level } => level.contains(n),
                        _ => false,
                    })
        };
        for (at, written) in numbers(&sentence.text) {
            if named(&written) {
                continue;
            }
            let value: f64 = written.replace(',', "").parse().unwrap();
            let decimals = written.split_once('.').map_or(0, |(_, d)| d.len());
            let step = 0.1f64.powi(decimals as i32);
            for wrong in [
                value + step,
                value - step,
                value * 2.0 + 3.0,
                value * 10.0,
                value / 3.0 + 11.0,
            ] {
                let shown = format!("{wrong:.decimals$}");
                let same: f64 = shown.parse().unwrap();
                // 64.5 is rightly written as 64 and as 65.
                let tie = |v: f64| {
                    let rounds = |x: f64| (v - x).abs() <= 0.5 * step * (1.0 + 1e-6);
                    rounds(value) && rounds(same)
                };
                let own = sheet.fact(&sentence.facts[0]).unwrap();
                let ends = own.interval.unwrap_or([own.value; 2]);
                let mut truths = [own.value, own.base.unwrap_or(0.0), ends[0], ends[1]].into_iter();
                if same < 0.0
                    || (same - value).abs() < 0.5 * step
                    || truths.any(|t| tie(t) || tie(100.0 * t))
                {
                    continue;
                }
                let text = format!(
                    "{}{shown}{}",
                    &sentence.text[..at],
                    &sentence.text[at + written.len()..]
                );
                tried += 1;
                assert!(
                    !passes(&sheet, &text, &sentence.facts),
                    "{} <- {}",
                    text,
                    sentence.text
                );
            }
        }
    }
    assert!(tried > 1_500, "{tried}");
}

#[test]
fn flipped_directions_are_caught() {
    let mut tried = 0;
    let pairs = [
        ("higher", "lower"),
        ("more of", "fewer of"),
        ("More of", "Fewer of"),
    ];
    for (sheet, sentence) in written() {
        for (a, b) in pairs.iter().flat_map(|(a, b)| [(a, b), (b, a)]) {
            if sentence.text.contains(&format!("{a} ")) {
                let text = sentence.text.replace(a, b);
                tried += 1;
                assert!(!passes(&sheet, &text, &sentence.facts), "{text}");
            }
        }
        // Own number and base's change places.
        let found = numbers(&sentence.text);
        let fact = sheet.fact(&sentence.facts[0]).unwrap();
        if let [(i, a), (j, b)] = found.as_slice()
            && a != b
            && fact.measure != Measure::Size
        {
            let text = &sentence.text;
            let swapped = format!(
                "{}{b}{}{a}{}",
                &text[..*i],
                &text[i + a.len()..*j],
                &text[j + b.len()..]
            );
            tried += 1;
            assert!(!passes(&sheet, &swapped, &sentence.facts), "{swapped}");
        }
    }
    assert!(tried >= 500, "{tried}");
}

#[test]
fn inventions_are_caught() {
    let tails = [
        "because they stream films",
        "and they love football",
        "and 40% have a dog",
        "so an upgrade should be offered",
        "and their income is higher",
        "which leads to churn",
        "and most of them live in cities",
        "as loyal fans of the brand",
        "and this will increase next year",
        "and they are religious",
        "and often ill",
        "which is more than at any competitor",
        "and 3 times as many have children",
    ];
    let mut tried = 0;
    for (sheet, sentence) in written() {
        let stem = sentence.text.trim_end_matches('.');
        for tail in tails {
            tried += 1;
            let text = format!("{stem}, {tail}.");
            assert!(!passes(&sheet, &text, &sentence.facts), "{text}");
        }
        // Another fact's words, not cited; another unit; another one's name.
        for other in sheet
            .facts
            .iter()
            .filter(|f| !sentence.facts.contains(&f.id) && f.measure != Measure::Size)
        {
            let text = format!("{stem}, and their {} is higher.", other.subject);
            let shared = sentence
                .facts
                .iter()
                .filter_map(|id| sheet.fact(id))
                .any(|f| f.subject == other.subject);
            if !shared {
                tried += 1;
                assert!(!passes(&sheet, &text, &sentence.facts), "{text}");
            }
        }
        for (unit, wrong) in [("GB", "MB"), ("EUR", "USD"), ("years", "months"), ("%", "")] {
            if sentence.text.contains(unit) {
                tried += 1;
                let text = sentence.text.replace(unit, wrong);
                assert!(!passes(&sheet, &text, &sentence.facts), "{text}");
            }
        }
    }
    assert!(tried > 3_000, "{tried}");
}

#[test]
fn a_sentence_under_another_facts_number_is_caught() {
    for (sheet, sentence) in written() {
        for other in sheet
            .facts
            .iter()
            .filter(|f| !sentence.facts.contains(&f.id))
        {
            let cites = [other.id.clone()];
            assert!(
                !passes(&sheet, &sentence.text, &cites),
                "{} as {}",
                sentence.text,
                other.id
            );
        }
        assert_eq!(
            verify(&sheet, &sentence.text, &["f99"]),
            [Violation::UnknownFact { id: "f99".into() }]
        );
        let nothing: [&str; 0] = [];
        assert_eq!(
            verify(&sheet, &sentence.text, &nothing),
            [Violation::CitesNothing]
        );
    }
}

fn amount(v: f64) -> String {
    format!("{v:.2}")
}

fn percent(v: f64) -> String {
    format!("{:.1}%", 100.0 * v)
}

/// Sentences as another writer would put them, all true.
fn true_texts(f: &SheetFact) -> Vec<String> {
    let subject = &f.subject;
    let (base, rest) = (f.base.unwrap_or(0.0), f.rest.unwrap_or(0.0));
    let more = f.value > base;
    let higher = if more { "higher" } else { "lower" };
    match &f.measure {
        Measure::Mean => {
            let (v, b, r) = (amount(f.value), amount(base), amount(rest));
            let unit = f.unit.as_ref().map_or(String::new(), |u| format!(" {u}"));
            let [low, high] = f.interval.map(|i| i.map(amount)).unwrap();
            let (gap, more_words) = (
                amount((f.value - base).abs()),
                if more { "more" } else { "less" },
            );
            let mut all = vec![
                format!("On average, {subject} is {v}{unit}, compared with {b}{unit} overall."),
                format!(
                    "With {v}{unit} their {subject} lies {} the {b}{unit} of the base.",
                    if more { "above" } else { "below" }
                ),
                format!(
                    "Their {subject} is {higher} than among the others ({v}{unit} versus {r}{unit})."
                ),
                format!(
                    "The base has {b}{unit} of {subject}; these {} have {v}{unit}.",
                    "subscribers"
                ),
                format!(
                    "{subject}: {v}{unit} (between {low} and {high}), against {b} in the base."
                ),
                format!(
                    "Compared with everyone else, their {subject} is {higher}: {v}{unit} against {r}{unit} for the rest."
                ),
                format!("Their {subject} is about {:.0}{unit}.", f.value.max(20.0)),
                format!("They have {gap}{unit} {more_words} {subject} than the base."),
            ];
            if f.value < 20.0 {
                all.remove(6);
            }
            if base > 0.0 {
                let ratio = format!("{:.2}", f.value / base);
                all.push(format!(
                    "Their {subject} is {ratio} times as much as that of the base."
                ));
                let relative = format!("{:.0}%", 100.0 * (f.value - base).abs() / base);
                all.push(format!(
                    "Their {subject} is {relative} {higher} than in the base."
                ));
            }
            all
        }
        Measure::Share { level } => {
            let (v, b, r) = (percent(f.value), percent(base), percent(rest));
            let has = match level.as_str() {
                "Yes" => format!("have {subject}"),
                "No" => format!("have no {subject}"),
                _ => format!("have {} as {subject}", level.replace('_', " ")),
            };
            let often = if more { "more often" } else { "less often" };
            let points = format!("{:.1}", 100.0 * (f.value - base).abs());
            vec![
                format!("{v} of them {has}, compared with {b} of the base."),
                format!("They {has} {often} than others: {v} versus {r}."),
                format!("Of these subscribers {v} {has}; in the base it is {b}."),
                format!(
                    "A share of {v} {has}, {points} percentage points {higher} than in the base."
                ),
                format!("About {:.0}% {has}.", 100.0 * f.value),
                format!("{b} of everyone {has}, but {v} of this segment do."),
                if f.value > 0.5 {
                    format!("Most of them {has} ({v}).")
                } else {
                    format!("{v} {has}.")
                },
            ]
        }
        Measure::Missing => {
            let (v, b) = (percent(f.value), percent(base));
            vec![
                format!("The {subject} of {v} is not known, against {b} in the base."),
                format!("{subject} is missing for {v} of them."),
            ]
        }
        _ => vec![
            format!("The segment has {} subscribers.", f.n),
            format!("{} of the base are in this segment.", percent(f.value)),
            format!(
                "They make up {} of all subscribers in the base.",
                percent(f.value)
            ),
        ],
    }
}

#[test]
fn true_texts_of_another_writer_mostly_pass() {
    let (mut tried, mut failed) = (0, Vec::new());
    for sheet in sheets() {
        for fact in &sheet.facts {
            for text in true_texts(fact) {
                tried += 1;
                let wrong = verify(&sheet, &text, &[&fact.id]);
                if !wrong.is_empty() {
                    failed.push(format!("{text} {wrong:?}"));
                }
            }
        }
        // Two facts in one sentence.
        let means: Vec<&SheetFact> = sheet
            .facts
            .iter()
            .filter(|f| f.measure == Measure::Mean)
            .collect();
        for (i, a) in means.iter().enumerate() {
            for b in &means[i + 1..] {
                let unit =
                    |f: &SheetFact| f.unit.as_ref().map_or(String::new(), |u| format!(" {u}"));
                let text = format!(
                    "Their {} is {}{} and their {} {}{}.",
                    a.subject,
                    amount(a.value),
                    unit(a),
                    b.subject,
                    amount(b.value),
                    unit(b)
                );
                tried += 1;
                let wrong = verify(&sheet, &text, &[&a.id, &b.id]);
                if !wrong.is_empty() {
                    failed.push(format!("{text} {wrong:?}"));
                }
            }
        }
    }
    assert!(tried >= 500, "{tried}");
    assert!(
        20 * failed.len() < tried,
        "{} of {tried}: {failed:#?}",
        failed.len()
    );
}

#[test]
fn numbers_of_two_facts_or_of_two_sides_cannot_change_places() {
    let mut tried = 0;
    for sheet in sheets() {
        let means: Vec<&SheetFact> = sheet
            .facts
            .iter()
            .filter(|f| f.measure == Measure::Mean)
            .collect();
        for a in &means {
            for b in means.iter().filter(|b| b.id != a.id) {
                let (va, vb) = (amount(a.value), amount(b.value));
                if va == vb {
                    continue;
                }
                let text = |x: &str, y: &str| {
                    format!(
                        "Their {} averages {x} and their {} averages {y}.",
                        a.subject, b.subject
                    )
                };
                let cites = [a.id.clone(), b.id.clone()];
                assert!(
                    passes(&sheet, &text(&va, &vb), &cites),
                    "{:?}",
                    verify(&sheet, &text(&va, &vb), &cites)
                );
                assert!(
                    !passes(&sheet, &text(&vb, &va), &cites),
                    "{}",
                    text(&vb, &va)
                );
                let both = format!("Their {} and their {} average {va}.", a.subject, b.subject);
                assert!(!passes(&sheet, &both, &cites), "{both}");
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

/// Answers in turn from a list; then an error.
struct Scripted(RefCell<Vec<Result<Vec<Draft>>>>);

impl Scripted {
    fn new(mut answers: Vec<Result<Vec<Draft>>>) -> Self {
        answers.reverse();
        Self(RefCell::new(answers))
    }
}

impl TextGenerator for Scripted {
    fn generate(&self, _: &TextRequest<'_>) -> Result<Vec<Draft>> {
        let next = self.0.borrow_mut().pop();
        next.unwrap_or_else(|| Err(Error::data("generator", "has nothing more to say")))
    }
}

fn draft(text: &str, fact: &str) -> Draft {
    Draft {
        text: text.into(),
        facts: vec![fact.into()],
    }
}

/// A mean of the first sheet, and a true and a false sentence about it.
fn mean_of(sheet: &FactSheet) -> (String, Draft, Draft) {
    let fact = sheet
        .facts
        .iter()
        .find(|f| f.measure == Measure::Mean)
        .unwrap();
    let truth = draft(
        &format!("Their {} averages {:.2}.", fact.subject, fact.value),
        &fact.id,
    );
    let lie = draft(
        &format!("Their {} averages {:.2}.", fact.subject, fact.value + 5.0),
        &fact.id,
    );
    (fact.id.clone(), truth, lie)
}

#[test]
fn a_lie_is_written_anew_and_then_replaced() {
    let sheet = sheets().remove(0);
    let (id, truth, lie) = mean_of(&sheet);
    let params = PersonaParams::default();
    let lies = || Ok(vec![lie.clone()]);
    let persona =
        |answers| Persona::with_generator(&sheet, &Scripted::new(answers), &params).unwrap();

    let mended = persona(vec![lies(), lies(), Ok(vec![truth.clone()])]);
    assert_eq!(mended.sentences.len(), 1);
    assert_eq!(mended.sentences[0].text, truth.text);
    assert_eq!(mended.sentences[0].author, Author::Generator);
    assert_eq!(mended.rejected.len(), 2);
    assert!((mended.faithfulness - 1.0 / 3.0).abs() < 1e-12);

    let replaced = persona(vec![lies(), lies(), lies(), Ok(vec![truth.clone()])]);
    assert_eq!(replaced.sentences[0].author, Author::Grammar);
    assert_eq!(replaced.sentences[0].facts, [id]);
    assert_eq!(replaced.rejected.len(), 3);
    assert_eq!(replaced.faithfulness, 0.25);

    let silent = persona(vec![Err(Error::data("endpoint", "is not there"))]);
    assert!(silent.sentences.len() > 3);
    assert!(silent.sentences.iter().all(|s| s.author == Author::Grammar));
    assert_eq!(
        silent.generator_error.as_deref(),
        Some("endpoint: is not there")
    );

    let empty = persona(vec![Ok(Vec::new())]);
    assert!(empty.sentences.len() > 3);
    let flood = persona(vec![Ok(vec![truth; 1000])]);
    assert_eq!(flood.sentences.len(), params.max_sentences);
}

#[test]
fn few_rows_have_no_persona_but_their_size() {
    let mut sheet = sheets().remove(0);
    sheet.n = 9;
    let (_, truth, _) = mean_of(&sheet);
    let generator = Scripted::new(vec![Ok(vec![truth])]);
    for persona in [
        Persona::new(&sheet, &PersonaParams::default()).unwrap(),
        Persona::with_generator(&sheet, &generator, &PersonaParams::default()).unwrap(),
    ] {
        assert_eq!(persona.sentences.len(), 1, "{persona}");
        assert!(persona.sentences[0].text.contains("9 subscribers"));
    }
    let refused =
        Persona::new(&sheet, &PersonaParams::default().with_max_sentences(0)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "max_sentences: must be at least 1, found 0"
    );
}

#[test]
fn private_columns_are_on_no_sheet() {
    let labels: Vec<u32> = (0..200).map(|i| u32::from(i >= 100)).collect();
    let flag: Vec<f64> = (0..200)
        .map(|i| f64::from(u8::from(i % 100 < 80) * u8::from(i < 100)))
        .collect();
    let codes: Vec<u32> = (0..200).map(|i| u32::from(i >= 100)).collect();
    let levels = vec!["Catholic".to_string(), "None".to_string()];
    let columns = [
        Column::numeric("HasDisability", &flag),
        Column::categorical("segment_code", &codes, &levels),
        Column::numeric("pays_late", &flag),
    ];
    let params = ProfileParams::default().with_max_correlation(1.0);
    let found = profile(&columns, &labels, 2, &params).unwrap();
    for segment in &found {
        let sheet = FactSheet::new(segment, &params);
        let told: Vec<&str> = sheet.facts.iter().map(|f| f.column.as_str()).collect();
        assert!(!told.contains(&"HasDisability"), "{told:?}");
        let texts = Persona::new(&sheet, &PersonaParams::default())
            .unwrap()
            .to_string()
            .to_lowercase();
        assert!(
            !texts.contains("disab") && !texts.contains("catholic"),
            "{texts}"
        );
    }
}

#[test]
fn personas_are_the_same_for_the_same_seed_and_vary_with_it() {
    let sheet = sheets().remove(1);
    let with = |seed| {
        Persona::new(&sheet, &PersonaParams::default().with_seed(seed))
            .unwrap()
            .to_string()
    };
    assert_eq!(with(3), with(3));
    let different: std::collections::BTreeSet<String> = (0..10).map(with).collect();
    assert!(different.len() > 5, "{different:?}");
}
