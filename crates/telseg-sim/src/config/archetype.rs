//! Behavioural archetypes: the hidden groups that segmentation is to find again.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::check;

/// The kinds of app traffic, in the order of [`Archetype::apps`]; what is left over is "other".
pub const APPS: [&str; 5] = ["video", "social", "music", "game", "work"];

/// What an offer can appeal to, in the order of [`Archetype::appetite`] and [`super::Offer::attributes`].
pub const ATTRIBUTES: [&str; 8] = [
    "data",
    "voice",
    "international",
    "discount",
    "device",
    "content",
    "loyalty",
    "family",
];

/// The six four-hour parts of a day, from 00:00, in the order of [`Archetype::dayparts`].
pub const DAYPARTS: [&str; 6] = ["night", "early", "morning", "afternoon", "evening", "late"];

/// One value for each kind of usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs)]
pub struct PerUsage<T> {
    /// Voice minutes per month.
    pub voice: T,
    /// Text messages per month.
    pub sms: T,
    /// Mobile data, GB per month.
    pub data: T,
    /// International minutes in a month that has any.
    pub international: T,
    /// Sessions in the operator's app per month.
    pub app: T,
    /// Visits to the operator's web site per month.
    pub web: T,
}

impl<T: Copy> PerUsage<T> {
    /// The same value for every kind.
    pub const fn all(value: T) -> Self {
        Self {
            voice: value,
            sms: value,
            data: value,
            international: value,
            app: value,
            web: value,
        }
    }

    /// The values in the order of the fields.
    pub const fn to_array(&self) -> [T; 6] {
        [
            self.voice,
            self.sms,
            self.data,
            self.international,
            self.app,
            self.web,
        ]
    }
}

pub(super) const USAGE: [&str; 6] = ["voice", "sms", "data", "international", "app", "web"];

/// What the members of one behavioural group have in common; members scatter around it.
///
/// A subscriber's own value of a trait is the archetype's (on the scale named below: ln for levels and rates, logit
/// for probabilities) plus a normal deviation drawn once for life, so the archetype's value is the *median* of its
/// pure members. Subscribers that are mixtures lie between two archetypes on the same scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Archetype {
    /// Name, unique in the list.
    pub name: String,
    /// Share of the starting base; shares are divided by their sum.
    pub share: f64,
    /// Typical monthly churn. Joiners come with weight `share * turnover`, so that what leaves is replaced by its like
    /// and the mix stays roughly stationary; tenure in the starting base ~ Exponential(mean 1 / `turnover`) months,
    /// rounded down, at most 240: the stationary law of a constant hazard.
    pub turnover: f64,
    /// Age in years ~ Normal(`age_mean`, `age_sd`), clamped to 16..=95.
    pub age_mean: f64,
    /// See `age_mean`.
    pub age_sd: f64,
    /// Probability of gender "F".
    pub female: f64,
    /// Household size ~ 1 + Poisson(`household_size` - 1), at most 8.
    pub household_size: f64,
    /// Income band 0..=4 ~ Binomial(4, `income` / 4).
    pub income: f64,
    /// Probability of a prepaid plan.
    pub prepaid: f64,
    /// Tariff tier wanted ~ Normal(`tier`, `population.tier_sd`); the tariff of the subscriber's kind (prepaid or
    /// postpaid) with the nearest tier is taken.
    pub tier: f64,
    /// Device tier wanted ~ Normal(`device_tier`, `population.device_sd`): feature phone below 0.15, budget below
    /// 0.45, mid-range below 0.75, premium above.
    pub device_tier: f64,
    /// Median monthly usage; a subscriber's own level is lognormal around it.
    pub usage: PerUsage<f64>,
    /// Standard deviation of ln(own level) around ln(`usage`), independent for each kind of usage (the shared part is
    /// `population.activity_sd`).
    pub spread: f64,
    /// Probability that a month has international calls (logit scale).
    pub international: f64,
    /// Probability of a trip abroad in a month of average season (logit scale).
    pub travel: f64,
    /// Share of voice minutes in peak hours (weekdays 08-18); with `night_share` and the rest on a softmax scale.
    pub peak_share: f64,
    /// Share of voice minutes from 19 to 07.
    pub night_share: f64,
    /// Share of all activity on Saturday and Sunday (logit scale).
    pub weekend_share: f64,
    /// Shares of data traffic by kind of app, in the order of [`APPS`]; the rest is "other" (softmax scale).
    pub apps: [f64; 5],
    /// Care contacts per month at neutral satisfaction (ln scale; the count is Poisson).
    pub care_rate: f64,
    /// Probability of paying a bill late (logit scale; postpaid only).
    pub late: f64,
    /// Level to which latent satisfaction returns (standard deviations of a typical subscriber).
    pub satisfaction: f64,
    /// How strongly competitors' prices and own prices work (1 = typical).
    pub price_sensitivity: f64,
    /// Added to the churn log-odds.
    pub churn: f64,
    /// Activity weights of the parts of a day, in the order of [`DAYPARTS`]; divided by their sum.
    pub dayparts: [f64; 6],
    /// Added to the acceptance log-odds by channel: SMS, email, app push, call, store.
    pub channels: [f64; 5],
    /// Appetite for what offers have, in the order of [`ATTRIBUTES`].
    pub appetite: [f64; 8],
}

impl Default for Archetype {
    fn default() -> Self {
        Self {
            name: "typical".into(),
            share: 1.0,
            turnover: 0.03,
            age_mean: 42.0,
            age_sd: 12.0,
            female: 0.5,
            household_size: 2.3,
            income: 2.0,
            prepaid: 0.3,
            tier: 0.4,
            device_tier: 0.5,
            usage: PerUsage {
                voice: 180.0,
                sms: 25.0,
                data: 8.0,
                international: 20.0,
                app: 6.0,
                web: 3.0,
            },
            spread: 0.62,
            international: 0.1,
            travel: 0.04,
            peak_share: 0.45,
            night_share: 0.15,
            weekend_share: 0.28,
            apps: [0.30, 0.25, 0.08, 0.06, 0.06],
            care_rate: 0.12,
            late: 0.12,
            satisfaction: 0.0,
            price_sensitivity: 1.0,
            churn: 0.0,
            dayparts: [1.0, 2.0, 6.0, 7.0, 8.0, 4.0],
            channels: [0.0; 5],
            appetite: [0.0; 8],
        }
    }
}

impl Archetype {
    /// Checks every field; `at` is the archetype's place, as "archetypes\[2\]".
    pub(super) fn validate(&self, at: &str) -> Result<()> {
        let field = |name: &str| format!("{at}.{name}");
        check::positive(&field("share"), self.share)?;
        check::open_share(&field("turnover"), self.turnover)?;
        check::positive(&field("age_mean"), self.age_mean)?;
        check::positive(&field("spread"), self.spread)?;
        check::positive(&field("care_rate"), self.care_rate)?;
        check::not_negative(&field("age_sd"), self.age_sd)?;
        if !(1.0..=8.0).contains(&self.household_size) {
            let found = format!(
                "expected a mean size from 1 to 8, found {}",
                self.household_size
            );
            return Err(Error::param(field("household_size"), found));
        }
        check::share(&field("income (divided by 4)"), self.income / 4.0)?;
        for (name, value) in [("female", self.female), ("prepaid", self.prepaid)] {
            check::share(&field(name), value)?;
        }
        for (name, value) in [
            ("international", self.international),
            ("travel", self.travel),
            ("peak_share", self.peak_share),
            ("night_share", self.night_share),
            (
                "peak_share + night_share",
                self.peak_share + self.night_share,
            ),
            ("weekend_share", self.weekend_share),
            ("late", self.late),
            ("apps (sum)", self.apps.iter().sum()),
        ] {
            check::open_share(&field(name), value)?;
        }
        for (kind, value) in USAGE.iter().zip(self.usage.to_array()) {
            check::positive(&field(&format!("usage.{kind}")), value)?;
        }
        for (i, &value) in self.apps.iter().enumerate() {
            check::open_share(&field(&format!("apps[{i}]")), value)?;
        }
        for (i, &value) in self.dayparts.iter().enumerate() {
            check::positive(&field(&format!("dayparts[{i}]")), value)?;
        }
        for (name, value) in [
            ("tier", self.tier),
            ("device_tier", self.device_tier),
            ("satisfaction", self.satisfaction),
            ("price_sensitivity", self.price_sensitivity),
            ("churn", self.churn),
        ] {
            check::finite(&field(name), value)?;
        }
        for (i, &value) in self.channels.iter().enumerate() {
            check::finite(&field(&format!("channels[{i}]")), value)?;
        }
        for (i, &value) in self.appetite.iter().enumerate() {
            check::finite(&field(&format!("appetite[{i}]")), value)?;
        }
        Ok(())
    }
}

/// The eight archetypes of the default world.
pub(super) fn defaults() -> Vec<Archetype> {
    let mut all = consumers();
    all.extend(others());
    all
}

fn consumers() -> Vec<Archetype> {
    vec![
        Archetype {
            name: "data-heavy young".into(),
            share: 0.16,
            turnover: 0.026,
            age_mean: 23.0,
            age_sd: 4.0,
            household_size: 2.8,
            income: 1.3,
            prepaid: 0.35,
            tier: 0.60,
            device_tier: 0.62,
            usage: PerUsage {
                voice: 75.0,
                sms: 14.0,
                data: 26.0,
                international: 18.0,
                app: 18.0,
                web: 2.5,
            },
            peak_share: 0.28,
            night_share: 0.30,
            weekend_share: 0.34,
            apps: [0.26, 0.38, 0.12, 0.14, 0.02],
            care_rate: 0.08,
            late: 0.20,
            price_sensitivity: 1.3,
            churn: 0.15,
            dayparts: [4.0, 1.0, 3.0, 6.0, 9.0, 10.0],
            channels: [-0.1, -0.5, 0.7, -0.7, -0.3],
            appetite: [0.8, -0.4, 0.0, 0.4, 0.4, 0.6, -0.1, -0.5],
            ..Archetype::default()
        },
        Archetype {
            name: "family bundle".into(),
            share: 0.17,
            turnover: 0.013,
            age_mean: 42.0,
            age_sd: 7.0,
            female: 0.54,
            household_size: 3.8,
            income: 2.3,
            prepaid: 0.05,
            tier: 0.50,
            device_tier: 0.52,
            usage: PerUsage {
                voice: 260.0,
                sms: 45.0,
                data: 11.0,
                international: 18.0,
                app: 7.0,
                web: 4.0,
            },
            weekend_share: 0.33,
            apps: [0.34, 0.24, 0.06, 0.10, 0.05],
            satisfaction: 0.3,
            price_sensitivity: 0.8,
            churn: -0.45,
            channels: [0.1, 0.3, 0.2, 0.0, 0.2],
            appetite: [0.2, 0.1, -0.2, 0.2, 0.1, 0.3, 0.4, 1.1],
            ..Archetype::default()
        },
        Archetype {
            name: "streamer".into(),
            share: 0.11,
            turnover: 0.020,
            age_mean: 33.0,
            age_sd: 9.0,
            female: 0.45,
            income: 2.2,
            prepaid: 0.12,
            tier: 0.78,
            device_tier: 0.74,
            usage: PerUsage {
                voice: 110.0,
                sms: 8.0,
                data: 62.0,
                international: 18.0,
                app: 11.0,
                web: 4.0,
            },
            peak_share: 0.36,
            night_share: 0.24,
            weekend_share: 0.36,
            apps: [0.62, 0.12, 0.10, 0.05, 0.03],
            satisfaction: 0.1,
            dayparts: [3.0, 1.0, 3.0, 5.0, 11.0, 9.0],
            channels: [0.0, 0.2, 0.5, -0.5, -0.2],
            appetite: [0.7, -0.3, 0.0, 0.1, 0.5, 1.1, 0.1, 0.0],
            ..Archetype::default()
        },
        Archetype {
            name: "bargain hunter".into(),
            share: 0.13,
            turnover: 0.048,
            age_mean: 35.0,
            age_sd: 10.0,
            income: 1.3,
            prepaid: 0.55,
            tier: 0.28,
            device_tier: 0.40,
            usage: PerUsage {
                voice: 150.0,
                sms: 18.0,
                data: 6.0,
                international: 35.0,
                app: 10.0,
                web: 9.0,
            },
            international: 0.35,
            peak_share: 0.30,
            night_share: 0.22,
            apps: [0.22, 0.34, 0.08, 0.06, 0.05],
            late: 0.22,
            satisfaction: -0.2,
            price_sensitivity: 1.9,
            churn: 0.4,
            channels: [0.3, 0.2, 0.2, -0.3, 0.0],
            appetite: [0.2, 0.1, 0.5, 1.2, 0.0, -0.1, -0.3, 0.0],
            ..Archetype::default()
        },
    ]
}

fn others() -> Vec<Archetype> {
    vec![
        Archetype {
            name: "business traveller".into(),
            share: 0.09,
            turnover: 0.016,
            age_mean: 43.0,
            age_sd: 9.0,
            female: 0.38,
            income: 3.3,
            prepaid: 0.01,
            tier: 0.92,
            device_tier: 0.85,
            usage: PerUsage {
                voice: 620.0,
                sms: 60.0,
                data: 18.0,
                international: 70.0,
                app: 5.0,
                web: 3.0,
            },
            international: 0.65,
            travel: 0.35,
            peak_share: 0.68,
            night_share: 0.08,
            weekend_share: 0.16,
            apps: [0.12, 0.14, 0.06, 0.02, 0.42],
            care_rate: 0.15,
            late: 0.06,
            satisfaction: 0.2,
            price_sensitivity: 0.5,
            churn: -0.30,
            dayparts: [0.6, 3.0, 10.0, 10.0, 5.0, 2.0],
            channels: [-0.2, 0.6, 0.1, 0.1, -0.5],
            appetite: [0.3, 0.5, 1.1, -0.4, 0.5, -0.2, 0.2, -0.4],
            ..Archetype::default()
        },
        Archetype {
            name: "prepaid light".into(),
            share: 0.13,
            turnover: 0.038,
            age_mean: 48.0,
            age_sd: 16.0,
            income: 1.2,
            prepaid: 0.95,
            tier: 0.12,
            device_tier: 0.28,
            usage: PerUsage {
                voice: 45.0,
                sms: 10.0,
                data: 1.3,
                international: 12.0,
                app: 2.0,
                web: 1.5,
            },
            travel: 0.015,
            peak_share: 0.42,
            apps: [0.16, 0.34, 0.05, 0.05, 0.03],
            care_rate: 0.05,
            price_sensitivity: 1.2,
            churn: 0.35,
            channels: [0.4, -0.4, -0.3, -0.1, 0.3],
            appetite: [-0.2, 0.1, 0.1, 0.6, -0.3, -0.4, -0.2, -0.3],
            ..Archetype::default()
        },
        Archetype {
            name: "senior voice".into(),
            share: 0.12,
            turnover: 0.0145,
            age_mean: 71.0,
            age_sd: 7.0,
            female: 0.55,
            household_size: 1.7,
            income: 1.6,
            prepaid: 0.25,
            tier: 0.15,
            device_tier: 0.18,
            usage: PerUsage {
                voice: 270.0,
                sms: 7.0,
                data: 0.5,
                international: 15.0,
                app: 1.2,
                web: 1.2,
            },
            travel: 0.015,
            peak_share: 0.62,
            night_share: 0.05,
            weekend_share: 0.25,
            apps: [0.20, 0.20, 0.04, 0.04, 0.02],
            care_rate: 0.18,
            late: 0.05,
            satisfaction: 0.3,
            price_sensitivity: 0.6,
            churn: -0.65,
            dayparts: [0.5, 3.0, 9.0, 8.0, 5.0, 1.0],
            channels: [-0.3, -0.6, -1.2, 0.7, 0.7],
            appetite: [-0.6, 0.8, 0.2, 0.2, -0.3, -0.5, 0.6, 0.2],
            ..Archetype::default()
        },
        Archetype {
            name: "unhappy caller".into(),
            share: 0.09,
            turnover: 0.095,
            age_mean: 45.0,
            age_sd: 12.0,
            prepaid: 0.15,
            tier: 0.38,
            device_tier: 0.45,
            usage: PerUsage {
                voice: 380.0,
                sms: 35.0,
                data: 6.0,
                international: 20.0,
                app: 8.0,
                web: 8.0,
            },
            peak_share: 0.52,
            apps: [0.22, 0.26, 0.06, 0.05, 0.12],
            care_rate: 0.75,
            late: 0.25,
            satisfaction: -0.8,
            price_sensitivity: 1.3,
            churn: 0.0,
            channels: [-0.2, -0.1, -0.2, 0.4, 0.1],
            appetite: [0.0, 0.4, 0.1, 0.5, 0.2, 0.0, 0.7, 0.1],
            ..Archetype::default()
        },
    ]
}
