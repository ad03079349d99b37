//! The configuration: its default file, its errors, its JSON.
#![allow(clippy::unwrap_used)]

use telseg_sim::{World, WorldConfig};

fn refused(change: impl FnOnce(&mut WorldConfig)) -> String {
    let mut config = WorldConfig::default();
    change(&mut config);
    let error = config.validate().unwrap_err().to_string();
    assert_eq!(World::new(config, 1).unwrap_err().to_string(), error);
    error
}

#[test]
fn the_default_file_is_the_default() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/worlds/default.json");
    let rewrite = "worlds/default.json differs: write WorldConfig::default().to_json() there";
    assert!(
        WorldConfig::from_json_file(path).unwrap() == WorldConfig::default(),
        "{rewrite}"
    );
    // The text too, so that the file shows every field.
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text == WorldConfig::default().to_json(), "{rewrite}");
}

#[test]
fn errors_name_the_field() {
    for (message, expected) in [
        (
            refused(|c| c.n_subscribers = 0),
            "n_subscribers: expected 1 to 100000000, found 0",
        ),
        (
            refused(|c| c.window = 0),
            "window: expected 1 to 36, found 0",
        ),
        (
            refused(|c| c.start_month = 12),
            "start_month: expected 0 to 11, found 12",
        ),
        (
            refused(|c| c.archetypes.clear()),
            "archetypes: expected at least one entry, found none",
        ),
        (
            refused(|c| c.archetypes[2].share = -1.0),
            "archetypes[2].share: expected a positive number, found -1",
        ),
        (
            refused(|c| c.archetypes[1].usage.data = f64::NAN),
            "archetypes[1].usage.data: expected a positive number, found NaN",
        ),
        (
            refused(|c| c.archetypes[1].name = c.archetypes[0].name.clone()),
            "archetypes[1].name: \"data-heavy young\" stands twice in archetypes",
        ),
        (
            refused(|c| c.archetypes[0].apps = [0.3; 5]),
            "archetypes[0].apps (sum): expected a number between 0 and 1, both excluded, found 1.5",
        ),
        (
            refused(|c| c.tariffs.retain(|t| !t.prepaid)),
            "tariffs: expected at least one prepaid tariff, found none",
        ),
        (
            refused(|c| c.churn.new_months = 0.0),
            "churn.new_months: expected a positive number, found 0",
        ),
        (
            refused(|c| c.service.incident = 2.0),
            "service.incident: expected a number from 0 to 1, found 2",
        ),
        (
            refused(|c| c.offers[3].duration_months = 0),
            "offers[3].duration_months: expected a positive number, found 0",
        ),
        (
            refused(|c| c.channels[3].cost = -1.0),
            "channels[3].cost: expected a number of at least 0, found -1",
        ),
        (
            refused(|c| c.noise.missing_at_random[0].by = "shoe_size".into()),
            "noise.missing_at_random[0].by: no snapshot column is called \"shoe_size\"",
        ),
        (
            refused(|c| c.population.mixture_weight = [0.9, 0.6]),
            "population.mixture_weight: expected 0.5 <= low <= high <= 1, found [0.9, 0.6]",
        ),
        (
            refused(|c| c.usage.noise_sd.sms = -0.1),
            "usage.noise_sd.sms: expected a number of at least 0, found -0.1",
        ),
    ] {
        assert_eq!(message, expected);
    }
}

#[test]
fn json_takes_defaults_and_refuses_what_it_does_not_know() {
    let config = WorldConfig::from_json(
        r#"{ "churn": { "link": "cloglog" }, "archetypes": [{ "name": "one" }] }"#,
    );
    let config = config.unwrap();
    assert_eq!(config.churn.link, telseg_sim::Link::Cloglog);
    assert_eq!(
        config.churn.intercept,
        WorldConfig::default().churn.intercept
    );
    assert_eq!(config.archetypes.len(), 1);
    let unknown = WorldConfig::from_json(r#"{ "churn": { "speed": 1 } }"#)
        .unwrap_err()
        .to_string();
    assert!(
        unknown.starts_with("world config: unknown field `speed`"),
        "{unknown}"
    );
    let missing = WorldConfig::from_json_file("no/such/world.json")
        .unwrap_err()
        .to_string();
    assert!(missing.starts_with("no/such/world.json: "), "{missing}");
}

#[test]
fn a_changed_world_comes_back_from_its_json() {
    let mut config = WorldConfig::default()
        .with_n_subscribers(77)
        .with_n_months(3)
        .with_window(2);
    config.churn.link = telseg_sim::Link::Cloglog;
    config.offers.truncate(1);
    assert_eq!(WorldConfig::from_json(&config.to_json()).unwrap(), config);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    std::fs::write(&path, config.to_json()).unwrap();
    assert_eq!(WorldConfig::from_json_file(&path).unwrap(), config);
}
