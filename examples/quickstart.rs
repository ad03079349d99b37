//! The main job end to end: a base of subscribers is cleaned, segmented, explained and scored.
//!
//! ```text
//! cargo run --release --example quickstart                                  # a simulated operator
//! cargo run --release --example quickstart -- --data customers.csv          # your own file
//! cargo run --release --example quickstart -- --data customers.csv --save model.telseg
//! cargo run --release --example quickstart -- --load model.telseg --data new.csv --out scored.csv
//! cargo run --release --example quickstart -- --data march.csv --previous february.telseg --save march.telseg --remember
//! ```

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use telseg::core::Progress;
use telseg::core::artefact::write_atomic;
use telseg::core::metrics::{binary::auc, partition::ari};
use telseg::pipeline::Method;
use telseg::prelude::*;
use telseg::report::World;
use telseg::sim::{Snapshot, customers};
use telseg_examples::{Bars, world};

/// Segments, explains and scores a base of subscribers.
#[derive(Debug, Parser)]
struct Arguments {
    /// CSV or Parquet file with a subscriber a row; without it an operator is simulated.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Column that identifies a subscriber.
    #[arg(long, requires = "data")]
    id: Option<String>,
    /// Column to predict, with two values.
    #[arg(long, requires = "data")]
    target: Option<String>,
    /// Value of the target that counts as the event.
    #[arg(long, requires = "data")]
    positive: Option<String>,
    /// Write the fitted pipeline to this file.
    #[arg(long, conflicts_with = "load")]
    save: Option<PathBuf>,
    /// Score the data with the pipeline of this file instead of fitting one.
    #[arg(long, requires = "data", requires = "out")]
    load: Option<PathBuf>,
    /// Write the scored rows to this CSV file.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write what was found to this JSON file.
    #[arg(long, conflicts_with = "load")]
    json: Option<PathBuf>,
    /// Write the report to this HTML file.
    #[arg(
        long,
        default_value = "target/telseg/report.html",
        conflicts_with = "load"
    )]
    report: PathBuf,
    /// JSON file that describes the operator to simulate.
    #[arg(long, conflicts_with = "data")]
    world: Option<PathBuf>,
    /// Number of subscribers to simulate.
    #[arg(long, conflicts_with = "data")]
    subscribers: Option<usize>,
    /// Number of segments; chosen from the data unless given.
    #[arg(long, conflicts_with = "load")]
    segments: Option<usize>,
    /// How segments are found: k-means, sized, k-prototypes, gaussian-mixture, latent-classes, hdbscan, ward or k-medoids.
    #[arg(long, default_value = "k-means", conflicts_with = "load")]
    method: Method,
    /// Follow the pipeline of this file, last month's say: segments keep their numbers, and the report says what changed.
    #[arg(long, conflicts_with = "load")]
    previous: Option<PathBuf>,
    /// Remember in the saved pipeline who is in which segment, so that a later run can say who moved.
    #[arg(long, requires = "save")]
    remember: bool,
    /// Root of all random choices.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    match (&arguments.load, &arguments.data, &arguments.out) {
        (Some(model), Some(data), Some(out)) => score(model, data, out, arguments.quiet),
        _ => fit(arguments),
    }
}

/// Scores new rows with a saved pipeline.
fn score(model: &Path, data: &Path, out: &Path, quiet: bool) -> Result<()> {
    let run = Run::load(model)?;
    let scored = run.score(&Table::read(data)?)?;
    scored.write_csv(out)?;
    say(
        quiet,
        &format!("{} rows scored: {}", scored.segments.len(), out.display()),
    );
    Ok(())
}

/// Fits the pipeline on a file or on a simulated base, and writes what was asked for.
fn fit(arguments: &Arguments) -> Result<()> {
    let start = Instant::now();
    let bars = Bars::new(arguments.quiet);
    let (table, truth) = match &arguments.data {
        Some(file) => (Table::read(file)?, None),
        None => {
            bars.start("Simulate the operator", None);
            let base = customers(
                &world(arguments.world.as_deref(), arguments.subscribers)?,
                arguments.seed,
            )?;
            let table = Table::from_batch(base.to_record_batch())?;
            bars.finish();
            (table, Some(base))
        }
    };
    let read = start.elapsed().as_secs_f64();
    let mut run = pipeline(arguments)?.fit_observed(&table, &bars)?;
    if let Some(base) = &truth {
        compare(&mut run, base)?;
    }
    let seconds = &mut run.report_mut().making.seconds;
    seconds.insert(
        0,
        (
            if truth.is_some() { "simulate" } else { "read" }.to_owned(),
            read,
        ),
    );
    seconds.push(("total".to_owned(), start.elapsed().as_secs_f64()));
    write(arguments, &run, &table)?;
    say(arguments.quiet, &told(&run, &arguments.report));
    Ok(())
}

fn pipeline(arguments: &Arguments) -> Result<Pipeline> {
    let mut pipeline = Pipeline::new()
        .seed(arguments.seed)
        .method(arguments.method);
    if let Some(file) = &arguments.previous {
        pipeline = pipeline.follow(&Run::load(file)?);
    }
    if arguments.remember {
        pipeline = pipeline.remember_subscribers();
    }
    if let Some(id) = &arguments.id {
        pipeline = pipeline.id(id);
    }
    if let Some(target) = &arguments.target {
        pipeline = pipeline.target(target);
    }
    if let Some(positive) = &arguments.positive {
        pipeline = pipeline.positive(positive);
    }
    Ok(match arguments.segments {
        Some(k) => pipeline.segments(k..=k),
        None => pipeline,
    })
}

/// Holds what was found against what the simulated world knows to be true.
fn compare(run: &mut Run, base: &Snapshot) -> Result<()> {
    let truth = World {
        ari: Some(ari(&base.archetype, &run.labels().to_vec(), None)?),
        best_auc: Some(auc(&base.churned, &base.hazard, None)?),
    };
    let report = run.report_mut();
    report.source = "a simulated operator".to_owned();
    report.world = Some(truth);
    Ok(())
}

/// Writes everything that was asked for, each file complete or not at all.
fn write(arguments: &Arguments, run: &Run, table: &Table) -> Result<()> {
    if let Some(file) = &arguments.save {
        run.save(file)?;
    }
    if let Some(file) = &arguments.out {
        run.score(table)?.write_csv(file)?;
    }
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&run.summary())
            .map_err(|e| telseg::Error::data(file.display().to_string(), e.to_string()))?;
        write_atomic(file, text.as_bytes())?;
    }
    if let Some(folder) = arguments.report.parent() {
        std::fs::create_dir_all(folder).map_err(|e| telseg::Error::io(folder, e))?;
    }
    run.report().write_html(&arguments.report)
}

/// What a person wants to know first.
fn told(run: &Run, report: &Path) -> String {
    let found = run.summary();
    let mut text = format!(
        "\n{} subscribers, {} segments\n\n{}\n",
        found.rows,
        found.segments.len(),
        run.segments()
    );
    if let Some(auc) = found.churn_auc {
        text += &format!("Churn model: AUC {auc:.3} on subscribers it had not seen");
        if let Some(best) = found.best_auc {
            text += &format!("; {best:.3} is the best that any model can reach in this world");
        }
        text += ".\n";
    }
    if let Some(ari) = found.ari {
        text +=
            &format!("Segments against the planted archetypes: adjusted Rand index {ari:.3}.\n");
    }
    if let Some(changes) = &run.report().changes {
        text += &format!("\n{} against {}:\n", changes.month, changes.before);
        changes
            .alarms
            .iter()
            .for_each(|alarm| text += &format!("- {alarm}\n"));
        if changes.alarms.is_empty() {
            text += "- no alarm: nothing changed that is both large and no accident\n";
        }
    }
    text += &format!("Report: {}", report.display());
    text
}

fn say(quiet: bool, text: &str) {
    if !quiet {
        // A reader that went away (a closed pipe) is no reason to fail.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
}
