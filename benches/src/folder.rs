//! A workload's inputs and outputs, and the clock.

use std::path::PathBuf;
use std::time::Instant;

use ndarray::{Array, ArrayRef, Dimension};
use ndarray_npy::{ReadableElement, WritableElement, read_npy, write_npy};
use serde::de::DeserializeOwned;

/// Whatever goes wrong is said in a sentence and ends the run.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The folders of one run.
pub(crate) struct Folder {
    data: PathBuf,
    out: PathBuf,
    params: serde_json::Value,
}

impl Folder {
    pub(crate) fn open(data: PathBuf, out: PathBuf) -> Result<Self> {
        let path = data.join("params.json");
        let text =
            std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let params = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        std::fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
        Ok(Self { data, out, params })
    }

    /// A parameter of the workload.
    pub(crate) fn param<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let value = self
            .params
            .get(name)
            .ok_or_else(|| format!("params.json: {name} is missing"))?;
        serde_json::from_value(value.clone())
            .map_err(|e| format!("params.json, {name}: {e}").into())
    }

    /// An input that is neither an array nor a parameter: `NAME.json`.
    pub(crate) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let path = self.data.join(format!("{name}.json"));
        let text =
            std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()).into())
    }

    /// An input array.
    pub(crate) fn read<T: ReadableElement, D: Dimension>(&self, name: &str) -> Result<Array<T, D>> {
        let path = self.data.join(format!("{name}.npy"));
        read_npy(&path).map_err(|e| format!("{}: {e}", path.display()).into())
    }

    /// An output array.
    pub(crate) fn write<T: WritableElement + Clone, D: Dimension>(
        &self,
        name: &str,
        array: &ArrayRef<T, D>,
    ) -> Result<()> {
        let path = self.out.join(format!("{name}.npy"));
        write_npy(&path, &array.to_owned()).map_err(|e| format!("{}: {e}", path.display()).into())
    }
}

/// Wall seconds of the two parts of a workload that are compared.
#[derive(Default)]
pub(crate) struct Clock {
    pub(crate) fit_s: f64,
    pub(crate) predict_s: f64,
}

impl Clock {
    pub(crate) fn fit<T>(&mut self, work: impl FnOnce() -> T) -> T {
        time(&mut self.fit_s, work)
    }

    pub(crate) fn predict<T>(&mut self, work: impl FnOnce() -> T) -> T {
        time(&mut self.predict_s, work)
    }
}

fn time<T>(seconds: &mut f64, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    *seconds += start.elapsed().as_secs_f64();
    result
}
