//! Davies-Bouldin and Calinski-Harabasz: from means and spreads alone.

use ndarray::{ArrayRef1, ArrayRef2};
use telseg_core::{Error, Result, Scalar};

use super::groups::Groups;

/// Davies-Bouldin index: mean over clusters of the greatest `(s_i + s_j) / |m_i - m_j|`, where `s` is the mean distance
/// to the cluster's mean `m`. Lower is better; infinite when two clusters that are more than points share their mean.
///
/// # Errors
/// As [`silhouette_samples`](super::silhouette_samples).
///
/// # References
/// D. Davies, D. Bouldin (1979), "A cluster separation measure".
pub fn davies_bouldin<F: Scalar>(x: &ArrayRef2<F>, labels: &ArrayRef1<u32>) -> Result<f64> {
    davies_bouldin_of(&Groups::new(x, labels, None, 2)?)
}

/// As [`davies_bouldin`], with a weight of at least 0 for each row; an integer weight counts as so many equal rows.
///
/// # Errors
/// As `davies_bouldin`, and when a weight is negative or not finite, or all are 0.
pub fn davies_bouldin_weighted<F: Scalar>(
    x: &ArrayRef2<F>,
    labels: &ArrayRef1<u32>,
    weights: &ArrayRef1<f64>,
) -> Result<f64> {
    davies_bouldin_of(&Groups::new(x, labels, Some(weights), 2)?)
}

fn davies_bouldin_of<F: Scalar>(groups: &Groups<'_, F>) -> Result<f64> {
    let k = groups.members.len();
    let spread: Vec<f64> = (0..k)
        .map(|g| {
            groups
                .squares(g)
                .map(|(w, square)| w * square.sqrt())
                .sum::<f64>()
                / groups.sizes[g]
        })
        .collect();
    let ratio = |i: usize, j: usize| {
        let (apart, wide) = (
            distance2(&groups.means[i], &groups.means[j]).sqrt(),
            spread[i] + spread[j],
        );
        if wide == 0.0 { 0.0 } else { wide / apart }
    };
    let worst = |i: usize| {
        (0..k)
            .filter(|&j| j != i)
            .map(|j| ratio(i, j))
            .fold(0.0, f64::max)
    };
    Ok((0..k).map(worst).sum::<f64>() / k as f64)
}

/// Sum of squared distances of rows to the means of their clusters.
pub(crate) fn inertia<F: Scalar>(x: &ArrayRef2<F>, labels: &ArrayRef1<u32>) -> Result<f64> {
    Ok(Groups::new(x, labels, None, 1)?.within())
}

/// Calinski-Harabasz index: variance between clusters over variance within, each over its degrees of freedom,
/// `(B / (k - 1)) / (W / (n - k))`. Higher is better.
///
/// # Errors
/// As [`silhouette_samples`](super::silhouette_samples), and when all rows lie on the means of their clusters.
///
/// # References
/// T. Caliński, J. Harabasz (1974), "A dendrite method for cluster analysis".
pub fn calinski_harabasz<F: Scalar>(x: &ArrayRef2<F>, labels: &ArrayRef1<u32>) -> Result<f64> {
    calinski_harabasz_of(&Groups::new(x, labels, None, 2)?)
}

/// As [`calinski_harabasz`], with a weight of at least 0 for each row; an integer weight counts as so many equal rows, and
/// `n` is the sum of the weights.
///
/// # Errors
/// As `calinski_harabasz`, and when a weight is negative or not finite, or they sum to no more than the number of clusters.
pub fn calinski_harabasz_weighted<F: Scalar>(
    x: &ArrayRef2<F>,
    labels: &ArrayRef1<u32>,
    weights: &ArrayRef1<f64>,
) -> Result<f64> {
    calinski_harabasz_of(&Groups::new(x, labels, Some(weights), 2)?)
}

fn calinski_harabasz_of<F: Scalar>(groups: &Groups<'_, F>) -> Result<f64> {
    let (k, d) = (groups.members.len(), groups.n_columns);
    let n: f64 = groups.sizes.iter().sum();
    if groups.is_weighted() && n <= k as f64 {
        let problem = format!("sum to {n}, which leaves no freedom within {k} clusters");
        return Err(Error::data("weights", problem));
    }
    let within = groups.within();
    if within == 0.0 {
        return Err(Error::data(
            "x",
            "all rows lie on the means of their clusters, so the index is not defined",
        ));
    }
    let mut center = vec![0.0; d];
    for (mean, size) in groups.means.iter().zip(&groups.sizes) {
        let share = size / n;
        center
            .iter_mut()
            .zip(mean)
            .for_each(|(c, m)| *c += share * m);
    }
    let means = groups.means.iter().zip(&groups.sizes);
    let between: f64 = means.map(|(m, size)| size * distance2(m, &center)).sum();
    Ok(between / (k - 1) as f64 / (within / (n - k as f64)))
}

fn distance2(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}
