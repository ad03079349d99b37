//! Which method, and how many segments? k-means, Ward and average linkage on the usage of a simulated operator, judged by the
//! same measures; then Ward's tree as a picture.

use std::process::ExitCode;

use ndarray::{Array2, Axis};
use telseg_cluster::compare::{Clusterer, CompareParams, compare};
use telseg_cluster::{Cut, Hierarchical, KMeans, Linkage, SvgParams};
use telseg_core::artefact::write_atomic;
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
    let usage = usage()?;
    let (kmeans, ward) = (KMeans::params(2).with_seed(42), Hierarchical::params(2));
    let average = Hierarchical::params(2).with_linkage(Linkage::Average);
    let methods: [&dyn Clusterer<f32>; 3] = [&kmeans, &ward, &average];
    let params = CompareParams::default()
        .with_n_sample(1500)
        .with_n_resamples(10)
        .with_n_references(4);
    let found = compare(&usage, 2..=6, &methods, &params)?;
    say(&found.to_string());
    let best = found.recommended.map(|at| &found.judged[at]);
    assert!(best.is_some_and(|best| best.n_clusters >= 2));

    let model = Hierarchical::params(6).fit(&usage)?;
    assert_eq!(&model.predict(&usage)?, model.labels());
    let picture = SvgParams::default()
        .with_cut(Cut::Clusters(6))
        .with_title("Six segments of subscribers by their usage, and how they merge");
    let path = std::path::Path::new("target/telseg/dendrogram.svg");
    std::fs::create_dir_all("target/telseg").map_err(|e| telseg_core::Error::io(path, e))?;
    write_atomic(path, model.dendrogram().svg(&picture)?.as_bytes())?;
    say(&format!("the tree is in {}", path.display()));
    Ok(())
}

/// Minutes, SMS and data of each subscriber: logarithms (usage is skewed), each in units of its spread.
fn usage() -> telseg_core::Result<Array2<f32>> {
    let base = customers(&WorldConfig::default().with_n_subscribers(4000), 1)?;
    let columns = ["voice_min_mean", "sms_mean", "data_gb_mean"];
    let mut usage = Array2::<f32>::zeros((base.n_rows(), columns.len()));
    for (j, name) in columns.iter().enumerate() {
        let position = base.names().iter().position(|n| n == name);
        let position = position
            .ok_or_else(|| telseg_core::Error::data("base", format!("has no column {name}")))?;
        let column = base.clean.column(position).mapv(|v| v.max(0.0).ln_1p());
        usage.column_mut(j).assign(&column);
    }
    let spread = usage.std_axis(Axis(0), 0.0);
    Ok(usage / &spread)
}

fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}
