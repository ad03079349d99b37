//! The model of the target for use elsewhere.

use telseg_features::TableEncoder;
use telseg_gbm::interop::TreeModel;

use super::Run;

impl Run {
    /// The model of the target, as the writers of [`telseg_gbm::interop`] take it: for LightGBM, XGBoost or an ONNX
    /// runtime. `None` without a target.
    ///
    /// Its columns are those that [`predictor_encoder`](Self::predictor_encoder) makes of a table.
    ///
    /// # Examples
    /// ```no_run
    /// use telseg::gbm::interop::onnx;
    /// use telseg::prelude::*;
    /// let run = Run::load("churn.telseg")?;
    /// if let Some(model) = run.predictor() {
    ///     onnx::save(&model, "churn.onnx")?;
    /// }
    /// # Ok::<(), telseg::Error>(())
    /// ```
    pub fn predictor(&self) -> Option<TreeModel> {
        let predictor = self.model().predictor.as_ref()?;
        let names = predictor.encoder.feature_names();
        TreeModel::from(&predictor.model)
            .with_feature_names(names.iter().cloned())
            .ok() // never an error: a run whose encoder and model differ in columns is not loaded
    }

    /// What makes the rows of the model of the target from a table, and knows the code of each level. `None` without a
    /// target.
    pub fn predictor_encoder(&self) -> Option<&TableEncoder> {
        self.model().predictor.as_ref().map(|p| &p.encoder)
    }
}
