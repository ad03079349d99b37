//! The smallest change that brings a subscriber's churn risk down: a rebate in steps, fewer dropped calls, another
//! contract; age and history stay as they are.

use std::io::Write;

use telseg::Result;
use telseg::core::Seed;
use telseg::explain::{Change, Counterfactuals, FeatureRule, Goal};
use telseg::gbm::{Gbm, Objective};
use telseg::sim::{ColumnKind, WorldConfig, customers};

fn main() -> Result<()> {
    let base = customers(&WorldConfig::default().with_n_subscribers(20_000), 11)?;
    let codes: Vec<usize> = (0..base.columns.len())
        .filter(|&j| matches!(base.columns[j].kind, ColumnKind::Categorical { .. }))
        .collect();
    let y = ndarray::Array1::from_iter(base.churned.iter().map(|&c| f32::from(u8::from(c))));
    let model = Gbm::params(Objective::Binary)
        .with_categorical(codes)
        .with_n_trees(60)
        .with_max_leaves(15)
        .with_min_rows_leaf(100)
        .fit(&base.features, &y)?;

    // What an operator can do something about, by how much, and what a change of 1 costs.
    let rules: Vec<FeatureRule> = base
        .columns
        .iter()
        .map(|column| match column.name {
            "monthly_fee" => FeatureRule::numeric(Change::Decrease, 5.0).with_step(1.0),
            "contract_months_left" => FeatureRule::numeric(Change::Increase, 12.0)
                .with_step(6.0)
                .with_range(0.0, 24.0),
            name if name.starts_with("dropped") => {
                FeatureRule::numeric(Change::Decrease, 0.02).with_step(0.001)
            }
            name if name.starts_with("care") => {
                FeatureRule::numeric(Change::Decrease, 1.0).with_step(1.0)
            }
            _ => FeatureRule::fixed(),
        })
        .collect();
    let scores = model.predict(&base.features)?;
    let mut order: Vec<usize> = (0..base.n_rows()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    // Half of the odds that the model gives the riskiest; drawn from the riskiest two hundred.
    let draw = Seed::new(3).stream("example");
    let mut out = std::io::stdout();
    let mut helped = 0;
    for i in 0..8 {
        let row = order[draw.bits(i) as usize % 200];
        let margin = (scores[row] / (1.0 - scores[row])).ln();
        let goal = margin - 2f64.ln();
        let search =
            Counterfactuals::params(Goal::AtMost(goal), rules.clone()).fit(model.trees())?;
        let answer = search.explain_row(&base.features.row(row))?;
        let _ = write!(
            out,
            "subscriber {:5}, risk {:4.1}%: ",
            base.ids[row],
            100.0 * scores[row]
        );
        match answer.found {
            None => {
                let _ = writeln!(out, "nothing that may change halves the odds");
            }
            Some(found) => {
                helped += 1;
                let risk = model.predict_row(&found.row)?;
                assert!(risk < scores[row]);
                let moves: Vec<String> = found
                    .moved
                    .iter()
                    .map(|m| {
                        format!(
                            "{} from {:.3} to {:.3}",
                            base.columns[m.feature].name, m.from, m.to
                        )
                    })
                    .collect();
                let _ = writeln!(
                    out,
                    "{} brings it to {:.1}%",
                    moves.join(", "),
                    100.0 * risk
                );
            }
        }
    }
    let _ = writeln!(
        out,
        "The model says so, not the world: what a rebate does, only a test can tell."
    );
    assert!(helped >= 4, "{helped} of 8 helped");
    Ok(())
}
