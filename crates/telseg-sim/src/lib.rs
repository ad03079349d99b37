#![doc = include_str!("../README.md")]

mod churn;
mod config;
mod draw;
mod month;
mod noise;
mod response;
mod snapshot;
mod subscriber;
#[cfg(feature = "arrow")]
mod tables;
mod value;
mod world;

pub use config::{
    APPS, ATTRIBUTES, Archetype, Billing, Channel, ChannelEffect, Churn, Condition, DAYPARTS,
    LifeEvents, Link, Market, MissingAtRandom, Noise, Offer, PerUsage, Population, Quantity,
    Region, Response, Season, Service, Tariff, Usage, Value, WorldConfig,
};
pub use month::MONTH_COLUMNS;
pub use response::{Action, Decision, N_SLOTS};
pub use snapshot::{Column, ColumnKind, Snapshot, customers};
pub use subscriber::{DEVICE_CLASSES, GENDERS, INCOME_BANDS, Subscriber};
pub use value::Oracle;
pub use world::{Outcomes, World};

/// The book's page on the simulated operator: its code runs with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/sim.md")]
mod book {}
