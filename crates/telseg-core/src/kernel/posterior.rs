//! From log joint densities to the probabilities of the parts of a mixture, for a tile of rows.

use super::{Kernel, Level, TILE, math};
use crate::Scalar;

/// Replaces the log joint densities of a tile (`joint[j][l]`: part `j`, row `l`) by the probability of each part given
/// the row, and writes the log of their sum, the row's log density, to `log_density`.
///
/// Shifted by the row's largest, so that nothing overflows; a part that is less probable than the smallest normal number
/// gets exactly 0. A row to which every part gives density 0 keeps zeros and has log density minus infinity.
///
/// # Examples
/// ```
/// use telseg_core::kernel::{TILE, posterior};
/// let mut joint = [[0.0f64; TILE], [0.0; TILE]];
/// joint[1][3] = f64::NEG_INFINITY;
/// let mut log_density = [0.0; TILE];
/// posterior(&mut joint, &mut log_density);
/// assert_eq!((joint[0][0], joint[1][3], joint[0][3]), (0.5, 0.0, 1.0));
/// assert!((log_density[0] - 2f64.ln()).abs() < 1e-15);
/// ```
pub fn posterior<T: Scalar>(joint: &mut [[T; TILE]], log_density: &mut [T; TILE]) {
    let mut largest = [T::neg_infinity(); TILE];
    <T as Kernel>::posterior_shift(Level::best(), joint, &mut largest);
    math::exp(joint.as_flattened_mut());
    let mut sum = [T::zero(); TILE];
    <T as Kernel>::posterior_scale(Level::best(), joint, &mut sum);
    math::ln(&mut sum);
    for l in 0..TILE {
        log_density[l] = sum[l] + largest[l];
    }
}

/// Subtracts the largest of each row, which it leaves in `largest`.
#[inline(always)]
pub(super) fn shift<T: Scalar>(joint: &mut [[T; TILE]], largest: &mut [T; TILE]) {
    for part in joint.iter() {
        for l in 0..TILE {
            largest[l] = if part[l] > largest[l] {
                part[l]
            } else {
                largest[l]
            };
        }
    }
    for part in joint.iter_mut() {
        for l in 0..TILE {
            let shift = if largest[l] > T::neg_infinity() {
                largest[l]
            } else {
                T::zero()
            };
            part[l] -= shift;
        }
    }
}

/// Divides by the sum of each row, which it leaves in `sum`.
#[inline(always)]
pub(super) fn scale<T: Scalar>(joint: &mut [[T; TILE]], sum: &mut [T; TILE]) {
    for part in joint.iter() {
        for l in 0..TILE {
            sum[l] += part[l];
        }
    }
    let mut factor = [T::zero(); TILE];
    for l in 0..TILE {
        factor[l] = if sum[l] > T::zero() {
            T::one() / sum[l]
        } else {
            T::zero()
        };
    }
    for part in joint.iter_mut() {
        for l in 0..TILE {
            part[l] *= factor[l];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_and_density_are_right_at_any_size() {
        let mut joint = vec![[0.0f64; TILE]; 3];
        for (j, part) in joint.iter_mut().enumerate() {
            for (l, v) in part.iter_mut().enumerate() {
                *v = -1e4 * l as f64 + (j * l) as f64 * 0.1;
            }
        }
        joint.iter_mut().for_each(|p| p[5] = f64::NEG_INFINITY);
        let (before, mut log_density) = (joint.clone(), [0.0; TILE]);
        posterior(&mut joint, &mut log_density);
        for l in (0..TILE).filter(|&l| l != 5) {
            let largest = before[2][l];
            let sum: f64 = before.iter().map(|p| (p[l] - largest).exp()).sum();
            assert!((log_density[l] - largest - sum.ln()).abs() < 1e-9 * (1.0 + largest.abs()));
            for (p, b) in joint.iter().zip(&before) {
                assert!((p[l] - (b[l] - largest).exp() / sum).abs() < 1e-14);
            }
        }
        assert_eq!((joint[0][5], log_density[5]), (0.0, f64::NEG_INFINITY));
    }
}
