//! Who there is, how usage moves, what happens in life and on the market.

use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result};

use super::archetype::{PerUsage, USAGE};
use super::check::{self, all};

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
}

impl Default for Population {
    fn default() -> Self {
        Self {
            mixture: 0.35,
            mixture_weight: [0.55, 0.90],
            activity_sd: 0.25,
            time_sd: 0.40,
            apps_sd: 0.60,
            rate_sd: 0.45,
            satisfaction_sd: 0.5,
            price_sd: 0.25,
            tier_sd: 0.10,
            device_sd: 0.15,
            shared_household: 0.30,
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
                amplitude: 0.12,
                peak: 10.5,
            },
            persistence: 0.7,
            shock_sd: 0.06,
        }
    }
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
