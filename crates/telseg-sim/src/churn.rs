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
