//! Follows segments through eight months of a simulated operator whose subscribers use more data every month and now and
//! then change their ways: each segment keeps its number, moves are counted, and what matters is said in sentences.
//!
//! ```text
//! cargo run --release --example segments_over_time -- --subscribers 20000
//! ```
//!
//! Writes the picture of the flows to `target/telseg/segments_over_time.svg`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ndarray::{Array1, Array2, Axis};
use telseg::core::{Error, Result};
use telseg::sim::{Snapshot, World, WorldConfig};
use telseg_cluster::KMeans;
use telseg_cluster::temporal::{
    AlarmKind, Hysteresis, Month, SegmentHistory, SegmentId, Since, Transition,
};

/// Follows segments over the months of a simulated operator.
#[derive(Debug, Parser)]
struct Arguments {
    /// Number of subscribers to simulate.
    #[arg(long, default_value_t = 6000)]
    subscribers: usize,
    /// Months to follow, at least 3.
    #[arg(long, default_value_t = 8)]
    months: u32,
    /// Number of segments.
    #[arg(long, default_value_t = 6)]
    segments: usize,
    /// Root of all random choices.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Folder for the picture.
    #[arg(long, default_value = "target/telseg")]
    out: PathBuf,
}

/// How subscribers behave, as the segmentation sees it; amounts as logarithms.
const COLUMNS: [(&str, bool); 9] = [
    ("voice_min_mean", true),
    ("data_gb_mean", true),
    ("sms_mean", true),
    ("night_share", false),
    ("weekend_share", false),
    ("video_share", false),
    ("social_share", false),
    ("work_share", false),
    ("revenue_mean", true),
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
    let mut out = std::io::stdout();
    let snapshots = simulate(arguments)?;
    let scale = Scale::of(&columns(&snapshots[0]));
    let calm = Hysteresis::margin(0.15).with_patience(3);
    let mut history = SegmentHistory::params().with_hysteresis(calm).start()?;
    let mut plain = SegmentHistory::params().start()?;
    let (mut ours, mut theirs) = (Moves::default(), Moves::default());
    let mut last: Option<(Transition, Transition)> = None;
    for (t, snapshot) in snapshots.iter().enumerate() {
        let x = scale.apply(columns(snapshot));
        let params = KMeans::params(arguments.segments).with_seed(arguments.seed);
        let model = match history.warm_start() {
            None => params.fit(&x)?,
            Some(start) => params.with_init(start).with_n_init(1).fit(&x)?,
        };
        let name = format!("month {}", snapshot.month + 1);
        let month = Month::new(&snapshot.ids, model.labels().iter().copied(), &x)
            .with_name(name)
            .with_columns(COLUMNS.map(|c| c.0));
        let (calm, flapping) = (history.update(&month)?, plain.update(&month)?);
        if t == 0 {
            name_segments(&mut history, snapshot, &calm)?;
        }
        if let Some((before_calm, before_flapping)) = &last {
            ours.count(
                &snapshots[t - 1],
                before_calm.segments(),
                snapshot,
                calm.segments(),
            );
            theirs.count(
                &snapshots[t - 1],
                before_flapping.segments(),
                snapshot,
                flapping.segments(),
            );
        }
        last = Some((calm, flapping));
    }
    let (change, _) = last.ok_or_else(|| Error::param("months", "expected at least 3, found 0"))?;
    tell(&mut out, &history, &change, (&ours, &theirs));
    let file = arguments.out.join("segments_over_time.svg");
    std::fs::create_dir_all(&arguments.out).map_err(|e| Error::io(&arguments.out, e))?;
    std::fs::write(&file, history.alluvial().to_svg()).map_err(|e| Error::io(&file, e))?;
    let _ = writeln!(out, "\nThe flows as a picture: {}", file.display());
    check(&history, (&ours, &theirs));
    Ok(())
}

/// The base at the end of each month; data grows by 6 % a month, and every hundredth subscriber changes group.
fn simulate(arguments: &Arguments) -> Result<Vec<Snapshot>> {
    if arguments.months < 3 {
        let problem = format!("expected at least 3, found {}", arguments.months);
        return Err(Error::param("months", problem));
    }
    let mut config = WorldConfig::default()
        .with_n_subscribers(arguments.subscribers)
        .with_window(2);
    config.usage.growth.data = 0.06;
    config.life.migration = 0.01;
    let mut world = World::new(config, arguments.seed)?;
    let mut snapshots = Vec::new();
    for _ in 0..arguments.months {
        world.advance();
        snapshots.push(world.snapshot());
    }
    Ok(snapshots)
}

/// The chosen columns of a snapshot.
fn columns(snapshot: &Snapshot) -> Array2<f32> {
    let names = snapshot.names();
    let place = |name: &str| names.iter().position(|n| *n == name).unwrap_or_default();
    let mut x = snapshot.clean.select(Axis(1), &COLUMNS.map(|c| place(c.0)));
    for (mut column, (_, is_amount)) in x.columns_mut().into_iter().zip(COLUMNS) {
        if is_amount {
            column.mapv_inplace(|v| (v + 0.1).ln());
        }
    }
    x
}

/// Means and standard deviations of the first month: all months are measured by them.
struct Scale {
    mean: Array1<f32>,
    sd: Array1<f32>,
}

impl Scale {
    fn of(x: &Array2<f32>) -> Self {
        let n = x.nrows() as f32;
        let mean = x.sum_axis(Axis(0)) / n;
        let sd = ((x - &mean).mapv(|v| v * v).sum_axis(Axis(0)) / n).mapv(f32::sqrt);
        Self { mean, sd }
    }

    fn apply(&self, x: Array2<f32>) -> Array2<f32> {
        (x - &self.mean) / &self.sd
    }
}

/// Names each segment after the hidden group that most of its subscribers are of.
fn name_segments(
    history: &mut SegmentHistory,
    snapshot: &Snapshot,
    change: &Transition,
) -> Result<()> {
    for (segment, group) in majority(snapshot, change.segments()) {
        history.set_name(segment, snapshot.archetype_names[group as usize].clone())?;
    }
    Ok(())
}

/// The commonest hidden group of each segment.
fn majority(snapshot: &Snapshot, segments: &[Option<SegmentId>]) -> BTreeMap<SegmentId, u32> {
    let mut counts: BTreeMap<SegmentId, BTreeMap<u32, usize>> = BTreeMap::new();
    for (segment, &group) in segments.iter().zip(&snapshot.archetype) {
        if let Some(segment) = segment {
            *counts
                .entry(*segment)
                .or_default()
                .entry(group)
                .or_default() += 1;
        }
    }
    let most = |groups: &BTreeMap<u32, usize>| {
        groups
            .iter()
            .max_by_key(|(_, n)| **n)
            .map_or(0, |(g, _)| *g)
    };
    counts
        .iter()
        .map(|(s, groups)| (*s, most(groups)))
        .collect()
}

/// Moves between segments, and how many of them somebody made who really changed.
#[derive(Default)]
struct Moves {
    n: usize,
    real: usize,
    /// Subscribers who really changed.
    changed: usize,
}

impl Moves {
    fn count(
        &mut self,
        old: &Snapshot,
        was: &[Option<SegmentId>],
        new: &Snapshot,
        is: &[Option<SegmentId>],
    ) {
        let before = old.ids.iter().zip(was.iter().zip(&old.archetype));
        let before: BTreeMap<u64, _> = before.map(|(id, at)| (*id, at)).collect();
        for ((id, segment), group) in new.ids.iter().zip(is).zip(&new.archetype) {
            if let Some((was, old_group)) = before.get(id) {
                let (moved, changed) = (*was != segment, *old_group != group);
                self.n += usize::from(moved);
                self.real += usize::from(moved && changed);
                self.changed += usize::from(changed);
            }
        }
    }
}

fn tell(
    out: &mut impl Write,
    history: &SegmentHistory,
    last: &Transition,
    (ours, theirs): (&Moves, &Moves),
) {
    let _ = writeln!(
        out,
        "Subscribers of each segment, month by month\n\n{history}"
    );
    if let Some(migration) = &last.migration {
        let _ = writeln!(
            out,
            "Who moved where in {} (percent of each row)\n\n{migration}",
            last.month
        );
        let _ = writeln!(
            out,
            "{:.1} % of those who are still here stayed in their segment.\n",
            100.0 * migration.stayed()
        );
    }
    for transition in history.transitions() {
        for alarm in &transition.alarms {
            let _ = writeln!(out, "{}: {alarm}", transition.month);
        }
    }
    let held = history.transitions().iter().filter_map(|t| t.held);
    let flaps: u64 = held.clone().map(|h| h.flaps_prevented).sum();
    let cost = held.filter_map(|h| h.inertia_cost).fold(0.0, f64::max);
    let _ = writeln!(
        out,
        "\nWithout hysteresis {} moves, with it {}; {flaps} were spared going there and back, at {:.1} % more inertia at most.\n\
         {} subscribers really changed; of the moves with hysteresis {:.1} % were theirs, without {:.1} %.",
        theirs.n,
        ours.n,
        100.0 * cost,
        ours.changed,
        100.0 * ours.real as f64 / ours.n.max(1) as f64,
        100.0 * theirs.real as f64 / theirs.n.max(1) as f64,
    );
}

/// What the simulation knows to be true.
fn check(history: &SegmentHistory, (ours, theirs): (&Moves, &Moves)) {
    assert!(
        history.records().iter().all(|r| r.died.is_none()),
        "no group of this world dies:\n{history}"
    );
    assert!(
        2 * ours.n < theirs.n,
        "hysteresis halves the moves: {} of {}",
        ours.n,
        theirs.n
    );
    let share = |m: &Moves| m.real as f64 / m.n.max(1) as f64;
    assert!(
        share(ours) > share(theirs),
        "what is left of them is more often real"
    );
    let data_grew = |t: &Transition| {
        let grew = |d: &telseg_cluster::temporal::Drift| {
            d.name == "data_gb_mean" && d.since == Since::Birth && d.shift > 0.0
        };
        t.drift.iter().any(grew) && t.alarms.iter().any(|a| a.kind == AlarmKind::Drift)
    };
    assert!(
        history.transitions().iter().any(data_grew),
        "data grows every month, and somebody must say so"
    );
}
