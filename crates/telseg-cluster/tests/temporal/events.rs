//! Splits, merges, births and deaths, and who leaves.

use telseg_cluster::temporal::{AlarmKind, Event, Month, SegmentId};

use super::data::{after, ids, runs, seg};

#[test]
fn splits_merges_births_and_deaths() {
    // 0 (100) splits 60 : 40; 1 (50) and 2 (50) merge; 3 (80) goes on; 4 (9) scatters and dies; 30 joiners are born as one.
    let mut history = after(&[100, 50, 50, 80, 9]);
    let labels = runs(&[(0, 60), (1, 40), (2, 100), (3, 80), (3, 5), (2, 4), (7, 30)]);
    let change = history
        .update(&Month::without_rows(&ids(1, labels.len()), labels))
        .unwrap();
    let told: Vec<&str> = change.alarms.iter().map(|a| a.text.as_str()).collect();
    assert_eq!(
        told,
        [
            "Segment 0 split into segment 0 (60 %) and segment 5 (40 %).",
            "Segment 1 (48 %) and segment 2 (48 %) merged into segment 1.",
            "Segment 4 is gone: segment 3 (56 %) and segment 1 (44 %).",
            "Segment 6 is new, with 30 subscribers: joined the base (100 %).",
        ]
    );
    let Event::Split { segment, into } = &change.events[0] else {
        panic!("{:?}", change.events)
    };
    assert_eq!(
        (*segment, into[1].place, into[1].share),
        (SegmentId(0), seg(5), 0.4)
    );
    assert!(into[1].interval[0] < 0.4 && 0.4 < into[1].interval[1]);
    let lives: Vec<_> = history.records().iter().map(|r| (r.born, r.died)).collect();
    assert_eq!(
        lives,
        [
            (0, None),
            (0, None),
            (0, Some(1)),
            (0, None),
            (0, Some(1)),
            (1, None),
            (1, None)
        ]
    );
}

#[test]
fn who_leaves_faster_is_told() {
    let mut history = after(&[1000, 1000, 1000]);
    history.set_name(SegmentId(1), "Prepaid youth").unwrap();
    // 30 of segment 0 leave, 120 of 1, 40 of 2.
    let mut stay = ids(1, 970);
    stay.extend(ids(1001, 880));
    stay.extend(ids(2001, 960));
    let labels = runs(&[(0, 970), (1, 880), (2, 960)]);
    let change = history.update(&Month::without_rows(&stay, labels)).unwrap();
    let leaving: Vec<_> = change
        .alarms
        .iter()
        .filter(|a| a.kind == AlarmKind::Leaving)
        .collect();
    assert_eq!(leaving.len(), 1);
    let expected = "Segment 1 \"Prepaid youth\" loses subscribers 3.4 times as fast as the rest: 12 % left the base this month, of the others 3.5 %.";
    assert_eq!(leaving[0].text, expected);
}
