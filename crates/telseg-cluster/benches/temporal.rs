//! A month of a history, and the assignment below it.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use telseg_cluster::temporal::{Hysteresis, Month, SegmentHistory, cheapest_pairs};
use telseg_core::Seed;

const SUBSCRIBERS: usize = 100_000;
const COLUMNS: usize = 16;
const SEGMENTS: u32 = 12;

/// Labels of a month: one in twenty is drawn anew.
fn labels(month: u64) -> Vec<u32> {
    let stream = Seed::new(1).stream("bench.labels");
    let draw =
        |month: u64, i: usize| (stream.child(month).unit(i as u64) * f64::from(SEGMENTS)) as u32;
    let moved = |i: usize| stream.child(100 + month).unit(i as u64) < 0.05;
    (0..SUBSCRIBERS)
        .map(|i| draw(if moved(i) { month } else { 0 }, i))
        .collect()
}

fn months(c: &mut Criterion) {
    let ids: Vec<u64> = (0..SUBSCRIBERS as u64)
        .map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .collect();
    let stream = Seed::new(2).stream("bench.rows");
    let (first, second) = (labels(1), labels(2));
    let x = Array2::from_shape_fn((SUBSCRIBERS, COLUMNS), |(i, j)| {
        (f64::from(first[i]) * (j + 1) as f64 + stream.unit((i * COLUMNS + j) as u64)) as f32
    });
    for (name, params) in [
        ("plain", SegmentHistory::params()),
        (
            "hysteresis",
            SegmentHistory::params().with_hysteresis(Hysteresis::margin(0.1)),
        ),
    ] {
        let mut history = params.start().expect("parameters");
        history
            .update(&Month::new(&ids, first.clone(), &x))
            .expect("the first month");
        let month = Month::new(&ids, second.clone(), &x);
        c.bench_function(&format!("month/{name}/100k x 16"), |b| {
            b.iter_batched(
                || history.clone(),
                |mut history| {
                    let change = history.update(black_box(&month)).expect("the second month");
                    assert!(change.migration.is_some_and(|m| m.stayed() > 0.9));
                },
                BatchSize::LargeInput,
            );
        });
    }
}

fn assignment(c: &mut Criterion) {
    let stream = Seed::new(3).stream("bench.cost");
    let cost = Array2::from_shape_fn((200, 300), |(i, j)| stream.unit((300 * i + j) as u64));
    c.bench_function("cheapest_pairs/200 x 300", |b| {
        b.iter(|| {
            let pairs = cheapest_pairs(black_box(&cost)).expect("costs");
            assert_eq!(pairs.len(), 200);
        });
    });
}

criterion_group!(benches, months, assignment);
criterion_main!(benches);
