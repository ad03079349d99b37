//! SIMD kernels, dispatched at run time.
//!
//! Every kernel is one plain Rust body, written so that lanes run across items, and instantiated once per instruction
//! set ([`Level`]): the compiler vectorises each instance with what that level has. The plain instance is the twin that
//! the tests hold the others against. Results of the levels with fused multiply-add (AVX2, AVX-512, NEON) have the same
//! bits, because the order of the operations is fixed by the body and not by the width of the registers; the plain level
//! rounds products once more and differs in the last bits.

mod bucket;
mod cuts;
mod extent;
mod fixed;
mod lanes;
mod level;
pub mod math;
mod matmul;
mod modes;
mod nearest;
mod pack;
mod posterior;
mod quadratic;
mod reduce;
mod scatter;
mod transpose;

pub use bucket::{BUCKET, bucket_distances, bucket_mask};
pub use cuts::CutTable;
pub use extent::Extent;
pub use fixed::{GridRows, Move, move_rows, round};
pub use lanes::{BoxLanes, LANES, Probe, RowLanes};
pub use level::Level;
#[doc(hidden)]
pub use level::dispatch;
pub use matmul::matmul;
pub use modes::{CodeColumn, CodeTile, Modes, PackedCodes};
pub use nearest::{Centers, Margin, NearestTile};
pub use pack::{Packed, TILE, Tile};
pub use posterior::posterior;
pub use quadratic::{Diagonal, Scratch, Triangle};
pub use reduce::{Pair, dot, row_norms, squared_distance, squared_distances};
pub use scatter::{Products, Scatter, Sums};

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
    fn nearest_coded(
        level: Level,
        codes: CodeTile<'_>,
        modes: &Modes<Self>,
        scores: &[[Self; TILE]],
        out: &mut NearestTile<Self>,
    );
    #[doc(hidden)]
    fn add_mismatches(
        level: Level,
        codes: CodeTile<'_>,
        modes: &Modes<Self>,
        scores: &mut [[Self; TILE]],
    );
    #[doc(hidden)]
    fn encode(
        level: Level,
        lane: &pack::Lane<Self>,
        n_rows: usize,
        out: &mut pack::Lane<u16>,
    ) -> u64;
    #[doc(hidden)]
    fn extent_tile(
        level: Level,
        tile: Tile<'_, Self>,
        n_rows: usize,
        weights: &[f64; TILE],
        extents: &mut [Extent<Self>],
    );
    #[doc(hidden)]
    fn probe_rows(
        level: Level,
        probe: Probe<'_, Self>,
        lanes: RowLanes<'_, Self>,
        out: &mut [Self; LANES],
    ) -> Self;
    #[doc(hidden)]
    fn probe_boxes(
        level: Level,
        probe: Probe<'_, Self>,
        lanes: BoxLanes<'_, Self>,
        out: &mut [Self; LANES],
    ) -> Self;
    #[doc(hidden)]
    fn transpose(level: Level, rows: &[Self], shift: &[Self], lanes: &mut [pack::Lane<Self>]);
    #[doc(hidden)]
    fn lengths_tile(level: Level, tile: Tile<'_, Self>, out: &mut [Self; TILE]);
    #[doc(hidden)]
    fn bounds_tile(
        level: Level,
        found: &mut NearestTile<Self>,
        lengths: &[Self; TILE],
        margin: &Margin<Self>,
    );
    #[doc(hidden)]
    fn move_rows(level: Level, rows: GridRows<'_, Self>, moves: &[Move], sums: &mut [i64]);
    #[doc(hidden)]
    fn squared_distances(
        level: Level,
        rows: (&[Self], &[Self]),
        n_columns: usize,
        pairs: &[Pair],
        out: &mut [Self],
    );
    #[doc(hidden)]
    fn dot(level: Level, a: &[Self], b: &[Self]) -> Self;
    #[doc(hidden)]
    fn squared_distance(level: Level, a: &[Self], b: &[Self]) -> Self;
    #[doc(hidden)]
    fn triangle_tile(
        level: Level,
        tile: Tile<'_, Self>,
        form: &Triangle<Self>,
        scratch: &mut Scratch<Self>,
        out: &mut [Self; TILE],
    );
    #[doc(hidden)]
    fn triangle_row(level: Level, row: &[Self], shift: &[Self], form: &Triangle<Self>) -> Self;
    #[doc(hidden)]
    fn triangle_apply(
        level: Level,
        tile: Tile<'_, Self>,
        form: &Triangle<Self>,
        scratch: &mut Scratch<Self>,
        out: &mut Packed<Self>,
    );
    #[doc(hidden)]
    fn triangle_row_to(
        level: Level,
        row: &[Self],
        shift: &[Self],
        form: &Triangle<Self>,
        target: &[Self],
    ) -> Self;
    #[doc(hidden)]
    fn diagonal_tile(
        level: Level,
        tile: Tile<'_, Self>,
        form: &Diagonal<Self>,
        out: &mut [Self; TILE],
    );
    #[doc(hidden)]
    fn diagonal_row(level: Level, row: &[Self], shift: &[Self], form: &Diagonal<Self>) -> Self;
    #[doc(hidden)]
    fn scatter_tile(
        level: Level,
        tile: Tile<'_, Self>,
        center: &[Self],
        weights: &[Self; TILE],
        scratch: &mut Scratch<Self>,
        out: &mut Scatter<Self>,
    );
    #[doc(hidden)]
    fn posterior_shift(level: Level, joint: &mut [[Self; TILE]], largest: &mut [Self; TILE]);
    #[doc(hidden)]
    fn posterior_scale(level: Level, joint: &mut [[Self; TILE]], sum: &mut [Self; TILE]);
    #[doc(hidden)]
    fn bucket_distances(
        level: Level,
        point: &[Self],
        columns: &[Self],
        bound: Self,
        out: &mut [Self; BUCKET],
    ) -> u32;
    #[doc(hidden)]
    fn bucket_mask(level: Level, values: &[Self; BUCKET], bound: Self) -> u32;
}

/// `a * b + c`, fused where the level has it: without the feature, `mul_add` is a library call a hundred times slower.
#[inline(always)]
fn fma<T: num_traits::Float, const FMA: bool>(a: T, b: T, c: T) -> T {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

macro_rules! implement {
    ($t:ident, $wide:literal, $middle:literal, $plain:literal, $lanes:literal) => {
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
            fn nearest_coded(level: Level, codes: CodeTile<'_>, modes: &Modes<$t>, scores: &[[$t; TILE]], out: &mut NearestTile<$t>) {
                level::dispatch!(level,
                    modes::nearest::<$t, $wide, true>,
                    modes::nearest::<$t, $middle, true>,
                    modes::nearest::<$t, $plain, false>;
                    (codes: CodeTile<'_>, modes: &Modes<$t>, scores: &[[$t; TILE]], out: &mut NearestTile<$t>) -> ())
            }

            #[inline]
            fn add_mismatches(level: Level, codes: CodeTile<'_>, modes: &Modes<$t>, scores: &mut [[$t; TILE]]) {
                level::dispatch!(level,
                    modes::add::<$t, $wide, true>,
                    modes::add::<$t, $middle, true>,
                    modes::add::<$t, $plain, false>;
                    (codes: CodeTile<'_>, modes: &Modes<$t>, scores: &mut [[$t; TILE]]) -> ())
            }

            #[inline]
            fn encode(level: Level, lane: &pack::Lane<$t>, n_rows: usize, out: &mut pack::Lane<u16>) -> u64 {
                level::dispatch!(level, modes::encode::<$t>, modes::encode::<$t>, modes::encode::<$t>;
                    (lane: &pack::Lane<$t>, n_rows: usize, out: &mut pack::Lane<u16>) -> u64)
            }

            #[inline]
            fn extent_tile(level: Level, tile: Tile<'_, $t>, n_rows: usize, weights: &[f64; TILE], extents: &mut [Extent<$t>]) {
                level::dispatch!(level, extent::add::<$t>, extent::add::<$t>, extent::add::<$t>;
                    (tile: Tile<'_, $t>, n_rows: usize, weights: &[f64; TILE], extents: &mut [Extent<$t>]) -> ())
            }

            #[inline]
            fn probe_rows(level: Level, probe: Probe<'_, $t>, lanes: RowLanes<'_, $t>, out: &mut [$t; LANES]) -> $t {
                level::dispatch!(level, lanes::rows_body::<$t, true>, lanes::rows_body::<$t, true>,
                    lanes::rows_body::<$t, false>;
                    (probe: Probe<'_, $t>, lanes: RowLanes<'_, $t>, out: &mut [$t; LANES]) -> $t)
            }

            #[inline]
            fn probe_boxes(level: Level, probe: Probe<'_, $t>, lanes: BoxLanes<'_, $t>, out: &mut [$t; LANES]) -> $t {
                level::dispatch!(level, lanes::boxes_body::<$t, true>, lanes::boxes_body::<$t, true>,
                    lanes::boxes_body::<$t, false>;
                    (probe: Probe<'_, $t>, lanes: BoxLanes<'_, $t>, out: &mut [$t; LANES]) -> $t)
            }

            #[inline]
            fn transpose(level: Level, rows: &[$t], shift: &[$t], lanes: &mut [pack::Lane<$t>]) {
                #[cfg(target_arch = "x86_64")]
                if level >= Level::Avx2 && rows.len() == TILE * shift.len() {
                    // SAFETY: a level is only ever obtained from `Level::best` or `Level::available`, which found its features.
                    #[allow(unsafe_code)]
                    return unsafe { <$t as transpose::Registers>::transpose(rows, shift, lanes) };
                }
                level::dispatch!(level, transpose::plain::<$t>, transpose::plain::<$t>, transpose::plain::<$t>;
                    (rows: &[$t], shift: &[$t], lanes: &mut [pack::Lane<$t>]) -> ())
            }

            #[inline]
            fn lengths_tile(level: Level, tile: Tile<'_, $t>, out: &mut [$t; TILE]) {
                level::dispatch!(level, nearest::lengths::<$t, true>, nearest::lengths::<$t, true>,
                    nearest::lengths::<$t, false>; (tile: Tile<'_, $t>, out: &mut [$t; TILE]) -> ())
            }

            #[inline]
            fn bounds_tile(level: Level, found: &mut NearestTile<$t>, lengths: &[$t; TILE], margin: &Margin<$t>) {
                level::dispatch!(level, nearest::bounds::<$t>, nearest::bounds::<$t>, nearest::bounds::<$t>;
                    (found: &mut NearestTile<$t>, lengths: &[$t; TILE], margin: &Margin<$t>) -> ())
            }

            #[inline]
            fn move_rows(level: Level, rows: GridRows<'_, $t>, moves: &[Move], sums: &mut [i64]) {
                level::dispatch!(level, fixed::body::<$t>, fixed::body::<$t>, fixed::body::<$t>;
                    (rows: GridRows<'_, $t>, moves: &[Move], sums: &mut [i64]) -> ())
            }

            #[inline]
            fn squared_distances(level: Level, rows: (&[$t], &[$t]), n_columns: usize, pairs: &[Pair], out: &mut [$t]) {
                level::dispatch!(level, reduce::distances_body::<$t, true>, reduce::distances_body::<$t, true>,
                    reduce::distances_body::<$t, false>;
                    (rows: (&[$t], &[$t]), n_columns: usize, pairs: &[Pair], out: &mut [$t]) -> ())
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

            #[inline]
            fn triangle_tile(level: Level, tile: Tile<'_, $t>, form: &Triangle<$t>, scratch: &mut Scratch<$t>, out: &mut [$t; TILE]) {
                level::dispatch!(level,
                    quadratic::triangle::<$t, $middle, true>,
                    quadratic::triangle::<$t, $middle, true>,
                    quadratic::triangle::<$t, $plain, false>;
                    (tile: Tile<'_, $t>, form: &Triangle<$t>, scratch: &mut Scratch<$t>, out: &mut [$t; TILE]) -> ())
            }

            #[inline]
            fn triangle_row(level: Level, row: &[$t], shift: &[$t], form: &Triangle<$t>) -> $t {
                level::dispatch!(level,
                    quadratic::triangle_row::<$t, true>,
                    quadratic::triangle_row::<$t, true>,
                    quadratic::triangle_row::<$t, false>;
                    (row: &[$t], shift: &[$t], form: &Triangle<$t>) -> $t)
            }

            #[inline]
            fn triangle_apply(level: Level, tile: Tile<'_, $t>, form: &Triangle<$t>, scratch: &mut Scratch<$t>, out: &mut Packed<$t>) {
                level::dispatch!(level,
                    quadratic::apply::<$t, $middle, true>,
                    quadratic::apply::<$t, $middle, true>,
                    quadratic::apply::<$t, $plain, false>;
                    (tile: Tile<'_, $t>, form: &Triangle<$t>, scratch: &mut Scratch<$t>, out: &mut Packed<$t>) -> ())
            }

            #[inline]
            fn triangle_row_to(level: Level, row: &[$t], shift: &[$t], form: &Triangle<$t>, target: &[$t]) -> $t {
                level::dispatch!(level,
                    quadratic::triangle_row_to::<$t, true>,
                    quadratic::triangle_row_to::<$t, true>,
                    quadratic::triangle_row_to::<$t, false>;
                    (row: &[$t], shift: &[$t], form: &Triangle<$t>, target: &[$t]) -> $t)
            }

            #[inline]
            fn diagonal_tile(level: Level, tile: Tile<'_, $t>, form: &Diagonal<$t>, out: &mut [$t; TILE]) {
                level::dispatch!(level,
                    quadratic::diagonal::<$t, true>,
                    quadratic::diagonal::<$t, true>,
                    quadratic::diagonal::<$t, false>;
                    (tile: Tile<'_, $t>, form: &Diagonal<$t>, out: &mut [$t; TILE]) -> ())
            }

            #[inline]
            fn diagonal_row(level: Level, row: &[$t], shift: &[$t], form: &Diagonal<$t>) -> $t {
                level::dispatch!(level,
                    quadratic::diagonal_row::<$t, true>,
                    quadratic::diagonal_row::<$t, true>,
                    quadratic::diagonal_row::<$t, false>;
                    (row: &[$t], shift: &[$t], form: &Diagonal<$t>) -> $t)
            }

            #[inline]
            fn scatter_tile(level: Level, tile: Tile<'_, $t>, center: &[$t], weights: &[$t; TILE], scratch: &mut Scratch<$t>, out: &mut Scatter<$t>) {
                level::dispatch!(level,
                    scatter::add::<$t, $lanes, true>,
                    scatter::add::<$t, $lanes, true>,
                    scatter::add::<$t, 4, false>;
                    (tile: Tile<'_, $t>, center: &[$t], weights: &[$t; TILE], scratch: &mut Scratch<$t>, out: &mut Scatter<$t>) -> ())
            }

            #[inline]
            fn posterior_shift(level: Level, joint: &mut [[$t; TILE]], largest: &mut [$t; TILE]) {
                level::dispatch!(level, posterior::shift::<$t>, posterior::shift::<$t>, posterior::shift::<$t>;
                    (joint: &mut [[$t; TILE]], largest: &mut [$t; TILE]) -> ())
            }

            #[inline]
            fn posterior_scale(level: Level, joint: &mut [[$t; TILE]], sum: &mut [$t; TILE]) {
                level::dispatch!(level, posterior::scale::<$t>, posterior::scale::<$t>, posterior::scale::<$t>;
                    (joint: &mut [[$t; TILE]], sum: &mut [$t; TILE]) -> ())
            }

            #[inline]
            fn bucket_distances(level: Level, point: &[$t], columns: &[$t], bound: $t, out: &mut [$t; BUCKET]) -> u32 {
                level::dispatch!(level, bucket::distances::<$t>, bucket::distances::<$t>, bucket::distances::<$t>;
                    (point: &[$t], columns: &[$t], bound: $t, out: &mut [$t; BUCKET]) -> u32)
            }

            #[inline]
            fn bucket_mask(level: Level, values: &[$t; BUCKET], bound: $t) -> u32 {
                level::dispatch!(level, bucket::mask::<$t>, bucket::mask::<$t>, bucket::mask::<$t>;
                    (values: &[$t; BUCKET], bound: $t) -> u32)
            }
        }
    };
}
implement!(f32, 64, 16, 8, 8);
implement!(f64, 32, 8, 4, 4);
