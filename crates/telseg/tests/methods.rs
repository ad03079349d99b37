//! Every method that segments can be found by: fitted, saved, loaded, scored row by row, followed.
#![allow(clippy::unwrap_used)]

use telseg::features::{Cell, CsvOptions};
use telseg::pipeline::Method;
use telseg::prelude::*;

const METHODS: [Method; 8] = [
    Method::KMeans,
    Method::Sized {
        min: 90,
        max: Some(140),
    },
    Method::KPrototypes,
    Method::GaussianMixture,
    Method::LatentClasses,
    Method::Hdbscan {
        min_cluster_size: Some(15),
    },
    Method::Ward,
    Method::KMedoids,
];

/// Three kinds of subscribers, a few of none, and a cell in fifty missing.
fn base(month: usize) -> Table {
    let mut csv = String::from("customer_id,minutes,data_gb,plan,tenure\n");
    for i in 0..330usize {
        let noise = |k: usize| ((i * (7 + 4 * k) + 3 * month) % 23) as f64 / 23.0;
        let (minutes, data, plan) = match i % 3 {
            0 => (40.0 + 20.0 * noise(0), 20.0 + 4.0 * noise(1), "flat"),
            1 => (300.0 + 40.0 * noise(0), 2.0 + noise(1), "voice"),
            _ => (120.0 + 30.0 * noise(0), 9.0 + 2.0 * noise(1), "mixed"),
        };
        let (minutes, data) = if i % 55 == 54 {
            (minutes + 900.0 * noise(2), data * (3.0 + 5.0 * noise(3)))
        } else {
            (minutes, data)
        };
        let minutes = if i % 50 == 7 {
            String::new()
        } else {
            format!("{minutes:.1}")
        };
        csv += &format!("C{i:04},{minutes},{data:.2},{plan},{}\n", 3 + i * 5 % 41);
    }
    Table::from_csv_bytes("base.csv", csv.as_bytes(), &CsvOptions::default()).unwrap()
}

fn ask(method: Method) -> Pipeline {
    let pipeline = Pipeline::new()
        .id("customer_id")
        .method(method)
        .remember_subscribers()
        .seed(5);
    match method {
        Method::Hdbscan { .. } => pipeline,
        _ => pipeline.segments(3..=3),
    }
}

#[test]
fn each_method_is_saved_and_scores_the_same_bits() {
    let table = base(0);
    let folder = tempfile::tempdir().unwrap();
    for method in METHODS {
        let run = ask(method)
            .fit(&table)
            .unwrap_or_else(|e| panic!("{method:?}: {e}"));
        let file = folder.path().join("model.telseg");
        run.save(&file).unwrap();
        let loaded = Run::load(&file).unwrap();
        let (fresh, again) = (run.score(&table).unwrap(), loaded.score(&table).unwrap());
        assert_eq!(fresh.segments, again.segments, "{method:?}");
        if !matches!(method, Method::Sized { .. }) {
            assert_eq!(
                &fresh.segments,
                run.labels(),
                "{method:?}: fit and predict agree"
            );
        }
        let names = table.column_names();
        let columns: Vec<_> = names
            .iter()
            .map(|name| table.column(name).unwrap())
            .collect();
        for i in 0..60 {
            let cells: Vec<(&str, Cell<'_>)> = names
                .iter()
                .zip(&columns)
                .map(|(n, c)| (*n, c.cell(i)))
                .collect();
            assert_eq!(
                loaded.score_row(&cells).unwrap().segment,
                fresh.segments[i],
                "{method:?}, row {i}"
            );
        }
        let cards = &run.report().segmentation.segments;
        assert_eq!(cards.iter().map(|c| c.n).sum::<u64>(), 330, "{method:?}");
        assert!(run.report().to_html().contains("</html>"));
    }
}

#[test]
fn noise_is_a_group_with_a_name() {
    let run = ask(METHODS[5]).fit(&base(0)).unwrap();
    let cards = &run.report().segmentation.segments;
    let none = cards.last().unwrap();
    assert_eq!(none.name, "No segment");
    assert_eq!(none.id as usize, cards.len() - 1);
    assert!(
        cards.len() >= 3 && none.n > 0 && none.n < 100,
        "{:?}",
        cards.iter().map(|c| c.n).collect::<Vec<_>>()
    );
    let scored = run.score(&base(0)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scored.csv");
    scored.write_csv(&file).unwrap();
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .contains("No segment")
    );
}

#[test]
fn sizes_are_kept() {
    let run = ask(METHODS[1]).fit(&base(0)).unwrap();
    let sizes: Vec<u64> = run
        .report()
        .segmentation
        .segments
        .iter()
        .map(|c| c.n)
        .collect();
    assert!(sizes.iter().all(|n| (90..=140).contains(n)), "{sizes:?}");
}

#[test]
fn each_method_can_be_followed() {
    for method in METHODS {
        let first = ask(method).fit(&base(0)).unwrap();
        let second = ask(method)
            .follow(&first)
            .fit(&base(1))
            .unwrap_or_else(|e| panic!("{method:?}: {e}"));
        let changes = second.report().changes.as_ref().unwrap();
        assert!(
            changes.stayed.unwrap() > 0.9,
            "{method:?}: {:?}",
            changes.stayed
        );
        let ids = |run: &Run| {
            run.report()
                .segmentation
                .segments
                .iter()
                .map(|c| (c.id, c.name.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(&first), ids(&second), "{method:?}");
    }
}

#[test]
fn what_cannot_be_is_said() {
    let unknown = "dbscan".parse::<Method>().unwrap_err().to_string();
    assert!(
        unknown.starts_with("method: expected one of k-means, sized, "),
        "{unknown}"
    );
    let both = ask(METHODS[5])
        .segments(3..=4)
        .validate()
        .unwrap_err()
        .to_string();
    assert_eq!(
        both,
        "segments: HDBSCAN finds their number itself: leave it out, or take another method"
    );
    let few = ask(Method::Sized {
        min: 200,
        max: None,
    })
    .fit(&base(0))
    .unwrap_err()
    .to_string();
    assert!(few.contains("min_size"), "{few}");
}

#[test]
fn the_report_says_what_sizes_cost() {
    let told = |min, max| {
        let run = ask(Method::Sized { min, max }).fit(&base(0)).unwrap();
        let sizes: Vec<u64> = run
            .report()
            .segmentation
            .segments
            .iter()
            .map(|c| c.n)
            .collect();
        let method = &run.report().segmentation.method;
        let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
        let each = format!(". Each has {least} to {most} of them; ");
        let (_, who) = method
            .split_once(&each)
            .unwrap_or_else(|| panic!("{method}"));
        assert!(run.report().to_html().contains(&each[2..]), "{method}");
        who.to_owned()
    };
    assert_eq!(told(1, None), "everyone is in the nearest.");
    let tight = told(110, Some(110));
    let expected = " are not in the nearest, so that the sizes hold.";
    assert!(tight.ends_with(expected), "{tight}");
}

/// Three kinds of subscribers and nobody else.
fn three_kinds() -> Table {
    let mut csv = String::from("customer_id,minutes,data_gb,plan\n");
    for i in 0..300usize {
        let noise = |k: usize| ((i * (7 + 4 * k)) % 23) as f64 / 23.0;
        let (minutes, data, plan) = [
            (40.0, 20.0, "flat"),
            (300.0, 2.0, "voice"),
            (120.0, 9.0, "mixed"),
        ][i % 3];
        csv += &format!(
            "C{i:04},{:.1},{:.2},{plan}\n",
            minutes + 20.0 * noise(0),
            data + noise(1)
        );
    }
    Table::from_csv_bytes("base.csv", csv.as_bytes(), &CsvOptions::default()).unwrap()
}

#[test]
fn each_method_speaks_for_its_own_number_of_segments() {
    for method in METHODS {
        if matches!(method, Method::Hdbscan { .. }) {
            continue;
        }
        let run = ask(method).segments(2..=5).fit(&three_kinds()).unwrap();
        let segmentation = &run.report().segmentation;
        assert_eq!(segmentation.k, 3, "{method:?}: {}", segmentation.choice);
        let says_why = segmentation.choice.starts_with("3 segments: ");
        assert!(says_why, "{method:?}: {}", segmentation.choice);
        let tried = &segmentation.candidates;
        let chosen: Vec<u32> = tried.iter().filter(|c| c.chosen).map(|c| c.k).collect();
        assert_eq!(chosen, [3], "{method:?}");
        let is_mixture = matches!(method, Method::GaussianMixture | Method::LatentClasses);
        assert!(tried.iter().all(|c| c.icl.is_some() == is_mixture));
        assert!(tried.iter().all(|c| c.silhouette.is_some() != is_mixture));
        let html = run.report().to_html();
        assert_eq!(html.contains("ICL"), is_mixture, "{method:?}");
        assert!(html.contains("How many segments"));
    }
}
