//! One crate alone, on a matrix that the user already has: k-means of usage, then the silhouette of what it found.

use std::process::ExitCode;

use ndarray::Array2;
use telseg_cluster::KMeans;
use telseg_cluster::metrics::silhouette_sampled;
use telseg_sim::{WorldConfig, customers};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::from(2)
        }
    }
}

fn run() -> telseg_core::Result<()> {
    let base = customers(&WorldConfig::default().with_n_subscribers(5000), 1)?;
    let columns = ["voice_min_mean", "sms_mean", "data_gb_mean"];
    let mut usage = Array2::<f32>::zeros((base.n_rows(), columns.len()));
    for (j, name) in columns.iter().enumerate() {
        let position = base.names().iter().position(|n| n == name);
        let position = position
            .ok_or_else(|| telseg_core::Error::data("base", format!("has no column {name}")))?;
        // Usage is skewed: logarithms make ratios count.
        usage
            .column_mut(j)
            .assign(&base.clean.column(position).mapv(|v| v.max(0.0).ln_1p()));
    }
    let model = KMeans::params(6).with_seed(42).fit(&usage)?;
    let labels = model.predict(&usage)?;
    assert_eq!(&labels, model.labels());
    let silhouette = silhouette_sampled(&usage, &labels, 1000, 42)?;
    for (center, size) in model
        .centers()
        .rows()
        .into_iter()
        .zip(&model.report().sizes)
    {
        let typical: Vec<String> = center
            .iter()
            .map(|v| format!("{:8.1}", v.exp_m1()))
            .collect();
        say(&format!(
            "{size:6} subscribers: minutes, SMS, GB a month {}",
            typical.join(" ")
        ));
    }
    say(&format!("silhouette {:.3}", silhouette.estimate));
    assert!(silhouette.estimate > 0.1);
    Ok(())
}

fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}
