//! The shared suite on both tasks and both kinds of cuts.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use telseg_core::Result;
use telseg_gbm::forest::{Cutting, Forest, ForestParams, Sampling, Task};
use telseg_testkit::{Facts, Subject, as_rows, conformance};

struct Growing(ForestParams);

impl Subject for Growing {
    type F = f32;
    type Model = Forest;

    fn facts(&self) -> Facts {
        let facts = match self.0.task {
            Task::Classification { n_classes } => Facts::classifier(n_classes),
            _ => Facts::regressor(),
        };
        facts.accepts_missing()
    }

    fn fit(&self, x: &ArrayRef2<f32>, y: &ArrayRef1<f64>) -> Result<Forest> {
        self.0.fit(x, &y.mapv(|v| v as f32))
    }

    fn predict(&self, model: &Forest, x: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        Ok(as_rows(model.predict(x)?))
    }

    fn predict_row(&self, model: &Forest, row: &ArrayRef1<f32>) -> Option<Result<Vec<f64>>> {
        Some(model.predict_row(&row.to_vec()).map(|v| vec![v]))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        let p = || self.0.clone();
        let classes = |n_classes| Forest::params(Task::Classification { n_classes });
        [
            ("n_classes", classes(1)),
            ("n_trees", p().with_n_trees(0)),
            ("max_features", p().with_max_features(0)),
            ("max_depth", p().with_max_depth(0)),
            ("min_weight_leaf", p().with_min_weight_leaf(0.0)),
            ("min_weight_leaf", p().with_min_weight_leaf(f64::NAN)),
            ("sampling", p().with_sampling(Sampling::Share(1.0))),
            (
                "n_permutations",
                p().with_sampling(Sampling::All).with_n_permutations(1),
            ),
            ("n_permutations", p().with_n_permutations(1001)),
            ("max_bins", p().with_max_bins(1)),
            ("categorical", p().with_categorical([1, 1])),
        ]
        .map(|(name, params)| (name, Self(params)))
        .into()
    }
}

fn params(task: Task) -> ForestParams {
    Forest::params(task).with_n_trees(20).with_n_permutations(1)
}

conformance!(
    two_classes,
    Growing(params(Task::Classification { n_classes: 2 }))
);
conformance!(
    four_classes_of_drawn_rows,
    Growing(params(Task::Classification { n_classes: 4 }).with_sampling(Sampling::Share(0.6)))
);
conformance!(
    extra_numbers,
    Growing(
        Forest::params(Task::Regression)
            .with_n_trees(20)
            .with_sampling(Sampling::All)
            .with_cutting(Cutting::Random)
    )
);
