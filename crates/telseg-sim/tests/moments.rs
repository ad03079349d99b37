//! Each distribution of the starting base, the market and the noise against its stated moments.
#![allow(clippy::unwrap_used)]

mod common;

use common::{assert_moments, assert_rate};
use telseg_sim::{Noise, Snapshot, Subscriber, World, WorldConfig};

const N: usize = 40_000;

/// Pure members only, so that the stated laws are those of each archetype.
fn pure() -> WorldConfig {
    let mut config = WorldConfig::default().with_n_subscribers(N);
    config.population.mixture = 0.0;
    config.population.shared_household = 0.0;
    config
}

fn of(world: &World, archetype: u32) -> impl Iterator<Item = &Subscriber> + Clone {
    world
        .subscribers()
        .iter()
        .filter(move |s| s.archetype == archetype)
}

#[test]
fn demographics() {
    let world = World::new(pure(), 3).unwrap();
    let total: f64 = world.config().archetypes.iter().map(|a| a.share).sum();
    for (i, a) in world.config().archetypes.iter().enumerate() {
        let members = of(&world, i as u32);
        assert_rate(
            &a.name,
            world.subscribers().iter().map(|s| s.archetype == i as u32),
            a.share / total,
        );
        assert_rate("female", members.clone().map(|s| s.gender == 0), a.female);
        assert_rate(
            "prepaid",
            members.clone().map(|s| s.is_prepaid(world.config())),
            a.prepaid,
        );
        // Binomial(4, p): mean 4 p, variance 4 p (1 - p).
        let p = a.income / 4.0;
        assert_moments(
            "income",
            members.clone().map(|s| s.income.into()),
            a.income,
            None,
        );
        let (_, sd, n) = common::moments(members.clone().map(|s| s.income.into()));
        assert!(
            (sd * sd - 4.0 * p * (1.0 - p)).abs() < 6.0 * sd * sd / (n / 2.0).sqrt(),
            "income variance of {}",
            a.name
        );
        // 1 + Poisson; the cap at 8 takes less than half a standard error away.
        let size = members.clone().map(|s| s.household_size.into());
        assert_moments("household", size, a.household_size, None);
        // min(X, 240) rounded down, X exponential with rate h: at least k with probability e^(-k h), k = 1..=240.
        let mean = (1..=240).map(|k| (-a.turnover * f64::from(k)).exp()).sum();
        let tenure = members.clone().map(|s| s.tenure.into());
        assert_moments("tenure", tenure, mean, None);
        // Normal(m, s), clamped to [l, u]: l F(a) + u (1 - F(b)) + m (F(b) - F(a)) + s (f(a) - f(b)).
        let [low, high] = [16.0, 95.0].map(|limit: f64| (limit - a.age_mean) / a.age_sd);
        let density = |z: f64| (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
        let mean = 16.0 * normal_below(low)
            + 95.0 * (1.0 - normal_below(high))
            + a.age_mean * (normal_below(high) - normal_below(low))
            + a.age_sd * (density(low) - density(high));
        assert_moments("age", members.map(|s| s.age.into()), mean, None);
    }
}

/// The standard normal distribution function, by Simpson's rule from -8 (error below 1e-9).
fn normal_below(z: f64) -> f64 {
    let step = (z + 8.0) / 2000.0;
    let density = |i: u32| (-0.5 * (f64::from(i) * step - 8.0).powi(2)).exp();
    let weight = |i: u32| match i {
        0 | 2000 => 1.0,
        i => 2.0 + 2.0 * f64::from(i % 2),
    };
    let sum: f64 = (0..=2000).map(|i| weight(i) * density(i)).sum();
    sum * step / 3.0 / std::f64::consts::TAU.sqrt()
}

#[test]
fn devices_and_contracts() {
    let world = World::new(pure(), 8).unwrap();
    let sd = world.config().population.device_sd;
    for (i, a) in world.config().archetypes.iter().enumerate() {
        let below = |limit: f64| normal_below((limit - a.device_tier) / sd);
        let limits = [0.0, below(0.15), below(0.45), below(0.75), 1.0];
        for class in 0..4 {
            let hits = of(&world, i as u32).map(|s| usize::from(s.device_class) == class);
            assert_rate(&a.name, hits, limits[class + 1] - limits[class]);
        }
    }
    // As tenure, with mean 20 and the limit 72.
    let mean = (1..=72).map(|k| (-f64::from(k) / 20.0).exp()).sum();
    let all = world.subscribers().iter();
    assert_moments(
        "device age",
        all.clone().map(|s| s.device_age.into()),
        mean,
        None,
    );
    for (class, rate) in [0.0, 0.25, 0.70, 0.95].into_iter().enumerate() {
        let owners = all.clone().filter(|s| usize::from(s.device_class) == class);
        let (new, old): (Vec<&Subscriber>, Vec<&Subscriber>) =
            owners.partition(|s| s.device_age < 48);
        assert_rate("5G", new.iter().map(|s| s.five_g), rate);
        assert!(!old.iter().any(|s| s.five_g));
    }
    let (prepaid, postpaid): (Vec<&Subscriber>, Vec<&Subscriber>) =
        all.partition(|s| s.is_prepaid(world.config()));
    assert!(prepaid.iter().all(|s| s.contract_left == 0));
    let (first, later): (Vec<&Subscriber>, Vec<&Subscriber>) =
        postpaid.into_iter().partition(|s| s.tenure < 24);
    assert!(first.iter().all(|s| s.contract_left == 24 - s.tenure));
    assert_rate("renewed", later.iter().map(|s| s.contract_left > 0), 0.5);
    let left = later.iter().filter(|s| s.contract_left > 0);
    // Uniform on 1..=24: mean 12.5, variance (24^2 - 1) / 12; its sd varies less than that of a normal sample.
    let sd = (575.0f64 / 12.0).sqrt();
    assert_moments("left", left.map(|s| s.contract_left.into()), 12.5, Some(sd));
}

#[test]
fn levels_are_lognormal_around_the_archetype() {
    let config = pure();
    let (p, first) = (config.population.clone(), config.usage.engagement_noise_sd);
    let world = World::new(config, 4).unwrap();
    for (i, a) in world.config().archetypes.iter().enumerate() {
        let members = of(&world, i as u32);
        // Own level, shared activity, and the first month's engagement.
        let sd = (a.spread * a.spread + p.activity_sd * p.activity_sd + first * first).sqrt();
        let usage = a.usage.to_array();
        for kind in [0, 1, 2, 4, 5] {
            let values = members.clone().map(|s| s.usage_level(kind).ln());
            assert_moments(&a.name, values, usage[kind].ln(), Some(sd));
        }
        // International calls do not share the activity.
        let sd = (a.spread * a.spread + first * first).sqrt();
        assert_moments(
            &a.name,
            members.clone().map(|s| s.usage_level(3).ln()),
            usage[3].ln(),
            Some(sd),
        );
        let logit = |p: f64| (p / (1.0 - p)).ln();
        let weekend = members.clone().map(|s| logit(s.weekend_share()));
        assert_moments("weekend", weekend, logit(a.weekend_share), Some(p.time_sd));
        let home = members.clone().map(|s| s.home_network.into());
        assert_moments(
            "home network",
            home,
            0.0,
            Some(world.config().service.dropped_sd),
        );
    }
}

#[test]
fn mixtures_and_households() {
    let world = World::new(WorldConfig::default().with_n_subscribers(N), 5).unwrap();
    let p = &world.config().population;
    assert_rate(
        "mixture",
        world.subscribers().iter().map(|s| s.weight < 1.0),
        p.mixture,
    );
    let mixed = world.subscribers().iter().filter(|s| s.weight < 1.0);
    let [low, high] = p.mixture_weight;
    // Uniform: mean (a + b) / 2.
    assert_moments(
        "weight",
        mixed.map(|s| s.weight.into()),
        (low + high) / 2.0,
        None,
    );
    let candidates = world.subscribers().iter().filter(|s| (s.id - 1) % 4 != 0);
    assert_rate(
        "member",
        candidates.map(|s| s.household != s.id),
        p.shared_household,
    );
    let regions = &world.config().regions;
    let total: f64 = regions.iter().map(|r| r.share).sum();
    // Heads only: members share their head's region.
    for (i, region) in regions.iter().enumerate() {
        let heads = world.subscribers().iter().filter(|s| s.household == s.id);
        assert_rate(
            &region.name,
            heads.map(|s| usize::from(s.region) == i),
            region.share / total,
        );
    }
}

#[test]
fn the_market_is_an_autoregression() {
    let mut config = WorldConfig::default().with_n_subscribers(1);
    (config.market.trend, config.market.season.amplitude) = (0.0, 0.0);
    let (rho, sd) = (config.market.persistence, config.market.shock_sd);
    let mut world = World::new(config, 6).unwrap();
    let n = 6000;
    let pressure: Vec<f64> = (0..n)
        .map(|_| {
            world.advance();
            world.price_pressure()
        })
        .collect();
    let shocks = pressure.windows(2).map(|p| p[1] - rho * p[0]);
    assert_moments("shocks", shocks, 0.0, Some(sd));
    // Stationary variance sd^2 / (1 - rho^2); its standard error with lag correlations rho^k is
    // sqrt(2 (1 + rho^2) / (n (1 - rho^2))) of it: 3 % here, five of them.
    let (_, found, _) = common::moments(pressure.iter().copied());
    let stated = sd * sd / (1.0 - rho * rho);
    assert!((found * found / stated - 1.0).abs() < 0.16, "{found}");
}

fn base(noise: Noise) -> Snapshot {
    World::new(
        WorldConfig::default()
            .with_n_subscribers(N)
            .with_noise(noise),
        7,
    )
    .unwrap()
    .snapshot()
}

#[test]
fn missing_cells_have_their_rates() {
    let mut noise = Noise::default();
    noise.missing = 0.03;
    let rules = noise.missing_at_random.clone();
    let snapshot = base(noise);
    for (j, column) in snapshot.columns.iter().enumerate() {
        let cells = snapshot.features.column(j);
        match rules.iter().find(|r| r.column == column.name) {
            None => assert_rate(column.name, cells.iter().map(|v| v.is_nan()), 0.03),
            Some(rule) => {
                let by = snapshot.names().iter().position(|n| *n == rule.by).unwrap();
                let above = |i: usize| f64::from(snapshot.clean[(i, by)]) > rule.threshold;
                for (side, rate) in [(false, rule.rate_below), (true, rule.rate_above)] {
                    let rows = (0..N).filter(|&i| above(i) == side);
                    let hits: Vec<bool> = rows.map(|i| cells[i].is_nan()).collect();
                    // Independent of the cells that are missing completely at random.
                    assert_rate(column.name, hits, 1.0 - (1.0 - rate) * 0.97);
                }
            }
        }
    }
}

#[test]
fn outliers_and_impossible_codes_have_their_rates() {
    let mut noise = Noise::none();
    (noise.outliers, noise.impossible) = (0.02, 0.01);
    let snapshot = base(noise);
    let column = |name: &str| snapshot.names().iter().position(|n| *n == name).unwrap();
    let pairs = |j: usize| (0..N).map(move |i| (i, j));
    let factor = |cell: (usize, usize)| f64::from(snapshot.features[cell] / snapshot.clean[cell]);
    for name in [
        "voice_min_mean",
        "data_gb_mean",
        "revenue_mean",
        "dropped_rate_last",
    ] {
        let factors: Vec<f64> = pairs(column(name)).map(factor).collect();
        assert_rate(name, factors.iter().map(|f| *f > 1.0), 0.02);
        // ln(factor) ~ Uniform(ln 10, ln 100): mean 1.5 ln 10, sd ln 10 / sqrt(12).
        let ln10 = 10f64.ln();
        let logs = factors.iter().filter(|f| **f > 1.0).map(|f| f.ln());
        assert_moments(name, logs, 1.5 * ln10, Some(ln10 / 12f64.sqrt()));
    }
    assert_rate(
        "age",
        snapshot
            .features
            .column(column("age"))
            .iter()
            .map(|v| *v == 999.0),
        0.01,
    );
    assert_rate(
        "tenure",
        snapshot
            .features
            .column(column("tenure_months"))
            .iter()
            .map(|v| *v == -1.0),
        0.01,
    );
    assert!(
        snapshot.features.column(column("video_share"))
            == snapshot.clean.column(column("video_share"))
    );
    let clean = base(Noise::none());
    assert_eq!(clean.features, clean.clean);
    assert_eq!(clean.clean, snapshot.clean);
}
