//! Saved models: what is written comes back, and nothing else does.

use std::fs;
use std::path::Path;

use ndarray::array;
use proptest::prelude::*;
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use telseg_core::artefact::{self, Artefact, Feature, FeatureKind, Header};
use telseg_core::trees::{Node, Rule, Side, Tree, TreeEnsemble};
use telseg_core::{Error, Result};

/// Bytes of the prefix; a header of format 1 starts here.
const PREFIX: usize = 32;

fn ensemble() -> TreeEnsemble {
    let leaf = |value: f64, cover| Node::Leaf {
        value: vec![value],
        cover,
    };
    let split = |feature, rule, missing, cover| Node::Split {
        feature,
        rule,
        missing,
        left: 1,
        right: 2,
        cover,
    };
    let tenure = Tree {
        nodes: vec![
            split(0, Rule::AtMost(12.5), Side::Right, 10.0),
            leaf(0.5, 4.0),
            leaf(-0.25, 6.0),
        ],
        output: Some(0),
    };
    let contract = Tree {
        nodes: vec![
            split(1, Rule::OneOf(vec![0, 70]), Side::Left, 10.0),
            leaf(1.5, 7.0),
            leaf(-2.0, 3.0),
        ],
        output: Some(0),
    };
    TreeEnsemble::new(2, vec![-1.0], vec![tenure, contract]).expect("the model is sound")
}

fn features() -> [Feature; 2] {
    [
        Feature::numeric("tenure_months"),
        Feature::categorical("contract"),
    ]
}

fn bytes() -> Vec<u8> {
    artefact::to_bytes(&ensemble(), &features()).expect("the model is sound")
}

fn problem(bytes: &[u8]) -> String {
    let error = artefact::from_bytes::<TreeEnsemble>(bytes).expect_err("these bytes are no model");
    assert!(matches!(error, Error::Artefact { .. }), "{error:?}");
    error.to_string()
}

/// Any bytes as the body of an artefact whose sums are right: what an attacker can write, or an older version wrote.
struct Raw<const VERSION: u32>(Vec<u8>);

impl<const VERSION: u32> Serialize for Raw<VERSION> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0
            .iter()
            .try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

impl<'de, const VERSION: u32> Deserialize<'de> for Raw<VERSION> {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("written only"))
    }
}

impl<const VERSION: u32> Artefact for Raw<VERSION> {
    const KIND: &'static str = "trees";
    const VERSION: u32 = VERSION;

    fn validate(&self) -> Result<()> {
        Ok(())
    }
}

fn sealed(body: &[u8]) -> Vec<u8> {
    artefact::to_bytes(&Raw::<1>(body.to_vec()), &features()).expect("the model is sound")
}

fn body() -> Vec<u8> {
    let bytes = bytes();
    let header = Header::from_bytes(&bytes).expect("the model is sound");
    bytes[bytes.len() - header.body_len as usize..].to_vec()
}

#[test]
fn what_is_saved_comes_back_with_its_header() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("churn.telseg");
    artefact::save(&path, &ensemble(), &features()).unwrap();
    let (loaded, header) = artefact::load::<TreeEnsemble>(&path).unwrap();
    assert_eq!(loaded, ensemble());
    assert_eq!(header, Header::read(&path).unwrap());
    assert_eq!(header, Header::from_bytes(&bytes()).unwrap());
    assert_eq!((header.format, header.version), (1, 1));
    assert_eq!(header.kind, "trees");
    assert_eq!(header.crate_version, env!("CARGO_PKG_VERSION"));
    assert_eq!(header.features, features());
    assert_eq!(header.features[1].kind, FeatureKind::Categorical);
    assert_eq!(fs::read(&path).unwrap(), bytes());
}

#[test]
fn the_file_of_format_1_still_loads() {
    // `ensemble()` above, put together from the table of the format by an independent writer (Python 3: `struct`,
    // `zlib.crc32`, postcard's variable-length numbers by hand). Never written again.
    let path = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/trees-format1.telseg"
    ));
    let (loaded, header) = artefact::load::<TreeEnsemble>(path).unwrap();
    assert_eq!(header.crate_version, "0.1.0");
    assert_eq!(header.features, features());
    assert_eq!(loaded, ensemble());
    let nan = f32::NAN;
    let x = array![[12.5f32, 70.0], [12.6, 1.0], [nan, nan]];
    // -1 + 0.5 + 1.5; -1 - 0.25 - 2; missing: right (-0.25), left (1.5).
    assert_eq!(loaded.predict(&x).unwrap(), array![[1.0], [-3.25], [0.25]]);
}

#[test]
fn every_flipped_bit_is_found() {
    let good = bytes();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        problem(&bad);
        if bit / 8 < good.len() - body().len() {
            assert!(Header::from_bytes(&bad).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn every_truncation_is_found() {
    let good = bytes();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.telseg");
    for len in 0..good.len() {
        problem(&good[..len]);
        fs::write(&path, &good[..len]).unwrap();
        let error = artefact::load::<TreeEnsemble>(&path)
            .unwrap_err()
            .to_string();
        assert!(error.contains("cut.telseg: expected "), "{error}");
        let header = Header::read(&path);
        assert_eq!(header.is_ok(), len >= good.len() - body().len());
    }
}

#[test]
fn messages_say_expected_and_found() {
    let good = bytes();
    let changed = |at: usize, new: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + new.len()].copy_from_slice(new);
        problem(&bad)
    };
    assert_eq!(
        problem(b"PK\x03\x04 a zip"),
        "saved model: expected a saved telseg model (first bytes [89, 74, 65, 6c, 73, 65, 67, 0a]), \
         found [50, 4b, 03, 04, 20, 61, 20, 7a]"
    );
    assert_eq!(
        changed(8, &7u32.to_le_bytes()),
        "saved model: expected file format 1 to 1, found 7: a newer telseg may read it"
    );
    assert_eq!(
        changed(12, &u32::MAX.to_le_bytes()),
        "saved model: expected a header of at most 16777216 bytes, found 4294967295"
    );
    assert_eq!(
        problem(&good[..20]),
        "saved model: expected at least 32 bytes, found 20: it is truncated"
    );
    let n = body().len();
    assert_eq!(
        problem(&good[..good.len() - 3]),
        format!(
            "saved model: expected {n} bytes after the header, found {}: it is truncated",
            n - 3
        )
    );
    assert_eq!(
        problem(&[good.as_slice(), &[0]].concat()),
        format!(
            "saved model: expected {n} bytes after the header, found {}: bytes follow its end",
            n + 1
        )
    );
    assert!(changed(PREFIX + 1, b"T").contains("of its header, found"));
    assert!(changed(good.len() - 1, &[9]).contains("of its body, found"));
}

#[test]
fn a_newer_version_of_the_kind_is_refused() {
    let newer = artefact::to_bytes(&Raw::<2>(body()), &features()).unwrap();
    assert_eq!(
        problem(&newer),
        format!(
            "saved model: expected version 1 to 1 of kind \"trees\", found version 2 (written by telseg {})",
            env!("CARGO_PKG_VERSION")
        )
    );
}

/// One field more than version 1, which held only the first.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Limits {
    minutes: f64,
    megabytes: f64,
}

impl Artefact for Limits {
    const KIND: &'static str = "trees";
    const VERSION: u32 = 3;
    const SCALAR: Option<&'static str> = None;

    fn validate(&self) -> Result<()> {
        Ok(())
    }

    fn from_older(version: u32, body: &[u8]) -> Result<Self> {
        match version {
            2 => Ok(Self {
                minutes: artefact::decode(body)?,
                megabytes: 0.0,
            }),
            _ => Err(Error::data("limits", "version 1 had no units")),
        }
    }
}

#[test]
fn an_older_version_is_converted_by_its_kind() {
    let older = artefact::to_bytes(&Raw::<2>(4.5f64.to_le_bytes().to_vec()), &[]).unwrap();
    let loaded = artefact::from_bytes::<Limits>(&older).unwrap().0;
    assert_eq!((loaded.minutes, loaded.megabytes), (4.5, 0.0));
    let oldest = artefact::to_bytes(&Raw::<1>(vec![]), &[]).unwrap();
    let error = artefact::from_bytes::<Limits>(&oldest).unwrap_err();
    assert_eq!(
        error.to_string(),
        "saved model: limits: version 1 had no units"
    );
}

/// A model that is generic over its numbers.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Centre<F>(Vec<F>);

impl<F: telseg_core::Scalar> Artefact for Centre<F> {
    const KIND: &'static str = "centre";
    const VERSION: u32 = 1;
    const SCALAR: Option<&'static str> = Some(F::NAME);

    fn validate(&self) -> Result<()> {
        if self.0.iter().all(|v| v.is_finite()) {
            return Ok(());
        }
        Err(Error::data("centre", "must be finite"))
    }
}

#[test]
fn kinds_and_widths_of_numbers_are_kept_apart() {
    let narrow = artefact::to_bytes(&Centre(vec![1.0f32, 2.0]), &[]).unwrap();
    let error = artefact::from_bytes::<Centre<f64>>(&narrow).unwrap_err();
    assert_eq!(
        error.to_string(),
        "saved model: expected a model of kind \"centre<f64>\", found \"centre<f32>\""
    );
    assert_eq!(
        problem(&narrow),
        "saved model: expected a model of kind \"trees\", found \"centre<f32>\""
    );
}

#[test]
fn a_broken_model_is_neither_saved_nor_loaded() {
    let error = artefact::to_bytes(&Centre(vec![f64::NAN]), &[]).unwrap_err();
    assert_eq!(error.to_string(), "centre: must be finite");
    let error = artefact::to_bytes(&ensemble(), &features()[..1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "features: expected 2 features (columns of the model), found 1"
    );
    // The same two, past the writer: a leaf that points past the values, and a feature list that is too short.
    let mut hostile = body();
    assert_eq!(hostile[0], 2, "n_features comes first");
    hostile[0] = 1;
    let features = [Feature::numeric("tenure_months")];
    let lying = artefact::to_bytes(&Raw::<1>(hostile), &features).unwrap();
    assert_eq!(
        problem(&lying),
        "saved model: trees: tree 1, node 3: it asks a column that does not exist"
    );
    let short = artefact::to_bytes(&Raw::<1>(body()), &features).unwrap();
    assert_eq!(
        problem(&short),
        "saved model: header: expected 2 features (columns of the model), found 1"
    );
    let long = [body(), vec![0, 0]].concat();
    assert_eq!(
        problem(&sealed(&long)),
        format!(
            "saved model: body: expected {} bytes, found {}",
            body().len(),
            long.len()
        )
    );
}

#[test]
fn hostile_lengths_allocate_nothing() {
    // Two columns, then "2^60 base scores follow": reserving them would abort the process.
    let mut claim = vec![2];
    claim.extend([0x80; 8]);
    claim.push(0x10);
    assert_eq!(
        problem(&sealed(&claim)),
        "saved model: body: cannot be decoded: Hit the end of buffer, expected more data"
    );
    // The same in the prefix: 2^60 bytes of body.
    let mut bytes = bytes();
    bytes[16..24].copy_from_slice(&(1u64 << 60).to_le_bytes());
    assert!(problem(&bytes).contains("of its header, found"));
}

#[test]
fn writing_is_atomic_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let names = || {
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let path = folder.path().join("report.html");
    artefact::write_atomic(&path, b"old").unwrap();
    artefact::write_atomic(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(names(), ["report.html"]);

    // A folder cannot be replaced by a file: the rename fails after the temporary file was written.
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    let error = artefact::write_atomic(&taken, b"new").unwrap_err();
    assert!(
        matches!(&error, Error::Io { path, .. } if *path == taken),
        "{error}"
    );
    assert_eq!(names(), ["report.html", "taken"]);

    let nowhere = folder.path().join("missing").join("model.telseg");
    assert!(matches!(
        artefact::write_atomic(&nowhere, b""),
        Err(Error::Io { .. })
    ));
    assert!(matches!(
        artefact::load::<TreeEnsemble>(&nowhere),
        Err(Error::Io { .. })
    ));
    let error = artefact::write_atomic("..", b"").unwrap_err().to_string();
    assert!(error.contains("names no file"), "{error}");
}

#[test]
fn what_stands_in_the_way_of_a_temporary_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.telseg");
    let name = |count| format!(".model.telseg.{}.{count}.tmp", std::process::id());
    for count in 0..100 {
        fs::write(folder.path().join(name(count)), b"left behind").unwrap();
    }
    artefact::write_atomic(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 101);
}

proptest! {
    #[test]
    fn any_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        problem(&bytes);
    }

    #[test]
    fn any_altered_body_with_right_sums_loads_a_sound_model_or_nothing(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = body();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Ok((model, _)) = artefact::from_bytes::<TreeEnsemble>(&sealed(&body)) {
            // Sound: every walk ends, and every number is one.
            let x = ndarray::Array2::from_elem((3, model.n_features()), 12.0);
            let scores = model.predict(&x).expect("its own width");
            prop_assert!(scores.iter().all(|s| s.is_finite()));
        }
    }
}
