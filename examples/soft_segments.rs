//! Segments of a table as it is: numbers, codes and counts together, cells missing, and subscribers who are in between.

use std::process::ExitCode;

use ndarray::{Array2, s};
use telseg_cluster::{Criterion, Family, LatentClass};
use telseg_core::{Error, Result};
use telseg_sim::{ColumnKind, WorldConfig, customers};

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
    let names = [
        "voice_min_mean",
        "data_gb_mean",
        "payment",
        "device_class",
        "care_contacts_last",
    ];
    let mut families = Vec::with_capacity(names.len());
    let mut x = Array2::<f32>::zeros((base.features.nrows(), names.len()));
    for (j, name) in names.iter().enumerate() {
        let cells = base.column(name);
        let cells = cells.ok_or_else(|| Error::data("base", format!("has no column {name}")))?;
        let kind = base
            .columns
            .iter()
            .find(|c| c.name == *name)
            .map(|c| &c.kind);
        let (family, cells) = match kind {
            Some(ColumnKind::Categorical { levels }) => {
                let n_levels = levels.len() as u32;
                (Family::Categorical { n_levels }, cells.to_owned())
            }
            _ if name.starts_with("care") => (Family::ZeroInflatedPoisson, cells.mapv(f32::round)),
            // Usage is skewed: its logarithm is nearer to a bell.
            _ => (Family::Normal, cells.mapv(|v| v.max(0.0).ln_1p() + 0.0 * v)),
        };
        families.push(family);
        x.column_mut(j).assign(&cells);
    }
    let missing = x.iter().filter(|v| v.is_nan()).count();
    say(&format!("{missing} of {} cells are missing", x.len()));

    let choice = LatentClass::params(1, families)
        .with_n_init(2)
        .with_tol(1e-4)
        .with_seed(42)
        .choose(2..=7, &x, Criterion::Icl)?;
    say(&choice.reason);
    let model = choice.model;
    say(&format!("shares {:.2}", model.weights()));

    let shares = model.predict_proba(&x)?;
    let sure = |i: usize| shares.row(i).iter().copied().fold(0.0, f64::max);
    let boundary = (0..x.nrows()).min_by(|&a, &b| sure(a).total_cmp(&sure(b)));
    let boundary = boundary.ok_or_else(|| Error::data("base", "is empty"))?;
    say(&format!(
        "subscriber {boundary} is in between: {:.2}",
        shares.row(boundary)
    ));

    // Knowing less makes less sure, and with nothing known only the shares are left.
    let mut unknown = x.slice(s![..1, ..]).to_owned();
    unknown.fill(f32::NAN);
    let prior = model.predict_proba(&unknown)?;
    let pairs = prior.iter().zip(model.weights());
    assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-12));
    assert!(missing > 0 && sure(boundary) < 0.6);
    assert_eq!(&model.predict(&x)?, model.labels());
    Ok(())
}

fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}
