//! Offers, channels and who may get what, as data.

use serde::{Deserialize, Serialize};
use telseg_core::Result;

use super::check;

/// A way of reaching a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums)]
pub enum Channel {
    /// Text message.
    Sms,
    /// Email.
    Email,
    /// Push message of the operator's app; needs a smartphone.
    Push,
    /// Outbound call.
    Call,
    /// A conversation in a store.
    Store,
}

impl Channel {
    /// All channels, in index order.
    pub const ALL: [Self; 5] = [Self::Sms, Self::Email, Self::Push, Self::Call, Self::Store];
}

/// A number of a subscriber that an eligibility rule can look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Quantity {
    /// Age in years.
    Age,
    /// Months since joining.
    Tenure,
    /// Months left of the contract (0 without one).
    ContractLeft,
    /// Months since the device was new.
    DeviceAge,
    /// Own data level, GB per month.
    Data,
    /// Own voice level, minutes per month.
    Voice,
    /// Smoothed monthly revenue.
    Revenue,
    /// People in the household.
    HouseholdSize,
}

/// One condition of an eligibility rule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Condition {
    /// Has a prepaid plan.
    Prepaid,
    /// Has a postpaid plan.
    Postpaid,
    /// Has a smartphone (any class but the feature phone).
    Smartphone,
    /// Has a 5G device.
    FiveG,
    /// Has a device without 5G.
    WithoutFiveG,
    /// The quantity is at least this much.
    AtLeast(Quantity, f64),
    /// The quantity is at most this much.
    AtMost(Quantity, f64),
}

/// One offer: what it costs, who may get it, who likes it and what taking it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Offer {
    /// Name, unique in the list.
    pub name: String,
    /// Category ("data", "retention", ...).
    pub category: String,
    /// Added to the monthly bill while it runs, currency per month (negative for a discount).
    pub price: f64,
    /// Cost of serving it, currency per month.
    pub cost: f64,
    /// Cost once, when it is taken (a device subsidy, a gift).
    pub setup_cost: f64,
    /// Months it runs; taking another one ends it early.
    pub duration_months: u32,
    /// What it has, in the order of [`super::ATTRIBUTES`].
    pub attributes: [f64; 8],
    /// Acceptance log-odds of a neutral subscriber in a neutral channel and time.
    pub intercept: f64,
    /// Who may get it: all conditions must hold. Nobody gets an offer that already runs.
    pub eligible: Vec<Condition>,
    /// Added to the churn log-odds while it runs.
    pub churn: f64,
    /// Taking it binds the subscriber for at least this many months.
    pub contract_months: u32,
    /// Added once to latent satisfaction when it is taken.
    pub satisfaction: f64,
    /// Added to ln(data) while it runs.
    pub data_lift: f64,
}

impl Default for Offer {
    fn default() -> Self {
        Self {
            name: "offer".into(),
            category: "other".into(),
            price: 5.0,
            cost: 1.0,
            setup_cost: 0.0,
            duration_months: 12,
            attributes: [0.0; 8],
            intercept: -3.2,
            eligible: Vec::new(),
            churn: 0.0,
            contract_months: 0,
            satisfaction: 0.0,
            data_lift: 0.0,
        }
    }
}

impl Offer {
    /// Margin: price less cost, currency per month.
    pub fn margin(&self) -> f64 {
        self.price - self.cost
    }

    pub(super) fn validate(&self, at: &str) -> Result<()> {
        check::not_negative(&format!("{at}.cost"), self.cost)?;
        check::not_negative(&format!("{at}.setup_cost"), self.setup_cost)?;
        check::positive(
            &format!("{at}.duration_months"),
            self.duration_months.into(),
        )?;
        for (name, value) in [
            ("price", self.price),
            ("intercept", self.intercept),
            ("churn", self.churn),
            ("satisfaction", self.satisfaction),
            ("data_lift", self.data_lift),
        ] {
            check::finite(&format!("{at}.{name}"), value)?;
        }
        for (i, &value) in self.attributes.iter().enumerate() {
            check::finite(&format!("{at}.attributes[{i}]"), value)?;
        }
        for (i, condition) in self.eligible.iter().enumerate() {
            if let Condition::AtLeast(_, v) | Condition::AtMost(_, v) = condition {
                check::finite(&format!("{at}.eligible[{i}]"), *v)?;
            }
        }
        Ok(())
    }
}

/// What contacting through one channel costs and does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs)]
pub struct ChannelEffect {
    /// Cost of one contact, currency.
    pub cost: f64,
    /// Acceptance log-odds of the channel.
    pub intercept: f64,
    /// Added to the log-odds per ten years of age above 45.
    pub per_decade: f64,
    /// Added to the stock of contacts.
    pub fatigue: f64,
}

pub(super) fn default_channels() -> [ChannelEffect; 5] {
    [
        ChannelEffect {
            cost: 0.03,
            intercept: 0.0,
            per_decade: 0.0,
            fatigue: 1.0,
        },
        ChannelEffect {
            cost: 0.005,
            intercept: -0.4,
            per_decade: -0.02,
            fatigue: 0.5,
        },
        ChannelEffect {
            cost: 0.002,
            intercept: 0.1,
            per_decade: -0.18,
            fatigue: 0.8,
        },
        ChannelEffect {
            cost: 1.5,
            intercept: 0.9,
            per_decade: 0.08,
            fatigue: 2.0,
        },
        ChannelEffect {
            cost: 2.5,
            intercept: 0.7,
            per_decade: 0.05,
            fatigue: 0.3,
        },
    ]
}

/// The offers of the default world.
pub(super) fn defaults() -> Vec<Offer> {
    use Condition::*;
    let offer = |name: &str, category: &str, attributes: [f64; 8]| Offer {
        name: name.into(),
        category: category.into(),
        attributes,
        ..Offer::default()
    };
    vec![
        Offer {
            price: 4.0,
            cost: 0.8,
            duration_months: 3,
            data_lift: 0.15,
            churn: -0.10,
            eligible: vec![Smartphone],
            ..offer(
                "data booster",
                "data",
                [1.0, 0.0, 0.0, 0.1, 0.0, 0.2, 0.0, 0.0],
            )
        },
        Offer {
            price: 9.0,
            cost: 3.0,
            churn: -0.25,
            intercept: -3.6,
            data_lift: 0.30,
            eligible: vec![Postpaid, Smartphone, AtLeast(Quantity::Data, 5.0)],
            ..offer(
                "unlimited data",
                "data",
                [1.2, 0.0, 0.0, -0.3, 0.0, 0.4, 0.0, 0.0],
            )
        },
        Offer {
            price: 5.0,
            cost: 2.2,
            churn: -0.20,
            data_lift: 0.20,
            satisfaction: 0.1,
            eligible: vec![Smartphone],
            ..offer(
                "video pass",
                "content",
                [0.3, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.1],
            )
        },
        Offer {
            price: 3.0,
            cost: 1.2,
            churn: -0.10,
            data_lift: 0.08,
            eligible: vec![Smartphone],
            ..offer(
                "music and social pass",
                "content",
                [0.3, 0.0, 0.0, 0.3, 0.0, 0.6, 0.0, 0.0],
            )
        },
        Offer {
            price: 11.0,
            cost: 4.0,
            setup_cost: 8.0,
            churn: -0.60,
            contract_months: 12,
            intercept: -4.0,
            eligible: vec![Postpaid, AtLeast(Quantity::HouseholdSize, 2.0)],
            ..offer(
                "family line",
                "family",
                [0.0, 0.1, 0.0, 0.1, 0.0, 0.1, 0.3, 1.2],
            )
        },
        Offer {
            price: 9.0,
            cost: 3.5,
            duration_months: 1,
            ..offer(
                "roaming week",
                "roaming",
                [0.1, 0.2, 1.2, -0.2, 0.0, 0.0, 0.0, 0.0],
            )
        },
        Offer {
            price: 4.0,
            cost: 1.0,
            duration_months: 6,
            churn: -0.10,
            ..offer(
                "international minutes",
                "roaming",
                [0.0, 0.3, 1.0, 0.2, 0.0, 0.0, 0.0, 0.0],
            )
        },
        Offer {
            price: -4.0,
            cost: 0.0,
            duration_months: 12,
            churn: -0.80,
            contract_months: 12,
            intercept: -1.4,
            satisfaction: 0.4,
            eligible: vec![
                Postpaid,
                AtLeast(Quantity::Tenure, 6.0),
                AtMost(Quantity::ContractLeft, 3.0),
            ],
            ..offer(
                "loyalty discount",
                "retention",
                [0.0, 0.0, 0.0, 0.9, 0.0, 0.0, 0.7, 0.0],
            )
        },
        Offer {
            price: 8.0,
            cost: 1.0,
            setup_cost: 60.0,
            duration_months: 24,
            churn: -0.40,
            contract_months: 24,
            intercept: -3.0,
            data_lift: 0.20,
            satisfaction: 0.3,
            eligible: vec![
                Postpaid,
                AtLeast(Quantity::DeviceAge, 18.0),
                AtMost(Quantity::ContractLeft, 6.0),
            ],
            ..offer(
                "5G device",
                "device",
                [0.3, 0.0, 0.0, -0.1, 1.2, 0.2, 0.1, 0.0],
            )
        },
        Offer {
            price: -1.5,
            cost: 0.2,
            duration_months: 3,
            churn: -0.45,
            intercept: -1.6,
            satisfaction: 0.2,
            eligible: vec![Prepaid],
            ..offer(
                "top-up bonus",
                "retention",
                [0.3, 0.2, 0.0, 0.9, 0.0, 0.0, 0.2, 0.0],
            )
        },
        Offer {
            price: 0.0,
            cost: 0.5,
            setup_cost: 5.0,
            duration_months: 6,
            churn: -0.55,
            intercept: -1.2,
            satisfaction: 0.8,
            eligible: vec![AtLeast(Quantity::Tenure, 3.0)],
            ..offer(
                "priority care",
                "retention",
                [0.0, 0.2, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            )
        },
    ]
}
