//! Churn: one Bernoulli draw from the hazard, at the stated rates, as predictable as stated.
#![allow(clippy::unwrap_used)]

mod common;

use common::{assert_rate, auc};
use telseg_sim::{Link, World, WorldConfig, customers};

#[test]
fn leaving_is_a_draw_from_the_hazard() {
    for link in [Link::Logit, Link::Cloglog] {
        let mut config = WorldConfig::default().with_n_subscribers(30_000);
        config.churn.link = link;
        let base = customers(&config, 11).unwrap();
        let mut order: Vec<usize> = (0..base.n_rows()).collect();
        order.sort_by(|&a, &b| base.hazard[a].total_cmp(&base.hazard[b]));
        // In each tenth of the hazard: sum of the draws against sum of the hazards, variance sum h (1 - h).
        for tenth in order.chunks(3000) {
            let expected: f64 = tenth.iter().map(|&i| base.hazard[i]).sum();
            let sd = tenth
                .iter()
                .map(|&i| base.hazard[i] * (1.0 - base.hazard[i]))
                .sum::<f64>()
                .sqrt();
            let found = tenth.iter().filter(|&&i| base.churned[i]).count() as f64;
            assert!(
                (found - expected).abs() < 4.5 * sd,
                "{found} left, {expected} expected, sd {sd}"
            );
        }
    }
}

#[test]
fn the_snapshot_knows_who_leaves_next_month() {
    let mut world = World::new(WorldConfig::default().with_n_subscribers(3000), 12).unwrap();
    world.advance();
    let before = world.snapshot();
    let outcomes = world.step(&[]).unwrap();
    assert_eq!(outcomes.subscribers, before.ids);
    assert_eq!(outcomes.churned, before.churned);
    let after = world.snapshot();
    let newest = *before.ids.iter().max().unwrap();
    for (i, left) in before.churned.iter().enumerate() {
        assert_eq!(*left, after.ids[i] != before.ids[i]);
        assert!(!*left || after.ids[i] > newest, "joiners have new ids");
        assert_eq!(*left, outcomes.revenue[i] == 0.0);
    }
    let gone = before.churned.iter().position(|&c| c).unwrap();
    let error = world.subscriber(before.ids[gone]).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("subscriber: {} has left the base", before.ids[gone])
    );
}

#[test]
fn rates_and_predictability_are_as_documented() {
    let base = customers(&WorldConfig::default().with_n_subscribers(60_000), 13).unwrap();
    let rate = base.hazard.iter().sum::<f64>() / 60_000.0;
    assert!((0.025..0.035).contains(&rate), "monthly churn {rate}");
    let best = auc(&base.hazard, &base.churned);
    assert!((0.80..0.85).contains(&best), "AUC of the hazard {best}");
    let of = |a: usize| {
        let rows: Vec<usize> = (0..60_000)
            .filter(|&i| base.archetype[i] as usize == a)
            .collect();
        rows.iter().map(|&i| base.hazard[i]).sum::<f64>() / rows.len() as f64
    };
    let rates: Vec<f64> = (0..8).map(of).collect();
    let (low, high) = (
        rates.iter().copied().fold(1.0, f64::min),
        rates.iter().copied().fold(0.0, f64::max),
    );
    assert!(high > 3.0 * low, "archetypes differ: {rates:?}");
}

#[test]
fn the_base_is_roughly_stationary() {
    let mut world = World::new(WorldConfig::default().with_n_subscribers(10_000), 14).unwrap();
    let shares = |w: &World| {
        let mut counts = [0.0f64; 8];
        w.subscribers()
            .iter()
            .for_each(|s| counts[s.archetype as usize] += 1e-4);
        counts
    };
    let before = shares(&world);
    (0..24).for_each(|_| world.advance());
    for (i, (was, is)) in before.iter().zip(shares(&world)).enumerate() {
        assert!(
            (is / was - 1.0).abs() < 0.35,
            "archetype {i}: from {was} to {is} in two years"
        );
    }
    assert_rate(
        "outcomes",
        world.snapshot().churned,
        world.snapshot().hazard.iter().sum::<f64>() / 10_000.0,
    );
}
