//! The parts of a model file that are read, under the names they have there.

use serde::{Deserialize, Deserializer};

#[derive(Debug, Deserialize)]
pub(super) struct File {
    pub(super) learner: Learner,
}

#[derive(Debug, Deserialize)]
pub(super) struct Learner {
    #[serde(default)]
    pub(super) feature_names: Vec<String>,
    pub(super) gradient_booster: Booster,
    pub(super) learner_model_param: LearnerParam,
    pub(super) objective: Objective,
}

#[derive(Debug, Deserialize)]
pub(super) struct Objective {
    pub(super) name: String,
}

/// Numbers are texts here.
#[derive(Debug, Deserialize)]
pub(super) struct LearnerParam {
    pub(super) base_score: String,
    pub(super) num_class: String,
    pub(super) num_feature: String,
    #[serde(default)]
    pub(super) num_target: Option<String>,
}

/// `gbtree` has its model here, `dart` in a `gbtree` within.
#[derive(Debug, Deserialize)]
pub(super) struct Booster {
    pub(super) name: String,
    pub(super) model: Option<Forest>,
    pub(super) gbtree: Option<Inner>,
    pub(super) weight_drop: Option<Vec<f32>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Inner {
    pub(super) model: Forest,
}

#[derive(Debug, Deserialize)]
pub(super) struct Forest {
    pub(super) tree_info: Vec<usize>,
    pub(super) trees: Vec<Columns>,
}

/// One tree, column by column.
#[derive(Debug, Deserialize)]
pub(super) struct Columns {
    pub(super) tree_param: TreeParam,
    pub(super) left_children: Vec<i64>,
    pub(super) right_children: Vec<i64>,
    pub(super) split_indices: Vec<usize>,
    pub(super) split_conditions: Vec<f32>,
    #[serde(deserialize_with = "flags")]
    pub(super) default_left: Vec<bool>,
    pub(super) sum_hessian: Vec<f32>,
    /// Leaves of trees with vector leaves, before `leaf_weights` was.
    #[serde(default)]
    pub(super) base_weights: Vec<f32>,
    #[serde(default)]
    pub(super) leaf_weights: Option<Vec<f32>>,
    #[serde(default, deserialize_with = "flags")]
    pub(super) split_type: Vec<bool>,
    #[serde(default)]
    pub(super) categories: Vec<u32>,
    #[serde(default)]
    pub(super) categories_nodes: Vec<usize>,
    #[serde(default)]
    pub(super) categories_segments: Vec<usize>,
    #[serde(default)]
    pub(super) categories_sizes: Vec<usize>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TreeParam {
    #[serde(default)]
    pub(super) size_leaf_vector: Option<String>,
}

/// Truth values, which some versions write as 0 and 1.
fn flags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<bool>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Truth(bool),
        Number(u8),
    }
    let flags = Vec::<Flag>::deserialize(deserializer)?;
    Ok(flags
        .into_iter()
        .map(|flag| match flag {
            Flag::Truth(truth) => truth,
            Flag::Number(number) => number != 0,
        })
        .collect())
}
