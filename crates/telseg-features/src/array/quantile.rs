//! Exact quantiles by selection.

use std::cmp::Ordering;

use telseg_core::{Error, Result, Scalar};

use super::columns::Sample;

/// Places above which sorting is quicker than selecting.
const MANY: usize = 32;

fn order<F: Scalar>(a: &F, b: &F) -> Ordering {
    a.partial_cmp(b).unwrap_or(Ordering::Equal)
}

/// That two quantiles are a range: `0 <= low < high <= 1`. What is wrong with the one is not said of the other.
pub(crate) fn check_range(low: f64, high: f64) -> Result<()> {
    if !(0.0..1.0).contains(&low) {
        let problem = format!("must be at least 0 and below 1, not {low}");
        return Err(Error::param("low", problem));
    }
    if !(high > low && high <= 1.0) {
        let problem = format!("must be above low ({low}) and at most 1, not {high}");
        return Err(Error::param("high", problem));
    }
    Ok(())
}

/// Quantiles of the present values by linear interpolation (type 7 of Hyndman and Fan 1996, numpy's default).
///
/// With weights, a value of weight `w` stands for `w` equal values: the position is `q (W - 1)` among the `W` values.
/// An empty sample has NaN quantiles.
pub(crate) fn quantiles<F: Scalar>(sample: &mut Sample<F>, qs: &[f64]) -> Vec<f64> {
    if sample.values.is_empty() {
        return vec![f64::NAN; qs.len()];
    }
    match &mut sample.weights {
        None => selected(&mut sample.values, qs),
        Some(weights) => weighted(&mut sample.values, weights, qs),
    }
}

fn between(low: f64, high: f64, t: f64) -> f64 {
    // As numpy does it: exact at both ends, and monotone.
    if t >= 0.5 {
        high - (high - low) * (1.0 - t)
    } else {
        low + (high - low) * t
    }
}

fn selected<F: Scalar>(values: &mut [F], qs: &[f64]) -> Vec<f64> {
    let last = values.len() - 1;
    let places: Vec<(usize, usize, f64)> = qs
        .iter()
        .map(|q| {
            let h = q * last as f64;
            let below = (h.floor() as usize).min(last);
            (below, (below + 1).min(last), h - below as f64)
        })
        .collect();
    let mut wanted: Vec<usize> = places.iter().flat_map(|p| [p.0, p.1]).collect();
    wanted.sort_unstable();
    wanted.dedup();
    // Each level of the halving reads the values once; sorting reads them about as often as their number has bits.
    if wanted.len() > MANY {
        values.sort_unstable_by(order);
    } else {
        select(values, &wanted, 0);
    }
    places
        .into_iter()
        .map(|(a, b, t)| between(values[a].into_f64(), values[b].into_f64(), t))
        .collect()
}

/// Puts the wanted order statistics in their places, halving the list of places and the slice.
fn select<F: Scalar>(values: &mut [F], wanted: &[usize], offset: usize) {
    if wanted.is_empty() || values.len() < 2 {
        return;
    }
    let middle = wanted.len() / 2;
    let at = wanted[middle] - offset;
    let (left, _, right) = values.select_nth_unstable_by(at, order);
    select(left, &wanted[..middle], offset);
    select(right, &wanted[middle + 1..], offset + at + 1);
}

fn weighted<F: Scalar>(values: &mut Vec<F>, weights: &mut Vec<f64>, qs: &[f64]) -> Vec<f64> {
    let mut pairs: Vec<(F, f64)> = values.drain(..).zip(weights.drain(..)).collect();
    pairs.sort_by(|a, b| order(&a.0, &b.0));
    (*values, *weights) = pairs.into_iter().unzip();
    let mut ends = Vec::with_capacity(weights.len());
    let mut total = 0.0;
    for w in weights.iter() {
        total += w;
        ends.push(total);
    }
    let at = |position: f64| {
        let i = ends.partition_point(|&e| e <= position);
        values[i.min(values.len() - 1)].into_f64()
    };
    qs.iter()
        .map(|q| {
            let h = q * (total - 1.0).max(0.0);
            let below = h.floor();
            between(at(below), at(below + 1.0), h - below)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed() {
        // sorted 1 2 3 4: q 0.5 lies half way between 2 and 3; q 0.1 at 0.3 between 1 and 2.
        let mut sample = Sample::new(vec![4.0, f64::NAN, 1.0, 3.0, 2.0], None);
        let found = quantiles(&mut sample, &[0.0, 0.1, 0.5, 1.0]);
        assert_eq!(found, [1.0, 1.3, 2.5, 4.0]);
        let mut empty = Sample::<f32>::new(vec![f32::NAN], None);
        assert!(quantiles(&mut empty, &[0.5])[0].is_nan());
    }

    #[test]
    fn many_places_agree_with_sorting() {
        let values: Vec<f64> = (0..1000).map(|i| f64::from(i * 7919 % 1000)).collect();
        let qs: Vec<f64> = (0..=200).map(|i| f64::from(i) / 200.0).collect();
        for count in [1, 3, 10, 201] {
            let mut sample = Sample::new(values.clone(), None);
            let found = quantiles(&mut sample, &qs[..count]);
            for (q, v) in qs.iter().zip(found) {
                assert!((v - q * 999.0).abs() < 1e-9, "{q} {v}");
            }
        }
    }

    #[test]
    fn an_integer_weight_is_a_repeated_row() {
        let qs = [0.0, 0.2, 0.35, 0.5, 0.77, 1.0];
        let mut weighted = Sample::new(vec![5.0, 1.0, 9.0, 2.0], Some(&[2.0, 3.0, 0.0, 1.0]));
        let mut repeated = Sample::new(vec![5.0, 5.0, 1.0, 1.0, 1.0, 2.0], None);
        assert_eq!(quantiles(&mut weighted, &qs), quantiles(&mut repeated, &qs));
    }
}
