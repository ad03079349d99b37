//! Rows drawn at random to start from, in whatever space distances are measured.

use rand::Rng as _;
use telseg_core::seed::Rng;
use telseg_core::{Result, par};

/// Rows that one task sums.
const CHUNK: usize = 4096;

/// Squared distances between rows, as greedy k-means++ asks for them.
pub(crate) trait Space {
    /// Lowers each row's squared distance to the closest chosen one where row `chosen` is closer.
    fn approach(&self, chosen: usize, closest: &mut [f64]) -> Result<()>;

    /// For each candidate, the weighted sum of squared distances that would remain if it were chosen.
    fn remaining(&self, candidates: &[usize], closest: &[f64], weights: &[f64])
    -> Result<Vec<f64>>;
}

/// Greedy k-means++ (Arthur & Vassilvitskii 2007; Grunau, Özüdoğru, Rozhoň & Tětek 2023 for the greedy form): returns
/// the rows that become centres.
///
/// Each step draws `2 + ln k` candidates with probability in proportion to weight times squared distance and keeps the
/// one that leaves the least sum. Where all rows lie on centres, rows are drawn by weight.
pub(crate) fn plus_plus(
    space: &impl Space,
    weights: &[f64],
    n_clusters: usize,
    rng: &mut Rng,
) -> Result<Vec<usize>> {
    let n_candidates = 2 + (n_clusters as f64).ln() as usize;
    let by_weight = chunk_sums(weights);
    let mut chosen = vec![draw(&by_weight, weights, rng)];
    let mut closest = vec![f64::INFINITY; weights.len()];
    space.approach(chosen[0], &mut closest)?;
    while chosen.len() < n_clusters {
        let mass: Vec<f64> = closest.iter().zip(weights).map(|(c, w)| c * w).collect();
        let sums = chunk_sums(&mass);
        let on_centres = sums.iter().sum::<f64>() <= 0.0;
        let mut candidate = || match on_centres {
            true => draw(&by_weight, weights, rng),
            false => draw(&sums, &mass, rng),
        };
        let candidates: Vec<usize> = (0..n_candidates).map(|_| candidate()).collect();
        let left = space.remaining(&candidates, &closest, weights)?;
        let best = (0..n_candidates).min_by(|&a, &b| left[a].total_cmp(&left[b]));
        let best = candidates[best.unwrap_or(0)];
        chosen.push(best);
        space.approach(best, &mut closest)?;
    }
    Ok(chosen)
}

/// Different rows, drawn by weight without replacement (Efraimidis & Spirakis 2006: the largest `u^(1/w)`); those without
/// weight come last.
pub(crate) fn by_weight(weights: &[f64], n: usize, rng: &mut Rng) -> Vec<usize> {
    let mut key = |w: f64| rng.random::<f64>().ln() / w.max(f64::MIN_POSITIVE);
    let rows = weights.iter().enumerate();
    let mut keys: Vec<(f64, usize)> = rows.map(|(i, &w)| (key(w), i)).collect();
    keys.sort_by(|a, b| b.0.total_cmp(&a.0));
    keys.truncate(n);
    keys.into_iter().map(|(_, i)| i).collect()
}

/// Sums of the mass of each chunk of rows.
pub(crate) fn chunk_sums(mass: &[f64]) -> Vec<f64> {
    par::map(mass.len(), CHUNK, |range| mass[range].iter().sum())
}

/// A row drawn with probability in proportion to its mass, by way of the sums of its chunk; never one without mass.
pub(crate) fn draw(sums: &[f64], mass: &[f64], rng: &mut Rng) -> usize {
    let mut left = rng.random::<f64>() * sums.iter().sum::<f64>();
    let mut last = 0;
    for (c, &sum) in sums.iter().enumerate() {
        if left >= sum {
            left -= sum;
            continue;
        }
        for (i, &m) in mass.iter().enumerate().skip(c * CHUNK).take(CHUNK) {
            if m > 0.0 {
                last = i;
                if left < m {
                    return i;
                }
                left -= m;
            }
        }
        return last;
    }
    mass.iter().rposition(|&m| m > 0.0).unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use telseg_core::Seed;

    #[test]
    fn draws_follow_the_mass() {
        // Rows across chunks: 1 in 4 of the mass at row 1, the rest at row 5000; none elsewhere.
        let mut mass = vec![0.0; 9000];
        (mass[1], mass[5000]) = (1.0, 3.0);
        let sums = chunk_sums(&mass);
        assert_eq!(sums, [1.0, 3.0, 0.0]);
        let mut rng = Seed::new(1).stream("test").index(0);
        let drawn: Vec<usize> = (0..4000).map(|_| draw(&sums, &mass, &mut rng)).collect();
        let first = drawn.iter().filter(|&&i| i == 1).count();
        assert!(drawn.iter().all(|i| [1, 5000].contains(i)));
        assert!((900..1100).contains(&first), "{first}"); // 3.6 standard deviations of 27
    }

    #[test]
    fn without_replacement_the_weightless_come_last() {
        let mut rng = Seed::new(2).stream("test").index(0);
        let mut heavy = 0;
        for _ in 0..2000 {
            let drawn = by_weight(&[0.0, 3.0, 1.0], 3, &mut rng);
            assert_eq!(drawn[2], 0);
            heavy += usize::from(drawn[0] == 1);
        }
        assert!((1430..1570).contains(&heavy), "{heavy}"); // of 1500, 3.6 standard deviations of 19
    }
}
