//! Counterfactuals against all rows that there are, one by one.

#![allow(clippy::unwrap_used)] // test helpers, too, end at the first surprise

mod ensembles;

use std::time::Duration;

use ndarray::{Array1, Array2, array};
use telseg_core::Seed;
use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
use telseg_explain::{
    Answer, Bundle, Change, CounterfactualParams, Counterfactuals, Ended, FeatureRule, Goal,
};

const COLUMNS: usize = 5;

fn score(model: &TreeEnsemble, output: usize, row: &[f32]) -> f64 {
    let x = Array2::from_shape_vec((1, row.len()), row.to_vec()).unwrap();
    model.predict(&x).unwrap()[[0, output]]
}

/// Every value that a column may take, with its cost; the first is the row's own.
fn values(rule: &FeatureRule, feature: usize, own: f32) -> Vec<(f32, f64)> {
    let mut all = vec![(own, 0.0)];
    if rule.change == Change::Never || own.is_nan() {
        return all;
    }
    if feature % 2 == 1 {
        let levels: Vec<u32> = if rule.levels.is_empty() {
            (0..10).collect()
        } else {
            rule.levels.clone()
        };
        all.extend(
            levels
                .iter()
                .map(|l| *l as f32)
                .filter(|l| *l != own)
                .map(|l| (l, 1.0 / rule.scale)),
        );
        return all;
    }
    // Thresholds are whole numbers from 0 to 9.
    let candidates: Vec<f32> = match rule.step {
        None => (0..10)
            .flat_map(|t| [t as f32, (t as f32).next_up()])
            .collect(),
        Some(step) => (-4..40).map(|m| m as f32 * step).collect(),
    };
    let [low, high] = rule.range.unwrap_or([f32::MIN, f32::MAX]);
    let ends = rule.range.map_or(Vec::new(), |r| {
        if rule.step.is_none() {
            r.to_vec()
        } else {
            Vec::new()
        }
    });
    for v in candidates.into_iter().chain(ends) {
        let allowed = match rule.change {
            Change::Increase => v > own,
            Change::Decrease => v < own,
            _ => v != own,
        };
        if allowed && (low..=high).contains(&v) {
            all.push((v, (f64::from(v) - f64::from(own)).abs() / rule.scale));
        }
    }
    all
}

/// Ways to change some columns, each with its cost.
type Group = Vec<(Vec<(usize, f32)>, f64)>;

/// The cheapest counterfactual by trying all rows.
fn by_trying(params: &CounterfactualParams, model: &TreeEnsemble, row: &[f32]) -> Option<f64> {
    let mut best: Option<f64> = None;
    let mut groups: Vec<Group> = Vec::new();
    let bundled: Vec<usize> = params
        .bundles
        .iter()
        .flat_map(|b| b.features.clone())
        .collect();
    for bundle in &params.bundles {
        let mut options = vec![(Vec::new(), 0.0)];
        for (option, cost) in bundle.options.iter().zip(&bundle.costs) {
            options.push((
                bundle
                    .features
                    .iter()
                    .copied()
                    .zip(option.iter().copied())
                    .collect(),
                *cost,
            ));
        }
        groups.push(options);
    }
    for (feature, rule) in params.features.iter().enumerate() {
        if !bundled.contains(&feature) {
            let all = values(rule, feature, row[feature]);
            groups.push(
                all.iter()
                    .enumerate()
                    .map(|(i, (v, c))| {
                        (
                            if i == 0 {
                                Vec::new()
                            } else {
                                vec![(feature, *v)]
                            },
                            *c,
                        )
                    })
                    .collect(),
            );
        }
    }
    fn go(
        groups: &[Group],
        at: &mut Vec<f32>,
        cost: f64,
        changes: usize,
        params: &CounterfactualParams,
        model: &TreeEnsemble,
        best: &mut Option<f64>,
    ) {
        let Some((first, rest)) = groups.split_first() else {
            let score = score(model, params.output, at);
            let good = match params.goal {
                Goal::AtMost(limit) => score <= limit,
                Goal::AtLeast(limit) => score >= limit,
            };
            if good && best.is_none_or(|b| cost < b) {
                *best = Some(cost);
            }
            return;
        };
        for (i, (set, more)) in first.iter().enumerate() {
            let changes = changes + usize::from(i > 0);
            let cost = cost + more;
            if changes > params.max_changes || best.is_some_and(|b| cost >= b) {
                continue;
            }
            let kept: Vec<(usize, f32)> = set.iter().map(|(f, _)| (*f, at[*f])).collect();
            set.iter().for_each(|(f, v)| at[*f] = *v);
            go(rest, at, cost, changes, params, model, best);
            kept.iter().for_each(|(f, v)| at[*f] = *v);
        }
    }
    go(&groups, &mut row.to_vec(), 0.0, 0, params, model, &mut best);
    best
}

/// Rules that differ from seed to seed.
fn rules(seed: u64) -> Vec<FeatureRule> {
    let draw = Seed::new(seed).stream("rules");
    (0..COLUMNS as u64)
        .map(|f| {
            let change = [
                Change::Free,
                Change::Increase,
                Change::Decrease,
                Change::Never,
                Change::Free,
            ][draw.bits(f * 9) as usize % 5];
            let scale = 0.5 + draw.unit(f * 9 + 1);
            if f % 2 == 1 {
                let rule = if draw.bits(f * 9 + 2).is_multiple_of(2) {
                    FeatureRule::levels(vec![1, 4, 7, 12])
                } else {
                    FeatureRule::numeric(Change::Free, 1.0)
                };
                let fixed = change == Change::Never;
                return if fixed {
                    FeatureRule::fixed()
                } else {
                    rule.with_scale(scale)
                };
            }
            let rule = FeatureRule::numeric(change, scale);
            match draw.bits(f * 9 + 3) % 3 {
                0 => rule.with_step(1.5),
                1 => rule.with_range(2.5, 8.5),
                _ => rule,
            }
        })
        .collect()
}

fn checked(params: &CounterfactualParams, model: &TreeEnsemble, row: &[f32]) -> Answer {
    let answer = params
        .fit(model)
        .unwrap()
        .explain_row(&Array1::from(row.to_vec()))
        .unwrap();
    assert_eq!(answer.score, score(model, params.output, row));
    let walked = ensembles::expected(model, row, (1 << COLUMNS) - 1, params.output);
    assert!((answer.score - walked).abs() < 1e-12);
    if let Some(found) = &answer.found {
        assert_eq!(found.score, score(model, params.output, &found.row));
        assert!(found.moved.len() >= usize::from(found.cost > 0.0));
        for moved in &found.moved {
            assert_eq!(found.row[moved.feature], moved.to);
            assert!(
                params.features[moved.feature].change != Change::Never
                    || !params.bundles.is_empty()
            );
        }
    }
    answer
}

#[test]
fn the_cheapest_of_all_rows_is_found() {
    let (mut found, mut impossible, mut already) = (0, 0, 0);
    for seed in 0..60 {
        let model = ensembles::ensemble(seed, COLUMNS, 7, 2, false);
        for row in ensembles::rows(seed, 3, COLUMNS).outer_iter() {
            let row = row.to_vec();
            for (goal, output) in [(Goal::AtMost(-0.1), 0), (Goal::AtLeast(1.0), 1)] {
                let mut params = Counterfactuals::params(goal, rules(seed))
                    .with_output(output)
                    .with_max_changes(1 + seed as usize % 3);
                if seed % 4 == 0 {
                    let options = vec![vec![2.0, 4.0], vec![7.5, 1.0], vec![0.0, 9.0]];
                    params = params.with_bundle(Bundle {
                        features: vec![0, 3],
                        options,
                        costs: vec![0.8, 2.0, 3.1],
                    });
                }
                let answer = checked(&params, &model, &row);
                match by_trying(&params, &model, &row) {
                    None => {
                        assert_eq!(answer.ended, Ended::Impossible, "{seed} {row:?}");
                        assert!(answer.found.is_none());
                        impossible += 1;
                    }
                    Some(0.0) if answer.ended == Ended::Already => already += 1,
                    Some(cost) => {
                        assert_eq!((answer.ended, answer.gap), (Ended::Optimal, 0.0));
                        let own = answer.found.unwrap().cost;
                        assert!((own - cost).abs() < 1e-9, "{seed} {row:?}: {own} {cost}");
                        found += 1;
                    }
                }
            }
        }
    }
    assert!(
        found > 100 && impossible > 50 && already > 20,
        "{found} {impossible} {already}"
    );
}

#[test]
fn limits_end_the_search_with_a_gap() {
    let tree = |t: u64| {
        let draw = Seed::new(5).stream("tree").child(t);
        let mut nodes = vec![Node::Leaf {
            value: vec![0.0],
            cover: 1.0,
        }];
        for s in 0..30u64 {
            let ends: Vec<usize> = (0..nodes.len())
                .filter(|&i| matches!(nodes[i], Node::Leaf { .. }))
                .collect();
            let pick = ends[draw.bits(s * 3) as usize % ends.len()];
            let at = nodes.len();
            for side in 0..2 {
                nodes.push(Node::Leaf {
                    value: vec![draw.unit(900 + 2 * s + side) - 0.5],
                    cover: 1.0,
                });
            }
            nodes[pick] = Node::Split {
                feature: (draw.bits(s * 3 + 1) % 12) as usize,
                rule: Rule::AtMost(draw.unit(s * 3 + 2) as f32),
                missing: Side::Left,
                left: at,
                right: at + 1,
                cover: 2.0,
            };
        }
        Tree {
            nodes,
            output: Some(0),
        }
    };
    let model = TreeEnsemble::new(12, vec![0.0], (0..60).map(tree).collect()).unwrap();
    let row = Array1::from_elem(12, 0.5f32);
    let own = score(&model, 0, row.as_slice().unwrap());
    let rules = || {
        (0..12)
            .map(|_| FeatureRule::numeric(Change::Free, 1.0))
            .collect::<Vec<_>>()
    };
    let params = Counterfactuals::params(Goal::AtMost(own - 2.0), rules()).with_max_changes(6);

    let few = params.clone().with_max_boxes(50);
    let search = few.fit(&model).unwrap();
    let answer = search.explain_row(&row).unwrap();
    assert_eq!((answer.ended, answer.n_boxes), (Ended::Boxes, 50));
    let found = answer.found.clone().unwrap();
    assert!(
        answer.lower_bound < found.cost && answer.gap > 0.0 && answer.gap < 1.0,
        "{answer:?}"
    );
    assert_eq!(search.explain_row(&row).unwrap(), answer);

    // More boxes never find a dearer one, and raise what is known to be needed.
    let more = params
        .clone()
        .with_max_boxes(3_000)
        .fit(&model)
        .unwrap()
        .explain_row(&row)
        .unwrap();
    assert!(more.found.unwrap().cost <= found.cost);
    assert!(more.lower_bound >= answer.lower_bound);

    let timed = params
        .with_max_boxes(usize::MAX)
        .with_time_limit(Duration::from_millis(30));
    let start = std::time::Instant::now();
    let answer = timed.fit(&model).unwrap().explain_row(&row).unwrap();
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(answer.found.is_some());
    assert!(matches!(answer.ended, Ended::Time | Ended::Optimal));
}

#[test]
fn missing_values_stay_and_bundles_replace_them() {
    let nodes = vec![
        Node::Split {
            feature: 0,
            rule: Rule::AtMost(3.0),
            missing: Side::Right,
            left: 1,
            right: 2,
            cover: 2.0,
        },
        Node::Leaf {
            value: vec![0.0],
            cover: 1.0,
        },
        Node::Leaf {
            value: vec![1.0],
            cover: 1.0,
        },
    ];
    let model = TreeEnsemble::new(
        2,
        vec![0.0],
        vec![Tree {
            nodes,
            output: Some(0),
        }],
    )
    .unwrap();
    let row = array![f32::NAN, 1.0];
    let params = Counterfactuals::params(
        Goal::AtMost(0.5),
        vec![FeatureRule::numeric(Change::Free, 1.0); 2],
    );
    let alone = params.fit(&model).unwrap().explain_row(&row).unwrap();
    assert_eq!(alone.ended, Ended::Impossible);
    assert_eq!(alone.lower_bound, f64::INFINITY);
    let bundle = Bundle {
        features: vec![0, 1],
        options: vec![vec![9.0, 9.0], vec![2.0, 1.0]],
        costs: vec![0.1, 0.7],
    };
    let offered = params
        .with_bundle(bundle)
        .fit(&model)
        .unwrap()
        .explain_row(&row)
        .unwrap();
    let found = offered.found.unwrap();
    assert_eq!(
        (found.row, found.cost, found.moved.len()),
        (vec![2.0, 1.0], 0.7, 1)
    );
}

#[test]
fn zeros_that_answer_the_other_way_are_cells_of_their_own() {
    for threshold in [-2.0, 0.0, 3.0] {
        let nodes = vec![
            Node::Split {
                feature: 0,
                rule: Rule::ZeroTurned(threshold),
                missing: Side::Left,
                left: 1,
                right: 2,
                cover: 2.0,
            },
            Node::Leaf {
                value: vec![-1.0],
                cover: 1.0,
            },
            Node::Leaf {
                value: vec![1.0],
                cover: 1.0,
            },
        ];
        let model = TreeEnsemble::new(
            1,
            vec![0.0],
            vec![Tree {
                nodes,
                output: Some(0),
            }],
        )
        .unwrap();
        for own in [-5.0f32, -1.0, 0.0, 1.0, 5.0] {
            for goal in [Goal::AtMost(0.0), Goal::AtLeast(0.0)] {
                let params =
                    Counterfactuals::params(goal, vec![FeatureRule::numeric(Change::Free, 1.0)]);
                let answer = checked(&params, &model, &[own]);
                let edges = [
                    threshold,
                    threshold.next_up(),
                    0.0,
                    (-1e-35f32).next_down(),
                    1e-35f32.next_up(),
                ];
                let reaches = |v: f32| match goal {
                    Goal::AtMost(_) => score(&model, 0, &[v]) <= 0.0,
                    Goal::AtLeast(_) => score(&model, 0, &[v]) >= 0.0,
                };
                if answer.ended == Ended::Already {
                    assert!(reaches(own));
                    continue;
                }
                let costs = edges
                    .iter()
                    .filter(|v| reaches(**v))
                    .map(|v| f64::from((v - own).abs()));
                let best = costs.fold(f64::INFINITY, f64::min);
                let found = answer.found.unwrap();
                assert!(
                    (found.cost - best).abs() < 1e-6,
                    "{threshold} {own} {goal:?}: {found:?} {best}"
                );
            }
        }
    }
}

#[test]
fn bad_parameters_name_themselves() {
    let model = ensembles::ensemble(1, COLUMNS, 5, 1, false);
    let good = || {
        Counterfactuals::params(
            Goal::AtMost(0.0),
            vec![FeatureRule::numeric(Change::Free, 1.0); COLUMNS],
        )
    };
    let refuse = |p: CounterfactualParams| p.fit(&model).unwrap_err().to_string();
    assert_eq!(
        refuse(Counterfactuals::params(Goal::AtMost(f64::NAN), Vec::new())),
        "goal: must be finite, found NaN"
    );
    assert_eq!(
        refuse(Counterfactuals::params(Goal::AtMost(0.0), Vec::new())),
        "features: expected 5 rules (as columns of the model), found 0"
    );
    assert_eq!(
        refuse(good().with_output(1)),
        "output: must be below 1, found 1"
    );
    assert_eq!(
        refuse(good().with_max_changes(0)),
        "max_changes: must be at least 1, found 0"
    );
    let rule = |rule: FeatureRule| {
        let mut params = good();
        params.features[2] = rule;
        refuse(params)
    };
    let free = FeatureRule::numeric(Change::Free, 1.0);
    assert_eq!(
        rule(free.clone().with_scale(0.0)),
        "features[2]: scale must be above 0, found 0"
    );
    assert_eq!(
        rule(free.clone().with_range(3.0, 2.0)),
        "features[2]: range must rise, found 3 to 2"
    );
    assert_eq!(
        rule(free.with_step(f32::NAN)),
        "features[2]: step must be above 0, found NaN"
    );
    assert_eq!(
        rule(FeatureRule::levels((0..300).collect::<Vec<u32>>())),
        "features[2]: 300 levels could be offered, at most 127 may: name them"
    );
    let bundle = |features: Vec<usize>, options: Vec<Vec<f32>>, costs: Vec<f64>| {
        refuse(good().with_bundle(Bundle {
            features,
            options,
            costs,
        }))
    };
    assert_eq!(bundle(vec![9], vec![], vec![]), "bundles[0]: column 9 of 5");
    assert_eq!(
        bundle(vec![1], vec![vec![1.0]], vec![]),
        "bundles[0]: 1 options and 0 costs"
    );
    assert_eq!(
        bundle(vec![1], vec![vec![1.0, 2.0]], vec![1.0]),
        "bundles[0]: 2 values for 1 columns"
    );
    assert_eq!(
        bundle(vec![1], vec![vec![1.0]], vec![-1.0]),
        "bundles[0]: costs must be 0 or more, found -1"
    );
    let search = good().fit(&model).unwrap();
    assert!(
        search
            .explain_row(&array![1.0])
            .unwrap_err()
            .to_string()
            .starts_with("row: expected 5 columns")
    );
    let infinite = Array1::from_elem(COLUMNS, f32::INFINITY);
    assert_eq!(
        search.explain_row(&infinite).unwrap_err().to_string(),
        "row: column 0 is infinite"
    );
}
