//! Each draw of a month against its stated moments; tolerances are five standard errors.

use telseg_core::Seed;

use super::*;
use crate::subscriber::Births;

const N: u64 = 40_000;

/// The same month of the same subscriber, lived `N` times.
fn live_often(
    change: impl Fn(&mut WorldConfig, &mut Subscriber),
) -> (WorldConfig, Subscriber, Vec<(Subscriber, Row)>) {
    let mut config = WorldConfig::default();
    let births = Births::new(&config, Seed::new(1));
    let mut s = births.draw(&config, 1, false);
    s.tariff = config.tariffs.iter().position(|t| !t.prepaid).unwrap_or(0) as u8;
    (s.device_class, s.engagement) = (2, 0.0);
    change(&mut config, &mut s);
    let shared = Shared {
        usage: [0.0; 6],
        travel: 0.0,
        pressure: 0.0,
    };
    let stream = Seed::new(2).stream("month.test");
    let months = (0..N)
        .map(|i| {
            let (mut s, mut row) = (s.clone(), [0.0; at::N]);
            live(&config, &shared, &mut s, &mut stream.index(i), &mut row);
            (s, row)
        })
        .collect();
    (config, s, months)
}

/// Checks the mean, and the standard deviation when it is stated (its standard error is that of a normal sample).
#[track_caller]
fn check(values: impl Iterator<Item = f64>, mean: f64, sd: Option<f64>) {
    let values: Vec<f64> = values.collect();
    let n = values.len() as f64;
    let found = values.iter().sum::<f64>() / n;
    let spread = (values.iter().map(|v| (v - found).powi(2)).sum::<f64>() / n).sqrt();
    let error = sd.unwrap_or(spread) / n.sqrt();
    assert!(
        (found - mean).abs() < 5.0 * error,
        "mean {found}, stated {mean}, standard error {error}"
    );
    if let Some(sd) = sd {
        assert!(
            (spread - sd).abs() < 5.0 * sd / (2.0 * n).sqrt(),
            "sd {spread}, stated {sd}"
        );
    }
}

#[test]
fn usage_is_lognormal_around_the_own_level() {
    let (config, s, months) = live_often(|_, _| {});
    let noise = config.usage.noise_sd.to_array();
    let engagement = config.usage.engagement_noise_sd;
    for (column, kind) in [(at::VOICE, VOICE), (at::DATA, DATA)] {
        let sd = (noise[kind].powi(2) + engagement * engagement).sqrt();
        check(
            months.iter().map(|(_, r)| f64::from(r[column]).ln()),
            s.traits[kind].into(),
            Some(sd),
        );
    }
    check(
        months.iter().map(|(s, _)| s.engagement.into()),
        0.0,
        Some(engagement),
    );
    // Own deviations of the shares of time and apps, on their scales.
    let off = |r: &Row| f64::from(1.0 - r[at::PEAK] - r[at::NIGHT]);
    let peak = months
        .iter()
        .map(|(_, r)| (f64::from(r[at::PEAK]) / off(r)).ln());
    check(
        peak,
        s.traits[PEAK].into(),
        Some(config.usage.time_noise_sd),
    );
    let night = months
        .iter()
        .map(|(_, r)| (f64::from(r[at::NIGHT]) / off(r)).ln());
    check(
        night,
        s.traits[NIGHT].into(),
        Some(config.usage.time_noise_sd),
    );
    let weekend = months
        .iter()
        .map(|(_, r)| draw::logit(r[at::WEEKEND].into()));
    check(
        weekend,
        s.traits[WEEKEND].into(),
        Some(config.usage.time_noise_sd),
    );
    for k in 0..5 {
        let other = |r: &Row| {
            1.0 - r[at::VIDEO..at::VIDEO + 5]
                .iter()
                .map(|v| f64::from(*v))
                .sum::<f64>()
        };
        let app = months
            .iter()
            .map(|(_, r)| (f64::from(r[at::VIDEO + k]) / other(r)).ln());
        check(
            app,
            s.traits[APPS_AT + k].into(),
            Some(config.usage.apps_noise_sd),
        );
    }
}

#[test]
fn trips_and_international_calls_have_their_rates() {
    let (config, _, months) = live_often(|_, s| {
        s.traits[INTERNATIONAL] = draw::logit(0.3) as f32;
        s.traits[TRAVEL] = draw::logit(0.2) as f32;
    });
    let hit = |yes: bool| f64::from(u8::from(yes));
    check(
        months.iter().map(|(_, r)| hit(r[at::INTERNATIONAL] > 0.0)),
        0.3,
        Some(0.21f64.sqrt()),
    );
    check(
        months.iter().map(|(_, r)| hit(r[at::ROAMING_DAYS] > 0.0)),
        0.2,
        Some(0.4),
    );
    // 1 + Poisson(4): variance 4.
    let days = months
        .iter()
        .map(|(_, r)| f64::from(r[at::ROAMING_DAYS]))
        .filter(|d| *d > 0.0);
    check(
        days,
        config.usage.roaming_days,
        Some((config.usage.roaming_days - 1.0).sqrt()),
    );
    let daily = months.iter().filter(|(_, r)| r[at::ROAMING_DAYS] > 0.0);
    for (_, r) in daily.take(100) {
        let stated = r[at::DATA] / 30.0 * r[at::ROAMING_DAYS] * config.usage.roaming_data as f32;
        assert!((r[at::ROAMING_GB] / stated - 1.0).abs() < 1e-5);
    }
}

#[test]
fn care_complaints_and_network_have_their_rates() {
    let (config, s, months) = live_often(|config, s| {
        (config.service.incident, s.home_network) = (0.0, -2.0); // never worse than typical
        (s.satisfaction, s.traits[SATISFACTION]) = (-0.5, 0.25);
        s.traits[CARE] = 0.5f32.ln();
    });
    let c = &config.service;
    let rate = 0.5 * (c.care_satisfaction * -0.5).exp();
    check(months.iter().map(|(_, r)| r[at::CARE].into()), rate, None);
    let spread = months
        .iter()
        .map(|(_, r)| (f64::from(r[at::CARE]) - rate).powi(2));
    check(spread, rate, None); // Poisson: the variance is the rate
    let complains = draw::sigmoid(c.complaint[0] + c.complaint[1] * -0.5);
    check(
        months.iter().map(|(_, r)| r[at::COMPLAINTS].into()),
        rate * complains,
        None,
    );
    let region = config.regions[usize::from(s.region)].dropped;
    let typical = (c.dropped_rate * region).ln() - 2.0;
    check(
        months.iter().map(|(_, r)| f64::from(r[at::DROPPED]).ln()),
        typical,
        Some(c.dropped_noise_sd),
    );
    // Satisfaction without complaints: d = 0, no bill shock in the first month, no pressure.
    let calm = months
        .iter()
        .filter(|(_, r)| r[at::COMPLAINTS] == 0.0)
        .map(|(s, _)| s.satisfaction.into());
    let stated = c.persistence * -0.5 + (1.0 - c.persistence) * 0.25 + c.from_dropped * -0.3;
    check(calm, stated, Some(c.noise_sd));
    // With incidents only: three times the rate.
    let (config, _, months) = live_often(|config, s| {
        (
            config.service.incident,
            config.service.dropped_noise_sd,
            s.home_network,
        ) = (0.1, 0.0, 0.0);
    });
    let calm = config.service.dropped_rate * region;
    check(
        months.iter().map(|(_, r)| f64::from(r[at::DROPPED]) / calm),
        1.2,
        Some(0.6),
    );
}

#[test]
fn bills_and_payments_have_their_moments() {
    let (config, s, months) = live_often(|_, s| s.traits[LATE] = draw::logit(0.25) as f32);
    let late = months
        .iter()
        .map(|(_, r)| f64::from(u8::from(r[at::DAYS_LATE] > 0.0)));
    check(late, 0.25, Some((0.25f64 * 0.75).sqrt()));
    // floor(1 + E), E exponential with mean m, at most 60: 1 + sum of exp(-k / m) for k = 1..=59.
    let mean = 1.0
        + (1..=59)
            .map(|k| (-f64::from(k) / config.service.late_days).exp())
            .sum::<f64>();
    check(
        months
            .iter()
            .map(|(_, r)| f64::from(r[at::DAYS_LATE]))
            .filter(|d| *d > 0.0),
        mean,
        None,
    );
    let tariff = &config.tariffs[usize::from(s.tariff)];
    for (_, r) in months.iter().take(500) {
        let [voice, data, abroad, days] =
            [at::VOICE, at::DATA, at::INTERNATIONAL, at::ROAMING_DAYS].map(|c| f64::from(r[c]));
        let overage = (data - tariff.data_gb).clamp(0.0, config.billing.overage_cap_gb)
            * tariff.per_gb
            + (voice - tariff.minutes).max(0.0) * tariff.per_minute;
        let bill = tariff.fee
            + overage
            + abroad * config.billing.international_price
            + days * config.billing.roaming_day_price;
        assert!((f64::from(r[at::REVENUE]) - bill).abs() < 1e-4 * bill);
        assert!(r[at::TOPUPS] == 0.0);
    }
    let (config, _, months) = live_often(|config, s| {
        s.tariff = config.tariffs.iter().position(|t| t.prepaid).unwrap_or(0) as u8;
    });
    // Poisson(due / topup) given what is due: the difference has mean 0.
    let topup = config.billing.topup;
    check(
        months
            .iter()
            .map(|(_, r)| f64::from(r[at::TOPUPS]) - f64::from(r[at::REVENUE]) / topup),
        0.0,
        None,
    );
    assert!(months.iter().all(|(_, r)| r[at::DAYS_LATE] == 0.0));
    assert!(months.iter().all(|(_, r)| {
        (f64::from(r[at::TOPUP_AMOUNT] - r[at::TOPUPS] * topup as f32)).abs() < 1e-3
    }));
}

#[test]
fn life_events_have_their_rates() {
    let births = Births::new(&WorldConfig::default(), Seed::new(1));
    let base = births.draw(&WorldConfig::default(), 5, false);
    let happened =
        |set: &dyn Fn(&mut WorldConfig), start: &Subscriber, seen: &dyn Fn(&Subscriber) -> bool| {
            let mut config = WorldConfig::default();
            let l = &mut config.life;
            (
                l.moving,
                l.new_job,
                l.child,
                l.retirement,
                l.device_upgrade,
                l.migration,
            ) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
            set(&mut config);
            let stream = Seed::new(3).stream("life.test");
            let one = |i| {
                let mut s = start.clone();
                life(&config, &births, &mut s, &mut stream.index(i));
                f64::from(u8::from(seen(&s)))
            };
            (0..N).map(one).sum::<f64>() / N as f64
        };
    let se = (0.1f64 * 0.9 / N as f64).sqrt();
    let young = Subscriber {
        age: 30.0,
        household_size: 2,
        device_age: 24,
        ..base.clone()
    };
    let old = Subscriber {
        age: 65.0,
        ..base.clone()
    };
    let near = |rate: f64, stated: f64| {
        assert!((rate - stated).abs() < 5.0 * se, "{rate}, stated {stated}")
    };
    near(
        happened(&|c| c.life.moving = 0.1, &base, &|s| {
            s.home_network != base.home_network
        }),
        0.1,
    );
    near(
        happened(&|c| c.life.new_job = 0.1, &base, &|s| {
            s.traits[PEAK] > base.traits[PEAK]
        }),
        0.1,
    );
    near(
        happened(&|c| c.life.child = 0.1, &young, &|s| s.household_size == 3),
        0.1,
    );
    near(
        happened(&|c| c.life.child = 0.1, &old, &|s| {
            s.household_size != old.household_size
        }),
        0.0,
    );
    near(
        happened(&|c| c.life.retirement = 0.1, &old, &|s| s.retired),
        0.1,
    );
    near(
        happened(&|c| c.life.retirement = 0.1, &young, &|s| s.retired),
        0.0,
    );
    // Two years old: twice the rate.
    near(
        happened(&|c| c.life.device_upgrade = 0.05, &young, &|s| {
            s.device_age == 0
        }),
        0.1,
    );
    // To another archetype than the own one (it can be drawn again).
    let config = WorldConfig::default();
    let total: f64 = config.archetypes.iter().map(|a| a.share).sum();
    let other = 1.0 - config.archetypes[base.archetype as usize].share / total;
    near(
        happened(&|c| c.life.migration = 0.1, &base, &|s| {
            s.archetype != base.archetype
        }),
        0.1 * other,
    );
}

#[test]
fn seasons_average_to_nothing_and_growth_adds_up() {
    let config = WorldConfig::default();
    let year: Vec<Shared> = (0..12).map(|m| Shared::of(&config, m, 0.0)).collect();
    let growth = config.usage.growth.to_array();
    for (k, per_month) in growth.iter().enumerate() {
        let mean = year.iter().map(|s| s.usage[k]).sum::<f64>() / 12.0;
        assert!((mean - 5.5 * per_month).abs() < 1e-12); // the mean month of 0..12 is 5.5
        let later = Shared::of(&config, 12, 0.0);
        assert!((later.usage[k] - year[0].usage[k] - 12.0 * per_month).abs() < 1e-12);
    }
    assert!(year.iter().map(|s| s.travel).sum::<f64>().abs() < 1e-12);
    // A wave with its peak in July is highest in July and lowest in January.
    let wave = crate::config::Season {
        amplitude: 0.8,
        peak: 6.0,
    };
    assert!(
        (wave.at(6) - 0.8).abs() < 1e-12
            && (wave.at(0) + 0.8).abs() < 1e-12
            && wave.at(18) == wave.at(6)
    );
}
