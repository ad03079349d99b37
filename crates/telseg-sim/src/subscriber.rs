//! One subscriber: who they are, what they tend to do, and the state that moves from month to month.

use rand::Rng as _;
use telseg_core::Seed;
use telseg_core::seed::Rng;

use crate::config::{Archetype, Tariff, WorldConfig};
use crate::draw;

/// Number of traits of a subscriber.
pub(crate) const N_TRAITS: usize = 21;
/// Traits 0..6: ln of the monthly levels, in the order of `PerUsage`.
pub(crate) const VOICE: usize = 0;
pub(crate) const DATA: usize = 2;
pub(crate) const ABROAD_CALLS: usize = 3;
/// Log-odds of a month with international calls, and of travel.
pub(crate) const INTERNATIONAL: usize = 6;
pub(crate) const TRAVEL: usize = 7;
/// ln(peak / off-peak), ln(night / off-peak), log-odds of the weekend.
pub(crate) const PEAK: usize = 8;
pub(crate) const NIGHT: usize = 9;
pub(crate) const WEEKEND: usize = 10;
/// Traits 11..16: ln(app share / other share).
pub(crate) const APPS_AT: usize = 11;
/// ln(care contacts per month) and log-odds of paying late.
pub(crate) const CARE: usize = 16;
pub(crate) const LATE: usize = 17;
pub(crate) const SATISFACTION: usize = 18;
pub(crate) const PRICE: usize = 19;
pub(crate) const CHURN: usize = 20;

/// A point on the scale on which subscribers are drawn.
pub(crate) type Traits = [f32; N_TRAITS];

/// No offer runs.
pub(crate) const NO_OFFER: u16 = u16::MAX;

/// Levels of the categorical columns that no configuration changes.
pub const GENDERS: [&str; 2] = ["F", "M"];
/// See [`GENDERS`].
pub const INCOME_BANDS: [&str; 5] = ["lowest", "lower", "middle", "upper", "highest"];
/// See [`GENDERS`].
pub const DEVICE_CLASSES: [&str; 4] = ["feature phone", "budget", "mid-range", "premium"];

/// One subscriber with everything that the simulation knows, observable or not.
///
/// This is the ground truth: models are to be fed from a [`Snapshot`](crate::Snapshot) instead.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Subscriber {
    /// Serial number, from 1; never used again.
    pub id: u64,
    /// Id of the head of the household.
    pub household: u64,
    /// Hidden group (the larger part of a mixture).
    pub archetype: u32,
    /// The other part of a mixture.
    pub second: u32,
    /// Weight of `archetype`, from 0.5 to 1.
    pub weight: f32,
    /// Age in years.
    pub age: f32,
    /// 0 = F, 1 = M.
    pub gender: u8,
    /// Index into `regions`.
    pub region: u8,
    /// Income band, 0..=4.
    pub income: u8,
    /// People in the household.
    pub household_size: u8,
    /// Index into `tariffs`.
    pub tariff: u8,
    /// 0 = feature phone, 1 = budget, 2 = mid-range, 3 = premium.
    pub device_class: u8,
    /// Device can use 5G.
    pub five_g: bool,
    /// Has retired during the simulation.
    pub retired: bool,
    /// Months since the device was new.
    pub device_age: u16,
    /// Months of the contract that are left.
    pub contract_left: u16,
    /// Months since joining.
    pub tenure: u16,
    /// Months that the simulation has seen, this one included.
    pub months_seen: u16,
    /// Own traits: the archetype's plus own deviations plus what life changed.
    pub(crate) traits: Traits,
    /// Network quality at home: ln factor of the dropped-call rate.
    pub home_network: f32,
    /// Engagement, ln factor of all usage.
    pub engagement: f32,
    /// Latent satisfaction at the end of the month.
    pub satisfaction: f32,
    /// Smoothed monthly revenue.
    pub revenue_level: f32,
    /// ln(revenue of the month / smoothed revenue before it).
    pub bill_shock: f32,
    /// Fast and slow mean of ln usage.
    pub usage_fast: f32,
    /// See `usage_fast`.
    pub usage_slow: f32,
    /// Decayed sum of care contacts.
    pub care: f32,
    /// Decayed sum of complaints.
    pub complaints: f32,
    /// Smoothed dropped-call rate.
    pub dropped: f32,
    /// Smoothed days late.
    pub late: f32,
    /// Stock of contacts.
    pub contact_stock: f32,
    /// Index of the offer that runs, `u16::MAX` for none.
    pub offer: u16,
    /// Months that it runs on.
    pub offer_left: u16,
    /// Hazard of leaving next month, given the state above and no further contact.
    pub hazard: f64,
}

/// Archetypes on the scale of the traits, and the seed's streams: what births need.
#[derive(Clone, Debug)]
pub(crate) struct Births {
    seed: Seed,
    centres: Vec<Traits>,
    base_weights: Vec<f64>,
    joiner_weights: Vec<f64>,
}

impl Births {
    pub(crate) fn new(config: &WorldConfig, seed: Seed) -> Self {
        Self {
            seed,
            centres: config.archetypes.iter().map(centre).collect(),
            base_weights: config.archetypes.iter().map(|a| a.share).collect(),
            joiner_weights: config
                .archetypes
                .iter()
                .map(|a| a.share * a.turnover)
                .collect(),
        }
    }

    /// The traits of a pure or mixed archetype, before own deviations.
    fn blend(&self, archetype: u32, second: u32, weight: f32) -> Traits {
        let (a, b) = (
            &self.centres[archetype as usize],
            &self.centres[second as usize],
        );
        std::array::from_fn(|i| weight * a[i] + (1.0 - weight) * b[i])
    }

    /// Moves a subscriber to another archetype; own deviations stay.
    pub(crate) fn migrate(&self, subscriber: &mut Subscriber, unit: f64) {
        let before = self.blend(subscriber.archetype, subscriber.second, subscriber.weight);
        let next = draw::pick(unit, self.base_weights.iter().copied()) as u32;
        (subscriber.archetype, subscriber.second, subscriber.weight) = (next, next, 1.0);
        let after = self.blend(next, next, 1.0);
        for (own, (a, b)) in subscriber.traits.iter_mut().zip(after.iter().zip(before)) {
            *own += a - b;
        }
    }

    /// A subscriber as of joining (`joins`), or as of the start of the world with a past behind them.
    pub(crate) fn draw(&self, config: &WorldConfig, id: u64, joins: bool) -> Subscriber {
        let mut rng = self.seed.stream("sim.birth").index(id);
        let weights = if joins {
            &self.joiner_weights
        } else {
            &self.base_weights
        };
        let population = &config.population;
        let archetype = draw::pick(rng.random(), weights.iter().copied()) as u32;
        let (mut second, mut weight) = (archetype, 1.0f32);
        if draw::chance(&mut rng, population.mixture) {
            let [low, high] = population.mixture_weight;
            second = draw::pick(rng.random(), weights.iter().copied()) as u32;
            weight = (low + (high - low) * rng.random::<f64>()) as f32;
        }
        let group = &config.archetypes[archetype as usize];
        let mut traits = self.blend(archetype, second, weight);
        scatter(&mut traits, config, group.spread, &mut rng);
        let (head, member) = self.household(config, id);
        let mut home = self.seed.stream("sim.household").index(head);
        let region = draw::pick(home.random(), config.regions.iter().map(|r| r.share));
        let mut subscriber = Subscriber {
            id,
            household: head,
            archetype,
            second,
            weight,
            age: (group.age_mean + group.age_sd * draw::normal(&mut rng)).clamp(16.0, 95.0) as f32,
            gender: u8::from(!draw::chance(&mut rng, group.female)),
            region: region as u8,
            income: (0..4)
                .map(|_| u8::from(draw::chance(&mut rng, group.income / 4.0)))
                .sum(),
            household_size: (1.0 + draw::poisson(&mut rng, group.household_size - 1.0)).min(8.0)
                as u8,
            tariff: choose_tariff(config, group, &mut rng),
            device_class: 0,
            five_g: false,
            retired: false,
            device_age: 0,
            contract_left: 0,
            tenure: 0,
            months_seen: 0,
            traits,
            home_network: (config.service.dropped_sd * draw::normal(&mut rng)) as f32,
            engagement: 0.0,
            satisfaction: traits[SATISFACTION],
            revenue_level: 0.0,
            bill_shock: 0.0,
            usage_fast: 0.0,
            usage_slow: 0.0,
            care: 0.0,
            complaints: 0.0,
            dropped: config.service.dropped_rate as f32,
            late: 0.0,
            contact_stock: 0.0,
            offer: NO_OFFER,
            offer_left: 0,
            hazard: 0.0,
        };
        if member {
            subscriber.household_size = subscriber.household_size.max(2);
        }
        device(&mut subscriber, config, group, &mut rng);
        past(&mut subscriber, config, group, joins, &mut rng);
        subscriber
    }

    /// The head of an id's household: the first id of its block of four, for a share of the others.
    fn household(&self, config: &WorldConfig, id: u64) -> (u64, bool) {
        let head = (id - 1) / 4 * 4 + 1;
        let member = id != head
            && self.seed.stream("sim.member").unit(id) < config.population.shared_household;
        (if member { head } else { id }, member)
    }
}

/// An archetype on the scale of the traits.
fn centre(a: &Archetype) -> Traits {
    let off_peak = 1.0 - a.peak_share - a.night_share;
    let other = 1.0 - a.apps.iter().sum::<f64>();
    let usage = a.usage.to_array();
    let mut traits = [0.0; N_TRAITS];
    for (trait_value, level) in traits.iter_mut().zip(usage) {
        *trait_value = level.ln() as f32;
    }
    traits[INTERNATIONAL] = draw::logit(a.international) as f32;
    traits[TRAVEL] = draw::logit(a.travel) as f32;
    traits[PEAK] = (a.peak_share / off_peak).ln() as f32;
    traits[NIGHT] = (a.night_share / off_peak).ln() as f32;
    traits[WEEKEND] = draw::logit(a.weekend_share) as f32;
    for (trait_value, share) in traits[APPS_AT..CARE].iter_mut().zip(a.apps) {
        *trait_value = (share / other).ln() as f32;
    }
    traits[CARE] = a.care_rate.ln() as f32;
    traits[LATE] = draw::logit(a.late) as f32;
    traits[SATISFACTION] = a.satisfaction as f32;
    traits[PRICE] = a.price_sensitivity as f32;
    traits[CHURN] = a.churn as f32;
    traits
}

/// Adds own deviations.
fn scatter(traits: &mut Traits, config: &WorldConfig, spread: f64, rng: &mut Rng) {
    let p = &config.population;
    let activity = p.activity_sd * draw::normal(rng);
    for (i, value) in traits.iter_mut().enumerate() {
        let sd = match i {
            0..=5 => spread,
            INTERNATIONAL | TRAVEL | CARE | LATE => p.rate_sd,
            PEAK | NIGHT | WEEKEND => p.time_sd,
            APPS_AT..CARE => p.apps_sd,
            SATISFACTION => p.satisfaction_sd,
            PRICE => p.price_sd,
            _ => 0.0,
        };
        let shared = if i < INTERNATIONAL && i != ABROAD_CALLS {
            activity
        } else {
            0.0
        };
        *value += (shared + sd * draw::normal(rng)) as f32;
    }
}

/// The tariff of the drawn kind whose tier is nearest to the wanted one.
fn choose_tariff(config: &WorldConfig, group: &Archetype, rng: &mut Rng) -> u8 {
    let prepaid = draw::chance(rng, group.prepaid);
    let wanted = group.tier + config.population.tier_sd * draw::normal(rng);
    let distance = |t: &Tariff| (t.tier - wanted).abs();
    let of_kind = config
        .tariffs
        .iter()
        .enumerate()
        .filter(|(_, t)| t.prepaid == prepaid);
    of_kind
        .min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)))
        .map_or(0, |(i, _)| i as u8)
}

/// The device: class by wanted tier, age exponential with mean 20 months (at most 72), 5G by class and age.
fn device(s: &mut Subscriber, config: &WorldConfig, group: &Archetype, rng: &mut Rng) {
    let wanted = group.device_tier + config.population.device_sd * draw::normal(rng);
    s.device_class = [0.15, 0.45, 0.75]
        .iter()
        .map(|&limit| u8::from(wanted >= limit))
        .sum();
    s.device_age = (20.0 * draw::exponential(rng)).min(72.0) as u16;
    let share = [0.0, 0.25, 0.70, 0.95][usize::from(s.device_class)];
    s.five_g = draw::chance(rng, share) && s.device_age < 48;
}

/// Tenure and contract of the starting base; a joiner has a fresh contract.
fn past(s: &mut Subscriber, config: &WorldConfig, group: &Archetype, joins: bool, rng: &mut Rng) {
    let contract = config.tariffs[usize::from(s.tariff)].contract_months as u16;
    if joins {
        s.contract_left = contract;
        return;
    }
    s.tenure = (draw::exponential(rng) / group.turnover).min(240.0) as u16;
    // Within the first contract: what is left of it; later, half have renewed at some time.
    s.contract_left = match contract {
        0 => 0,
        months if s.tenure < months => months - s.tenure,
        months if draw::chance(rng, 0.5) => rng.random_range(1..=months),
        _ => 0,
    };
}

impl Subscriber {
    /// The name by which tables know the subscriber: "S0000001".
    pub fn name(&self) -> String {
        subscriber_name(self.id)
    }

    /// True when the tariff is prepaid.
    pub fn is_prepaid(&self, config: &WorldConfig) -> bool {
        config.tariffs[usize::from(self.tariff)].prepaid
    }

    /// Own level of a kind of usage, in the order of [`PerUsage`](crate::PerUsage), before season, growth and noise.
    pub fn usage_level(&self, kind: usize) -> f64 {
        f64::from(self.traits[kind] + self.engagement).exp()
    }

    /// Own share of activity on weekends.
    pub fn weekend_share(&self) -> f64 {
        draw::sigmoid(self.traits[WEEKEND].into())
    }

    /// Own price sensitivity (1 = typical).
    pub fn price_sensitivity(&self) -> f64 {
        f64::from(self.traits[PRICE]).max(0.0)
    }
}

/// The name of a subscriber's id in tables: "S" and at least seven digits.
pub(crate) fn subscriber_name(id: u64) -> String {
    format!("S{id:07}")
}
