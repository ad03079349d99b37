//! The suite on estimators that conform.

mod toys;

use telseg_testkit::{Check, Facts, Subject, conformance};
use toys::{Nearest, Stump};

conformance!(
    nearest,
    Nearest {
        n_clusters: 4,
        flaw: None
    }
);
conformance!(
    stump,
    Stump {
        learning_rate: 0.5,
        careless: false
    }
);

#[test]
#[should_panic(expected = "Refit passes: drop its exception (it was broken once)")]
fn an_exception_that_is_no_longer_needed_is_a_failure() {
    telseg_testkit::run(&Excepted(None, Check::Refit), Check::Refit);
}

#[test]
fn a_declared_exception_may_fail() {
    let excepted = Excepted(Some(Check::Threads), Check::Threads);
    telseg_testkit::run(&excepted, Check::Threads);
    telseg_testkit::run(&excepted, Check::Refit);
}

/// A toy with a flaw, and a declared exception.
struct Excepted(Option<Check>, Check);

impl Excepted {
    fn toy(&self) -> Nearest {
        Nearest {
            n_clusters: 3,
            flaw: self.0,
        }
    }
}

impl Subject for Excepted {
    type F = f32;
    type Model = toys::Centres;

    fn facts(&self) -> Facts {
        self.toy().facts().except(self.1, "it was broken once")
    }

    fn fit(
        &self,
        x: &ndarray::ArrayRef2<f32>,
        y: &ndarray::ArrayRef1<f64>,
    ) -> telseg_core::Result<toys::Centres> {
        self.toy().fit(x, y)
    }

    fn predict(
        &self,
        model: &toys::Centres,
        x: &ndarray::ArrayRef2<f32>,
    ) -> telseg_core::Result<ndarray::Array2<f64>> {
        self.toy().predict(model, x)
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        Vec::new()
    }
}
