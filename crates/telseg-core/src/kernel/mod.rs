//! SIMD kernels, dispatched at run time.
//!
//! Every kernel is one plain Rust body, written so that lanes run across items, and instantiated once per instruction
//! set ([`Level`]): the compiler vectorises each instance with what that level has. The plain instance is the twin that
//! the tests hold the others against. Results of the levels with fused multiply-add (AVX2, AVX-512, NEON) have the same
//! bits, because the order of the operations is fixed by the body and not by the width of the registers; the plain level
//! rounds products once more and differs in the last bits.

mod cuts;
mod level;
pub mod math;
mod matmul;
mod nearest;
mod pack;
mod reduce;

pub use cuts::CutTable;
pub use level::Level;
#[doc(hidden)]
pub use level::dispatch;
pub use matmul::matmul;
pub use nearest::{Centers, NearestTile};
pub use pack::{Packed, TILE, Tile};
pub use reduce::{dot, row_norms, squared_distance};

/// The kernels of one element type; sealed, and a part of [`Scalar`](crate::Scalar).
pub trait Kernel: num_traits::Float + Default + Send + Sync + 'static {
    #[doc(hidden)]
    fn nearest_tile(
        level: Level,
        tile: Tile<'_, Self>,
        centers: &Centers<Self>,
        out: &mut NearestTile<Self>,
    );
    #[doc(hidden)]
    fn scores_tile(
        level: Level,
        tile: Tile<'_, Self>,
        centers: &Centers<Self>,
        out: &mut [[Self; TILE]],
    );
    #[doc(hidden)]
    fn dot(level: Level, a: &[Self], b: &[Self]) -> Self;
    #[doc(hidden)]
    fn squared_distance(level: Level, a: &[Self], b: &[Self]) -> Self;
}

/// `a * b + c`, fused where the level has it: without the feature, `mul_add` is a library call a hundred times slower.
#[inline(always)]
fn fma<T: num_traits::Float, const FMA: bool>(a: T, b: T, c: T) -> T {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

macro_rules! implement {
    ($t:ident, $wide:literal, $middle:literal, $plain:literal) => {
        impl Kernel for $t {
            #[inline]
            fn nearest_tile(level: Level, tile: Tile<'_, $t>, centers: &Centers<$t>, out: &mut NearestTile<$t>) {
                level::dispatch!(level,
                    nearest::tile::<$t, $wide, true>,
                    nearest::tile::<$t, $middle, true>,
                    nearest::tile::<$t, $plain, false>;
                    (tile: Tile<'_, $t>, centers: &Centers<$t>, out: &mut NearestTile<$t>) -> ())
            }

            #[inline]
            fn scores_tile(level: Level, tile: Tile<'_, $t>, centers: &Centers<$t>, out: &mut [[$t; TILE]]) {
                level::dispatch!(level,
                    nearest::scores::<$t, $wide, true>,
                    nearest::scores::<$t, $middle, true>,
                    nearest::scores::<$t, $plain, false>;
                    (tile: Tile<'_, $t>, centers: &Centers<$t>, out: &mut [[$t; TILE]]) -> ())
            }

            #[inline]
            fn dot(level: Level, a: &[$t], b: &[$t]) -> $t {
                level::dispatch!(level, reduce::dot_body::<$t, true>, reduce::dot_body::<$t, true>,
                    reduce::dot_body::<$t, false>; (a: &[$t], b: &[$t]) -> $t)
            }

            #[inline]
            fn squared_distance(level: Level, a: &[$t], b: &[$t]) -> $t {
                level::dispatch!(level, reduce::distance_body::<$t, true>, reduce::distance_body::<$t, true>,
                    reduce::distance_body::<$t, false>; (a: &[$t], b: &[$t]) -> $t)
            }
        }
    };
}
implement!(f32, 64, 16, 8);
implement!(f64, 32, 8, 4);
