//! Which vector instructions this machine has.

/// An instruction set that kernels are instantiated for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// What the target always has (SSE2 on x86-64), without fused multiply-add.
    Plain,
    /// NEON, on 64-bit ARM.
    Neon,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512 F, VL, DQ and BW.
    Avx512,
}

impl Level {
    /// The best level of this machine. Costs an atomic load.
    #[inline]
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if Self::has_avx512() {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Self::Avx2;
            }
        }
        if cfg!(target_arch = "aarch64") {
            Self::Neon
        } else {
            Self::Plain
        }
    }

    /// Every level that this machine can run, the plain one first.
    pub fn available() -> Vec<Self> {
        let best = Self::best();
        let mut levels = vec![Self::Plain];
        if best == Self::Avx512 {
            levels.push(Self::Avx2);
        }
        if best != Self::Plain {
            levels.push(best);
        }
        levels
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn has_avx512() -> bool {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("fma")
    }
}

/// Calls the instance of a body for a level. The bodies and all that they call must be `#[inline(always)]`, or they are
/// compiled without the level's features. For the kernels of the workspace's own crates.
#[doc(hidden)]
#[macro_export]
macro_rules! dispatch {
    ($level:expr, $wide:expr, $middle:expr, $plain:expr; ($($arg:ident: $ty:ty),*) -> $ret:ty) => {{
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,fma")]
        fn wide($($arg: $ty),*) -> $ret { $wide($($arg),*) }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn middle($($arg: $ty),*) -> $ret { $middle($($arg),*) }
        match $level {
            // SAFETY: a level is only ever obtained from `Level::best` or `Level::available`, which found its features.
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            $crate::kernel::Level::Avx512 => unsafe { wide($($arg),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            $crate::kernel::Level::Avx2 => unsafe { middle($($arg),*) },
            #[cfg(target_arch = "aarch64")]
            $crate::kernel::Level::Neon => $middle($($arg),*),
            _ => $plain($($arg),*),
        }
    }};
}
pub use dispatch;
