//! How usage moves, what happens in life, what makes people leave, what makes them accept.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::archetype::{PerUsage, USAGE};
use super::check;

/// A yearly wave on the ln scale: `amplitude * cos(2 pi (month - peak) / 12)`; its mean over a year is 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs)]
pub struct Season {
    /// Half the distance between the highest and the lowest month.
    pub amplitude: f64,
    /// Calendar month of the maximum, 0 = January.
    pub peak: f64,
}

impl Season {
    /// The wave's value in a calendar month.
    pub fn at(&self, month: u32) -> f64 {
        self.amplitude * (std::f64::consts::TAU * (f64::from(month % 12) - self.peak) / 12.0).cos()
    }
}

/// How subscribers scatter around their archetype. All deviations are normal, drawn once for life, on the scale that
/// the archetype's field names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Population {
    /// Probability that a subscriber is a mixture of two archetypes.
    pub mixture: f64,
    /// A mixture's weight of its own (labelled) archetype ~ Uniform(`mixture_weight[0]`, `mixture_weight[1]`).
    pub mixture_weight: [f64; 2],
    /// Deviation shared by voice, SMS, data, app and web levels: how active somebody is (ln scale).
    pub activity_sd: f64,
    /// Deviation of the shares of time: peak, night, weekend.
    pub time_sd: f64,
    /// Deviation of the shares of app traffic.
    pub apps_sd: f64,
    /// Deviation of the rates: international, travel, care, late.
    pub rate_sd: f64,
    /// Deviation of the satisfaction level.
    pub satisfaction_sd: f64,
    /// Deviation of price sensitivity.
    pub price_sd: f64,
    /// Deviation of the wanted tariff tier.
    pub tier_sd: f64,
    /// Deviation of the wanted device tier.
    pub device_sd: f64,
    /// Probability of belonging to the household of the head of one's block of four ids.
    pub shared_household: f64,
    /// Tenure of the starting base ~ Exponential(mean `tenure_mean * exp(-churn)`) months, rounded down, at most 240:
    /// the stationary law of a constant monthly hazard.
    pub tenure_mean: f64,
}

impl Default for Population {
    fn default() -> Self {
        Self {
            mixture: 0.20,
            mixture_weight: [0.55, 0.90],
            activity_sd: 0.25,
            time_sd: 0.25,
            apps_sd: 0.35,
            rate_sd: 0.45,
            satisfaction_sd: 0.5,
            price_sd: 0.25,
            tier_sd: 0.10,
            device_sd: 0.15,
            shared_household: 0.30,
            tenure_mean: 36.0,
        }
    }
}

/// How usage moves from month to month: `ln usage = own level + engagement + growth * t + season + noise`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Usage {
    /// Noise of one month ~ Normal(0, sd), independent.
    pub noise_sd: PerUsage<f64>,
    /// Growth per month, ln scale.
    pub growth: PerUsage<f64>,
    /// Yearly waves.
    pub season: PerUsage<Season>,
    /// Yearly wave of the log-odds of travel.
    pub travel_season: Season,
    /// Noise of one month in the shares of time.
    pub time_noise_sd: f64,
    /// Noise of one month in the shares of apps.
    pub apps_noise_sd: f64,
    /// Engagement e: `e' = persistence * e + pull * (satisfaction - own level) + Normal(0, noise)`.
    pub engagement_persistence: f64,
    /// See `engagement_persistence`.
    pub engagement_pull: f64,
    /// See `engagement_persistence`.
    pub engagement_noise_sd: f64,
    /// Days abroad on a trip ~ 1 + Poisson(`roaming_days` - 1), at most 30.
    pub roaming_days: f64,
    /// Data abroad per day, as a share of a day's data at home.
    pub roaming_data: f64,
}

impl Default for Usage {
    fn default() -> Self {
        let season = |amplitude, peak| Season { amplitude, peak };
        Self {
            noise_sd: PerUsage {
                voice: 0.20,
                sms: 0.30,
                data: 0.22,
                international: 0.50,
                app: 0.25,
                web: 0.35,
            },
            growth: PerUsage {
                voice: -0.002,
                sms: -0.008,
                data: 0.012,
                international: 0.0,
                app: 0.004,
                web: 0.0,
            },
            season: PerUsage {
                voice: season(0.05, 11.0),
                sms: season(0.08, 11.0),
                data: season(0.06, 6.5),
                international: season(0.10, 6.5),
                app: season(0.04, 11.0),
                web: season(0.06, 10.5),
            },
            travel_season: season(0.8, 6.5),
            time_noise_sd: 0.10,
            apps_noise_sd: 0.12,
            engagement_persistence: 0.88,
            engagement_pull: 0.06,
            engagement_noise_sd: 0.07,
            roaming_days: 5.0,
            roaming_data: 0.3,
        }
    }
}

/// Events in a subscriber's life: at most one a month, each with its probability per month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LifeEvents {
    /// Moves: a new region and network quality at home; satisfaction drops by 0.2.
    pub moving: f64,
    /// Changes job: peak share and work apps +0.4, income band +1 with probability 0.5.
    pub new_job: f64,
    /// Has a child (age below 45 only): household +1, data +0.15, voice +0.10, night share +0.2.
    pub child: f64,
    /// Retires (age 60 or more, once): peak share +0.3, weekend share -0.2, data -0.15, voice +0.10, income band -1.
    pub retirement: f64,
    /// Buys a new device, per year of its age (at most 6 times this): device age 0, class one up with probability
    /// 0.3, 5G with probability `new_device_5g`, data +0.12.
    pub device_upgrade: f64,
    /// Probability that a device bought now has 5G (feature phones never).
    pub new_device_5g: f64,
    /// Changes archetype: the new one is drawn by share; own deviations stay, mixtures become pure.
    pub migration: f64,
}

impl Default for LifeEvents {
    fn default() -> Self {
        Self {
            moving: 0.006,
            new_job: 0.008,
            child: 0.004,
            retirement: 0.010,
            device_upgrade: 0.012,
            new_device_5g: 0.75,
            migration: 0.002,
        }
    }
}

/// The market: competitors' price pressure `p_t = trend * t + season(t) + a_t`, `a_t = persistence * a + Normal(0, sd)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Market {
    /// Rise per month.
    pub trend: f64,
    /// Yearly wave (campaigns before the holidays).
    pub season: Season,
    /// Persistence of the shocks, between 0 and 1.
    pub persistence: f64,
    /// Standard deviation of the shocks.
    pub shock_sd: f64,
}

impl Default for Market {
    fn default() -> Self {
        Self {
            trend: 0.004,
            season: Season {
                amplitude: 0.15,
                peak: 10.5,
            },
            persistence: 0.7,
            shock_sd: 0.08,
        }
    }
}

/// Network, care, payments and latent satisfaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Service {
    /// Median dropped-call rate, times the region's `dropped`.
    pub dropped_rate: f64,
    /// Spread of ln(quality at home), drawn per subscriber and anew on moving.
    pub dropped_sd: f64,
    /// Noise of ln(rate) in a month.
    pub dropped_noise_sd: f64,
    /// Probability per month of an incident that triples the rate.
    pub incident: f64,
    /// Care contacts ~ Poisson(own rate * exp(`care_satisfaction` * s + `care_dropped` * d + `care_shock` * b)) with
    /// s = satisfaction, d = ln(dropped rate / `dropped_rate`) if positive, b = bill shock.
    pub care_satisfaction: f64,
    /// See `care_satisfaction`.
    pub care_dropped: f64,
    /// See `care_satisfaction`.
    pub care_shock: f64,
    /// Each care contact is a complaint with log-odds `complaint[0] + complaint[1] * s`.
    pub complaint: [f64; 2],
    /// Days late, when late: 1 + Exponential(mean `late_days`), rounded down, at most 60.
    pub late_days: f64,
    /// Satisfaction: `s' = persistence * s + (1 - persistence) * own level + effects + Normal(0, noise)`.
    pub persistence: f64,
    /// See `persistence`.
    pub noise_sd: f64,
    /// Effect of each complaint on satisfaction.
    pub from_complaint: f64,
    /// Effect of d (see `care_satisfaction`), centred at 0.3.
    pub from_dropped: f64,
    /// Effect of bill shock b (where positive).
    pub from_shock: f64,
    /// Effect of competitors' price pressure times own price sensitivity.
    pub from_pressure: f64,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            dropped_rate: 0.012,
            dropped_sd: 0.35,
            dropped_noise_sd: 0.25,
            incident: 0.02,
            care_satisfaction: -0.40,
            care_dropped: 0.50,
            care_shock: 0.90,
            complaint: [-1.5, -0.7],
            late_days: 9.0,
            persistence: 0.85,
            noise_sd: 0.22,
            from_complaint: -0.45,
            from_dropped: -0.22,
            from_shock: -0.45,
            from_pressure: -0.10,
        }
    }
}

/// Bills and top-ups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Billing {
    /// GB beyond the allowance that are charged at most; then data is throttled.
    pub overage_cap_gb: f64,
    /// Price of an international minute.
    pub international_price: f64,
    /// Price of a day abroad.
    pub roaming_day_price: f64,
    /// What a top-up is worth; a prepaid month has Poisson(spend / `topup`) of them.
    pub topup: f64,
}

impl Default for Billing {
    fn default() -> Self {
        Self {
            overage_cap_gb: 6.0,
            international_price: 0.12,
            roaming_day_price: 3.0,
            topup: 5.0,
        }
    }
}

/// How log-odds (or their complementary log-log counterpart) become a probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums)]
pub enum Link {
    /// `h = 1 / (1 + exp(-x))`.
    Logit,
    /// `h = 1 - exp(-exp(x))`: the grouped proportional-hazards model.
    Cloglog,
}

/// The hazard of leaving next month: `h = link(x)`, x = the sum of `intercept`, the archetype's `churn` and the terms
/// below, all functions of the state at the end of this month. The event is one Bernoulli draw from h.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Churn {
    /// Which link.
    pub link: Link,
    /// Constant term.
    pub intercept: f64,
    /// `new * exp(-tenure / new_months)`.
    pub new: f64,
    /// See `new`.
    pub new_months: f64,
    /// With more than `contract_window` months of contract left.
    pub bound: f64,
    /// With 1 to `contract_window` months left.
    pub ending: f64,
    /// Postpaid without contract.
    pub free: f64,
    /// Months before the end of a contract in which people look around.
    pub contract_window: u32,
    /// Per unit of bill shock b = ln(revenue / its smoothed past), clipped to 0..=1.5.
    pub bill_shock: f64,
    /// Per care contact (decayed by half a month), at most 5.
    pub care: f64,
    /// Per complaint (decayed by 0.6 a month), at most 3.
    pub complaint: f64,
    /// Per unit of ln(smoothed dropped rate / `service.dropped_rate`), clipped to -1.5..=1.5.
    pub dropped: f64,
    /// Per unit of usage decline: ln(slow mean of usage) - ln(fast mean), clipped to -0.6..=1.5.
    pub decline: f64,
    /// Per unit of price pressure times own price sensitivity times the region's `competition`.
    pub pressure: f64,
    /// Per ten days late (smoothed), at most 3.
    pub late: f64,
    /// Per unit of latent satisfaction.
    pub satisfaction: f64,
    /// Per unit of the stock of contacts, times 1 + 0.5 * max(0, -satisfaction).
    pub fatigue: f64,
}

impl Default for Churn {
    fn default() -> Self {
        Self {
            link: Link::Logit,
            intercept: -4.25,
            new: 0.9,
            new_months: 8.0,
            bound: -1.1,
            ending: 0.9,
            free: 0.2,
            contract_window: 2,
            bill_shock: 0.9,
            care: 0.28,
            complaint: 0.45,
            dropped: 0.55,
            decline: 2.6,
            pressure: 0.7,
            late: 0.30,
            satisfaction: -0.45,
            fatigue: 0.10,
        }
    }
}

/// Acceptance: log-odds = offer + channel + age + taste - price - fatigue + satisfaction + time, see `docs/src/sim.md`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Response {
    /// Factor of `appetite . attributes`.
    pub taste: f64,
    /// Own deviation of each appetite ~ Normal(0, `taste_sd`).
    pub taste_sd: f64,
    /// Own deviation of each channel's log-odds ~ Normal(0, `channel_sd`).
    pub channel_sd: f64,
    /// Own deviation of each slot's log-odds ~ Normal(0, `slot_sd`).
    pub slot_sd: f64,
    /// Factor of ln(own share of activity in the slot / an even share).
    pub slot: f64,
    /// Per unit of price / smoothed revenue times own price sensitivity (clipped to -1..=2).
    pub price: f64,
    /// Per unit of the stock of contacts before this one.
    pub fatigue: f64,
    /// Per unit of latent satisfaction.
    pub satisfaction: f64,
    /// Share of the stock of contacts that is left a month later.
    pub decay: f64,
    /// Contacts per subscriber and month at most; a step with more is an error.
    pub max_contacts: u32,
}

impl Default for Response {
    fn default() -> Self {
        Self {
            taste: 1.1,
            taste_sd: 0.35,
            channel_sd: 0.35,
            slot_sd: 0.15,
            slot: 0.45,
            price: 0.9,
            fatigue: 0.35,
            satisfaction: 0.20,
            decay: 0.6,
            max_contacts: 1,
        }
    }
}

/// What a subscriber who stays is worth: the horizon over which a decision is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Value {
    /// Margin as a share of revenue.
    pub margin: f64,
    /// Months that count.
    pub horizon_months: u32,
    /// Discount factor per month.
    pub discount: f64,
}

impl Default for Value {
    fn default() -> Self {
        Self {
            margin: 0.45,
            horizon_months: 12,
            discount: 0.99,
        }
    }
}

/// A column that is missing more often for some.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs)]
pub struct MissingAtRandom {
    /// The column that loses values.
    pub column: String,
    /// The column (its clean value) that decides.
    pub by: String,
    /// Rows whose `by` is at most this have the rate `rate_below`, others `rate_above`.
    pub threshold: f64,
    /// Rate at or below the threshold.
    pub rate_below: f64,
    /// Rate above the threshold.
    pub rate_above: f64,
}

/// What is wrong with the data that a snapshot shows; the clean truth stays beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Noise {
    /// Each cell is missing with this probability (completely at random).
    pub missing: f64,
    /// Columns with a missing rate that depends on another column; adds to `missing`.
    pub missing_at_random: Vec<MissingAtRandom>,
    /// Each usage or money cell is multiplied by a factor with this probability.
    pub outliers: f64,
    /// The factor ~ exp(Uniform(ln low, ln high)).
    pub outlier_factor: [f64; 2],
    /// Age is 999 and tenure is -1 with this probability each.
    pub impossible: f64,
}

impl Default for Noise {
    fn default() -> Self {
        let mar = |column: &str, by: &str, threshold, rate_below, rate_above| MissingAtRandom {
            column: column.into(),
            by: by.into(),
            threshold,
            rate_below,
            rate_above,
        };
        Self {
            missing: 0.01,
            missing_at_random: vec![
                mar("income_band", "payment", 0.5, 0.20, 0.05),
                mar("age", "payment", 0.5, 0.08, 0.0),
                mar("app_sessions_mean", "app_sessions_mean", 2.0, 0.15, 0.01),
                mar("work_share", "data_gb_mean", 1.0, 0.20, 0.0),
            ],
            outliers: 0.001,
            outlier_factor: [10.0, 100.0],
            impossible: 0.001,
        }
    }
}

impl Noise {
    /// Nothing missing, nothing wrong.
    pub fn none() -> Self {
        Self {
            missing: 0.0,
            missing_at_random: Vec::new(),
            outliers: 0.0,
            outlier_factor: [10.0, 100.0],
            impossible: 0.0,
        }
    }
}

/// Checks one list of fields with one check, naming each.
macro_rules! all {
    ($check:path, $section:literal, $self:ident, $($field:ident),+) => {
        $($check(concat!($section, ".", stringify!($field)), f64::from($self.$field))?;)+
    };
}

impl Population {
    pub(super) fn validate(&self) -> Result<()> {
        all!(check::share, "population", self, mixture, shared_household);
        all!(
            check::not_negative,
            "population",
            self,
            activity_sd,
            time_sd,
            apps_sd,
            rate_sd,
            satisfaction_sd,
            price_sd,
            tier_sd,
            device_sd
        );
        all!(check::positive, "population", self, tenure_mean);
        let [low, high] = self.mixture_weight;
        if !(0.5 <= low && low <= high && high <= 1.0) {
            let found = format!("expected 0.5 <= low <= high <= 1, found [{low}, {high}]");
            return Err(Error::param("population.mixture_weight", found));
        }
        Ok(())
    }
}

impl Usage {
    pub(super) fn validate(&self) -> Result<()> {
        let (noise, growth, season) = (
            self.noise_sd.to_array(),
            self.growth.to_array(),
            self.season.to_array(),
        );
        for (i, kind) in USAGE.iter().enumerate() {
            check::not_negative(&format!("usage.noise_sd.{kind}"), noise[i])?;
            check::finite(&format!("usage.growth.{kind}"), growth[i])?;
            check::finite(
                &format!("usage.season.{kind}.amplitude"),
                season[i].amplitude,
            )?;
            check::finite(&format!("usage.season.{kind}.peak"), season[i].peak)?;
        }
        check::finite(
            "usage.travel_season.amplitude",
            self.travel_season.amplitude,
        )?;
        check::finite("usage.travel_season.peak", self.travel_season.peak)?;
        all!(
            check::not_negative,
            "usage",
            self,
            time_noise_sd,
            apps_noise_sd,
            engagement_noise_sd,
            roaming_data
        );
        all!(check::share, "usage", self, engagement_persistence);
        all!(check::finite, "usage", self, engagement_pull);
        if !(1.0..=30.0).contains(&self.roaming_days) {
            let found = format!("expected a mean from 1 to 30, found {}", self.roaming_days);
            return Err(Error::param("usage.roaming_days", found));
        }
        Ok(())
    }
}

impl LifeEvents {
    pub(super) fn validate(&self) -> Result<()> {
        all!(
            check::share,
            "life",
            self,
            moving,
            new_job,
            child,
            retirement,
            device_upgrade,
            new_device_5g,
            migration
        );
        let most = self.moving
            + self.new_job
            + self.child
            + self.retirement
            + 6.0 * self.device_upgrade
            + self.migration;
        check::share("life (sum of the rates, device_upgrade six times)", most)
    }
}

impl Market {
    pub(super) fn validate(&self) -> Result<()> {
        all!(check::finite, "market", self, trend);
        check::finite("market.season.amplitude", self.season.amplitude)?;
        check::finite("market.season.peak", self.season.peak)?;
        all!(check::open_share, "market", self, persistence);
        all!(check::not_negative, "market", self, shock_sd);
        Ok(())
    }
}

impl Service {
    pub(super) fn validate(&self) -> Result<()> {
        all!(check::open_share, "service", self, dropped_rate);
        all!(check::share, "service", self, incident, persistence);
        all!(
            check::not_negative,
            "service",
            self,
            dropped_sd,
            dropped_noise_sd,
            late_days,
            noise_sd
        );
        all!(
            check::finite,
            "service",
            self,
            care_satisfaction,
            care_dropped,
            care_shock,
            from_complaint,
            from_dropped,
            from_shock,
            from_pressure
        );
        check::finite("service.complaint[0]", self.complaint[0])?;
        check::finite("service.complaint[1]", self.complaint[1])
    }
}

impl Billing {
    pub(super) fn validate(&self) -> Result<()> {
        all!(
            check::not_negative,
            "billing",
            self,
            overage_cap_gb,
            international_price,
            roaming_day_price
        );
        all!(check::positive, "billing", self, topup);
        Ok(())
    }
}

impl Churn {
    pub(super) fn validate(&self) -> Result<()> {
        all!(
            check::finite,
            "churn",
            self,
            intercept,
            new,
            bound,
            ending,
            free,
            bill_shock,
            care,
            complaint,
            dropped,
            decline,
            pressure,
            late,
            satisfaction,
            fatigue
        );
        all!(check::positive, "churn", self, new_months);
        Ok(())
    }
}

impl Response {
    pub(super) fn validate(&self) -> Result<()> {
        all!(
            check::finite,
            "response",
            self,
            taste,
            slot,
            price,
            fatigue,
            satisfaction
        );
        all!(
            check::not_negative,
            "response",
            self,
            taste_sd,
            channel_sd,
            slot_sd
        );
        all!(check::share, "response", self, decay);
        Ok(())
    }
}

impl Value {
    pub(super) fn validate(&self) -> Result<()> {
        all!(check::share, "value", self, margin, discount);
        all!(check::positive, "value", self, horizon_months);
        Ok(())
    }
}

impl Noise {
    pub(super) fn validate(&self) -> Result<()> {
        all!(check::share, "noise", self, missing, outliers, impossible);
        for (i, rule) in self.missing_at_random.iter().enumerate() {
            let field = |name: &str| format!("noise.missing_at_random[{i}].{name}");
            for (name, column) in [("column", &rule.column), ("by", &rule.by)] {
                if crate::snapshot::column_index(column).is_none() {
                    return Err(Error::param(
                        field(name),
                        format!("no snapshot column is called {column:?}"),
                    ));
                }
            }
            check::finite(&field("threshold"), rule.threshold)?;
            check::share(&field("rate_below"), rule.rate_below)?;
            check::share(&field("rate_above"), rule.rate_above)?;
        }
        let [low, high] = self.outlier_factor;
        if !(0.0 < low && low <= high && high < f64::MAX) {
            let found = format!("expected 0 < low <= high, found [{low}, {high}]");
            return Err(Error::param("noise.outlier_factor", found));
        }
        Ok(())
    }
}
