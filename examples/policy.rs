//! A policy acts on the simulated operator month by month and is held against the oracle, which knows every effect.
//!
//! ```text
//! cargo run --release --example policy -- --months 6 --world my-world.json
//! ```

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use telseg::Result;
use telseg::core::Seed;
use telseg::sim::{Action, Decision, World};
use telseg_examples::world;

/// Lets three policies act on the same operator and compares what they earn.
#[derive(Debug, Parser)]
struct Arguments {
    /// JSON file that describes the operator to simulate.
    #[arg(long)]
    world: Option<PathBuf>,
    /// Number of subscribers to simulate.
    #[arg(long, default_value_t = 3000)]
    subscribers: usize,
    /// Months that each policy acts.
    #[arg(long, default_value_t = 3)]
    months: u32,
    /// Root of all random choices.
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// What a policy does with one subscriber in one month.
type Choose = fn(&World, u64, Option<Action>, u64) -> Result<Option<Action>>;

const POLICIES: [(&str, Choose); 3] = [
    ("contact nobody", |_, _, _, _| Ok(None)),
    ("any offer at random", |world, id, _, draw| {
        let actions = world.actions(id)?;
        Ok((!actions.is_empty()).then(|| actions[draw as usize % actions.len()]))
    }),
    ("the oracle's choice", |_, _, best, _| Ok(best)),
];

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
    let start = World::new(
        world(arguments.world.as_deref(), Some(arguments.subscribers))?,
        arguments.seed,
    )?;
    let mut out = std::io::stdout();
    let _ = writeln!(
        out,
        "{} subscribers, {} months\n",
        arguments.subscribers, arguments.months
    );
    let mut earned = Vec::new();
    for (name, choose) in POLICIES {
        let total = play(&start, choose, arguments)?;
        let _ = writeln!(
            out,
            "{name:20} earns {:10.0} a month",
            total / f64::from(arguments.months)
        );
        earned.push(total);
    }
    assert!(
        earned[2] > earned[0] && earned[2] > earned[1],
        "the oracle knows best: {earned:?}"
    );
    Ok(())
}

/// Plays a policy from the same start; what it earns is the realised value of all subscribers over the months.
fn play(start: &World, choose: Choose, arguments: &Arguments) -> Result<f64> {
    let mut world = start.clone();
    let stream = Seed::new(arguments.seed).stream("example.policy");
    let mut total = 0.0;
    for month in 0..arguments.months {
        let oracle = world.oracle();
        let draws = stream.child(u64::from(month));
        let mut decisions = Vec::new();
        for (&id, &best) in oracle.subscribers.iter().zip(&oracle.best) {
            decisions.extend(
                choose(&world, id, best, draws.bits(id))?.map(|action| Decision::new(id, action)),
            );
        }
        total += world.step(&decisions)?.value.iter().sum::<f64>();
    }
    Ok(total)
}
