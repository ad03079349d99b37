//! `exp`, `ln`, `sigmoid` and `softmax` over slices: branch-free polynomials that vectorise.
//!
//! Largest error found by the tests, against the standard library in double precision: `exp` 2 units in the last place
//! in `f32` and in `f64`, `ln` 2, `sigmoid` 3. Special values follow the standard library: `exp(-inf) = 0`, NaN stays NaN, `ln(0) = -inf`,
//! `ln(x < 0)` is NaN. Results below the smallest normal number are flushed to zero.
//!
//! # References
//! W. Cody, W. Waite (1980), "Software Manual for the Elementary Functions": argument reduction with `ln 2` in two parts;
//! S. Moshier, Cephes: the form of the polynomial for `ln` in single precision.

use super::level::{self, Level};

/// Elements whose slices can be passed to the functions of this module; sealed, `f32` and `f64`.
pub trait Element: Copy + super::Kernel {
    #[doc(hidden)]
    fn map_exp(x: &mut [Self]);
    #[doc(hidden)]
    fn map_ln(x: &mut [Self]);
    #[doc(hidden)]
    fn map_sigmoid(x: &mut [Self]);
}

/// Replaces every element by its exponential.
pub fn exp<T: Element>(x: &mut [T]) {
    T::map_exp(x);
}

/// Replaces every element by its natural logarithm.
pub fn ln<T: Element>(x: &mut [T]) {
    T::map_ln(x);
}

/// Replaces every element by `1 / (1 + exp(-x))`.
pub fn sigmoid<T: Element>(x: &mut [T]) {
    T::map_sigmoid(x);
}

/// Replaces the scores of one row by `exp(x_i) / sum_j exp(x_j)`, shifted by the largest so that nothing overflows.
///
/// # Examples
/// ```
/// let mut row = [1000.0f64, 1000.0, f64::NEG_INFINITY];
/// telseg_core::kernel::math::softmax(&mut row);
/// assert_eq!(row, [0.5, 0.5, 0.0]);
/// ```
pub fn softmax<T: Element>(row: &mut [T]) {
    let largest = row
        .iter()
        .fold(T::neg_infinity(), |a, &b| if b > a { b } else { a });
    row.iter_mut().for_each(|v| *v = *v - largest);
    exp(row);
    let sum = row.iter().fold(T::zero(), |a, &b| a + b);
    row.iter_mut().for_each(|v| *v = *v / sum);
}

macro_rules! map {
    ($t:ident, $x:ident, $fused:expr, $plain:expr) => {{
        #[inline(always)]
        fn fused(x: &mut [$t]) {
            x.iter_mut().for_each(|v| *v = $fused(*v));
        }
        #[inline(always)]
        fn plain(x: &mut [$t]) {
            x.iter_mut().for_each(|v| *v = $plain(*v));
        }
        level::dispatch!(Level::best(), fused, fused, plain; ($x: &mut [$t]) -> ())
    }};
}

macro_rules! functions {
    ($t:ident, $module:ident) => {
        impl Element for $t {
            fn map_exp(x: &mut [$t]) {
                map!($t, x, $module::exp::<true>, $module::exp::<false>)
            }
            fn map_ln(x: &mut [$t]) {
                map!($t, x, $module::ln::<true>, $module::ln::<false>)
            }
            fn map_sigmoid(x: &mut [$t]) {
                map!($t, x, $module::sigmoid::<true>, $module::sigmoid::<false>)
            }
        }
    };
}
functions!(f32, single);
functions!(f64, double);

/// `c[0] + x c[1] + x^2 c[2] + ...` by Horner's rule.
macro_rules! polynomial {
    ($fma:ident, $t:ident, $x:expr; $last:expr $(, $next:expr)*) => {{
        let x = $x;
        let mut sum: $t = $last;
        $( sum = super::super::fma::<$t, $fma>(sum, x, $next); )*
        sum
    }};
}

mod single {
    use super::super::fma;

    /// exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2; Taylor to degree 7 (error 2^-27 there).
    #[inline(always)]
    pub(super) fn exp<const FMA: bool>(x: f32) -> f32 {
        const MAGIC: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to the nearest integer
        let y = x.clamp(-87.3, 88.8);
        let n = fma::<f32, FMA>(y, std::f32::consts::LOG2_E, MAGIC) - MAGIC;
        let r = fma::<f32, FMA>(n, -0.693_359_4, y);
        let r = fma::<f32, FMA>(n, 2.121_944_4e-4, r);
        let p = polynomial!(FMA, f32, r; 1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0);
        // n runs from -126 to 128: two factors, so that neither leaves the range of normal numbers.
        let half = (n * 0.5).floor();
        let value = p * power(half) * power(n - half);
        let value = if x > 88.722_84 { f32::INFINITY } else { value };
        let value = if x < -87.3 { 0.0 } else { value };
        if x.is_nan() { x } else { value }
    }

    #[inline(always)]
    fn power(n: f32) -> f32 {
        f32::from_bits(((n as i32 + 127) as u32) << 23)
    }

    /// ln(m 2^e) = e ln 2 + ln(m), m in [sqrt(1/2), sqrt(2)); ln(m) = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.1716.
    #[inline(always)]
    pub(super) fn ln<const FMA: bool>(x: f32) -> f32 {
        let bits = x.to_bits().wrapping_sub(0x3f35_04f3); // sqrt(1/2)
        let e = (bits as i32 >> 23) as f32;
        let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(0x3f35_04f3));
        let f = m - 1.0;
        let s = f / (2.0 + f);
        let z = s * s;
        let r = z * polynomial!(FMA, f32, z; 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0);
        // ln(1 + f) = f - s (f - r)
        let tail = fma::<f32, FMA>(e, -2.121_944_4e-4, -s * (f - r));
        let value = fma::<f32, FMA>(e, 0.693_359_4, f + tail);
        special(x, value)
    }

    #[inline(always)]
    fn special(x: f32, value: f32) -> f32 {
        let value = if x < f32::MIN_POSITIVE {
            f32::NEG_INFINITY
        } else {
            value
        };
        let value = if x < 0.0 || x.is_nan() {
            f32::NAN
        } else {
            value
        };
        if x == f32::INFINITY { x } else { value }
    }

    #[inline(always)]
    pub(super) fn sigmoid<const FMA: bool>(x: f32) -> f32 {
        // exp of the negative magnitude never overflows, and small results keep their digits.
        let e = exp::<FMA>(-x.abs());
        (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
    }
}

mod double {
    use super::super::fma;

    /// As in single precision; Taylor to degree 13 (error 2^-57 on the reduced range).
    #[inline(always)]
    pub(super) fn exp<const FMA: bool>(x: f64) -> f64 {
        const MAGIC: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
        let y = x.clamp(-708.0, 709.9);
        let shifted = fma::<f64, FMA>(y, std::f64::consts::LOG2_E, MAGIC);
        let n = shifted - MAGIC;
        let r = fma::<f64, FMA>(n, -0.693_145_751_953_125, y);
        let r = fma::<f64, FMA>(n, -1.428_606_820_309_417_2e-6, r);
        let p = polynomial!(FMA, f64, r;
            1.0 / 6_227_020_800.0, 1.0 / 479_001_600.0, 1.0 / 39_916_800.0, 1.0 / 3_628_800.0, 1.0 / 362_880.0,
            1.0 / 40_320.0, 1.0 / 5_040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0);
        let half = (n * 0.5).floor();
        let value = p * power(half) * power(n - half);
        let value = if x > 709.782_712_893_384 {
            f64::INFINITY
        } else {
            value
        };
        let value = if x < -708.0 { 0.0 } else { value };
        if x.is_nan() { x } else { value }
    }

    #[inline(always)]
    fn power(n: f64) -> f64 {
        const MAGIC: f64 = 6_755_399_441_055_744.0;
        // The integer stands in the low bits of n + MAGIC: no conversion instruction is needed.
        f64::from_bits(((n + MAGIC).to_bits().wrapping_add(1023)) << 52)
    }

    /// As in single precision, with the series to s^21.
    #[inline(always)]
    pub(super) fn ln<const FMA: bool>(x: f64) -> f64 {
        let bits = x.to_bits().wrapping_sub(0x3fe6_a09e_667f_3bcd); // sqrt(1/2)
        let e = (bits as i64 >> 52) as f64;
        let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff).wrapping_add(0x3fe6_a09e_667f_3bcd));
        let f = m - 1.0;
        let s = f / (2.0 + f);
        let z = s * s;
        let r = z
            * polynomial!(FMA, f64, z;
            2.0 / 21.0, 2.0 / 19.0, 2.0 / 17.0, 2.0 / 15.0, 2.0 / 13.0, 2.0 / 11.0, 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0);
        let tail = fma::<f64, FMA>(e, 1.428_606_820_309_417_2e-6, -s * (f - r));
        let value = fma::<f64, FMA>(e, 0.693_145_751_953_125, f + tail);
        let value = if x < f64::MIN_POSITIVE {
            f64::NEG_INFINITY
        } else {
            value
        };
        let value = if x < 0.0 || x.is_nan() {
            f64::NAN
        } else {
            value
        };
        if x == f64::INFINITY { x } else { value }
    }

    #[inline(always)]
    pub(super) fn sigmoid<const FMA: bool>(x: f64) -> f64 {
        let e = exp::<FMA>(-x.abs());
        (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest difference in units of the last place of the true value, over both instances.
    macro_rules! worst {
        ($t:ident, $module:ident :: $f:ident, $truth:expr, $range:expr) => {{
            let mut worst = 0.0f64;
            for i in 0..200_000 {
                let x = ($range.start + ($range.end - $range.start) * (i as f64 + 0.5) / 200_000.0)
                    as $t;
                let truth: f64 = $truth(x as f64);
                let unit = ((truth as $t).abs().max($t::MIN_POSITIVE) * $t::EPSILON) as f64;
                for value in [$module::$f::<true>(x), $module::$f::<false>(x)] {
                    worst = worst.max((value as f64 - truth).abs() / unit);
                }
            }
            worst
        }};
    }

    #[test]
    fn errors_stay_within_the_stated_units_in_the_last_place() {
        let logistic = |x: f64| {
            if x < 0.0 {
                x.exp() / (1.0 + x.exp())
            } else {
                1.0 / (1.0 + (-x).exp())
            }
        };
        let found = [
            worst!(f32, single::exp, f64::exp, (-87.0..88.7)),
            worst!(f32, single::exp, f64::exp, (-0.5..0.5)),
            worst!(f32, single::ln, f64::ln, (1e-6..3.0)),
            worst!(f32, single::ln, f64::ln, (1.0..1e9)),
            worst!(f64, double::exp, f64::exp, (-700.0..709.0)),
            worst!(f64, double::exp, f64::exp, (-0.5..0.5)),
            worst!(f64, double::ln, f64::ln, (1e-6..3.0)),
            worst!(f64, double::ln, f64::ln, (1.0..1e15)),
            worst!(f32, single::sigmoid, logistic, (-80.0..80.0)),
            worst!(f64, double::sigmoid, logistic, (-700.0..700.0)),
        ];
        for (i, worst) in found.iter().enumerate() {
            assert!(*worst <= if i < 8 { 2.0 } else { 3.0 }, "{i}: {found:?}");
        }
    }

    #[test]
    fn special_values_follow_the_standard_library() {
        macro_rules! check {
            ($t:ident) => {{
                let (inf, nan) = ($t::INFINITY, $t::NAN);
                let mut x = [0.0, -inf, inf, nan, 1000.0, -1000.0];
                exp(&mut x);
                assert_eq!(x[..3], [1.0, 0.0, inf]);
                assert!(x[3].is_nan());
                assert_eq!(x[4..], [inf, 0.0]);
                let mut x = [1.0, 0.0, inf, nan, -1.0];
                ln(&mut x);
                assert_eq!(x[..3], [0.0, -inf, inf]);
                assert!(x[3].is_nan() && x[4].is_nan());
                let mut x = [0.0, -inf, inf, nan];
                sigmoid(&mut x);
                assert_eq!(x[..3], [0.5, 0.0, 1.0]);
                assert!(x[3].is_nan());
                let mut x = [3.0, 1.0, 2.0];
                softmax(&mut x);
                let sum: $t = x.iter().sum();
                assert!((sum - 1.0).abs() < 4.0 * $t::EPSILON && x[0] > x[2] && x[2] > x[1]);
            }};
        }
        check!(f32);
        check!(f64);
    }
}
