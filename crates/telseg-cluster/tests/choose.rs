//! The number of clusters of methods other than k-means.
#![allow(clippy::unwrap_used)]

use ndarray::{Array1, Array2, Axis};
use telseg_cluster::KPrototypes;
use telseg_cluster::choose::{ChooseParams, Judged, judge};
use telseg_core::Result;
use telseg_core::progress::Silent;
use telseg_testkit::blobs;

fn all(rows: &Array2<f32>) -> Vec<usize> {
    (0..rows.nrows()).collect()
}

fn ask(x: &Array2<f32>, label: impl Fn(&[usize], usize) -> Result<Array1<u32>> + Sync) -> Judged {
    let cluster = |rows: &[usize]| (2..=6).map(|k| label(rows, k)).collect();
    let params = ChooseParams::default().with_n_resamples(3);
    judge(x, 2..=6, &params, || cluster(&all(x)), cluster, &Silent).unwrap()
}

#[test]
fn k_prototypes_find_the_groups_that_codes_tell_apart() {
    // Numbers in two groups, codes that tell four apart.
    let (mut own, truth) = blobs::<f32>(400, 3, 2, 3);
    for (i, (mut row, &label)) in own.rows_mut().into_iter().zip(&truth).enumerate() {
        row[2] = ((label as usize + 2 * (i / 2)) % 4) as f32;
    }
    // They are judged where codes are columns of their own.
    let x = Array2::from_shape_fn((400, 6), |(i, j)| match j {
        0 | 1 => own[[i, j]],
        code if own[[i, 2]] == (code - 2) as f32 => 30.0,
        _ => 0.0,
    });
    let judged = ask(&x, |rows, k| {
        let params = KPrototypes::params(k, &[2]).with_gamma(2.0 * 30.0 * 30.0);
        params.fit(&own.select(Axis(0), rows))?.predict(&own)
    });
    let chosen = &judged.candidates[judged.chosen];
    assert_eq!(chosen.k, 4, "{}", judged.reason);
    assert!(chosen.chosen && chosen.weakest() > 0.9);
    assert!(judged.candidates.iter().all(|c| c.inertia > 0.0));
}

#[test]
fn what_cannot_be_judged_is_a_sentence() {
    let (x, _) = blobs::<f32>(30, 2, 3, 1);
    let none = |_: &[usize]| Ok(vec![Array1::zeros(30); 2]);
    let params = ChooseParams::default();
    let message = |ks, params: &ChooseParams, whole: Vec<Array1<u32>>| {
        let judged = judge(&x, ks, params, || Ok(whole), none, &Silent);
        judged.unwrap_err().to_string()
    };
    let labels = vec![Array1::zeros(30); 2];
    assert_eq!(
        message(1..=2, &params, labels.clone()),
        "ks: expected a range from at least 2 up, found 1..=2"
    );
    assert!(message(2..=16, &params, labels.clone()).starts_with("x: expected at least 32 rows"));
    assert!(
        message(2..=4, &params, labels.clone()).starts_with("whole: expected labels for each of 3")
    );
    let short = vec![Array1::zeros(29); 2];
    assert!(message(2..=3, &params, short).starts_with("whole: expected labels for all 30 rows"));
    let high = vec![Array1::from_elem(30, 2); 2];
    assert!(message(2..=3, &params, high).starts_with("whole: expected labels below 2"));
    let odd = params.clone().with_n_resamples(1);
    assert!(message(2..=3, &odd, labels.clone()).starts_with("n_resamples"));
    let failed = judge(
        &x,
        2..=3,
        &params,
        || Ok(labels),
        |_| Ok(Vec::new()),
        &Silent,
    );
    assert!(
        failed
            .unwrap_err()
            .to_string()
            .starts_with("half: expected labels for each of 2")
    );
}
