//! Every check can fail: each finds the flaw that was built for it.

mod toys;

use telseg_testkit::{Check, check};
use toys::{Nearest, Stump};

/// The flawed toy must fail its check with this finding; without the flaw it must pass.
fn finds(flaw: Check, finding: &str) {
    let toy = |flaw| Nearest {
        n_clusters: 4,
        flaw,
    };
    check(&toy(None), flaw).expect("the sound toy passes");
    let found = check(&toy(Some(flaw)), flaw).expect_err("the flaw is found");
    assert!(found.contains(finding), "{flaw:?}: {found}");
}

macro_rules! flaws {
    ($($name:ident $check:ident $finding:expr;)*) => {
        $(
            #[test]
            fn $name() {
                finds(Check::$check, $finding);
            }
        )*
    };
}

flaws! {
    a_fit_that_counts_its_calls Refit "fitted twice: predictions";
    labels_that_differ_from_predict Labels "row 0 was";
    a_prediction_that_looks_at_the_batch Rows "in a batch of one";
    a_fit_that_takes_memory_order_for_rows Strides "a column-major array: predictions";
    a_width_that_is_not_checked Width "predict on a column too many works";
    missing_values_that_pass Missing "fit on holes works";
    a_panic_on_no_rows Empty "fit on no rows panics";
    an_error_that_names_nothing OneRow "the error names no argument: \"matrix: is singular\"";
    a_division_by_no_spread ConstantColumn "predict on a constant column says NaN of row 0";
    a_dislike_of_duplicates Duplicates "fit on every row four times fails: x: holds a row twice";
    a_panic_on_few_rows FewRows "fit on 3 rows for 4 clusters panics";
    a_parameter_that_is_not_checked BadParams "fit with a bad n_clusters";
    a_field_that_is_not_saved Saved "the loaded model predicts otherwise";
    a_model_that_trusts_its_file Hostile "predict of a model with another bit";
    chunks_that_depend_on_the_threads Threads "1 and 2 threads: predictions agree, but saved";
}

#[test]
fn targets_that_are_not_checked() {
    let stump = |careless| Stump {
        learning_rate: 0.5,
        careless,
    };
    check(&stump(false), Check::Targets).expect("the sound toy passes");
    let found = check(&stump(true), Check::Targets).expect_err("the flaw is found");
    assert_eq!(
        found,
        "fit on a target too many works; expected an error that names y"
    );
}
