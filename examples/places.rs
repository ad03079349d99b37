//! Where a subscriber lives and works: dense places among a month of positions, and the trips between them.

#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use ndarray::{Array2, array};
use telseg_cluster::Hdbscan;
use telseg_core::Seed;

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
    // Kilometres east and north of the city's centre: nights around one cell, days around another, and trips.
    let dice = Seed::new(7).stream("places");
    let positions = Array2::from_shape_fn((720, 2), |(i, j)| {
        let toss = |part: u64| dice.unit((i as u64 * 2 + j as u64) * 4 + part);
        let near = (0..3).map(toss).sum::<f64>() - 1.5;
        (match i % 24 {
            9..18 => [3.0, -1.0][j] + 0.8 * near,
            8 | 18 | 19 => 30.0 * (toss(3) - 0.5),
            _ => [-6.0, 2.5][j] + 0.4 * near,
        }) as f32
    });
    let model = Hdbscan::params(60).with_min_samples(10).fit(&positions)?;
    let report = model.report();
    println!(
        "{} places, {} of 720 hours on the way",
        model.n_clusters(),
        report.n_noise
    );
    for (place, hours) in report.sizes.iter().enumerate() {
        println!("place {place}: {hours:.0} hours");
    }
    assert_eq!(model.n_clusters(), 2);

    // Tonight's position is at home; a place never seen is noise, and an outlier.
    let home = model.labels()[0];
    assert_eq!(model.predict_row(&array![-6.1f32, 2.4])?, home);
    let far = model.predict_member(&array![25.0f32, 25.0])?;
    assert!(far.assignment.is_noise() && far.outlier_score > 0.9);

    // Half-way home a row belongs to either place a little.
    let between = model.predict_proba_row(&array![-1.5f32, 0.75])?;
    println!(
        "half-way: {:.0} % in the first place, {:.0} % in the second, else on the way",
        100.0 * between[0],
        100.0 * between[1]
    );
    assert!(between.iter().all(|&share| share > 0.0) && between.sum() < 0.5);
    Ok(())
}
