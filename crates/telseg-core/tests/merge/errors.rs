//! Bad input and altered summaries: a sentence that names the argument.

use ndarray::array;
use serde_json::{Value, json};
use telseg_core::Result;
use telseg_core::merge::{CoMoments, Counts, Merge, Moments, QuantileSketch, fold};

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>, message: &str) {
    assert_eq!(result.unwrap_err().to_string(), message);
}

#[test]
fn tables() {
    let x = array![[1.0f32, 2.0], [3.0, f32::INFINITY]];
    refused(
        Moments::of(&x, None),
        "x: infinite value in row 1, column 1",
    );
    refused(
        CoMoments::of(&x, None),
        "x: infinite value in row 1, column 1",
    );
    refused(
        Moments::of(&x, Some(&[1.0])),
        "weights: expected 2 elements (as x has), found 1",
    );
    refused(
        CoMoments::of(&x, Some(&[1.0, -2.0])),
        "weights: row 1 is -2, expected a finite number that is not negative",
    );
    refused(
        Moments::of(&array![[1e300], [-1e300]], None),
        "x: values or weights are too large: their squares overflow",
    );
    // Where the row does not count, neither does what is in it.
    assert!(Moments::of(&x, Some(&[1.0, 0.0])).is_ok());

    let mut three = Moments::new(3);
    refused(three.update(&x, None), "x: expected 3 columns, found 2");
    refused(
        three.merge(&Moments::new(2)),
        "moments to merge: expected 3 columns, found 2",
    );
    refused(
        CoMoments::new(1).merge(&CoMoments::new(2)),
        "co-moments to merge: expected 1 columns, found 2",
    );
    assert_eq!(three, Moments::new(3));
}

#[test]
fn values() {
    let mut counts = Counts::new();
    refused(
        counts.push_weighted("prepaid", f64::NAN),
        "weight: is NaN, expected a finite number that is not negative",
    );
    counts.push_weighted("prepaid", 0.0).unwrap();
    assert_eq!((counts.n(), counts.n_categories()), (0, 0));
    assert!(counts.mode().is_none());

    refused(QuantileSketch::new(7), "k: must be at least 8, is 7");
    let mut sketch = QuantileSketch::new(8).unwrap();
    refused(
        sketch.push_weighted(1.0, -1.0),
        "weight: is -1, expected a finite number that is not negative",
    );
    refused(
        sketch.push_weighted(1.0, 1e-200),
        &format!(
            "weight: is {}, expected 0 or a number from 1e-100 to 1e100",
            1e-200
        ),
    );
    refused(
        sketch.quantile(0.5),
        "sketch: has no values, so no quantiles",
    );
    refused(sketch.rank(0.5), "sketch: has no values, so no quantiles");
    sketch.push(f64::NAN);
    assert_eq!((sketch.n(), sketch.n_missing()), (0, 1));
    sketch.push(4.0);
    refused(sketch.quantile(1.5), "q: must be from 0 to 1, is 1.5");
    refused(sketch.rank(f64::NAN), "value: is NaN");
    refused(
        sketch.rank_error(1.0),
        "confidence: must be between 0 and 1, is 1",
    );
    refused(
        sketch.merge(&QuantileSketch::new(9).unwrap()),
        "sketch to merge: expected k = 8, found k = 9",
    );
}

#[test]
fn nothing_is_a_summary_too() {
    assert_eq!(fold(Vec::<Moments>::new()).unwrap(), None);
    let none = Moments::of(&ndarray::Array2::<f32>::zeros((0, 2)), None).unwrap();
    assert_eq!(none, Moments::new(2));
    assert!(none.mean().iter().chain(&none.max()).all(|v| v.is_nan()));
    let some = Moments::of(&array![[1.0, -5.0]], None).unwrap();
    assert_eq!(
        fold([none.clone(), some.clone(), none]).unwrap(),
        Some(some.clone())
    );
    // The extremes of nothing (0) must not enter.
    assert_eq!(some.max(), array![1.0, -5.0]);
    assert!(some.sample_variance().iter().all(|v| v.is_nan()));
    let empty = CoMoments::new(2);
    assert!(empty.mean().iter().all(|v| v.is_nan()));
    assert!(empty.covariance().iter().all(|v| v.is_nan()));
}

#[test]
fn altered_summaries_do_not_validate() {
    let x = array![[1.0, 2.0], [3.0, 5.0], [4.0, f64::NAN]];
    let moments = serde_json::to_value(Moments::of(&x, None).unwrap()).unwrap();
    let changed = |mut value: Value, field: &str, new: Value| {
        value[field] = new;
        value
    };
    let load = |value| serde_json::from_value::<Moments>(value).unwrap().validate();
    load(moments.clone()).unwrap();
    refused(
        load(changed(moments.clone(), "m2", json!([1.0]))),
        "moments: columns differ in number",
    );
    refused(
        load(changed(moments, "m2", json!([1.0, -1.0]))),
        "moments: column 1 contradicts itself",
    );

    let together = serde_json::to_value(CoMoments::of(&x, None).unwrap()).unwrap();
    let load = |value| {
        serde_json::from_value::<CoMoments>(value)
            .unwrap()
            .validate()
    };
    load(together.clone()).unwrap();
    refused(
        load(changed(together, "weight", json!(-1.0))),
        "co-moments: numbers contradict each other",
    );

    let mut sketch = QuantileSketch::new(8).unwrap();
    (0..100).for_each(|i| sketch.push(f64::from(i)));
    let sketch = serde_json::to_value(sketch).unwrap();
    let load = |value| {
        serde_json::from_value::<QuantileSketch>(value)
            .unwrap()
            .validate()
    };
    load(sketch.clone()).unwrap();
    for (field, new) in [
        ("n_kept", json!(3)),
        ("max", json!(10.0)),
        ("weight", json!(7.0)),
        ("k", json!(1)),
    ] {
        refused(
            load(changed(sketch.clone(), field, new)),
            "quantile sketch: numbers contradict each other",
        );
    }
}
