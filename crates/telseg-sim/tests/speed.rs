//! A million subscriber-months in less than three seconds on two cores (release builds only; a debug build prints).
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::Instant;

use telseg_sim::{World, WorldConfig};

#[test]
fn a_million_subscriber_months() {
    let n = if cfg!(debug_assertions) {
        10_000
    } else {
        100_000
    };
    let config = WorldConfig::default().with_n_subscribers(n);
    let start = Instant::now();
    let mut world = World::new(config, 61).unwrap();
    (1..10).for_each(|_| world.advance());
    let seconds = start.elapsed().as_secs_f64();
    println!("{} subscriber-months in {seconds:.2} s", 10 * n);
    assert_eq!(world.subscribers().len(), n);
    assert!(cfg!(debug_assertions) || seconds < 3.0, "{seconds} s");
}
