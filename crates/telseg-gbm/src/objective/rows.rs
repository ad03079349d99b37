//! Losses of one score and one target, row by row.

use telseg_core::kernel::{Level, dispatch};

use super::Objective;

/// First and second derivative of one row's loss, times its weight.
pub(crate) type Slope = [f32; 2];

/// What one pass over the rows yields besides the slopes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pass {
    /// Sum of weighted losses.
    pub(crate) loss: f64,
    /// Largest absolute gradient and largest hessian.
    pub(crate) largest: Slope,
}

impl Pass {
    /// The pass over two parts.
    pub(crate) fn join(self, other: Self) -> Self {
        let [g, h] = self.largest;
        let largest = [g.max(other.largest[0]), h.max(other.largest[1])];
        Self {
            loss: self.loss + other.loss,
            largest,
        }
    }
}

/// Rows of an inner loop.
pub(super) const STRIP: usize = 64;
/// Scores behind a logarithmic link count as no larger than this, so that `f32` holds their slopes.
const LARGEST: f64 = 80.0;

impl Objective {
    /// Loss of one row of weight 1; 0 for objectives that are not a sum over rows and outputs.
    pub(crate) fn loss(self, score: f64, y: f32) -> f64 {
        match self {
            Self::SquaredError => (score - f64::from(y)).powi(2),
            Self::Binary => {
                let s = if y > 0.5 { score } else { -score };
                // ln(1 + exp(-s)) without overflow.
                (-s).max(0.0) + (-s.abs()).exp().ln_1p()
            }
            _ => self.parts(score, f64::from(y))[0],
        }
    }

    /// Loss, gradient and hessian of one row of weight 1.
    #[inline(always)]
    fn parts(self, score: f64, y: f64) -> [f64; 3] {
        match self {
            Self::AbsoluteError => {
                let gap = score - y;
                [gap.abs(), sign(gap), 1.0]
            }
            Self::Quantile { level } => pinball(score - y, level),
            Self::Huber { delta } => {
                let gap = score - y;
                let inside = gap.clamp(-delta, delta);
                [inside * (gap - 0.5 * inside), inside, 1.0]
            }
            Self::Poisson => {
                let mean = exp(score.min(LARGEST));
                [mean - y * score, mean - y, mean]
            }
            Self::Gamma => {
                let ratio = y * exp(-score.max(-LARGEST));
                [ratio + score, 1.0 - ratio, ratio]
            }
            Self::Tweedie { power } => {
                let (a, b) = (1.0 - power, 2.0 - power);
                let score = score.clamp(-LARGEST, LARGEST);
                let (low, high) = (y * exp(a * score), exp(b * score));
                [high / b - low / a, high - low, b * high - a * low]
            }
            _ => [0.0; 3],
        }
    }

    /// Slopes of all rows of a chunk, and its pass.
    pub(crate) fn slopes(
        self,
        scores: &[f64],
        y: &[f32],
        weights: Option<&[f32]>,
        out: &mut [Slope],
    ) -> Pass {
        let objective = self;
        dispatch!(Level::best(), sweep, sweep, sweep;
            (objective: Objective, scores: &[f64], y: &[f32], weights: Option<&[f32]>, out: &mut [Slope]) -> Pass)
    }
}

#[inline(always)]
fn sweep(
    objective: Objective,
    scores: &[f64],
    y: &[f32],
    weights: Option<&[f32]>,
    out: &mut [Slope],
) -> Pass {
    let mut pass = match objective {
        Objective::SquaredError => squared(scores, y, out),
        Objective::Binary => binary(scores, y, out),
        _ => by_parts(objective, scores, y, out),
    };
    if let Some(weights) = weights {
        // Losses are summed anew; the products that make the unweighted sum quick know no weights.
        pass = Pass::default();
        for (i, w) in weights.iter().enumerate() {
            pass.loss += f64::from(*w) * objective.loss(scores[i], y[i]);
            out[i] = out[i].map(|v| v * w);
        }
    }
    let mut largest = [[0.0f32; 2]; 16];
    for strip in out.chunks(16) {
        for (largest, [g, h]) in largest.iter_mut().zip(strip) {
            largest[0] = if g.abs() > largest[0] {
                g.abs()
            } else {
                largest[0]
            };
            largest[1] = if *h > largest[1] { *h } else { largest[1] };
        }
    }
    for [g, h] in largest {
        pass.largest = [pass.largest[0].max(g), pass.largest[1].max(h)];
    }
    pass
}

#[inline(always)]
fn squared(scores: &[f64], y: &[f32], out: &mut [Slope]) -> Pass {
    let mut pass = Pass::default();
    for ((s, y), out) in scores.iter().zip(y).zip(out) {
        let gap = s - f64::from(*y);
        *out = [gap as f32, 1.0];
        pass.loss += gap * gap;
    }
    pass
}

#[inline(always)]
fn by_parts(objective: Objective, scores: &[f64], y: &[f32], out: &mut [Slope]) -> Pass {
    let mut pass = Pass::default();
    for ((s, y), out) in scores.iter().zip(y).zip(out) {
        let [loss, g, h] = objective.parts(*s, f64::from(*y));
        *out = [g as f32, h as f32];
        pass.loss += loss;
    }
    pass
}

/// Loss, gradient and the hessian that stands in for 0 of a score that is `gap` above its target.
#[inline(always)]
pub(super) fn pinball(gap: f64, level: f64) -> [f64; 3] {
    let slope = if gap >= 0.0 { 1.0 - level } else { -level };
    [slope * gap, slope, 1.0]
}

/// -1, 0 or 1.
#[inline(always)]
fn sign(x: f64) -> f64 {
    f64::from(u8::from(x > 0.0)) - f64::from(u8::from(x < 0.0))
}

#[inline(always)]
fn binary(scores: &[f64], y: &[f32], out: &mut [Slope]) -> Pass {
    let mut pass = Pass::default();
    let strips = scores
        .chunks(STRIP)
        .zip(y.chunks(STRIP))
        .zip(out.chunks_mut(STRIP));
    for ((scores, y), out) in strips {
        // q: the probability of what did happen.
        let mut q = [1.0f64; STRIP];
        for ((q, s), y) in q.iter_mut().zip(scores).zip(y) {
            let sign = 2.0 * f64::from(*y) - 1.0;
            *q = 1.0 / (1.0 + exp(-s * sign));
        }
        for ((out, q), y) in out.iter_mut().zip(&q).zip(y) {
            let p = if *y > 0.5 { *q } else { 1.0 - q };
            let gap = if *y > 0.5 { q - 1.0 } else { 1.0 - q };
            *out = [gap as f32, (p * (1.0 - p)) as f32];
        }
        // ln of a product instead of a sum of logarithms: 8 factors of at least 1e-35 stay in range.
        let mut products = [1.0f64; 8];
        for eight in q.chunks_exact(8) {
            products
                .iter_mut()
                .zip(eight)
                .for_each(|(p, q)| *p *= q.max(1e-35));
        }
        pass.loss -= products.iter().map(|p| p.ln()).sum::<f64>();
    }
    pass
}

/// `e^x` without a branch or a call, so that loops over it are vectorised; relative error below 1e-15 on [-700, 700],
/// to which `x` is clamped.
///
/// `x = n ln 2 + r` with `|r| <= ln 2 / 2`; the Taylor series of `e^r` to the 13th power; `2^n` by its exponent bits.
#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
    const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52: adding it rounds to a whole number
    const LN2_HIGH: f64 = 0.693_147_180_369_123_8; // 32 significant bits: n times it is exact
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const SERIES: [f64; 14] = [
        1.0 / 6_227_020_800.0,
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let x = x.clamp(-700.0, 700.0);
    let rounded = x * std::f64::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let mut sum = SERIES[0];
    for c in &SERIES[1..] {
        sum = sum * r + c;
    }
    sum * f64::from_bits((rounded.to_bits() << 52).wrapping_add(1023 << 52))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_to_the_librarys() {
        for i in -7000..=7000 {
            let x = f64::from(i) * 0.0999;
            let error = (exp(x) / x.exp() - 1.0).abs();
            assert!(error < 1e-15, "{x}: {error:e}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(1e9).is_finite() && exp(-1e9) > 0.0);
    }

    /// Every objective that is a sum over rows.
    fn all() -> [Objective; 8] {
        [
            Objective::SquaredError,
            Objective::Binary,
            Objective::AbsoluteError,
            Objective::Huber { delta: 1.5 },
            Objective::Quantile { level: 0.3 },
            Objective::Poisson,
            Objective::Gamma,
            Objective::Tweedie { power: 1.3 },
        ]
    }

    #[test]
    fn slopes_are_derivatives_of_the_loss() {
        let h = 1e-4;
        for objective in all() {
            for (score, y, w) in [
                (0.3, 1.0f32, 1.0f32),
                (-2.0, 0.0, 2.5),
                (4.0, 0.0, 1.0),
                (-4.0, 1.0, 0.5),
            ] {
                let loss = |s: f64| f64::from(w) * objective.loss(s, y);
                // LightGBM's and our convention: squared error counts half, so that its hessian is 1.
                let half = if objective == Objective::SquaredError {
                    0.5
                } else {
                    1.0
                };
                let first = half * (loss(score + h) - loss(score - h)) / (2.0 * h);
                let second = match objective {
                    // Flat or straight pieces: the hessian is that of a bound, 1 a unit of weight.
                    Objective::AbsoluteError
                    | Objective::Huber { .. }
                    | Objective::Quantile { .. } => f64::from(w),
                    _ => half * (loss(score + h) - 2.0 * loss(score) + loss(score - h)) / (h * h),
                };
                let mut out = [[0.0f32; 2]];
                let pass = objective.slopes(&[score], &[y], Some(&[w]), &mut out);
                let scale = 1.0 + first.abs().max(second.abs());
                assert!(
                    (f64::from(out[0][0]) - first).abs() < 1e-5 * scale,
                    "{objective:?} {out:?} {first}"
                );
                assert!(
                    (f64::from(out[0][1]) - second).abs() < 1e-4 * scale,
                    "{objective:?} {out:?} {second}"
                );
                assert!((pass.loss - loss(score)).abs() < 1e-12);
                assert_eq!(pass.largest, [out[0][0].abs(), out[0][1]]);
            }
        }
    }

    #[test]
    fn extreme_scores_have_finite_slopes() {
        for objective in all() {
            for score in [-1e4, -90.0, 90.0, 1e4] {
                for y in [0.0f32, 1.0, 1000.0] {
                    let mut out = [[0.0f32; 2]];
                    let pass = objective.slopes(&[score], &[y], None, &mut out);
                    assert!(
                        out[0].iter().all(|v| v.is_finite()) && pass.loss.is_finite(),
                        "{objective:?} {score} {y} {out:?} {pass:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn unweighted_loss_is_the_sum_of_the_rows() {
        let n = 333;
        let scores: Vec<f64> = (0..n).map(|i| (f64::from(i) - 160.0) / 5.0).collect();
        let y: Vec<f32> = (0..n).map(|i| (i % 3 == 0) as u8 as f32).collect();
        for objective in all() {
            let mut out = vec![[0.0f32; 2]; n as usize];
            let pass = objective.slopes(&scores, &y, None, &mut out);
            let sum: f64 = scores
                .iter()
                .zip(&y)
                .map(|(&s, &y)| objective.loss(s, y))
                .sum();
            assert!(
                (pass.loss - sum).abs() < 1e-9 * sum.abs(),
                "{} {sum}",
                pass.loss
            );
        }
    }
}
