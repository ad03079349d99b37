//! Bits: of any number of threads, and of files that anybody may have written.

use ndarray::Array1;
use telseg_cluster::temporal::{Hysteresis, Month, SegmentHistory, SegmentId};
use telseg_core::{Seed, artefact};

use super::data::{ids, rows, still};

fn thread_free(threads: usize) -> (Vec<u8>, Vec<Option<SegmentId>>) {
    telseg_testkit::pool(threads, || {
        let rule = Hysteresis::margin(0.1).with_patience(3);
        let mut history = SegmentHistory::params()
            .with_hysteresis(rule)
            .start()
            .unwrap();
        let mut last = Vec::new();
        for month in 0..3 {
            let labels: Vec<u32> = (0..20_000u32)
                .map(|i| (i.wrapping_mul(2_654_435_761 + month) >> 20) % 5)
                .collect();
            let x = rows(
                &labels,
                &[[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0], [5.0, 5.0]],
                u64::from(month),
            );
            let w = Array1::from_shape_fn(20_000, |i| 0.1 + (i % 7) as f64);
            let everyone = ids(u64::from(month) * 100, 20_000);
            let month = Month::new(&everyone, labels, &x)
                .with_weights(&w)
                .with_name("m");
            last = history.update(&month).unwrap().segments().to_vec();
        }
        (artefact::to_bytes(&history, &[]).unwrap(), last)
    })
}

#[test]
fn threads_change_no_bit() {
    let one = thread_free(1);
    assert!(one == thread_free(2) && one == thread_free(7));
}

#[test]
fn hostile_files_are_refused_or_sound() {
    let mut history = SegmentHistory::params()
        .with_hysteresis(Hysteresis::margin(0.2))
        .start()
        .unwrap();
    still(&mut history, 200, 3, 1);
    let labels: Vec<u32> = (0..200).map(|i| i % 4).collect();
    let x = rows(
        &labels,
        &[[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]],
        77,
    );
    let body = postcard_of(&history);
    let stream = Seed::new(3).stream("flip");
    let mut sound = 0;
    for i in 0..500 {
        let mut bytes = body.clone();
        let at = stream.bits(i) as usize % bytes.len();
        bytes[at] ^= 1 << (stream.bits(1000 + i) % 8);
        if let Ok(mut loaded) = artefact::decode::<SegmentHistory>(&bytes)
            && artefact::Artefact::validate(&loaded).is_ok()
        {
            sound += 1;
            let _ = loaded.update(&Month::new(&ids(1, 200), labels.clone(), &x));
            let _ = (loaded.to_string(), loaded.centers());
        }
    }
    assert!(sound < 500);
}

/// The body of a saved history, without header and sums.
fn postcard_of(history: &SegmentHistory) -> Vec<u8> {
    let bytes = artefact::to_bytes(history, &[]).unwrap();
    let header = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    bytes[32 + header..].to_vec()
}
