//! One month in the life of one subscriber: what they use, pay, suffer and feel.

use rand::Rng as _;
use telseg_core::seed::Rng;

use crate::config::WorldConfig;
use crate::draw;
use crate::subscriber::{
    APPS_AT, CARE, DATA, INTERNATIONAL, LATE, NIGHT, NO_OFFER, PEAK, SATISFACTION, Subscriber,
    TRAVEL, VOICE, WEEKEND,
};

/// Columns of a subscriber-month.
pub const MONTH_COLUMNS: [&str; 28] = [
    "voice_min",
    "peak_share",
    "night_share",
    "weekend_share",
    "sms",
    "data_gb",
    "international_min",
    "roaming_days",
    "roaming_gb",
    "topups",
    "topup_amount",
    "revenue",
    "overage",
    "days_late",
    "care_contacts",
    "complaints",
    "dropped_rate",
    "video_share",
    "social_share",
    "music_share",
    "game_share",
    "work_share",
    "app_sessions",
    "web_sessions",
    "contacts",
    "offers_taken",
    "contract_left",
    "device_age",
];

/// Places of the columns in a subscriber-month.
pub(crate) mod at {
    pub(crate) const VOICE: usize = 0;
    pub(crate) const PEAK: usize = 1;
    pub(crate) const NIGHT: usize = 2;
    pub(crate) const WEEKEND: usize = 3;
    pub(crate) const SMS: usize = 4;
    pub(crate) const DATA: usize = 5;
    pub(crate) const INTERNATIONAL: usize = 6;
    pub(crate) const ROAMING_DAYS: usize = 7;
    pub(crate) const ROAMING_GB: usize = 8;
    pub(crate) const TOPUPS: usize = 9;
    pub(crate) const TOPUP_AMOUNT: usize = 10;
    pub(crate) const REVENUE: usize = 11;
    pub(crate) const OVERAGE: usize = 12;
    pub(crate) const DAYS_LATE: usize = 13;
    pub(crate) const CARE: usize = 14;
    pub(crate) const COMPLAINTS: usize = 15;
    pub(crate) const DROPPED: usize = 16;
    pub(crate) const VIDEO: usize = 17;
    pub(crate) const APP: usize = 22;
    pub(crate) const WEB: usize = 23;
    pub(crate) const CONTACTS: usize = 24;
    pub(crate) const TAKEN: usize = 25;
    pub(crate) const CONTRACT_LEFT: usize = 26;
    pub(crate) const DEVICE_AGE: usize = 27;
    pub(crate) const N: usize = 28;
}

/// One subscriber-month.
pub(crate) type Row = [f32; at::N];

/// What all subscribers share in one month.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// ln factor of each kind of usage: growth and season.
    pub(crate) usage: [f64; 6],
    /// Season of travel, log-odds.
    pub(crate) travel: f64,
    /// Competitors' price pressure.
    pub(crate) pressure: f64,
}

impl Shared {
    /// The world's `month`-th month, 0 for the first.
    pub(crate) fn of(config: &WorldConfig, month: u32, pressure: f64) -> Self {
        let calendar = config.start_month + month;
        let (growth, season) = (
            config.usage.growth.to_array(),
            config.usage.season.to_array(),
        );
        Self {
            usage: std::array::from_fn(|k| growth[k] * f64::from(month) + season[k].at(calendar)),
            travel: config.usage.travel_season.at(calendar),
            pressure,
        }
    }
}

/// Lives one month: changes the state and writes the month's row.
pub(crate) fn live(
    config: &WorldConfig,
    shared: &Shared,
    s: &mut Subscriber,
    rng: &mut Rng,
    row: &mut Row,
) {
    usage(config, shared, s, rng, row);
    let shock = money(config, s, rng, row);
    service(config, shared, s, shock, rng, row);
    smooth(s, shock, row);
    s.offer_left = s.offer_left.saturating_sub(1);
    if s.offer_left == 0 {
        s.offer = NO_OFFER;
    }
    row[at::CONTRACT_LEFT] = s.contract_left.into();
    row[at::DEVICE_AGE] = s.device_age.into();
}

/// The start of a month: everybody gets older, contracts run down, contacts fade.
pub(crate) fn pass(s: &mut Subscriber, decay: f64) {
    s.tenure += 1;
    s.device_age = s.device_age.saturating_add(1);
    s.age += 1.0 / 12.0;
    s.contract_left = s.contract_left.saturating_sub(1);
    s.contact_stock *= decay as f32;
}

fn usage(config: &WorldConfig, shared: &Shared, s: &mut Subscriber, rng: &mut Rng, row: &mut Row) {
    let u = &config.usage;
    s.engagement = (u.engagement_persistence * f64::from(s.engagement)
        + u.engagement_pull * f64::from(s.satisfaction - s.traits[SATISFACTION])
        + u.engagement_noise_sd * draw::normal(rng)) as f32;
    let noise = u.noise_sd.to_array();
    let lift = if s.offer == NO_OFFER {
        0.0
    } else {
        config.offers[usize::from(s.offer)].data_lift
    };
    let level: [f64; 6] = std::array::from_fn(|k| {
        let extra = if k == DATA { lift } else { 0.0 };
        let ln = f64::from(s.traits[k] + s.engagement)
            + shared.usage[k]
            + extra
            + noise[k] * draw::normal(rng);
        ln.exp()
    });
    row[at::VOICE] = level[0] as f32;
    row[at::SMS] = level[1].round() as f32;
    row[at::DATA] = level[2] as f32;
    let calls_abroad = draw::chance(rng, draw::sigmoid(s.traits[INTERNATIONAL].into()));
    row[at::INTERNATIONAL] = if calls_abroad { level[3] as f32 } else { 0.0 };
    row[at::APP] = if s.device_class == 0 {
        0.0
    } else {
        level[4].round() as f32
    };
    row[at::WEB] = level[5].round() as f32;
    if draw::chance(
        rng,
        draw::sigmoid(f64::from(s.traits[TRAVEL]) + shared.travel),
    ) {
        let days = (1.0 + draw::poisson(rng, u.roaming_days - 1.0)).min(30.0);
        row[at::ROAMING_DAYS] = days as f32;
        row[at::ROAMING_GB] = (level[2] / 30.0 * days * u.roaming_data) as f32;
    }
    let mut noisy = |index: usize, sd: f64| f64::from(s.traits[index]) + sd * draw::normal(rng);
    let [peak, night] = [PEAK, NIGHT].map(|i| noisy(i, u.time_noise_sd).exp());
    row[at::PEAK] = (peak / (1.0 + peak + night)) as f32;
    row[at::NIGHT] = (night / (1.0 + peak + night)) as f32;
    row[at::WEEKEND] = draw::sigmoid(noisy(WEEKEND, u.time_noise_sd)) as f32;
    let apps: [f64; 5] = std::array::from_fn(|k| noisy(APPS_AT + k, u.apps_noise_sd).exp());
    let total = 1.0 + apps.iter().sum::<f64>();
    for (k, app) in apps.iter().enumerate() {
        row[at::VIDEO + k] = (app / total) as f32;
    }
}

/// Writes what is paid; returns the bill shock.
fn money(config: &WorldConfig, s: &mut Subscriber, rng: &mut Rng, row: &mut Row) -> f64 {
    let (b, tariff) = (&config.billing, &config.tariffs[usize::from(s.tariff)]);
    let gb = (f64::from(row[at::DATA]) - tariff.data_gb).clamp(0.0, b.overage_cap_gb);
    let minutes = (f64::from(row[at::VOICE]) - tariff.minutes).max(0.0);
    let overage = gb * tariff.per_gb + minutes * tariff.per_minute;
    let add_on = if s.offer == NO_OFFER {
        0.0
    } else {
        config.offers[usize::from(s.offer)].price
    };
    let due = (tariff.fee
        + add_on
        + overage
        + f64::from(row[at::INTERNATIONAL]) * b.international_price
        + f64::from(row[at::ROAMING_DAYS]) * b.roaming_day_price)
        .max(0.0);
    row[at::OVERAGE] = overage as f32;
    row[at::REVENUE] = due as f32;
    if tariff.prepaid {
        let count = draw::poisson(rng, due / b.topup);
        row[at::TOPUPS] = count as f32;
        row[at::TOPUP_AMOUNT] = (count * b.topup) as f32;
    } else if draw::chance(rng, draw::sigmoid(s.traits[LATE].into())) {
        row[at::DAYS_LATE] = (1.0 + config.service.late_days * draw::exponential(rng))
            .min(60.0)
            .floor() as f32;
    }
    let before = f64::from(s.revenue_level);
    if s.months_seen == 0 || due <= 0.0 {
        0.0
    } else {
        (due / before.max(1.0)).ln()
    }
}

fn service(
    config: &WorldConfig,
    shared: &Shared,
    s: &mut Subscriber,
    shock: f64,
    rng: &mut Rng,
    row: &mut Row,
) {
    let c = &config.service;
    let region = &config.regions[usize::from(s.region)];
    let incident = if draw::chance(rng, c.incident) {
        3.0
    } else {
        1.0
    };
    let quality = f64::from(s.home_network) + c.dropped_noise_sd * draw::normal(rng);
    let dropped = (c.dropped_rate * region.dropped * incident * quality.exp()).min(0.5);
    let worse = (dropped / c.dropped_rate).ln().max(0.0);
    let mood = f64::from(s.satisfaction);
    let rate = f64::from(s.traits[CARE])
        + c.care_satisfaction * mood
        + c.care_dropped * worse
        + c.care_shock * shock.clamp(0.0, 1.5);
    let care = draw::poisson(rng, rate.exp().min(10.0));
    let is_complaint = draw::sigmoid(c.complaint[0] + c.complaint[1] * mood);
    let complaints = (0..care as u32)
        .filter(|_| draw::chance(rng, is_complaint))
        .count() as f64;
    row[at::DROPPED] = dropped as f32;
    row[at::CARE] = care as f32;
    row[at::COMPLAINTS] = complaints as f32;
    s.satisfaction = (c.persistence * mood
        + (1.0 - c.persistence) * f64::from(s.traits[SATISFACTION])
        + c.from_complaint * complaints
        + c.from_dropped * (worse - 0.3)
        + c.from_shock * shock.clamp(0.0, 1.5)
        + c.from_pressure * shared.pressure * s.price_sensitivity()
        + c.noise_sd * draw::normal(rng)) as f32;
}

/// Updates the smoothed state that the hazard looks at.
fn smooth(s: &mut Subscriber, shock: f64, row: &Row) {
    let ema = |old: f32, new: f32, rate: f32| old + rate * (new - old);
    let activity = (row[at::VOICE].max(0.1).ln() + row[at::DATA].max(0.01).ln()) / 2.0;
    let first = s.months_seen == 0;
    let rate = |r: f32| if first { 1.0 } else { r };
    s.bill_shock = shock as f32;
    s.revenue_level = ema(s.revenue_level, row[at::REVENUE], rate(0.25));
    s.usage_fast = ema(s.usage_fast, activity, rate(0.6));
    s.usage_slow = ema(s.usage_slow, activity, rate(0.2));
    s.dropped = ema(s.dropped, row[at::DROPPED], 0.5);
    s.late = ema(s.late, row[at::DAYS_LATE], 0.4);
    s.care = 0.5 * s.care + row[at::CARE];
    s.complaints = 0.6 * s.complaints + row[at::COMPLAINTS];
    s.months_seen += 1;
}

/// At most one life event.
pub(crate) fn life(
    config: &WorldConfig,
    births: &crate::subscriber::Births,
    s: &mut Subscriber,
    rng: &mut Rng,
) {
    let l = &config.life;
    let rates = [
        l.moving,
        l.new_job,
        if s.age < 45.0 { l.child } else { 0.0 },
        if s.age >= 60.0 && !s.retired {
            l.retirement
        } else {
            0.0
        },
        l.device_upgrade * (f64::from(s.device_age) / 12.0).min(6.0),
        l.migration,
    ];
    let (unit, detail, more) = (
        rng.random::<f64>(),
        rng.random::<f64>(),
        rng.random::<f64>(),
    );
    let mut left = unit;
    let Some(event) = rates.iter().position(|rate| {
        left -= rate;
        left < 0.0
    }) else {
        return;
    };
    match event {
        0 => {
            s.region = draw::pick(detail, config.regions.iter().map(|r| r.share)) as u8;
            s.home_network = (config.service.dropped_sd * draw::normal(rng)) as f32;
            s.satisfaction -= 0.2;
        }
        1 => {
            s.traits[PEAK] += 0.4;
            s.traits[APPS_AT + 4] += 0.4;
            s.income = (s.income + u8::from(detail < 0.5)).min(4);
        }
        2 => {
            s.household_size = (s.household_size + 1).min(8);
            s.traits[DATA] += 0.15;
            s.traits[VOICE] += 0.10;
            s.traits[NIGHT] += 0.2;
        }
        3 => {
            s.retired = true;
            s.traits[PEAK] += 0.3;
            s.traits[WEEKEND] -= 0.2;
            s.traits[DATA] -= 0.15;
            s.traits[VOICE] += 0.10;
            s.income = s.income.saturating_sub(1);
        }
        4 => {
            s.device_age = 0;
            s.device_class = (s.device_class + u8::from(detail < 0.3)).min(3);
            s.five_g = s.device_class > 0 && more < l.new_device_5g;
            s.traits[DATA] += 0.12;
        }
        _ => births.migrate(s, detail),
    }
}

#[cfg(test)]
#[path = "month_tests.rs"]
mod tests;
