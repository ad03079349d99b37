//! Several methods on the same table, judged alike.

use telseg_cluster::compare::{self, Clusterer, CompareParams, Comparison, Task};
use telseg_cluster::hierarchical::Assign;
use telseg_cluster::{GaussianMixture, Hdbscan, Hierarchical, KMeans};
use telseg_core::Result;
use telseg_features::{Table, TableSchema};

use super::{Pipeline, segment};

impl Pipeline {
    /// Judges k-means, Ward's hierarchy, a Gaussian mixture and HDBSCAN on a sample of the table, each with every number of
    /// segments that is wanted, and recommends one; see [`telseg_cluster::compare`] for the rule. Whatever the
    /// [`method`](Self::method), the rows are those of k-means: the others that it offers measure something else.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and when no method could be judged.
    ///
    /// # Cost
    /// Dozens of fits on some thousand rows: seconds to a minute.
    ///
    /// # Examples
    /// ```
    /// use telseg::features::CsvOptions;
    /// use telseg::prelude::*;
    /// use telseg::report::MethodComparison;
    ///
    /// let mut csv = String::from("customer_id,minutes,data_gb\n");
    /// for i in 0..240 {
    ///     csv += &format!("C{i:03},{},{}\n", [40, 300, 120][i % 3] + i * 7 % 23, [20, 2, 9][i % 3] + i * 5 % 3);
    /// }
    /// let table = Table::from_csv_bytes("customers.csv", csv.as_bytes(), &CsvOptions::default())?;
    /// let pipeline = Pipeline::new().segments(2..=4);
    /// let found = pipeline.compare(&table)?;
    /// let mut run = pipeline.fit(&table)?;
    /// run.report_mut().segmentation.comparison = Some(MethodComparison::from(&found));
    /// assert!(run.report().to_html().contains("Other methods"));
    /// # Ok::<(), telseg::Error>(())
    /// ```
    pub fn compare(&self, table: &Table) -> Result<Comparison> {
        self.validate()?;
        let schema = TableSchema::infer(table, &self.schema)?;
        let x = self.distances.fit(table, &schema)?.transform(table)?.x;
        let ks = segment::clamp(self, x.nrows())?;
        let params = CompareParams::default().with_seed(self.seed);
        let kmeans = KMeans::params(*ks.start()).with_seed(self.seed);
        let ward = Hierarchical::params(*ks.start()).with_assign(Assign::NearestCenter);
        let mixture = compare::Method::new("Gaussian mixture", |task: Task<'_, f32>| {
            let params = GaussianMixture::params(task.k).with_seed(self.seed);
            let model = match task.weights {
                Some(weights) => params.fit_weighted(task.x, weights)?,
                None => params.fit(task.x)?,
            };
            Ok(model.labels().iter().map(|&label| Some(label)).collect())
        });
        let density = compare::Method::new("HDBSCAN", |task: Task<'_, f32>| {
            let params = Hdbscan::params((task.x.nrows() / 100).max(20));
            let model = match task.weights {
                Some(weights) => params.fit_weighted(task.x, weights)?,
                None => params.fit(task.x)?,
            };
            Ok(model.labels().iter().map(|label| label.cluster()).collect())
        })
        .finds_k();
        let methods: [&dyn Clusterer<f32>; 4] = [&kmeans, &ward, &mixture, &density];
        compare::compare(&x, ks, &methods, &params)
    }
}
