//! Hot spots of evening traffic at two scales: one walk over the positions, read at several radii and by steepness.

#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use ndarray::{Array2, array};
use telseg_cluster::{Dbscan, Extraction, Optics, XiParams};
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
    // Kilometres: two quarters of a town, a village with wider streets, and calls from the road.
    let dice = Seed::new(11).stream("hotspots");
    let positions = Array2::from_shape_fn((900, 2), |(i, j)| {
        let toss = |part: u64| dice.unit((i as u64 * 2 + j as u64) * 8 + part);
        let near = (0..4).map(toss).sum::<f64>() - 2.0;
        (match i % 18 {
            0..8 => [0.0, 0.0][j] + 0.5 * near,
            8..13 => [2.5, 1.0][j] + 0.5 * near,
            13..17 => [14.0, -6.0][j] + 1.6 * near,
            _ => 40.0 * (toss(5) - 0.5),
        }) as f32
    });
    let model = Optics::params(12).fit(&positions)?;
    for eps in [0.4, 2.0] {
        let labels = model.cut(eps)?;
        let last = labels.iter().filter_map(|label| label.cluster()).max();
        let spots = last.map_or(0, |last| last as usize + 1);
        let noise = labels.iter().filter(|label| label.is_noise()).count();
        println!("within {eps} km: {spots} hot spots, {noise} positions in none");
        // DBSCAN walks anew for each radius, to the same clusters.
        let dbscan = Dbscan::params(eps).with_min_points(12).fit(&positions)?;
        assert_eq!(dbscan.n_clusters(), spots);
    }
    // By steepness no radius is chosen: the quarters and the wide village at once.
    let steep = XiParams::default().with_xi(0.1).with_min_cluster_size(100);
    let model = model.with_extraction(Extraction::Xi(steep))?;
    println!(
        "by steepness: {} hot spots of {:?} positions",
        model.n_clusters(),
        model.report().sizes
    );
    let svg = model.plot_svg(model.labels())?;
    println!("the plot is a picture of {} bytes", svg.len());
    assert_eq!(model.n_clusters(), 3);

    // Tomorrow's calls, by the same walk.
    let tomorrow = array![[0.1f32, -0.1], [2.4, 1.1], [14.2, -5.8], [30.0, 30.0]];
    let spots = model.predict(&tomorrow)?;
    println!(
        "tomorrow: {}",
        spots.mapv(|spot| spot.to_string()).to_vec().join(", ")
    );
    assert!(spots[3].is_noise());
    assert_eq!(spots.iter().filter_map(|spot| spot.cluster()).count(), 3);
    Ok(())
}
