//! The world as data: every number that the simulation uses, with its default.

mod archetype;
mod check;
mod dynamics;
mod effects;
mod noise;
mod offer;

use std::path::Path;

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

pub use archetype::{APPS, ATTRIBUTES, Archetype, DAYPARTS, PerUsage};
pub use dynamics::{LifeEvents, Market, Population, Season, Usage};
pub use effects::{Billing, Churn, Link, Response, Service, Value};
pub use noise::{MissingAtRandom, Noise};
pub use offer::{Channel, ChannelEffect, Condition, Offer, Quantity};

/// A region: how many live there, how good the network is, how hard competitors push.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs)]
pub struct Region {
    /// Name, unique in the list.
    pub name: String,
    /// Share of households; divided by the sum.
    pub share: f64,
    /// Factor of the dropped-call rate.
    pub dropped: f64,
    /// Factor of competitors' price pressure.
    pub competition: f64,
}

/// A tariff.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs)]
pub struct Tariff {
    /// Name, unique in the list.
    pub name: String,
    /// Prepaid (top-ups, no contract) or postpaid (a bill).
    pub prepaid: bool,
    /// Where it stands from cheap (0) to dear (1).
    pub tier: f64,
    /// Currency per month.
    pub fee: f64,
    /// Data allowance, GB per month.
    pub data_gb: f64,
    /// Voice allowance, minutes per month.
    pub minutes: f64,
    /// Price of a GB beyond the allowance.
    pub per_gb: f64,
    /// Price of a minute beyond the allowance.
    pub per_minute: f64,
    /// Months that a new subscriber is bound.
    pub contract_months: u32,
}

/// Everything that a [`World`](crate::World) is made from.
///
/// Fields that a JSON file leaves out take the default; unknown ones are refused.
///
/// # Examples
/// ```
/// use telseg_sim::WorldConfig;
/// let config = WorldConfig::from_json(r#"{ "n_subscribers": 500, "noise": { "missing": 0.05 } }"#)?;
/// assert_eq!((config.n_subscribers, config.n_months), (500, 12));
/// let error = WorldConfig::from_json(r#"{ "noise": { "missing": 1.5 } }"#).unwrap_err();
/// assert_eq!(error.to_string(), "noise.missing: expected a number from 0 to 1, found 1.5");
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WorldConfig {
    /// Size of the base; it stays constant (who leaves is replaced by a joiner with a new id). Default 10 000.
    pub n_subscribers: usize,
    /// Months that [`customers`](crate::customers) simulates before it takes the snapshot. Default 12.
    pub n_months: u32,
    /// Months that the aggregates of a snapshot look back (fewer for those who joined later). Default 6.
    pub window: u32,
    /// Calendar month of the first simulated month, 0 = January. Default 0.
    pub start_month: u32,
    /// The hidden groups.
    pub archetypes: Vec<Archetype>,
    /// How subscribers scatter around them.
    pub population: Population,
    /// Regions.
    pub regions: Vec<Region>,
    /// Tariffs; at least one prepaid and one postpaid.
    pub tariffs: Vec<Tariff>,
    /// How usage moves.
    pub usage: Usage,
    /// What happens in life.
    pub life: LifeEvents,
    /// Competitors.
    pub market: Market,
    /// Network, care, payments, satisfaction.
    pub service: Service,
    /// Bills and top-ups.
    pub billing: Billing,
    /// The hazard of leaving.
    pub churn: Churn,
    /// The catalogue.
    pub offers: Vec<Offer>,
    /// Channels, in the order of [`Channel::ALL`].
    pub channels: [ChannelEffect; 5],
    /// Acceptance.
    pub response: Response,
    /// The worth of staying.
    pub value: Value,
    /// Missing values and outliers.
    pub noise: Noise,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            n_subscribers: 10_000,
            n_months: 12,
            window: 6,
            start_month: 0,
            archetypes: archetype::defaults(),
            population: Population::default(),
            regions: default_regions(),
            tariffs: default_tariffs(),
            usage: Usage::default(),
            life: LifeEvents::default(),
            market: Market::default(),
            service: Service::default(),
            billing: Billing::default(),
            churn: Churn::default(),
            offers: offer::defaults(),
            channels: offer::default_channels(),
            response: Response::default(),
            value: Value::default(),
            noise: Noise::default(),
        }
    }
}

impl WorldConfig {
    /// Sets the size of the base.
    pub fn with_n_subscribers(mut self, n_subscribers: usize) -> Self {
        self.n_subscribers = n_subscribers;
        self
    }

    /// Sets how many months [`customers`](crate::customers) simulates.
    pub fn with_n_months(mut self, n_months: u32) -> Self {
        self.n_months = n_months;
        self
    }

    /// Sets how many months a snapshot looks back.
    pub fn with_window(mut self, window: u32) -> Self {
        self.window = window;
        self
    }

    /// Sets what is wrong with the data.
    pub fn with_noise(mut self, noise: Noise) -> Self {
        self.noise = noise;
        self
    }

    /// Reads a world from JSON text and checks it.
    ///
    /// # Errors
    /// Text that is not JSON, an unknown field, or a value that [`validate`](Self::validate) refuses.
    pub fn from_json(json: &str) -> Result<Self> {
        Self::parse(json, "world config".to_owned())
    }

    /// Reads a world from a JSON file and checks it.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json), and when the file cannot be read.
    pub fn from_json_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let json = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        Self::parse(&json, path.display().to_string())
    }

    fn parse(json: &str, what: String) -> Result<Self> {
        let config: Self =
            serde_json::from_str(json).map_err(|e| Error::data(what, e.to_string()))?;
        config.validate()?;
        Ok(config)
    }

    /// The world as indented JSON, a starting point for one's own.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self)
            .expect("invariant: plain data without map keys serialises");
        json.push('\n');
        json
    }

    /// Checks every field.
    ///
    /// # Errors
    /// The first field that cannot be, by name, with what was expected and found.
    pub fn validate(&self) -> Result<()> {
        if self.n_subscribers == 0 || self.n_subscribers > 100_000_000 {
            let found = format!("expected 1 to 100000000, found {}", self.n_subscribers);
            return Err(Error::param("n_subscribers", found));
        }
        for (name, value, low, high) in [
            ("n_months", self.n_months, 1, 1200),
            ("window", self.window, 1, 36),
            ("start_month", self.start_month, 0, 11),
        ] {
            if !(low..=high).contains(&value) {
                return Err(Error::param(
                    name,
                    format!("expected {low} to {high}, found {value}"),
                ));
            }
        }
        self.validate_lists()?;
        self.population.validate()?;
        self.usage.validate()?;
        self.life.validate()?;
        self.market.validate()?;
        self.service.validate()?;
        self.billing.validate()?;
        self.churn.validate()?;
        self.response.validate()?;
        self.value.validate()?;
        self.noise.validate()
    }

    fn validate_lists(&self) -> Result<()> {
        check::filled("archetypes", &self.archetypes)?;
        check::unique(
            "archetypes",
            self.archetypes.iter().map(|a| a.name.as_str()),
        )?;
        for (i, archetype) in self.archetypes.iter().enumerate() {
            archetype.validate(&format!("archetypes[{i}]"))?;
        }
        check::filled("regions", &self.regions)?;
        check::unique("regions", self.regions.iter().map(|r| r.name.as_str()))?;
        for (i, region) in self.regions.iter().enumerate() {
            check::positive(&format!("regions[{i}].share"), region.share)?;
            check::positive(&format!("regions[{i}].dropped"), region.dropped)?;
            check::not_negative(&format!("regions[{i}].competition"), region.competition)?;
        }
        check::unique("tariffs", self.tariffs.iter().map(|t| t.name.as_str()))?;
        for kind in [true, false] {
            if !self.tariffs.iter().any(|t| t.prepaid == kind) {
                let name = if kind { "prepaid" } else { "postpaid" };
                return Err(Error::param(
                    "tariffs",
                    format!("expected at least one {name} tariff, found none"),
                ));
            }
        }
        for (i, t) in self.tariffs.iter().enumerate() {
            check::finite(&format!("tariffs[{i}].tier"), t.tier)?;
            check::positive(&format!("tariffs[{i}].fee"), t.fee)?;
            for (name, value) in [
                ("data_gb", t.data_gb),
                ("minutes", t.minutes),
                ("per_gb", t.per_gb),
                ("per_minute", t.per_minute),
            ] {
                check::not_negative(&format!("tariffs[{i}].{name}"), value)?;
            }
        }
        check::unique("offers", self.offers.iter().map(|o| o.name.as_str()))?;
        for (i, offer) in self.offers.iter().enumerate() {
            offer.validate(&format!("offers[{i}]"))?;
        }
        for (i, channel) in self.channels.iter().enumerate() {
            check::not_negative(&format!("channels[{i}].cost"), channel.cost)?;
            check::finite(&format!("channels[{i}].intercept"), channel.intercept)?;
            check::finite(&format!("channels[{i}].per_decade"), channel.per_decade)?;
            check::not_negative(&format!("channels[{i}].fatigue"), channel.fatigue)?;
        }
        Ok(())
    }
}

fn default_regions() -> Vec<Region> {
    let region = |name: &str, share, dropped, competition| Region {
        name: name.into(),
        share,
        dropped,
        competition,
    };
    vec![
        region("Capital", 0.30, 0.8, 1.3),
        region("North", 0.18, 1.1, 1.0),
        region("South", 0.20, 1.0, 1.0),
        region("East", 0.14, 1.5, 0.8),
        region("West", 0.18, 1.0, 0.9),
    ]
}

fn default_tariffs() -> Vec<Tariff> {
    let tariff =
        |name: &str, tier, (fee, data_gb, minutes): (f64, f64, f64), per_gb, contract_months| {
            Tariff {
                name: name.into(),
                prepaid: contract_months == 0,
                tier,
                fee,
                data_gb,
                minutes,
                per_gb,
                per_minute: 0.05,
                contract_months,
            }
        };
    vec![
        tariff("Prepaid Basic", 0.12, (5.0, 1.5, 80.0), 2.0, 0),
        tariff("Prepaid Plus", 0.35, (10.0, 8.0, 250.0), 1.5, 0),
        tariff("Prepaid Max", 0.60, (17.0, 40.0, 500.0), 1.0, 0),
        tariff("Postpaid S", 0.15, (12.0, 3.0, 400.0), 2.0, 24),
        tariff("Postpaid M", 0.35, (19.0, 12.0, 500.0), 1.5, 24),
        tariff("Postpaid Family", 0.50, (26.0, 25.0, 800.0), 1.2, 24),
        tariff("Postpaid L", 0.65, (32.0, 50.0, 1000.0), 1.0, 24),
        tariff("Postpaid XL", 0.82, (42.0, 120.0, 3000.0), 1.0, 24),
        tariff("Business", 0.95, (58.0, 100.0, 5000.0), 1.0, 24),
    ]
}
