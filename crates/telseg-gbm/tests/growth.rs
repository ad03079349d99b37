//! Each order of growth against a plain twin: every question tried on every row, sums in `f64`.

use ndarray::{Array1, Array2};
use telseg_core::Seed;
use telseg_gbm::{Gbm, GbmParams, Growth, Objective};

/// Left when the value is at most `cut`, or missing and `missing_left`.
#[derive(Clone, Copy)]
struct Question {
    feature: usize,
    cut: f32,
    missing_left: bool,
}

/// A leaf: its rows and its depth.
type Leaf = (Vec<usize>, usize);

struct Twin<'a> {
    x: &'a Array2<f32>,
    y: &'a Array1<f32>,
    min_rows: usize,
    questions: Vec<Question>,
}

impl Twin<'_> {
    fn sides(&self, rows: &[usize], q: Question) -> (Vec<usize>, Vec<usize>) {
        rows.iter().partition(|&&row| {
            let x = self.x[(row, q.feature)];
            if x.is_nan() {
                q.missing_left
            } else {
                x <= q.cut
            }
        })
    }

    fn sum(&self, rows: &[usize]) -> f64 {
        rows.iter().map(|&i| f64::from(self.y[i])).sum()
    }

    /// What the squared error falls by.
    fn gain(&self, rows: &[usize], q: Question) -> Option<f64> {
        let (l, r) = self.sides(rows, q);
        if l.len().min(r.len()) < self.min_rows {
            return None;
        }
        let part = |rows: &[usize]| self.sum(rows).powi(2) / rows.len() as f64;
        Some(part(&l) + part(&r) - part(rows))
    }

    /// The first question of the largest gain over all given leaves together.
    fn best(&self, leaves: &[&[usize]]) -> Option<(f64, Question)> {
        let gain = |q: Question| leaves.iter().filter_map(|rows| self.gain(rows, q)).sum();
        let all = self.questions.iter().map(|&q| (gain(q), q));
        all.filter(|&(gain, _): &(f64, _)| gain > 1e-9)
            .reduce(|a, b| if b.0 > a.0 { b } else { a })
    }

    fn grow(&self, growth: Growth, max_leaves: usize) -> Vec<Leaf> {
        let mut leaves: Vec<Leaf> = vec![((0..self.y.len()).collect(), 0)];
        loop {
            let mut splits: Vec<(usize, Question)> = Vec::new();
            if growth == Growth::Symmetric {
                let all: Vec<&[usize]> = leaves.iter().map(|l| &l.0[..]).collect();
                let depth = leaves.iter().map(|l| l.1).max().unwrap_or(0);
                if let Some((_, q)) = self.best(&all).filter(|_| 2 << depth <= max_leaves) {
                    splits = (0..all.len()).map(|i| (i, q)).collect();
                    splits.retain(|&(i, q)| self.gain(all[i], q).is_some());
                }
            } else if leaves.len() < max_leaves {
                let found = leaves.iter().enumerate();
                let found = found.filter_map(|(i, l)| Some((i, l.1, self.best(&[&l.0])?)));
                let next = found.reduce(|a, b| {
                    let shallower = growth == Growth::DepthWise && b.1 != a.1;
                    let first = if shallower { b.1 < a.1 } else { b.2.0 > a.2.0 };
                    if first { b } else { a }
                });
                splits.extend(next.map(|(i, _, (_, q))| (i, q)));
            }
            if splits.is_empty() {
                return leaves;
            }
            for (i, q) in splits {
                let (left, right) = self.sides(&leaves[i].0, q);
                let depth = leaves[i].1 + 1;
                leaves[i] = (left, depth);
                leaves.push((right, depth));
            }
        }
    }
}

/// Noisy steps over three columns, one of 40 values and one that is missing for every fifth row.
fn steps(n: usize, seed: u64) -> (Array2<f32>, Array1<f32>) {
    let stream = Seed::new(seed).stream("growth");
    let unit = |i: usize, j: u64| stream.child(j).unit(i as u64) as f32;
    let x = Array2::from_shape_fn((n, 3), |(i, j)| match j {
        0 => unit(i, 0),
        1 => (unit(i, 1) * 40.0).floor(),
        _ if unit(i, 2) < 0.2 => f32::NAN,
        _ => unit(i, 3),
    });
    let y = Array1::from_shape_fn(n, |i| {
        let (a, b, c) = (x[(i, 0)], x[(i, 1)], x[(i, 2)]);
        let known = if c.is_nan() { 1.5 } else { 2.0 * c * c };
        f32::from(a > 0.3) * (4.0 + b / 10.0) + known + (a * 9.0).sin() + 0.3 * unit(i, 4)
    });
    (x, y)
}

fn one_tree(growth: Growth, max_leaves: usize) -> GbmParams {
    Gbm::params(Objective::SquaredError)
        .with_growth(growth)
        .with_n_trees(1)
        .with_learning_rate(1.0)
        .with_max_leaves(max_leaves)
        .with_min_rows_leaf(7)
}

#[test]
fn trees_equal_their_plain_twins() {
    let n = 240; // every value has a bin of its own
    for seed in 0..5 {
        let (x, y) = steps(n, seed);
        let mut questions = Vec::new();
        for (feature, column) in x.columns().into_iter().enumerate() {
            let mut values: Vec<f32> = column.iter().copied().filter(|v| !v.is_nan()).collect();
            values.sort_by(f32::total_cmp);
            values.dedup();
            for missing_left in [false, true] {
                let question = |&cut: &f32| Question {
                    feature,
                    cut,
                    missing_left,
                };
                questions.extend(values.iter().map(question));
            }
        }
        let twin = Twin {
            x: &x,
            y: &y,
            min_rows: 7,
            questions,
        };
        let mut seen: Vec<Array1<f64>> = Vec::new();
        for (growth, max_leaves) in [
            (Growth::LeafWise, 11),
            (Growth::DepthWise, 11),
            (Growth::Symmetric, 16),
        ] {
            let model = one_tree(growth, max_leaves).fit(&x, &y).unwrap();
            let found = model.predict(&x).unwrap();
            let leaves = twin.grow(growth, max_leaves);
            assert_eq!(model.trees().n_nodes(), 2 * leaves.len() - 1);
            for (rows, _) in leaves {
                let mean = twin.sum(&rows) / rows.len() as f64;
                for row in rows {
                    assert!(
                        (found[row] - mean).abs() < 1e-5,
                        "{growth:?}, seed {seed}, row {row}: {} {mean}",
                        found[row]
                    );
                }
            }
            assert!(!seen.contains(&found), "{growth:?} is like another");
            seen.push(found);
        }
    }
}

#[test]
fn one_question_is_the_same_in_any_growth() {
    let (mut x, y) = steps(600, 9);
    for row in 0..600 {
        if row % 31 == 0 {
            x[(row, 1)] = f32::NAN;
        }
    }
    for categorical in [vec![], vec![1]] {
        let stump = |growth| {
            let params = one_tree(growth, 3).with_max_depth(1).with_min_rows_group(1);
            let params = params.with_n_trees(5).with_categorical(categorical.clone());
            params.fit(&x, &y).unwrap()
        };
        let [leaf, depth, symmetric] =
            [Growth::LeafWise, Growth::DepthWise, Growth::Symmetric].map(stump);
        assert_eq!(leaf.trees(), depth.trees());
        assert_eq!(leaf.trees(), symmetric.trees());
        assert_eq!(leaf.trees().n_nodes(), 15);
    }
}

#[test]
fn symmetric_trees_share_subsets_of_levels() {
    // Two kinds of subscribers, by column 0, for whom the same three plans of eight are dear, by other amounts. One
    // question about the plan and one about the kind part all four groups.
    let x = Array2::from_shape_fn((1600, 2), |(i, j)| match j {
        0 => (i % 2) as f32,
        _ => (i / 2 % 8) as f32,
    });
    let dear = |plan: f32| [1.0, 4.0, 6.0].contains(&plan);
    let y = Array1::from_shape_fn(1600, |i| match (x[(i, 0)] == 1.0, dear(x[(i, 1)])) {
        (false, false) => 0.0,
        (false, true) => 3.0,
        (true, false) => 10.0,
        (true, true) => 15.0,
    });
    let params = one_tree(Growth::Symmetric, 4)
        .with_categorical([1])
        .with_cat_l2(0.0);
    let model = params.fit(&x, &y).unwrap();
    assert_eq!(model.importance().splits, [1, 2]);
    let off = |(found, y): (&f64, &f32)| (found - f64::from(*y)).abs();
    assert!(
        model
            .predict(&x)
            .unwrap()
            .iter()
            .zip(&y)
            .map(off)
            .all(|d| d < 1e-4)
    );
}

#[test]
fn large_leaves_grow_the_same_on_any_number_of_threads() {
    let (x, y) = steps(140_000, 3);
    for growth in [Growth::DepthWise, Growth::Symmetric] {
        let fit = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| one_tree(growth, 16).with_n_trees(2).fit(&x, &y).unwrap())
        };
        let alone = fit(1);
        assert_eq!(alone.trees(), fit(3).trees(), "{growth:?}");
        assert!(alone.report().train_loss[1] < alone.report().train_loss[0]);
    }
}
