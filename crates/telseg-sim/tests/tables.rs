//! Arrow tables hold what the snapshot holds.
#![cfg(feature = "arrow")]
#![allow(clippy::unwrap_used)]

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, UInt32Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use telseg_sim::{ColumnKind, MONTH_COLUMNS, Noise, World, WorldConfig};

fn text<'a>(batch: &'a RecordBatch, name: &str) -> Vec<&'a str> {
    batch
        .column_by_name(name)
        .unwrap()
        .as_string::<i32>()
        .iter()
        .map(|v| v.unwrap_or("?"))
        .collect()
}

#[test]
fn a_snapshot_is_a_training_table() {
    let mut world = World::new(WorldConfig::default().with_n_subscribers(3000), 51).unwrap();
    (0..7).for_each(|_| world.advance());
    let snapshot = world.snapshot();
    let batch = snapshot.to_record_batch();
    assert_eq!((batch.num_rows(), batch.num_columns()), (3000, 47));
    assert_eq!(text(&batch, "subscriber_id")[0], "S0000001");
    let schema = batch.schema();
    for hidden in ["archetype", "hazard", "satisfaction"] {
        assert!(
            schema.field_with_name(hidden).is_err(),
            "{hidden} is the truth, not a feature"
        );
    }
    for (j, column) in snapshot.columns.iter().enumerate() {
        let array = batch.column(j + 1);
        assert_eq!(schema.field(j + 1).name(), column.name);
        for i in 0..3000 {
            let cell = snapshot.features[(i, j)];
            assert_eq!(array.is_null(i), cell.is_nan());
            match &column.kind {
                _ if cell.is_nan() => {}
                ColumnKind::Categorical { levels } => {
                    assert_eq!(array.as_string::<i32>().value(i), levels[cell as usize]);
                }
                _ => assert_eq!(array.as_primitive::<Float32Type>().value(i), cell),
            }
        }
    }
    let yes = text(&batch, "churn")
        .iter()
        .map(|c| *c == "Yes")
        .collect::<Vec<_>>();
    assert_eq!(yes, snapshot.churned);
    assert!(text(&batch, "payment").contains(&"postpaid"));
    assert!((35..=45).contains(&snapshot.columns.len()));
}

#[test]
fn the_panel_has_a_row_for_each_month_seen() {
    let config = WorldConfig::default()
        .with_n_subscribers(800)
        .with_window(4)
        .with_noise(Noise::none());
    let mut world = World::new(config, 52).unwrap();
    (0..6).for_each(|_| world.advance());
    let panel = world.panel();
    assert_eq!(panel.num_columns(), MONTH_COLUMNS.len() + 2);
    let expected: usize = world
        .subscribers()
        .iter()
        .map(|s| usize::from(s.months_seen).min(4))
        .sum();
    assert_eq!(panel.num_rows(), expected);
    let months = panel
        .column_by_name("month")
        .unwrap()
        .as_primitive::<UInt32Type>()
        .values();
    assert!(months.iter().all(|m| (3..=6).contains(m)));
    assert_eq!(panel.schema().field(2).data_type(), &DataType::Float32);
    // Means of the panel are the snapshot's aggregates.
    let snapshot = world.snapshot();
    let (ids, data) = (
        text(&panel, "subscriber_id"),
        panel.column_by_name("data_gb").unwrap(),
    );
    let data = data.as_primitive::<Float32Type>().values();
    let mean_of = |name: &str| {
        let rows: Vec<f64> = ids
            .iter()
            .zip(data)
            .filter(|(id, _)| **id == name)
            .map(|(_, v)| f64::from(*v))
            .collect();
        rows.iter().sum::<f64>() / rows.len() as f64
    };
    for i in (0..800).step_by(97) {
        let name = world.subscribers()[i].name();
        let aggregate = f64::from(snapshot.column("data_gb_mean").unwrap()[i]);
        assert!((mean_of(&name) / aggregate - 1.0).abs() < 1e-6);
    }
    assert_eq!(world.month_table().num_rows(), 800);
}
