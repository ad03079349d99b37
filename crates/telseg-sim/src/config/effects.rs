//! Service, bills, what makes people leave and what makes them accept.

use serde::{Deserialize, Serialize};
use telseg_core::Result;

use super::check::{self, all};

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
            intercept: -4.47,
            new: 1.2,
            new_months: 10.0,
            bound: -1.4,
            ending: 1.2,
            free: 0.2,
            contract_window: 2,
            bill_shock: 1.3,
            care: 0.34,
            complaint: 0.45,
            dropped: 0.8,
            decline: 3.0,
            pressure: 0.7,
            late: 0.45,
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
