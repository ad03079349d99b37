//! The hazard of leaving next month: a function of the state at the end of this month, and of nothing else.

use crate::config::{Churn, Link, WorldConfig};
use crate::draw;
use crate::subscriber::{CHURN, NO_OFFER, Subscriber};

/// The linear score x of the hazard, with the terms that `config.churn` documents.
pub(crate) fn score(config: &WorldConfig, s: &Subscriber, pressure: f64) -> f64 {
    let c = &config.churn;
    let clip = |value: f32, low: f64, high: f64| f64::from(value).clamp(low, high);
    let dropped = (f64::from(s.dropped) / config.service.dropped_rate)
        .ln()
        .clamp(-1.5, 1.5);
    let competition = config.regions[usize::from(s.region)].competition;
    c.intercept
        + f64::from(s.traits[CHURN])
        + c.new * (-f64::from(s.tenure) / c.new_months).exp()
        + contract(config, s, s.contract_left)
        + c.bill_shock * clip(s.bill_shock, 0.0, 1.5)
        + c.care * clip(s.care, 0.0, 5.0)
        + c.complaint * clip(s.complaints, 0.0, 3.0)
        + c.dropped * dropped
        + c.decline * clip(s.usage_slow - s.usage_fast, -0.6, 1.5)
        + c.pressure * pressure * s.price_sensitivity() * competition
        + c.late * clip(s.late / 10.0, 0.0, 3.0)
        + c.satisfaction * f64::from(s.satisfaction)
        + fatigue(c, s.contact_stock.into(), s.satisfaction.into())
        + running(config, s.offer)
}

/// The hazard at a score.
pub(crate) fn hazard(link: Link, score: f64) -> f64 {
    match link {
        Link::Logit => draw::sigmoid(score),
        Link::Cloglog => -(-score.exp()).exp_m1(),
    }
}

/// The contract's term with `left` months to go.
pub(crate) fn contract(config: &WorldConfig, s: &Subscriber, left: u16) -> f64 {
    let c = &config.churn;
    match u32::from(left) {
        0 if s.is_prepaid(config) => 0.0,
        0 => c.free,
        months if months <= c.contract_window => c.ending,
        _ => c.bound,
    }
}

/// What the stock of contacts adds; those who are unhappy take it worse.
pub(crate) fn fatigue(c: &Churn, stock: f64, satisfaction: f64) -> f64 {
    c.fatigue * stock * (1.0 + 0.5 * (-satisfaction).max(0.0))
}

/// What the running offer adds.
pub(crate) fn running(config: &WorldConfig, offer: u16) -> f64 {
    if offer == NO_OFFER {
        0.0
    } else {
        config.offers[usize::from(offer)].churn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A driver of the score: its name, its part of the score, and the change that adds one unit of it.
    type Driver = (&'static str, f64, fn(&mut Subscriber));

    #[test]
    fn each_driver_adds_what_its_coefficient_says() {
        let config = WorldConfig::default().with_n_subscribers(200);
        let world = crate::World::new(config.clone(), 1).expect("the default world is valid");
        let c = &config.churn;
        let free = |s: &&Subscriber| s.contract_left == 0 && !s.is_prepaid(&config);
        let mut calm = world
            .subscribers()
            .iter()
            .find(free)
            .expect("one is free")
            .clone();
        (calm.bill_shock, calm.care, calm.complaints, calm.late) = (0.0, 0.0, 0.0, 0.0);
        (calm.usage_fast, calm.usage_slow, calm.satisfaction) = (1.0, 1.0, 0.0);
        (calm.dropped, calm.contact_stock) = (config.service.dropped_rate as f32, 0.0);
        (calm.offer, calm.tenure) = (NO_OFFER, 600);
        let drivers: [Driver; 10] = [
            ("trait", 1.0, |s| s.traits[CHURN] += 1.0),
            ("bill shock", c.bill_shock, |s| s.bill_shock = 1.0),
            ("care", c.care, |s| s.care = 1.0),
            ("complaints", c.complaint, |s| s.complaints = 1.0),
            ("dropped calls", c.dropped * 2f64.ln(), |s| s.dropped *= 2.0),
            ("decline", c.decline * 0.5, |s| s.usage_fast = 0.5),
            ("late payment", c.late, |s| s.late = 10.0),
            ("satisfaction", c.satisfaction, |s| s.satisfaction = 1.0),
            ("contacts", c.fatigue, |s| s.contact_stock = 1.0),
            ("contract", c.bound - c.free, |s| s.contract_left = 60),
        ];
        let base = score(&config, &calm, 0.0);
        for (name, expected, change) in drivers {
            let mut moved = calm.clone();
            change(&mut moved);
            let found = score(&config, &moved, 0.0) - base;
            assert!(
                (found - expected).abs() < 1e-6,
                "{name}: {found}, not {expected}"
            );
        }
        // What drives people away has a positive coefficient, what keeps them a negative one.
        for (name, part) in [
            ("bill shock", c.bill_shock),
            ("care", c.care),
            ("complaints", c.complaint),
            ("dropped calls", c.dropped),
            ("decline", c.decline),
            ("late payment", c.late),
            ("dissatisfaction", -c.satisfaction),
            ("contacts", c.fatigue),
            ("a contract that ends", c.ending - c.bound),
            ("competitors", c.pressure),
        ] {
            assert!(part > 0.0, "{name}: {part}");
        }
        let competition = config.regions[usize::from(calm.region)].competition;
        let pressed = score(&config, &calm, 1.0) - base;
        let expected = c.pressure * calm.price_sensitivity() * competition;
        assert!((pressed - expected).abs() < 1e-9, "{pressed} {expected}");
        let offered = |s: &Subscriber, offer| {
            let mut s = s.clone();
            s.offer = offer;
            score(&config, &s, 0.0) - base
        };
        for (i, offer) in config.offers.iter().enumerate() {
            assert!((offered(&calm, i as u16) - offer.churn).abs() < 1e-9);
        }
    }

    #[test]
    fn links_at_known_points() {
        assert_eq!(hazard(Link::Logit, 0.0), 0.5);
        // 1 - exp(-exp(0)) = 1 - 1/e.
        assert!((hazard(Link::Cloglog, 0.0) - 0.632_120_558_828_557_7).abs() < 1e-15);
        // For small hazards the links agree: exp(x) to first order.
        for link in [Link::Logit, Link::Cloglog] {
            assert!((hazard(link, -10.0) / (-10f64).exp() - 1.0).abs() < 1e-4);
        }
    }
}
