//! Snapshots and months as Arrow tables.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema};

use crate::month::MONTH_COLUMNS;
use crate::snapshot::{ColumnKind, Snapshot};
use crate::subscriber::subscriber_name;
use crate::world::World;

impl Snapshot {
    /// One row per subscriber, ready to train on: `subscriber_id` ("S0000001"), the features (numbers as `Float32`,
    /// categories as `Utf8`, missing cells null) and the target `churn` ("Yes": leaves next month, else "No").
    ///
    /// Neither the group nor the hazard is in it.
    pub fn to_record_batch(&self) -> RecordBatch {
        let mut fields = vec![Field::new("subscriber_id", DataType::Utf8, false)];
        let mut arrays: Vec<ArrayRef> = vec![names(self.ids.iter().copied())];
        for (i, column) in self.columns.iter().enumerate() {
            let values = self.features.column(i);
            let (kind, array): (_, ArrayRef) = match &column.kind {
                ColumnKind::Numeric { .. } => {
                    let cells = values.iter().map(|v| (!v.is_nan()).then_some(*v));
                    (DataType::Float32, Arc::new(cells.collect::<Float32Array>()))
                }
                ColumnKind::Categorical { levels } => {
                    let cells = values
                        .iter()
                        .map(|v| (!v.is_nan()).then(|| levels[*v as usize].as_str()));
                    (DataType::Utf8, Arc::new(cells.collect::<StringArray>()))
                }
            };
            fields.push(Field::new(column.name, kind, true));
            arrays.push(array);
        }
        let target = self
            .churned
            .iter()
            .map(|&c| Some(if c { "Yes" } else { "No" }));
        fields.push(Field::new("churn", DataType::Utf8, false));
        arrays.push(Arc::new(target.collect::<StringArray>()));
        batch(fields, arrays)
    }
}

impl World {
    /// The monthly panel of the base: a row per subscriber and month of the window, subscribers in the order of the
    /// base, months ascending: `subscriber_id`, `month`, then [`MONTH_COLUMNS`] as `Float32`, without noise.
    pub fn panel(&self) -> RecordBatch {
        self.months_of_panel(usize::MAX)
    }

    /// The current month of the [`panel`](Self::panel): a row per subscriber.
    pub fn month_table(&self) -> RecordBatch {
        self.months_of_panel(1)
    }

    fn months_of_panel(&self, most: usize) -> RecordBatch {
        let (mut ids, mut months) = (Vec::new(), Vec::new());
        let mut cells: Vec<Vec<f32>> = vec![Vec::new(); MONTH_COLUMNS.len()];
        for (place, subscriber) in self.subscribers().iter().enumerate() {
            let rows = self.rows(place);
            let n = rows.len();
            for (i, row) in rows.enumerate().skip(n.saturating_sub(most)) {
                ids.push(subscriber.id);
                months.push(self.month() + 1 + i as u32 - n as u32);
                for (column, &value) in cells.iter_mut().zip(row) {
                    column.push(value);
                }
            }
        }
        let mut fields = vec![
            Field::new("subscriber_id", DataType::Utf8, false),
            Field::new("month", DataType::UInt32, false),
        ];
        let mut arrays: Vec<ArrayRef> =
            vec![names(ids.into_iter()), Arc::new(UInt32Array::from(months))];
        for (name, column) in MONTH_COLUMNS.iter().zip(cells) {
            fields.push(Field::new(*name, DataType::Float32, false));
            arrays.push(Arc::new(Float32Array::from(column)));
        }
        batch(fields, arrays)
    }
}

fn names(ids: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(ids.map(subscriber_name)))
}

fn batch(fields: Vec<Field>, arrays: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .expect("invariant: columns match their fields")
}
