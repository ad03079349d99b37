//! Where a numeric column is cut: between all distinct values when they are few, else at about equal weight.

/// An order-preserving integer image of a number that is not NaN; both zeros are one.
fn key(x: f32) -> u32 {
    let bits = (x + 0.0).to_bits();
    bits ^ (((bits as i32 >> 31) as u32) | 1 << 31)
}

fn value(key: u32) -> f32 {
    f32::from_bits(key ^ (((!key as i32 >> 31) as u32) | 1 << 31))
}

/// Ascending distinct values with their weights; NaN and rows of weight 0 do not count.
pub(super) fn distinct(values: &[f32], weights: Option<&[f32]>) -> Vec<(f32, f64)> {
    let mut out: Vec<(f32, f64)> = Vec::new();
    let mut add = |k: u32, w: f64| match out.last_mut() {
        Some(last) if key(last.0) == k => last.1 += w,
        _ => out.push((value(k), w)),
    };
    match weights {
        None => {
            let mut keys: Vec<u32> = values
                .iter()
                .filter(|x| !x.is_nan())
                .map(|&x| key(x))
                .collect();
            keys.sort_unstable();
            keys.into_iter().for_each(|k| add(k, 1.0));
        }
        Some(weights) => {
            let pairs = values.iter().zip(weights);
            let mut pairs: Vec<(u32, f32)> = pairs
                .filter(|&(x, &w)| !x.is_nan() && w > 0.0)
                .map(|(&x, &w)| (key(x), w))
                .collect();
            pairs.sort_by_key(|p| p.0); // stable, so that weights add up in row order
            pairs.into_iter().for_each(|(k, w)| add(k, w.into()));
        }
    }
    out
}

/// At most `max_bins - 1` cuts between distinct values.
///
/// A value that alone outweighs the average bin gets its own; the others share the remaining bins at about equal weight.
pub(super) fn cuts(distinct: &[(f32, f64)], max_bins: usize) -> Vec<f32> {
    let between = |i: usize| midpoint(distinct[i].0, distinct[i + 1].0);
    if distinct.len() <= max_bins {
        return (1..distinct.len()).map(|i| between(i - 1)).collect();
    }
    let total: f64 = distinct.iter().map(|d| d.1).sum();
    let heavy: Vec<bool> = distinct
        .iter()
        .map(|d| d.1 * max_bins as f64 >= total)
        .collect();
    let mut bins_left = max_bins - heavy.iter().filter(|&&h| h).count();
    let mut weight_left: f64 = distinct
        .iter()
        .zip(&heavy)
        .filter(|d| !d.1)
        .map(|d| d.0.1)
        .sum();
    let mut target = weight_left / bins_left.max(1) as f64;
    let (mut cuts, mut filled) = (Vec::with_capacity(max_bins), 0.0);
    for i in 0..distinct.len() - 1 {
        filled += distinct[i].1;
        if !heavy[i] {
            weight_left -= distinct[i].1;
        }
        if !(heavy[i] || filled >= target || heavy[i + 1] && filled >= 0.5 * target) {
            continue;
        }
        cuts.push(between(i));
        if cuts.len() == max_bins - 1 {
            break;
        }
        if !heavy[i] {
            bins_left = bins_left.saturating_sub(1).max(1);
            target = weight_left / bins_left as f64;
        }
        filled = 0.0;
    }
    cuts
}

/// A number `m` with `a <= m < b`, halfway where that is possible.
fn midpoint(a: f32, b: f32) -> f32 {
    let m = 0.5 * a + 0.5 * b;
    if m >= a && m < b && m.is_finite() {
        m
    } else {
        a
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use telseg_core::kernel::CutTable;

    #[test]
    fn few_values_are_cut_halfway() {
        let nan = f32::NAN;
        let values = [3.0f32, 1.0, nan, -0.0, 0.0, 1.0];
        let found = distinct(&values, None);
        assert_eq!(found, [(0.0, 2.0), (1.0, 2.0), (3.0, 1.0)]);
        let cut = cuts(&found, 255);
        assert_eq!(cut, [0.5, 2.0]);
        let mut bins = [9; 8];
        CutTable::new(&cut).bin_all(
            &[
                nan,
                -5.0,
                0.5,
                0.6,
                2.0,
                2.1,
                f32::INFINITY,
                f32::NEG_INFINITY,
            ],
            &mut bins,
        );
        assert_eq!(bins, [0, 1, 1, 2, 2, 3, 3, 1]);
    }

    #[test]
    fn many_values_share_bins_evenly_and_heavy_ones_stand_alone() {
        // 1000 distinct values of weight 1, and the value 500 with weight 1001: of 11 bins, it has one.
        let mut all: Vec<(f32, f64)> = (0..1000).map(|i| (i as f32, 1.0)).collect();
        all[500].1 = 1001.0;
        let cut = cuts(&all, 11);
        assert_eq!(cut.len(), 10);
        let at = cut.iter().position(|&c| c == 499.5).unwrap();
        assert_eq!(cut[at + 1], 500.5);
        let widths: Vec<f32> = cut.windows(2).map(|w| w[1] - w[0]).collect();
        for (i, width) in widths.iter().enumerate() {
            assert!(i == at || (60.0..=110.0).contains(width), "{widths:?}");
        }
        for &(x, _) in &all {
            let mut bin = [0];
            CutTable::new(&cut).bin_all(&[x], &mut bin);
            assert_eq!(bin[0] as usize, 1 + cut.iter().filter(|&&c| c < x).count());
        }
    }

    #[test]
    fn infinite_and_neighbouring_values_are_told_apart() {
        let next = 1.0f32.next_up();
        let found = distinct(&[f32::NEG_INFINITY, 1.0, next, f32::INFINITY], None);
        let cut = cuts(&found, 255);
        assert_eq!(cut, [f32::NEG_INFINITY, 1.0, next]);
        let mut bins = [0; 4];
        CutTable::new(&cut).bin_all(&[f32::NEG_INFINITY, 1.0, next, f32::INFINITY], &mut bins);
        assert_eq!(bins, [1, 2, 3, 4]);
    }

    #[test]
    fn weights_count_as_repeats() {
        let repeated = distinct(&[1.0, 1.0, 1.0, 2.0, 5.0, 5.0], None);
        let weighted = distinct(&[5.0, 1.0, 9.0, 2.0], Some(&[2.0, 3.0, 0.0, 1.0]));
        assert_eq!(repeated, weighted);
    }
}
