//! What a decision is worth in expectation, and what the best one would have earned.

use telseg_core::Seed;

use crate::churn;
use crate::config::{Channel, WorldConfig};
use crate::response::{self, Action, Taste};
use crate::subscriber::Subscriber;

/// The best that could have been decided for each subscriber, in expectation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Oracle {
    /// Ids, in the order of the base.
    pub subscribers: Vec<u64>,
    /// Best action; `None` = no contact.
    pub best: Vec<Option<Action>>,
    /// Expected value of the best action.
    pub value: Vec<f64>,
    /// Expected value of no contact.
    pub no_contact: Vec<f64>,
}

impl Oracle {
    /// Sum of the best values: what the best policy earns in expectation.
    pub fn total(&self) -> f64 {
        self.value.iter().sum()
    }
}

/// A subscriber's worth as seen from the end of a month.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worth {
    /// Chance of staying, without contact.
    stay: f64,
    /// Expected margin over the horizon of one who stays next month.
    pub(crate) base: f64,
    /// Discounted chance of being there a month later.
    kept: f64,
}

impl Worth {
    pub(crate) fn of(config: &WorldConfig, s: &Subscriber, hazard: f64) -> Self {
        let v = &config.value;
        let kept = v.discount * (1.0 - hazard);
        let margin = v.margin * f64::from(s.revenue_level);
        Self {
            stay: 1.0 - hazard,
            base: margin * annuity(kept, v.horizon_months),
            kept,
        }
    }

    /// Margin of an offer over what counts of its duration.
    pub(crate) fn offer(&self, config: &WorldConfig, offer: usize) -> f64 {
        let taken = &config.offers[offer];
        taken.margin()
            * annuity(
                self.kept,
                taken.duration_months.min(config.value.horizon_months),
            )
    }

    /// Value of no contact.
    pub(crate) fn alone(&self) -> f64 {
        self.stay * self.base
    }
}

/// `1 + q + ... + q^(n-1)`.
fn annuity(q: f64, n: u32) -> f64 {
    if (1.0 - q).abs() < 1e-9 {
        f64::from(n)
    } else {
        (1.0 - q.powi(n as i32)) / (1.0 - q)
    }
}

/// The two possible outcomes of a contact: value without and with acceptance.
fn outcomes(
    config: &WorldConfig,
    s: &Subscriber,
    pressure: f64,
    worth: &Worth,
    offer: usize,
    channel: Channel,
) -> [f64; 2] {
    let stay =
        |s: &Subscriber| 1.0 - churn::hazard(config.churn.link, churn::score(config, s, pressure));
    let mut after = s.clone();
    response::contact(config, &mut after, channel);
    let refused = stay(&after) * worth.base;
    response::accept(config, &mut after, offer);
    let accepted =
        stay(&after) * (worth.base + worth.offer(config, offer)) - config.offers[offer].setup_cost;
    let cost = config.channels[channel as usize].cost;
    [refused - cost, accepted - cost]
}

/// Expected value of an action, or of none.
pub(crate) fn expected(
    config: &WorldConfig,
    seed: Seed,
    s: &Subscriber,
    pressure: f64,
    action: Option<Action>,
) -> f64 {
    let worth = Worth::of(config, s, s.hazard);
    let Some(action) = action else {
        return worth.alone();
    };
    let [refused, accepted] = outcomes(config, s, pressure, &worth, action.offer, action.channel);
    let p = Taste::of(config, seed, s).probability(config, s, action);
    (1.0 - p) * refused + p * accepted
}

/// The best of all actions that are open, and its value; the first in catalogue order on ties.
pub(crate) fn best(
    config: &WorldConfig,
    seed: Seed,
    s: &Subscriber,
    pressure: f64,
) -> (Option<Action>, f64) {
    let worth = Worth::of(config, s, s.hazard);
    let taste = Taste::of(config, seed, s);
    let mut best = (None, worth.alone());
    for (offer, channel) in open(config, s) {
        let [refused, accepted] = outcomes(config, s, pressure, &worth, offer, channel);
        let chances = taste.by_slot(config, s, &config.offers[offer], channel);
        for (slot, p) in chances.into_iter().enumerate() {
            let value = (1.0 - p) * refused + p * accepted;
            if value > best.1 {
                best = (
                    Some(Action {
                        offer,
                        channel,
                        slot,
                    }),
                    value,
                );
            }
        }
    }
    best
}

/// Offers and channels that are open to a subscriber.
pub(crate) fn open<'a>(
    config: &'a WorldConfig,
    s: &'a Subscriber,
) -> impl Iterator<Item = (usize, Channel)> + 'a {
    (0..config.offers.len())
        .flat_map(|offer| Channel::ALL.map(|channel| (offer, channel)))
        .filter(|&(offer, channel)| response::obstacle(config, s, offer, channel).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annuity_is_the_sum_of_powers() {
        // 1 + 1/2 + 1/4 = 7/4.
        assert!((annuity(0.5, 3) - 1.75).abs() < 1e-15);
        assert_eq!((annuity(1.0, 7), annuity(0.0, 4)), (7.0, 1.0));
    }
}
