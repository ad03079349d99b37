//! Saved models: what comes back, and what a file can do.

use std::marker::PhantomData;

use ndarray::s;
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use telseg_core::artefact::{self, Artefact, Header};
use telseg_core::{Result, Seed};

use crate::same::same_bits;
use crate::subject::Subject;
use crate::suite::{Verdict, calm, predicted, usual};

/// Altered files that are tried.
const TRIES: u64 = 500;

pub(crate) fn same<S: Subject>(subject: &S) -> Verdict {
    let (model, sample) = usual(subject)?;
    let bytes = saved::<S>(&model)?;
    let loaded: S::Model = artefact::from_bytes(&bytes)
        .map_err(|e| format!("what was saved does not load: {e}"))?
        .0;
    if saved::<S>(&loaded)? != bytes {
        return Err("saved again, the loaded model has other bytes".into());
    }
    let before = predicted(subject, &model, "the usual data", &sample.x)?;
    let after = predicted(subject, &loaded, "the usual data, loaded", &sample.x)?;
    if !same_bits(&before, &after) {
        return Err("the loaded model predicts otherwise".into());
    }
    if subject.labels(&model) != subject.labels(&loaded) {
        return Err("the loaded model has other labels".into());
    }
    Ok(())
}

/// Alters the body and makes its checksums fit: what loads all the same must not panic when it is asked.
pub(crate) fn hostile<S: Subject>(subject: &S) -> Verdict {
    let (model, sample) = usual(subject)?;
    let bytes = saved::<S>(&model)?;
    let header = Header::from_bytes(&bytes).map_err(|e| e.to_string())?;
    let body = &bytes[bytes.len() - header.body_len as usize..];
    if body.is_empty() {
        return Ok(());
    }
    let few = sample.x.slice(s![..sample.x.nrows().min(5), ..]);
    let dice = Seed::new(1).stream("testkit.hostile");
    for attempt in 0..TRIES {
        let mut altered = body.to_vec();
        // The first bytes hold the shapes: half of the tries go there.
        let reach = if attempt % 2 == 0 {
            body.len()
        } else {
            body.len().min(64)
        };
        let at = (dice.bits(2 * attempt) % reach as u64) as usize;
        altered[at] ^= 1 << (dice.bits(2 * attempt + 1) % 8);
        let step = format!("a model with another bit in byte {at} of its body");
        let sealed = artefact::to_bytes(&Raw::<S::Model>(altered, PhantomData), &[])
            .map_err(|e| e.to_string())?;
        let loaded = calm(&format!("loading {step}"), || {
            artefact::from_bytes::<S::Model>(&sealed)
        })?;
        if let Ok((loaded, _)) = loaded {
            calm(&format!("predict of {step}"), || {
                let _ = subject.predict(&loaded, &few);
                few.rows()
                    .into_iter()
                    .for_each(|row| drop(subject.predict_row(&loaded, &row)));
            })?;
        }
    }
    Ok(())
}

fn saved<S: Subject>(model: &S::Model) -> Verdict<Vec<u8>> {
    artefact::to_bytes(model, &[]).map_err(|e| format!("the model cannot be saved: {e}"))
}

/// Any bytes as the body of a model of the same kind as `T`.
struct Raw<T>(Vec<u8>, PhantomData<T>);

impl<T> Serialize for Raw<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0
            .iter()
            .try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

impl<'de, T> Deserialize<'de> for Raw<T> {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("written only"))
    }
}

impl<T: Artefact> Artefact for Raw<T> {
    const KIND: &'static str = T::KIND;
    const VERSION: u32 = T::VERSION;
    const SCALAR: Option<&'static str> = T::SCALAR;

    fn validate(&self) -> Result<()> {
        Ok(())
    }
}
