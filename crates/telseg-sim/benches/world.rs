//! How fast the operator lives: 1M subscriber-months (10 months of 100 000), the snapshot of 100 000, the oracle of 5 000.
#![allow(missing_docs)]

use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use telseg_sim::{World, WorldConfig};

fn world(n: usize, months: u32) -> World {
    let config = WorldConfig::default().with_n_subscribers(n);
    let mut world = World::new(config, 1).expect("invariant: the default world is valid");
    (1..months).for_each(|_| world.advance());
    assert_eq!(world.subscribers().len(), n);
    world
}

fn months(c: &mut Criterion) {
    // `cargo test --benches` and `-- --test` only see that it runs.
    let test = std::env::args().any(|a| a == "--test") || !std::env::args().any(|a| a == "--bench");
    let n = if test { 1000 } else { 100_000 };
    if !test {
        // What the crate promises on two cores.
        let start = Instant::now();
        world(n, 10);
        let taken = start.elapsed();
        assert!(taken < Duration::from_secs(3), "{taken:?}");
    }
    let mut group = c.benchmark_group("world");
    group.sample_size(10);
    group.bench_function("1M subscriber-months", |b| b.iter(|| world(n, 10)));
    let grown = world(n, 6);
    group.bench_function("snapshot of 100k", |b| b.iter(|| grown.snapshot()));
    let small = world(n / 20, 3);
    group.bench_function("oracle of 5k", |b| b.iter(|| small.oracle()));
    group.finish();
}

criterion_group!(benches, months);
criterion_main!(benches);
