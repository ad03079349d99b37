//! The alluvial picture.

use telseg_cluster::temporal::{Month, SegmentId};

use super::data::{after, ids, runs};

#[test]
fn the_picture_says_what_it_shows() {
    let mut history = after(&[60, 40]);
    history.set_name(SegmentId(0), "Voice & <text>").unwrap();
    let labels = runs(&[(0, 50), (1, 50)]);
    history
        .update(&Month::without_rows(&ids(1, 100), labels))
        .unwrap();
    let picture = history.alluvial();
    let flows: Vec<_> = picture.months[1]
        .ribbons
        .iter()
        .map(|r| (r.from, r.to, r.n))
        .collect();
    assert_eq!(flows, [(0, 0, 50), (0, 1, 10), (1, 1, 40)]);
    assert!((picture.months[1].ribbons[1].share_of_to - 0.2).abs() < 1e-12);
    let svg = picture.to_svg();
    assert!(svg.contains("<title>10 from Voice &amp; &lt;text&gt; to segment 1</title>"));
    assert!(svg.contains("month 2: 90 % stayed in their segment."));
    assert_eq!(svg.matches("<rect").count(), 4);
    // A picture that was read from elsewhere may claim anything.
    let mut broken = picture;
    broken.months[1].ribbons[0].from = 99;
    assert_eq!(broken.to_svg().matches("<path").count(), 2);
}
