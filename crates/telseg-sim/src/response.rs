//! Who accepts what, where and when; and what a contact does to the one who is contacted.

use telseg_core::{Error, Result, Seed};

use crate::config::{Channel, Condition, DAYPARTS, Offer, Quantity, WorldConfig};
use crate::draw;
use crate::subscriber::{DATA, Subscriber, VOICE};

/// Number of time slots: six parts of the day on weekdays, then six on weekends.
pub const N_SLOTS: usize = 2 * DAYPARTS.len();

/// What can be done with one subscriber in a month: one offer through one channel in one time slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_structs)]
pub struct Action {
    /// Index into the catalogue.
    pub offer: usize,
    /// Channel.
    pub channel: Channel,
    /// Time slot: the part of the day (0..6, see [`DAYPARTS`]), plus 6 on weekends.
    pub slot: usize,
}

/// An action for a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_structs)]
pub struct Decision {
    /// The subscriber's id.
    pub subscriber: u64,
    /// Index into the catalogue.
    pub offer: usize,
    /// Channel.
    pub channel: Channel,
    /// Time slot, as in [`Action::slot`].
    pub slot: usize,
}

impl Decision {
    /// The action for the subscriber with this id.
    pub fn new(subscriber: u64, action: Action) -> Self {
        let Action {
            offer,
            channel,
            slot,
        } = action;
        Self {
            subscriber,
            offer,
            channel,
            slot,
        }
    }

    /// The action without the subscriber.
    pub fn action(&self) -> Action {
        Action {
            offer: self.offer,
            channel: self.channel,
            slot: self.slot,
        }
    }
}

/// A subscriber's tastes: archetype plus own deviations, the same in every month.
#[derive(Clone, Debug)]
pub(crate) struct Taste {
    appetite: [f64; 8],
    channels: [f64; 5],
    slots: [f64; N_SLOTS],
}

impl Taste {
    pub(crate) fn of(config: &WorldConfig, seed: Seed, s: &Subscriber) -> Self {
        let mut rng = seed.stream("sim.taste").index(s.id);
        let (a, b) = (
            &config.archetypes[s.archetype as usize],
            &config.archetypes[s.second as usize],
        );
        let blend = |x: f64, y: f64| f64::from(s.weight) * x + (1.0 - f64::from(s.weight)) * y;
        let r = &config.response;
        let mut own = |sd: f64| sd * draw::normal(&mut rng);
        let appetite =
            std::array::from_fn(|i| blend(a.appetite[i], b.appetite[i]) + own(r.taste_sd));
        let channels =
            std::array::from_fn(|i| blend(a.channels[i], b.channels[i]) + own(r.channel_sd));
        let dayparts = dayparts(config, s);
        let weekend = s.weekend_share();
        let slots = std::array::from_fn(|slot| {
            let days = if slot < 6 {
                (1.0 - weekend) * 7.0 / 5.0
            } else {
                weekend * 7.0 / 2.0
            };
            r.slot * (dayparts[slot % 6] * 6.0 * days).ln() + own(r.slot_sd)
        });
        Self {
            appetite,
            channels,
            slots,
        }
    }

    /// Acceptance log-odds without the slot, which adds its own term.
    fn score(&self, config: &WorldConfig, s: &Subscriber, offer: &Offer, channel: Channel) -> f64 {
        let (r, c) = (&config.response, channel as usize);
        let taste: f64 = self
            .appetite
            .iter()
            .zip(&offer.attributes)
            .map(|(a, b)| a * b)
            .sum();
        let dear = offer.price / f64::from(s.revenue_level).max(5.0) * s.price_sensitivity();
        offer.intercept
            + config.channels[c].intercept
            + config.channels[c].per_decade * (f64::from(s.age) - 45.0) / 10.0
            + self.channels[c]
            + r.taste * taste
            - r.price * dear.clamp(-1.0, 2.0)
            - r.fatigue * f64::from(s.contact_stock)
            + r.satisfaction * f64::from(s.satisfaction)
    }

    /// Probability of accepting in each slot.
    pub(crate) fn by_slot(
        &self,
        config: &WorldConfig,
        s: &Subscriber,
        offer: &Offer,
        channel: Channel,
    ) -> [f64; N_SLOTS] {
        let score = self.score(config, s, offer, channel);
        self.slots.map(|slot| draw::sigmoid(score + slot))
    }

    /// Probability of accepting an action.
    pub(crate) fn probability(&self, config: &WorldConfig, s: &Subscriber, action: Action) -> f64 {
        let score = self.score(config, s, &config.offers[action.offer], action.channel);
        draw::sigmoid(score + self.slots[action.slot])
    }
}

/// Own shares of activity of the parts of the day; their sum is 1.
pub(crate) fn dayparts(config: &WorldConfig, s: &Subscriber) -> [f64; 6] {
    let (a, b) = (
        &config.archetypes[s.archetype as usize],
        &config.archetypes[s.second as usize],
    );
    let (total_a, total_b) = (
        a.dayparts.iter().sum::<f64>(),
        b.dayparts.iter().sum::<f64>(),
    );
    let w = f64::from(s.weight);
    std::array::from_fn(|i| w * a.dayparts[i] / total_a + (1.0 - w) * b.dayparts[i] / total_b)
}

/// Why an offer through a channel is not for a subscriber; `None` when it is.
pub(crate) fn obstacle(
    config: &WorldConfig,
    s: &Subscriber,
    offer: usize,
    channel: Channel,
) -> Option<String> {
    if usize::from(s.offer) == offer {
        return Some("has this offer running".into());
    }
    if channel == Channel::Push && s.device_class == 0 {
        return Some("has no smartphone, which push messages need".into());
    }
    let rule = config.offers[offer]
        .eligible
        .iter()
        .find(|c| !holds(config, s, c))?;
    Some(format!("is not eligible: {rule:?} does not hold"))
}

fn holds(config: &WorldConfig, s: &Subscriber, condition: &Condition) -> bool {
    match *condition {
        Condition::Prepaid => s.is_prepaid(config),
        Condition::Postpaid => !s.is_prepaid(config),
        Condition::Smartphone => s.device_class > 0,
        Condition::FiveG => s.five_g,
        Condition::WithoutFiveG => !s.five_g,
        Condition::AtLeast(quantity, least) => measure(s, quantity) >= least,
        Condition::AtMost(quantity, most) => measure(s, quantity) <= most,
    }
}

fn measure(s: &Subscriber, quantity: Quantity) -> f64 {
    match quantity {
        Quantity::Age => s.age.into(),
        Quantity::Tenure => s.tenure.into(),
        Quantity::ContractLeft => s.contract_left.into(),
        Quantity::DeviceAge => s.device_age.into(),
        Quantity::Data => s.usage_level(DATA),
        Quantity::Voice => s.usage_level(VOICE),
        Quantity::Revenue => s.revenue_level.into(),
        Quantity::HouseholdSize => s.household_size.into(),
    }
}

/// Refuses actions that do not exist and offers that are not for the subscriber.
pub(crate) fn check(config: &WorldConfig, s: &Subscriber, action: Action) -> Result<()> {
    let n = config.offers.len();
    if action.offer >= n {
        let problem = format!(
            "the catalogue has offers 0 to {}, found {}",
            n as i64 - 1,
            action.offer
        );
        return Err(Error::param("offer", problem));
    }
    if action.slot >= N_SLOTS {
        return Err(Error::param(
            "slot",
            format!("expected 0 to {}, found {}", N_SLOTS - 1, action.slot),
        ));
    }
    match obstacle(config, s, action.offer, action.channel) {
        None => Ok(()),
        Some(why) => {
            let name = &config.offers[action.offer].name;
            Err(Error::data(
                "decision",
                format!(
                    "{} {why} (offer {name:?} by {:?})",
                    s.name(),
                    action.channel
                ),
            ))
        }
    }
}

/// What being contacted does, accepted or not.
pub(crate) fn contact(config: &WorldConfig, s: &mut Subscriber, channel: Channel) {
    s.contact_stock += config.channels[channel as usize].fatigue as f32;
}

/// What accepting does.
pub(crate) fn accept(config: &WorldConfig, s: &mut Subscriber, offer: usize) {
    let taken = &config.offers[offer];
    s.offer = offer as u16;
    s.offer_left = taken.duration_months.min(u32::from(u16::MAX)) as u16;
    s.contract_left = s
        .contract_left
        .max(taken.contract_months.min(u32::from(u16::MAX)) as u16);
    s.satisfaction += taken.satisfaction as f32;
}

/// The common random number of a potential outcome: the same whatever else is decided.
pub(crate) fn chance_number(seed: Seed, id: u64, month: u32, action: Action) -> f64 {
    let index =
        (action.offer * Channel::ALL.len() + action.channel as usize) * N_SLOTS + action.slot;
    seed.stream("sim.response")
        .child(id)
        .child(month.into())
        .unit(index as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subscriber::Births;

    /// A subscriber of the archetype that changes nothing.
    fn neutral() -> (WorldConfig, Subscriber) {
        let mut config = WorldConfig::default();
        config.archetypes = vec![crate::config::Archetype::default()];
        config.archetypes[0].dayparts = [1.0; 6];
        let births = Births::new(&config, Seed::new(1));
        let mut s = births.draw(&config, 1, false);
        (s.age, s.satisfaction, s.contact_stock, s.revenue_level) = (45.0, 0.0, 0.0, 20.0);
        (config, s)
    }

    #[test]
    fn acceptance_is_its_formula() {
        let (mut config, mut s) = neutral();
        (
            config.response.taste_sd,
            config.response.channel_sd,
            config.response.slot_sd,
        ) = (0.0, 0.0, 0.0);
        config.response.slot = 0.0;
        config.archetypes[0].appetite[0] = 0.5;
        let action = Action {
            offer: 0,
            channel: Channel::Sms,
            slot: 3,
        };
        let log_odds = |config: &WorldConfig, s: &Subscriber| {
            draw::logit(Taste::of(config, Seed::new(1), s).probability(config, s, action))
        };
        // Data booster by SMS: -3.2 + 0 + 1.1 * 0.5 * 1.0 - 0.9 * 4 / 20 * sensitivity.
        let dear = 0.9 * 4.0 / 20.0 * s.price_sensitivity();
        assert!((log_odds(&config, &s) - (-3.2 + 0.55 - dear)).abs() < 1e-9);
        let before = log_odds(&config, &s);
        (s.contact_stock, s.satisfaction) = (2.0, 1.5);
        // Two contacts at 0.35 each, satisfaction at 0.2.
        assert!((log_odds(&config, &s) - (before - 0.7 + 0.3)).abs() < 1e-6);
        contact(&config, &mut s, Channel::Call);
        assert_eq!(s.contact_stock, 4.0);
    }

    #[test]
    fn own_tastes_scatter_as_stated() {
        let (config, s) = neutral();
        let n = 20_000u64;
        let tastes: Vec<Taste> = (1..=n)
            .map(|id| Taste::of(&config, Seed::new(4), &Subscriber { id, ..s.clone() }))
            .collect();
        let r = &config.response;
        // Even parts of the day: only the weekend share moves the mean.
        let weekday = r.slot * ((1.0 - s.weekend_share()) * 7.0 / 5.0).ln();
        for (values, mean, sd) in [
            (
                tastes.iter().map(|t| t.appetite[3]).collect::<Vec<_>>(),
                0.0,
                r.taste_sd,
            ),
            (
                tastes.iter().map(|t| t.channels[2]).collect(),
                0.0,
                r.channel_sd,
            ),
            (
                tastes.iter().map(|t| t.slots[1]).collect(),
                weekday,
                r.slot_sd,
            ),
        ] {
            let found = values.iter().sum::<f64>() / n as f64;
            let spread =
                (values.iter().map(|v| (v - found).powi(2)).sum::<f64>() / n as f64).sqrt();
            // Five standard errors: sd / sqrt(n) of the mean, sd / sqrt(2 n) of the standard deviation.
            assert!(
                (found - mean).abs() < 5.0 * sd / (n as f64).sqrt(),
                "{found} {mean}"
            );
            assert!(
                (spread - sd).abs() < 5.0 * sd / (2.0 * n as f64).sqrt(),
                "{spread} {sd}"
            );
        }
    }

    #[test]
    fn rules_are_looked_up_by_their_quantity() {
        let (config, mut s) = neutral();
        (s.tenure, s.device_class) = (6, 0);
        assert!(holds(
            &config,
            &s,
            &Condition::AtLeast(Quantity::Tenure, 6.0)
        ));
        assert!(!holds(
            &config,
            &s,
            &Condition::AtLeast(Quantity::Tenure, 6.5)
        ));
        assert!(holds(&config, &s, &Condition::AtMost(Quantity::Age, 45.0)));
        assert!(!holds(&config, &s, &Condition::Smartphone));
        assert_eq!(
            holds(&config, &s, &Condition::Prepaid),
            s.is_prepaid(&config)
        );
        let offer = config
            .offers
            .iter()
            .position(|o| o.eligible.is_empty())
            .unwrap_or(0);
        assert!(
            obstacle(&config, &s, offer, Channel::Push)
                .is_some_and(|why| why.contains("no smartphone"))
        );
        assert_eq!(obstacle(&config, &s, offer, Channel::Sms), None);
        s.offer = offer as u16;
        assert_eq!(
            obstacle(&config, &s, offer, Channel::Sms).as_deref(),
            Some("has this offer running")
        );
    }
}
