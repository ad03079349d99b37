//! Segments of a base that is never in memory as a whole: read block by block, exactly, and once as a stream.

use std::process::ExitCode;

use ndarray::Array2;
use telseg_cluster::{KMeans, MiniBatchKMeans};
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

const BLOCKS: u64 = 8;

/// One block of subscribers, as a reader of a large file would hand it out: logarithms of minutes, messages and GB.
fn block(index: u64) -> telseg_core::Result<Array2<f32>> {
    let base = customers(
        &WorldConfig::default().with_n_subscribers(2000),
        100 + index,
    )?;
    let columns = ["voice_min_mean", "sms_mean", "data_gb_mean"];
    let mut usage = Array2::zeros((base.n_rows(), columns.len()));
    for (j, name) in columns.iter().enumerate() {
        let position = base.names().iter().position(|n| n == name);
        let position = position
            .ok_or_else(|| telseg_core::Error::data("base", format!("has no column {name}")))?;
        let amounts = base.clean.column(position).mapv(|v| v.max(0.0).ln_1p());
        usage.column_mut(j).assign(&amounts);
    }
    Ok(usage)
}

fn run() -> telseg_core::Result<()> {
    // Every pass opens the blocks anew; only one of them is in memory.
    let exact = KMeans::params(5)
        .with_seed(1)
        .fit_blocks(|| Ok((0..BLOCKS).map(block)))?;
    let report = exact.report();
    say(&format!(
        "{} rounds over {BLOCKS} blocks; subscribers and typical month of each segment:",
        report.n_iter
    ));
    for (center, size) in exact.centers().rows().into_iter().zip(&report.sizes) {
        let amount = |j: usize| center[j].exp_m1();
        say(&format!(
            "  {size:6} subscribers  {:6.0} minutes  {:5.0} messages  {:5.1} GB",
            amount(0),
            amount(1),
            amount(2)
        ));
    }

    // A stream sees each block once.
    let streamed = MiniBatchKMeans::params(5)
        .with_seed(1)
        .with_batch_size(500)
        .fit_blocks((0..BLOCKS).map(block))?;
    let unseen = block(BLOCKS)?;
    let cost = |distances: Array2<f32>| -> f32 {
        distances
            .rows()
            .into_iter()
            .map(|row| row.iter().copied().fold(f32::INFINITY, f32::min).powi(2))
            .sum()
    };
    let (a, b) = (
        cost(exact.transform(&unseen)?),
        cost(streamed.transform(&unseen)?),
    );
    say(&format!(
        "squared distances of subscribers unseen so far: exact {a:.0}, from the stream {b:.0}"
    ));
    assert!(b < 1.25 * a, "a stream comes near the exact answer");
    assert_eq!(report.sizes.iter().sum::<f64>(), 2000.0 * BLOCKS as f64);
    Ok(())
}

fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}
