//! A service's side: a saved pipeline is loaded once and scores one subscriber at a time.

use std::io::Write;

use telseg::features::Cell;
use telseg::prelude::*;
use telseg::sim::{WorldConfig, customers};

fn main() -> Result<()> {
    let base = customers(&WorldConfig::default().with_n_subscribers(4000), 3)?;
    let table = Table::from_batch(base.to_record_batch())?;
    let run = Pipeline::new().segments(6..=6).fit(&table)?;
    let folder = std::env::temp_dir().join(format!("telseg-score-a-row-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|e| telseg::Error::io(&folder, e))?;
    let file = folder.join("model.telseg");
    run.save(&file)?;

    // In the service: load once, then score whoever calls.
    let service = Run::load(&file)?;
    let names = table.column_names();
    let columns: Vec<_> = names
        .iter()
        .map(|name| table.column(name))
        .collect::<Result<_>>()?;
    let batch = service.score(&table)?;
    for i in [0, 1, 2] {
        let cells: Vec<(&str, Cell<'_>)> = names
            .iter()
            .zip(&columns)
            .map(|(name, c)| (*name, c.cell(i)))
            .collect();
        let one = service.score_row(&cells)?;
        assert_eq!(one.segment, batch.segments[i]);
        assert_eq!(one.score, batch.scores.as_ref().map(|s| s[i]));
        let _ = writeln!(
            std::io::stdout(),
            "row {i}: segment {}, score {:.4}",
            one.segment,
            one.score.unwrap_or(f64::NAN)
        );
    }
    std::fs::remove_dir_all(&folder).map_err(|e| telseg::Error::io(&folder, e))
}
