//! The report as text: whole, escaped, small, and sound when parts of it are missing.

#![allow(clippy::unwrap_used)]

mod report_fixture;
mod report_markup;

use report_fixture::{large, report, simulated, sparse};
use report_markup::{attributes, elements, text};
use serde_json::Value;
use telseg::report::{Changes, FlowPlace, Interval, Report, Words};

const SECTIONS: [&str; 6] = [
    "summary", "segments", "model", "drivers", "quality", "making",
];

/// Everything that must hold for any page.
fn check(html: &str) {
    let elements = elements(html).unwrap_or_else(|problem| panic!("{problem}"));
    for id in SECTIONS {
        let sections = elements
            .iter()
            .filter(|e| e.name == "section" && e.get("id") == Some(id));
        assert_eq!(sections.count(), 1, "section {id}");
    }
    let mut ids: Vec<_> = elements.iter().filter_map(|e| e.get("id")).collect();
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(all, ids.len(), "ids are unique");
    for element in &elements {
        assert!(
            !["script", "iframe", "img", "object", "embed", "form", "base"]
                .contains(&&*element.name),
            "{element:?}"
        );
        for (name, value) in &element.attributes {
            assert!(
                !name.starts_with("on") && name != "src" && name != "style",
                "{element:?}"
            );
            if name == "href" {
                let target = value.strip_prefix('#');
                let inside = target.is_some_and(|id| ids.contains(&id));
                assert!(inside || value == "data:,", "href={value}");
            }
        }
        if element.name == "svg" {
            assert_eq!(element.get("role"), Some("img"));
            let label = element
                .get("aria-label")
                .expect("every picture has its finding in words");
            assert!(label.len() > 3, "{label:?}");
        }
    }
    for loads in [
        "http://", "https://", "url(", "@import", "NaN", "inf%", "\"inf",
    ] {
        assert!(!html.contains(loads), "{loads}");
    }
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
}

#[test]
fn pages_are_whole() {
    for report in [report(), simulated(), sparse(), large(), Report::default()] {
        check(&report.to_html());
    }
}

#[test]
fn a_run_that_follows_says_what_changed() {
    let place = |segment: Option<u32>, name: &str| FlowPlace {
        segment,
        name: name.into(),
    };
    let picture = r#"{"months": [
        {"name": "January", "bars": [{"segment": 0, "name": "A <b>", "n": 90, "weight": 90}, {"segment": 1, "name": "B", "n": 10, "weight": 10}]},
        {"name": "February", "bars": [{"segment": 0, "name": "A <b>", "n": 80, "weight": 80}, {"name": "no segment", "n": 5, "weight": 5}],
         "ribbons": [{"from": 0, "to": 0, "n": 70, "share_of_from": 0.8, "share_of_to": 0.9}, {"from": 7, "to": 0}]}],
        "description": "January: A <b> 90, B 10."}"#;
    let mut report = report();
    report.changes = Some(Changes {
        month: "February".into(),
        before: "January".into(),
        n_shared: 95,
        joined: 12,
        left: 3,
        stayed: Some(0.9),
        alarms: vec!["Segment 1 is gone.".into()],
        from: vec![
            place(Some(0), "A <b>"),
            place(Some(1), "B"),
            place(None, "Joined"),
        ],
        to: vec![place(Some(0), "A <b>"), place(None, "Left")],
        counts: vec![vec![80, 3], vec![12, 0], vec![12, 0]],
        picture: serde_json::from_str(picture).unwrap(),
    });
    let html = report.to_html();
    check(&html);
    let words = text(&html);
    for said in [
        "February against January: of 95 subscribers who are in both, 90% are in the same segment; 12 joined and 3 left.",
        "Segment 1 is gone.",
        "Joined 100.0%",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    assert!(html.contains("<a href=\"#changes\">Since last month</a>"));
    assert_eq!(
        serde_json::from_str::<Report>(&report.to_json()).unwrap(),
        report
    );
    report.changes = None;
    assert!(!report.to_html().contains("Since last month"));
}

#[test]
fn headline_says_the_finding() {
    let words = text(&report().to_html());
    for said in [
        "These 7,043 subscribers fall into 6 segments.",
        "Most at risk is 2 New on fibre, month to month: 22% of all, of whom 54% leave, 2.0 times the average of 27%.",
        // 2.86 times 1869 / 7043.
        "Of the 10% that the churn model scores highest, 76% leave: 2.9 times the base rate.",
        "it scores the first higher 85 times in 100.",
    ] {
        assert!(words.contains(said), "{said}");
    }
}

#[test]
fn other_words_are_used() {
    let mut report = report();
    report.words = Words {
        subscribers: "households".into(),
        happen: "accept the offer".into(),
        rate: "acceptance rate".into(),
        event: "acceptance".into(),
        ..Words::default()
    };
    let words = text(&report.to_html());
    assert!(words.contains("These 7,043 households"));
    assert!(
        words.contains("Of the 10% that the acceptance model scores highest, 76% accept the offer")
    );
    // The fixture's own texts speak of subscribers; the page's own words must not.
    report = Report {
        words: report.words,
        rows: 3,
        prediction: report.prediction,
        ..Report::default()
    };
    assert!(!text(&report.to_html()).contains("subscriber"));
}

#[test]
fn missing_parts_are_said_to_be_missing() {
    let words = text(&sparse().to_html());
    for said in [
        "Segments and churn",
        "All 7,043 subscribers form one segment.",
        "No target column was given, so nothing was predicted.",
        "No model was explained in this run.",
        "Nothing sets this segment clearly apart.",
        "The number of segments, 1, was given; no others were tried.",
    ] {
        assert!(words.contains(said), "{said}");
    }
    for unsaid in ["ARPU", "Most at risk", "AUC", "Before you read on"] {
        assert!(!words.contains(unsaid), "{unsaid}");
    }
    assert!(text(&Report::default().to_html()).contains("No segments were made in this run."));
}

#[test]
fn truth_is_told_when_it_is_known() {
    let words = text(&simulated().to_html());
    assert!(words.contains("an adjusted Rand index of 0.87"));
    assert!(words.contains("AUC of 0.861; the model reaches 0.847 (0.837 to 0.857)"));
    assert!(!text(&report().to_html()).contains("simulated truth"));
}

/// Changes every leaf of a JSON tree.
fn change(value: &mut Value, to: &impl Fn(&mut Value)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|v| change(v, to)),
        Value::Object(fields) => fields.values_mut().for_each(|v| change(v, to)),
        leaf => to(leaf),
    }
}

fn changed(report: &Report, to: impl Fn(&mut Value)) -> Report {
    let mut tree: Value = serde_json::from_str(&report.to_json()).unwrap();
    change(&mut tree, &to);
    serde_json::from_value(tree).unwrap()
}

#[test]
fn every_text_is_escaped() {
    const HOSTILE: &str = "</td></svg><script>alert('x')</script>\"><b onload=\"x\">&amp;";
    // The names of variants are no texts.
    let variants = [
        "id",
        "numeric",
        "categorical",
        "binary",
        "target",
        "value",
        "unknown",
        "difference",
        "lift",
        "raises",
        "lowers",
        "mixed",
    ];
    let hostile = changed(&simulated(), |leaf| match leaf {
        Value::String(s) if !variants.contains(&s.as_str()) => *s = HOSTILE.into(),
        _ => {}
    });
    let html = hostile.to_html();
    check(&html);
    assert!(html.matches("&lt;script&gt;").count() > 100);
    assert!(
        attributes(&html, "aria-label")
            .iter()
            .any(|label| label.contains("<script>"))
    );
}

#[test]
fn numbers_that_are_not_there_are_dashes() {
    for odd in [f64::NAN, 1e308, -1e308, 0.0, -1.0] {
        let report = changed(&simulated(), |leaf| {
            if leaf.is_f64() {
                // What is not finite is null in JSON.
                *leaf = serde_json::to_value(odd).unwrap();
            }
        });
        check(&report.to_html());
        check(
            &changed(&report, |leaf| {
                if leaf.is_u64() {
                    *leaf = 0.into();
                }
            })
            .to_html(),
        );
    }
}

#[test]
fn json_holds_the_same() {
    for report in [report(), simulated(), sparse(), large(), Report::default()] {
        let back: Report = serde_json::from_str(&report.to_json()).unwrap();
        // Not `==`: serde_json may be off by the last bit of a float.
        assert!(back.to_html() == report.to_html(), "{}", report.title);
    }
    let tree: Value = serde_json::from_str(&report().to_json()).unwrap();
    assert_eq!(
        tree["segmentation"]["segments"][2]["churn_rate"]["estimate"],
        0.538
    );
    assert_eq!(tree["prediction"]["gains"][0][0], 0.0);
    // A point estimate has no ends: null there, NaN here.
    let point = serde_json::to_value(Interval::point(0.5)).unwrap();
    assert!(point["low"].is_null());
    assert!(
        serde_json::from_value::<Interval>(point)
            .unwrap()
            .low
            .is_nan()
    );
    // Fields that are not there keep their default.
    let little: Report = serde_json::from_str(r#"{"rows": 5}"#).unwrap();
    assert_eq!(
        little,
        Report {
            rows: 5,
            ..Report::default()
        }
    );
}

#[test]
fn size_does_not_grow_with_the_rows() {
    let mut report = large();
    let before = report.to_html().len();
    let map = report.segmentation.map.as_mut().unwrap();
    map.points.extend(map.points.clone());
    report.rows *= 9;
    let after = report.to_html().len();
    assert!(after.abs_diff(before) < 100, "{before} and {after} bytes");
}

#[test]
fn files_are_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let (html, json) = (
        folder.path().join("report.html"),
        folder.path().join("report.json"),
    );
    let report = report();
    for _ in 0..2 {
        report.write_html(&html).unwrap();
        report.write_json(&json).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&html).unwrap(), report.to_html());
    assert_eq!(std::fs::read_to_string(&json).unwrap(), report.to_json());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    let error = report
        .write_html(folder.path().join("no/such/folder.html"))
        .unwrap_err();
    assert!(error.to_string().contains("no/such"), "{error}");
}

#[test]
fn scores_of_a_rare_event_fill_their_plot() {
    let places = |scale: f64| -> f64 {
        let mut report = report();
        let prediction = report.prediction.as_mut().unwrap();
        for bin in &mut prediction.calibration {
            bin.predicted *= scale;
            bin.observed *= scale;
        }
        let html = report.to_html();
        let start = html.find("aria-label=\"Calibration. ").unwrap();
        let plot = &html[start..start + html[start..].find("</svg>").unwrap()];
        let dots = plot.split("cx=\"").skip(1);
        dots.map(|d| d[..d.find('"').unwrap()].parse::<f64>().unwrap())
            .fold(0.0, f64::max)
    };
    // The plot is 360 wide and its axis starts at 46: a hundredth of the scores must not end in its corner.
    assert!(places(1.0) > 200.0);
    assert!(places(0.05) > 200.0, "{}", places(0.05));
}
