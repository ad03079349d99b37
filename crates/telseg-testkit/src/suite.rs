//! Running checks, and the steps that all of them are made of.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use telseg_core::artefact;
use telseg_core::{Error, Result};

use crate::checks::{agreement, edges, saved};
use crate::facts::Check;
use crate::subject::Subject;

/// What a check found: nothing, or what is wrong.
pub(crate) type Verdict<T = ()> = std::result::Result<T, String>;

/// Puts an estimator under the whole suite: a module with one test for each [`Check`].
#[macro_export]
macro_rules! conformance {
    ($name:ident, $subject:expr) => {
        $crate::conformance! { @tests $name, $subject,
            refit_gives_the_same_bits Refit,
            labels_at_fit_are_those_of_predict Labels,
            batch_equals_row_by_row Rows,
            strided_views_agree Strides,
            wrong_width_names_x Width,
            missing_values_are_as_declared Missing,
            empty_works_or_names_the_argument Empty,
            one_row_works_or_names_the_argument OneRow,
            constant_column_works ConstantColumn,
            duplicates_work Duplicates,
            fewer_rows_than_clusters_work_or_name_the_argument FewRows,
            wrong_targets_name_y Targets,
            bad_parameters_name_themselves BadParams,
            saved_and_loaded_predicts_the_same_bits Saved,
            hostile_file_does_not_panic Hostile,
            thread_counts_agree Threads,
        }
    };
    (@tests $name:ident, $subject:expr, $($test:ident $check:ident,)*) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[test]
                fn $test() {
                    $crate::run(&$subject, $crate::Check::$check);
                }
            )*
        }
    };
}

/// Runs one check of the suite and says what is wrong; knows no exceptions.
///
/// # Errors
/// What is wrong.
pub fn check<S: Subject>(subject: &S, check: Check) -> Verdict {
    match check {
        Check::Refit => agreement::refit(subject),
        Check::Labels => agreement::labels(subject),
        Check::Rows => agreement::rows(subject),
        Check::Strides => agreement::strides(subject),
        Check::Threads => agreement::threads(subject),
        Check::Width => edges::width(subject),
        Check::Missing => edges::missing(subject),
        Check::Empty => edges::empty(subject),
        Check::OneRow => edges::one_row(subject),
        Check::ConstantColumn => edges::constant_column(subject),
        Check::Duplicates => edges::duplicates(subject),
        Check::FewRows => edges::few_rows(subject),
        Check::Targets => edges::targets(subject),
        Check::BadParams => edges::bad_params(subject),
        Check::Saved => saved::same(subject),
        Check::Hostile => saved::hostile(subject),
    }
}

/// Runs one check as a test, with the declared exceptions.
///
/// # Panics
/// When the check fails and is no declared exception, or passes and is one.
pub fn run<S: Subject>(subject: &S, which: Check) {
    let facts = subject.facts();
    let exception = facts.exceptions.iter().find(|(c, _)| *c == which);
    match (check(subject, which), exception) {
        (Ok(()), None) => {}
        (Err(problem), Some((_, reason))) => {
            eprintln!("{which:?} fails as declared ({reason}): {problem}");
        }
        (Err(problem), None) => panic!("{which:?}: {problem}"),
        (Ok(()), Some((_, reason))) => {
            panic!("{which:?} passes: drop its exception ({reason})")
        }
    }
}

/// Runs a step; a panic becomes a finding that names the step.
pub(crate) fn calm<T>(step: &str, run: impl FnOnce() -> T) -> Verdict<T> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        format!("{step} panics: {text}")
    })
}

/// Fits where that must succeed.
pub(crate) fn fitted<S: Subject>(
    subject: &S,
    what: &str,
    x: &ArrayRef2<S::F>,
    y: &ArrayRef1<f64>,
) -> Verdict<S::Model> {
    calm(&format!("fit on {what}"), || subject.fit(x, y))?
        .map_err(|e| format!("fit on {what} fails: {e}"))
}

/// Predicts where that must succeed.
pub(crate) fn predicted<S: Subject>(
    subject: &S,
    model: &S::Model,
    what: &str,
    x: &ArrayRef2<S::F>,
) -> Verdict<Array2<f64>> {
    let said = calm(&format!("predict on {what}"), || subject.predict(model, x))?
        .map_err(|e| format!("predict on {what} fails: {e}"))?;
    if said.nrows() == x.nrows() {
        return Ok(said);
    }
    let (found, expected) = (said.nrows(), x.nrows());
    Err(format!(
        "predict on {what} says something of {found} rows, not of {expected}"
    ))
}

/// A model of the usual data, with the data.
pub(crate) fn usual<S: Subject>(subject: &S) -> Verdict<(S::Model, crate::Sample<S::F>)> {
    let sample = subject.sample(subject.facts().rows);
    let model = fitted(subject, "the usual data", &sample.x, &sample.y)?;
    Ok((model, sample))
}

/// Fits and predicts the same rows: an error must name one of `names`, success must not say NaN.
pub(crate) fn works_or_names<S: Subject>(
    subject: &S,
    what: &str,
    (x, y): (&ArrayRef2<S::F>, &ArrayRef1<f64>),
) -> Verdict {
    match calm(&format!("fit on {what}"), || subject.fit(x, y))? {
        Err(e) => named(subject, &format!("fit on {what}"), &e),
        Ok(model) => {
            let step = format!("predict on {what}");
            match calm(&step, || subject.predict(&model, x))? {
                Err(e) => named(subject, &step, &e),
                Ok(_) => sound(&predicted(subject, &model, what, x)?, what),
            }
        }
    }
}

/// Fits and predicts the same rows: both must succeed, without NaN.
pub(crate) fn works<S: Subject>(
    subject: &S,
    what: &str,
    (x, y): (&ArrayRef2<S::F>, &ArrayRef1<f64>),
) -> Verdict {
    let model = fitted(subject, what, x, y)?;
    sound(&predicted(subject, &model, what, x)?, what)
}

fn sound(said: &Array2<f64>, what: &str) -> Verdict {
    match said.iter().position(|v| v.is_nan()) {
        None => Ok(()),
        Some(at) => Err(format!(
            "predict on {what} says NaN of row {}",
            at / said.ncols()
        )),
    }
}

/// An error must start with the name of an argument or a parameter.
fn named<S: Subject>(subject: &S, step: &str, error: &Error) -> Verdict {
    let facts = subject.facts();
    let params = subject.bad_params();
    let mut names = facts.names.into_iter().chain(params.iter().map(|p| p.0));
    let message = error.to_string();
    if names.any(|name| starts_with(&message, name)) {
        return Ok(());
    }
    Err(format!("{step}: the error names no argument: {message:?}"))
}

/// Must be an error that starts with this name.
pub(crate) fn refuses<T>(step: &str, name: &str, run: impl FnOnce() -> Result<T>) -> Verdict {
    match calm(step, run)? {
        Ok(_) => Err(format!("{step} works; expected an error that names {name}")),
        Err(e) if starts_with(&e.to_string(), name) => Ok(()),
        Err(e) => Err(format!(
            "{step}: expected an error that names {name}, found {:?}",
            e.to_string()
        )),
    }
}

fn starts_with(message: &str, name: &str) -> bool {
    message
        .strip_prefix(name)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// The bytes of a saved model, where it has a saved form.
pub(crate) fn model_bytes<S: Subject>(model: &S::Model) -> Option<Vec<u8>> {
    artefact::to_bytes(model, &[]).ok()
}
