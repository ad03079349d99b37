//! Runs that follow each other: numbers and names stay, changes are told, older files load.
#![cfg(feature = "sim")]

use std::path::Path;

use telseg::core::metrics::partition::ari;
use telseg::prelude::*;
use telseg::sim::{World, WorldConfig};

/// The base of a simulated operator at the end of so many months in a row.
fn months(n: usize, subscribers: usize) -> Vec<Table> {
    let config = WorldConfig::default()
        .with_n_subscribers(subscribers)
        .with_window(3);
    let mut world = World::new(config, 11).expect("the default world is valid");
    let mut month = || {
        world.advance();
        Table::from_batch(world.snapshot().to_record_batch()).expect("types that tables have")
    };
    (0..n).map(|_| month()).collect()
}

fn pipeline() -> Pipeline {
    Pipeline::new().segments(4..=4).seed(3)
}

fn numbers(run: &Run) -> Vec<(u32, String)> {
    let cards = &run.report().segmentation.segments;
    cards
        .iter()
        .map(|card| (card.id, card.name.clone()))
        .collect()
}

#[test]
fn segments_keep_their_numbers_and_names() {
    let tables = months(3, 1500);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("january.telseg");
    let first = pipeline()
        .remember_subscribers()
        .month("January")
        .fit(&tables[0])
        .unwrap();
    assert!(first.report().changes.is_none());
    first.save(&file).unwrap();
    let loaded = Run::load(&file).unwrap();
    let second = pipeline()
        .remember_subscribers()
        .month("February")
        .follow(&loaded)
        .fit(&tables[1])
        .unwrap();
    assert_eq!(numbers(&second), numbers(&first));
    assert_eq!(second.score(&tables[1]).unwrap().segments, *second.labels());
    let changes = second.report().changes.clone().unwrap();
    assert_eq!(
        (changes.before.as_str(), changes.month.as_str()),
        ("January", "February")
    );
    assert!(changes.n_shared > 1400 && changes.left > 0 && changes.left == changes.joined);
    assert!(changes.stayed.unwrap() > 0.8);
    let told: u64 = changes.counts.iter().flatten().sum();
    assert_eq!(told, 1500 + changes.left);
    let html = second.report().to_html();
    assert!(html.contains("<section id=\"changes\"") && html.contains("Since last month"));
    // And on: a file of February leads to March, with all three months on the picture.
    second.save(&file).unwrap();
    let third = pipeline()
        .follow(&Run::load(&file).unwrap())
        .fit(&tables[2])
        .unwrap();
    assert_eq!(numbers(&third), numbers(&first));
    assert_eq!(
        third
            .report()
            .changes
            .as_ref()
            .unwrap()
            .picture
            .months
            .len(),
        3
    );
    // March does not remember.
    assert_eq!(third.history().unwrap().n_subscribers(), 0);
    assert_eq!(second.history().unwrap().n_subscribers(), 1500);
}

#[test]
fn without_ids_centres_decide_and_nothing_of_a_subscriber_is_kept() {
    let tables = months(2, 1200);
    let first = pipeline().fit(&tables[0]).unwrap();
    assert_eq!(first.history().unwrap().n_subscribers(), 0);
    let second = pipeline().follow(&first).fit(&tables[1]).unwrap();
    assert_eq!(numbers(&second), numbers(&first));
    let changes = second.report().changes.as_ref().unwrap();
    assert_eq!(
        (changes.n_shared, changes.stayed, changes.counts.len()),
        (0, None, 0)
    );
    assert!(
        second
            .report()
            .to_html()
            .contains("matched by their centres")
    );
}

#[test]
fn another_number_of_segments_gives_new_numbers() {
    let tables = months(1, 1200);
    let first = pipeline()
        .segments(2..=2)
        .remember_subscribers()
        .fit(&tables[0])
        .unwrap();
    let finer = pipeline()
        .segments(5..=5)
        .remember_subscribers()
        .follow(&first)
        .fit(&tables[0])
        .unwrap();
    let ids: Vec<u32> = numbers(&finer).iter().map(|s| s.0).collect();
    assert_eq!(ids.len(), 5);
    assert!(ids.iter().filter(|id| **id >= 2).count() >= 3, "{ids:?}");
    assert_eq!(finer.score(&tables[0]).unwrap().segments, *finer.labels());
    let names: std::collections::BTreeSet<String> =
        numbers(&finer).into_iter().map(|s| s.1).collect();
    assert_eq!(names.len(), 5, "names differ");
    // Back to two: no number comes back to life.
    let coarse = pipeline()
        .segments(2..=2)
        .follow(&finer)
        .fit(&tables[0])
        .unwrap();
    let dead: Vec<u32> = finer
        .history()
        .unwrap()
        .records()
        .iter()
        .filter(|r| r.died.is_some())
        .map(|r| r.segment.0)
        .collect();
    assert!(
        numbers(&coarse).iter().all(|s| !dead.contains(&s.0)),
        "{dead:?} {:?}",
        numbers(&coarse)
    );
    assert_eq!(
        ari(&first.labels().to_vec(), &coarse.labels().to_vec(), None).unwrap(),
        1.0
    );
}

#[test]
fn a_file_of_version_1_scores_as_it_did() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let run = Run::load(golden.join("run-v1.telseg")).unwrap();
    let table = Table::read_csv(golden.join("customers.csv")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (now, again) = (
        folder.path().join("now.csv"),
        folder.path().join("again.telseg"),
    );
    run.score(&table).unwrap().write_csv(&now).unwrap();
    let read = |file: &Path| std::fs::read_to_string(file).unwrap();
    assert_eq!(read(&now), read(&golden.join("run-v1.csv")));
    run.save(&again).unwrap();
    Run::load(&again)
        .unwrap()
        .score(&table)
        .unwrap()
        .write_csv(&now)
        .unwrap();
    assert_eq!(read(&now), read(&golden.join("run-v1.csv")));
    let error = Pipeline::new()
        .segments(2..=2)
        .follow(&run)
        .fit(&table)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("follow: the earlier run keeps no history"),
        "{error}"
    );
}

#[test]
fn ids_that_come_twice_are_refused_when_it_matters() {
    let table = |ids: fn(usize) -> usize| {
        let mut csv = String::from("customer_id,minutes,data_gb\n");
        (0..200).for_each(|i| {
            csv += &format!(
                "C{:04},{},{}\n",
                ids(i),
                100 + i * 7 % 90,
                1 + 20 * (i % 2) + i % 5
            )
        });
        Table::from_csv_bytes(
            "base.csv",
            csv.as_bytes(),
            &telseg::features::CsvOptions::default(),
        )
        .unwrap()
    };
    let ask = || {
        Pipeline::new()
            .id("customer_id")
            .segments(2..=2)
            .remember_subscribers()
    };
    let first = ask().fit(&table(|i| i)).unwrap();
    assert!(ask().fit(&table(|i| i / 2)).is_ok());
    let error = ask()
        .follow(&first)
        .fit(&table(|i| i / 2))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "customer_id: row 1 has an id that another row has: who moved cannot be told"
    );
}
