//! Decisions: consistent potential outcomes, known expectations, and a best policy that is the best.
#![allow(clippy::unwrap_used)]

mod common;

use common::moments;
use telseg_sim::{Action, Channel, Decision, World, WorldConfig};

fn world(n: usize) -> World {
    let mut world = World::new(WorldConfig::default().with_n_subscribers(n), 21).unwrap();
    (0..3).for_each(|_| world.advance());
    world
}

/// A policy: an action, or none, for each subscriber.
fn decide(world: &World, policy: impl Fn(u64) -> Option<Action>) -> Vec<Decision> {
    let ids = world.subscribers().iter().map(|s| s.id);
    ids.filter_map(|id| policy(id).map(|action| Decision::new(id, action)))
        .collect()
}

/// Any open action, the same for the same id.
fn random(world: &World, id: u64) -> Option<Action> {
    let actions = world.actions(id).unwrap();
    let pick = telseg_core::Seed::new(1).stream("test.policy").bits(id) as usize;
    Some(actions[pick % actions.len()])
}

/// The action that is accepted most probably.
fn greedy(world: &World, id: u64) -> Option<Action> {
    let actions = world.actions(id).unwrap().into_iter();
    let chances = actions.map(|a| (world.response_probability(id, a).unwrap(), a));
    chances.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, a)| a)
}

/// Expected value of what was decided.
fn expected(world: &World, decisions: &[Decision]) -> Vec<f64> {
    let mut chosen = std::collections::HashMap::new();
    decisions
        .iter()
        .for_each(|d| assert!(chosen.insert(d.subscriber, d.action()).is_none()));
    let ids = world.subscribers().iter().map(|s| s.id);
    ids.map(|id| world.expected_value(id, chosen.get(&id).copied()).unwrap())
        .collect()
}

#[test]
fn realised_values_have_their_expectation_and_the_oracle_is_best() {
    let start = world(3000);
    let oracle = start.oracle();
    let best: std::collections::HashMap<_, _> =
        oracle.subscribers.iter().zip(&oracle.best).collect();
    let policies = [
        ("none", decide(&start, |_| None)),
        ("random", decide(&start, |id| random(&start, id))),
        ("greedy", decide(&start, |id| greedy(&start, id))),
        ("oracle", decide(&start, |id| *best[&id])),
    ];
    let mut totals = Vec::new();
    for (name, decisions) in &policies {
        let expected = expected(&start, decisions);
        let total: f64 = expected.iter().sum();
        assert!(
            total <= oracle.total() + 1e-6,
            "{name}: {total} beats the oracle's {}",
            oracle.total()
        );
        for (value, most) in expected.iter().zip(&oracle.value) {
            assert!(
                value <= &(most + 1e-9),
                "{name}: {value} beats the oracle's {most}"
            );
        }
        let outcomes = start.clone().step(decisions).unwrap();
        // Independent across subscribers, so the mean difference has the standard error sd / sqrt(n).
        let (mean, sd, n) = moments(outcomes.value.iter().zip(&expected).map(|(v, e)| v - e));
        assert!(
            mean.abs() < 4.0 * sd / n.sqrt(),
            "{name}: realised less expected {mean}, sd {sd}"
        );
        totals.push(total);
    }
    assert!((totals[3] - oracle.total()).abs() < 1e-6);
    assert!(
        totals[3] > totals[2] && totals[3] > totals[0] * 1.001,
        "{totals:?}"
    );
    // Whoever always picks the easiest sale gives discounts to those who would have stayed and paid.
    assert!(totals[2] < totals[0], "greedy {totals:?}");
    let none: f64 = oracle.no_contact.iter().sum();
    assert!((none - totals[0]).abs() < 1e-6);
    assert!(
        oracle.best.iter().any(|b| b.is_none()),
        "some are better left alone"
    );
}

#[test]
fn acceptances_have_their_probability() {
    let start = world(4000);
    for policy in [random, greedy] {
        let decisions = decide(&start, |id| policy(&start, id));
        let chances: Vec<f64> = decisions
            .iter()
            .map(|d| {
                start
                    .response_probability(d.subscriber, d.action())
                    .unwrap()
            })
            .collect();
        let outcomes = start.clone().step(&decisions).unwrap();
        let found = outcomes.accepted.iter().filter(|&&a| a).count() as f64;
        let stated: f64 = chances.iter().sum();
        let sd = chances.iter().map(|p| p * (1.0 - p)).sum::<f64>().sqrt();
        assert!(
            (found - stated).abs() < 4.5 * sd,
            "{found} accepted, {stated} expected, sd {sd}"
        );
        // And not only on average: the ranking holds too.
        assert!(common::auc(&chances, &outcomes.accepted) > 0.6);
    }
}

#[test]
fn leaving_after_a_contact_has_the_hazard_of_its_outcome() {
    let start = world(4000);
    let decisions = decide(&start, |id| greedy(&start, id));
    let outcomes = start.clone().step(&decisions).unwrap();
    let place: std::collections::HashMap<_, _> = outcomes.subscribers.iter().zip(0..).collect();
    let (mut expected, mut variance, mut found) = (0.0, 0.0, 0.0);
    for (d, &accepted) in decisions.iter().zip(&outcomes.accepted) {
        let h = start.hazard_after(d.subscriber, d.action()).unwrap()[usize::from(accepted)];
        expected += h;
        variance += h * (1.0 - h);
        found += f64::from(u8::from(outcomes.churned[place[&d.subscriber]]));
    }
    let sd: f64 = f64::sqrt(variance);
    assert!(
        (found - expected).abs() < 4.5 * sd,
        "{found} left, {expected} expected, sd {sd}"
    );
}

#[test]
fn expected_value_is_its_formula() {
    let start = world(500);
    let (config, s) = (start.config(), &start.subscribers()[7]);
    for action in start.actions(s.id).unwrap().into_iter().step_by(17) {
        let p = start.response_probability(s.id, action).unwrap();
        let [refused, accepted] = start.hazard_after(s.id, action).unwrap();
        let offer = &config.offers[action.offer];
        let kept = config.value.discount * (1.0 - s.hazard);
        let a = |n: u32| (0..n).map(|k| kept.powi(k as i32)).sum::<f64>();
        let w = config.value.margin * f64::from(s.revenue_level) * a(config.value.horizon_months);
        let m =
            (offer.price - offer.cost) * a(offer.duration_months.min(config.value.horizon_months));
        let by_hand = -config.channels[action.channel as usize].cost
            + (1.0 - p) * (1.0 - refused) * w
            + p * ((1.0 - accepted) * (w + m) - offer.setup_cost);
        let value = start.expected_value(s.id, Some(action)).unwrap();
        assert!(
            (value - by_hand).abs() < 1e-9 * by_hand.abs().max(1.0),
            "{value} {by_hand}"
        );
        assert!(
            (start.expected_value(s.id, None).unwrap() - (1.0 - s.hazard) * w).abs() < 1e-9 * w
        );
    }
}

#[test]
fn what_happens_to_one_does_not_depend_on_the_others() {
    let start = world(2000);
    let all = decide(&start, |id| random(&start, id));
    let some: Vec<Decision> = all
        .iter()
        .copied()
        .filter(|d| d.subscriber % 3 == 0)
        .collect();
    let (mut many, mut few) = (start.clone(), start.clone());
    let (many_outcomes, few_outcomes) = (many.step(&all).unwrap(), few.step(&some).unwrap());
    let accepted: Vec<bool> = all
        .iter()
        .zip(&many_outcomes.accepted)
        .filter(|(d, _)| d.subscriber % 3 == 0)
        .map(|(_, &a)| a)
        .collect();
    assert_eq!(accepted, few_outcomes.accepted);
    for (i, id) in few_outcomes
        .subscribers
        .iter()
        .enumerate()
        .filter(|(_, id)| *id % 3 == 0)
    {
        assert_eq!(few_outcomes.churned[i], many_outcomes.churned[i]);
        if !few_outcomes.churned[i] {
            assert_eq!(few.subscriber(*id).unwrap(), many.subscriber(*id).unwrap());
        }
    }
    // Leaving is monotone in the hazard: one uniform number a month decides it.
    let none = start.clone().step(&[]).unwrap();
    for (i, id) in none.subscribers.iter().enumerate() {
        let before = start.subscriber(*id).unwrap().hazard;
        if none.churned[i] && !many_outcomes.churned[i] {
            let action = all.iter().find(|d| d.subscriber == *id).unwrap().action();
            assert!(start.hazard_after(*id, action).unwrap()[1] < before);
        }
    }
}

#[test]
fn contacts_tire_and_acceptance_has_its_effects() {
    let start = world(2000);
    let decisions = decide(&start, |id| random(&start, id));
    for d in &decisions {
        let hazard = start.subscriber(d.subscriber).unwrap().hazard;
        assert!(
            start.hazard_after(d.subscriber, d.action()).unwrap()[0] > hazard,
            "a refused contact raises the hazard"
        );
    }
    let (mut contacted, mut alone) = (start.clone(), start.clone());
    let outcomes = contacted.step(&decisions).unwrap();
    let quiet = alone.step(&[]).unwrap();
    let mut checked = [0, 0];
    for (d, &accepted) in decisions.iter().zip(&outcomes.accepted) {
        let (Ok(s), Ok(twin)) = (
            contacted.subscriber(d.subscriber),
            alone.subscriber(d.subscriber),
        ) else {
            continue;
        };
        let offer = &start.config().offers[d.offer];
        checked[usize::from(accepted)] += 1;
        if accepted {
            assert!(s.contract_left + 1 >= offer.contract_months as u16);
            assert_eq!(usize::from(s.offer) == d.offer, offer.duration_months > 1);
        } else {
            let action = |w: &World| w.response_probability(d.subscriber, d.action());
            // Whoever got a new device or contract meanwhile may not be eligible any more.
            if let (Ok(tired), Ok(rested)) = (action(&contacted), action(&alone)) {
                assert!(tired < rested, "fatigue lowers the response");
            }
            let ratio = s.contact_stock - twin.contact_stock;
            let added =
                start.config().channels[d.channel as usize].fatigue * start.config().response.decay;
            assert!((f64::from(ratio) - added).abs() < 1e-6);
        }
    }
    assert!(checked[0] > 1000 && checked[1] > 20, "{checked:?}");
    // Costs: the contact, and what was taken; revenue differs by the price of what runs.
    let spent: f64 = outcomes.cost.iter().sum::<f64>() - quiet.cost.iter().sum::<f64>();
    let contacts: f64 = decisions
        .iter()
        .map(|d| start.config().channels[d.channel as usize].cost)
        .sum();
    assert!(spent >= contacts - 1e-9, "{spent} {contacts}");
}

#[test]
fn wrong_decisions_are_refused_by_name_and_change_nothing() {
    let mut start = world(300);
    let id = start
        .subscribers()
        .iter()
        .find(|s| s.is_prepaid(start.config()))
        .unwrap()
        .id;
    let good = Decision::new(id, start.actions(id).unwrap()[0]);
    let before = start.snapshot();
    let offer = |name: &str| {
        start
            .config()
            .offers
            .iter()
            .position(|o| o.name == name)
            .unwrap()
    };
    let (family, bonus) = (offer("family line"), offer("top-up bonus"));
    let name = start.subscriber(id).unwrap().name();
    for (decisions, expected) in [
        (
            vec![Decision {
                subscriber: 0,
                ..good
            }],
            "decisions[0].subscriber: no subscriber has ever had the id 0".into(),
        ),
        (
            vec![good, Decision { offer: 99, ..good }],
            "decisions[1].offer: the catalogue has offers 0 to 10, found 99".into(),
        ),
        (
            vec![Decision { slot: 12, ..good }],
            "decisions[0].slot: expected 0 to 11, found 12".into(),
        ),
        (
            vec![Decision {
                offer: family,
                channel: Channel::Sms,
                ..good
            }],
            format!(
                "decisions[0]: {name} is not eligible: Postpaid does not hold (offer \"family line\" by Sms)"
            ),
        ),
        (
            vec![good, good],
            format!("decisions[1]: {name} would get more than 1 contacts this month"),
        ),
    ] {
        assert_eq!(start.step(&decisions).unwrap_err().to_string(), expected);
    }
    assert!(
        start
            .response_probability(
                id,
                Action {
                    offer: bonus,
                    channel: Channel::Sms,
                    slot: 0
                }
            )
            .is_ok()
    );
    assert_eq!(start.snapshot().clean, before.clean);
    assert_eq!(start.month(), before.month);
}

#[test]
fn weekly_profiles_are_shares() {
    let world = world(50);
    for s in world.subscribers() {
        let profile = world.weekly_profile(s.id).unwrap();
        assert!((profile.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!((profile[120..].iter().sum::<f64>() - s.weekend_share()).abs() < 1e-9);
        assert!(profile.iter().all(|&p| p > 0.0));
    }
}
