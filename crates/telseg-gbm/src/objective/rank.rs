//! Order within groups: which of a subscriber's offers comes first.
//!
//! # References
//! C. Burges (2010), "From RankNet to LambdaRank to LambdaMART: an overview", sections 4 to 6; the division by the
//! distance of scores and the scale of a group's sum are LightGBM's.

use super::rows::Slope;
use crate::measure;

/// The rows of each group, by the number of the group; those that do not count are left out.
pub(super) fn groups(ids: &[u32], counts: impl Fn(usize) -> bool) -> Vec<Vec<u32>> {
    let mut order: Vec<u32> = (0..ids.len() as u32).collect();
    order.retain(|&row| counts(row as usize));
    order.sort_by_key(|&row| ids[row as usize]); // stable: rows of a group stay in order
    let same = |a: &u32, b: &u32| ids[*a as usize] == ids[*b as usize];
    order.chunk_by(same).map(<[u32]>::to_vec).collect()
}

/// A row of a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) score: f64,
    pub(super) y: f64,
    pub(super) weight: f64,
}

/// Slopes of a group's rows, its loss, and what the loss is a share of.
pub(super) type Ranked = (Vec<Slope>, f64, f64);

/// Every pair by logistic loss: `ln(1 + e^-(s_i - s_j))` where `y_i > y_j`; pairs weigh the product of their rows.
pub(super) fn pairwise(items: &[Item]) -> Ranked {
    let mut slopes = vec![[0.0f64; 2]; items.len()];
    let (mut loss, mut total) = (0.0, 0.0);
    for (i, high) in items.iter().enumerate() {
        for (j, low) in items.iter().enumerate() {
            if high.y <= low.y {
                continue;
            }
            let (weight, gap) = (high.weight * low.weight, high.score - low.score);
            let wrong = 1.0 / (1.0 + gap.exp());
            push(
                &mut slopes,
                (i, j),
                weight * wrong,
                weight * wrong * (1.0 - wrong),
            );
            loss += weight * ((-gap).max(0.0) + (-gap.abs()).exp().ln_1p());
            total += weight;
        }
    }
    (narrow(&slopes), loss, total)
}

/// Pairs weigh what their exchange would do to NDCG; the loss is `1 - NDCG` of the first `at` places.
pub(super) fn lambdas(items: &[Item], at: usize) -> Ranked {
    let mut slopes = vec![[0.0f64; 2]; items.len()];
    let weight = items.iter().map(|i| i.weight).sum::<f64>() / items.len().max(1) as f64;
    let (scores, y): (Vec<f64>, Vec<f64>) = items.iter().map(|i| (i.score, i.y)).unzip();
    let ideal = measure::ideal_gain(&y, at);
    let loss = weight * (1.0 - measure::ndcg(&scores, &y, at));
    if ideal <= 0.0 {
        return (narrow(&slopes), loss, weight);
    }
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a])); // stable
    let differ = order.first().map(|&i| scores[i]) != order.last().map(|&i| scores[i]);
    let mut sum = 0.0;
    for (place, &a) in order.iter().enumerate().take(at) {
        for (further, &b) in order.iter().enumerate().skip(place + 1) {
            if y[a] == y[b] {
                continue;
            }
            let (high, low) = if y[a] > y[b] { (a, b) } else { (b, a) };
            let gain = measure::gain(y[high]) - measure::gain(y[low]);
            let discount = measure::discount(place) - measure::discount(further);
            let gap = scores[high] - scores[low];
            let mut change = gain * discount / ideal;
            if differ {
                change /= 0.01 + gap.abs();
            }
            let wrong = 1.0 / (1.0 + gap.exp());
            push(
                &mut slopes,
                (high, low),
                change * wrong,
                change * wrong * (1.0 - wrong),
            );
            sum += 2.0 * change * wrong;
        }
    }
    let scale = if sum > 0.0 {
        (1.0 + sum).log2() / sum
    } else {
        1.0
    };
    for (slope, item) in slopes.iter_mut().zip(items) {
        *slope = slope.map(|v| v * scale * item.weight);
    }
    (narrow(&slopes), loss, weight)
}

/// Pulls the higher row up and the lower one down.
fn push(slopes: &mut [[f64; 2]], (high, low): (usize, usize), force: f64, curve: f64) {
    slopes[high] = [slopes[high][0] - force, slopes[high][1] + curve];
    slopes[low] = [slopes[low][0] + force, slopes[low][1] + curve];
}

fn narrow(slopes: &[[f64; 2]]) -> Vec<Slope> {
    slopes.iter().map(|s| s.map(|v| v as f32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(scores: [f64; 4]) -> Vec<Item> {
        let rows = scores.into_iter().zip([2.0, 0.0, 1.0, 0.0]);
        let weights = [1.0, 2.0, 0.5, 1.0];
        rows.zip(weights)
            .map(|((score, y), weight)| Item { score, y, weight })
            .collect()
    }

    #[test]
    fn groups_gather_their_rows() {
        let ids = [7, 3, 7, 3, 9];
        assert_eq!(groups(&ids, |_| true), [vec![1, 3], vec![0, 2], vec![4]]);
        assert_eq!(groups(&ids, |row| row > 1), [vec![3], vec![2], vec![4]]);
        assert!(groups(&[], |_| true).is_empty());
    }

    #[test]
    fn slopes_of_pairs_are_derivatives_of_the_loss() {
        let scores = [0.2, 0.5, -0.3, 1.0];
        let (slopes, ..) = pairwise(&items(scores));
        for i in 0..4 {
            let at = |d: f64| {
                let mut s = scores;
                s[i] += d;
                pairwise(&items(s)).1
            };
            let h = 1e-4;
            let first = (at(h) - at(-h)) / (2.0 * h);
            let second = (at(h) - 2.0 * at(0.0) + at(-h)) / (h * h);
            let [g, curve] = slopes[i].map(f64::from);
            assert!((g - first).abs() < 1e-6, "{i}: {g} {first}");
            assert!((curve - second).abs() < 1e-5, "{i}: {curve} {second}");
        }
    }

    /// Two rows in the wrong order: gain 3 and 0, places 0 and 1, scores 1 apart.
    #[test]
    fn lambdas_by_hand() {
        let item = |score, y| Item {
            score,
            y,
            weight: 1.0,
        };
        let (slopes, loss, total) = lambdas(&[item(0.0, 2.0), item(1.0, 0.0)], 5);
        let second = 1.0 / 3f64.log2();
        let change = (1.0 - second) / 1.01; // of 3 (1 - 1/log2 3) / 3
        let wrong = 1.0 / (1.0 + (-1f64).exp());
        let sum = 2.0 * change * wrong;
        let g = change * wrong * (1.0 + sum).log2() / sum;
        assert!((f64::from(slopes[0][0]) + g).abs() < 1e-6, "{slopes:?} {g}");
        assert_eq!(slopes[0][0], -slopes[1][0]);
        assert!((loss - (1.0 - second)).abs() < 1e-12 && total == 1.0);
        // Nothing to order: no slopes.
        let (slopes, loss, _) = lambdas(&[item(0.0, 0.0), item(1.0, 0.0)], 5);
        assert_eq!((slopes[0], loss), ([0.0; 2], 0.0));
    }
}
