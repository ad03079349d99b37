//! Segments of subscribers by what they use and what they are: numbers and codes together, then segments of a size that a
//! campaign team can serve, then a subscriber who stands for each.

use std::process::ExitCode;

use ndarray::{Array2, Axis};
use telseg_cluster::kmedoids::Metric;
use telseg_cluster::{ConstrainedKMeans, Gower, GowerColumn, KMedoids, KPrototypes};
use telseg_core::{Error, Result};
use telseg_sim::{Snapshot, WorldConfig, customers};

/// Usage, then codes.
const NUMBERS: [&str; 4] = ["voice_min_mean", "data_gb_mean", "sms_mean", "revenue_mean"];
const CODES: [&str; 3] = ["payment", "tariff", "device_class"];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<()> {
    let base = customers(&WorldConfig::default().with_n_subscribers(5000), 1)?;
    let x = table(&base)?;
    let codes: Vec<usize> = (NUMBERS.len()..NUMBERS.len() + CODES.len()).collect();

    let mixed = KPrototypes::params(5, &codes).with_seed(42).fit(&x)?;
    assert_eq!(&mixed.predict(&x)?, mixed.labels());
    say(&format!(
        "by usage, payment, tariff and device: {:?} subscribers",
        mixed.report().sizes
    ));

    // A team calls 800 to 1200 subscribers a segment.
    let usage = x.slice(ndarray::s![.., ..NUMBERS.len()]);
    let sized = ConstrainedKMeans::params(5)
        .with_min_size(800)
        .with_max_size(1200);
    let sized = sized.with_seed(42).fit(&usage)?;
    assert!(
        sized
            .report()
            .sizes
            .iter()
            .all(|s| (800..=1200).contains(s))
    );
    say(&format!(
        "of a size to serve: {:?}; {} not in the nearest segment",
        sized.report().sizes,
        sized.report().n_displaced
    ));

    let kinds: Vec<GowerColumn> = (0..x.ncols())
        .map(|j| match codes.contains(&j) {
            true => GowerColumn::Categorical,
            false => GowerColumn::Numeric,
        })
        .collect();
    let metric = Metric::Gower(Gower::params(&kinds));
    let few = x.slice(ndarray::s![..1000, ..]);
    let typical = KMedoids::params(5).with_metric(metric).fit(&few)?;
    for (&row, size) in typical.medoid_rows().iter().zip(&typical.report().sizes) {
        let id = base.ids[row];
        say(&format!(
            "subscriber {id} stands for {size} of the first 1000"
        ));
    }
    assert!(typical.report().converged);
    Ok(())
}

/// Logarithms of usage in units of their spread, then codes.
fn table(base: &Snapshot) -> Result<Array2<f32>> {
    let mut x = Array2::zeros((base.n_rows(), NUMBERS.len() + CODES.len()));
    for (mut to, name) in x
        .columns_mut()
        .into_iter()
        .zip(NUMBERS.iter().chain(&CODES))
    {
        let at = base.names().iter().position(|n| n == name);
        let at = at.ok_or_else(|| Error::data("base", format!("has no column {name}")))?;
        to.assign(&base.clean.column(at));
    }
    let mut numbers = x.slice_mut(ndarray::s![.., ..NUMBERS.len()]);
    numbers.mapv_inplace(|v| v.max(0.0).ln_1p());
    let spread = numbers.std_axis(Axis(0), 0.0);
    numbers /= &spread;
    Ok(x)
}

fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}
