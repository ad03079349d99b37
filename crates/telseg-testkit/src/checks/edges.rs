//! Arguments at and past the edge of what can be worked with.

use ndarray::{Array1, Array2, Axis, concatenate, s};
use telseg_core::Scalar;

use crate::data::Sample;
use crate::facts::{Missing, Target};
use crate::subject::Subject;
use crate::suite::{Verdict, calm, fitted, predicted, refuses, usual, works, works_or_names};

pub(crate) fn width<S: Subject>(subject: &S) -> Verdict {
    let (model, sample) = usual(subject)?;
    let x = &sample.x;
    let wider = concatenate![Axis(1), x.view(), x.slice(s![.., ..1])];
    let views = [
        ("a column too many", wider.view()),
        ("a column too few", x.slice(s![.., 1..])),
        ("no columns", x.slice(s![.., ..0])),
    ];
    for (what, view) in views {
        refuses(&format!("predict on {what}"), "x", || {
            subject.predict(&model, &view)
        })?;
        if subject.facts().no_rows_alone.is_none() {
            let step = format!("predict_row on {what}");
            refuses_row(subject, &step, &model, &view.row(0))?;
        }
    }
    Ok(())
}

/// The path for one row must refuse; it may call its argument `row` or `x`.
fn refuses_row<S: Subject>(
    subject: &S,
    step: &str,
    model: &S::Model,
    row: &ndarray::ArrayRef1<S::F>,
) -> Verdict {
    let Some(said) = calm(step, || subject.predict_row(model, row))? else {
        return Err("write `predict_row`, or declare `no_rows_alone`".into());
    };
    let is_row = said
        .as_ref()
        .is_err_and(|e| e.to_string().starts_with("row"));
    refuses(step, if is_row { "row" } else { "x" }, || said)
}

pub(crate) fn missing<S: Subject>(subject: &S) -> Verdict {
    let (model, sample) = usual(subject)?;
    let nan = S::F::from_f64(f64::NAN);
    let mut holes = sample.x.clone();
    holes
        .indexed_iter_mut()
        .filter(|((i, j), _)| (i + 3 * j) % 11 == 7)
        .for_each(|(_, v)| *v = nan);
    let mut void = sample.x.clone();
    void.column_mut(0).fill(nan);
    let mut one = sample.x.clone();
    one[[sample.x.nrows() - 1, 1]] = nan;
    for (what, x) in [
        ("holes", &holes),
        ("a missing column", &void),
        ("one hole", &one),
    ] {
        if subject.facts().missing == Missing::Accepts {
            let holed = fitted(subject, what, x, &sample.y)?;
            predicted(subject, &holed, what, x)?;
            predicted(subject, &model, what, x)?;
            continue;
        }
        refuses(&format!("fit on {what}"), "x", || subject.fit(x, &sample.y))?;
        refuses(&format!("predict on {what}"), "x", || {
            subject.predict(&model, x)
        })?;
        if subject.facts().no_rows_alone.is_none() {
            let mut last = sample.x.row(x.nrows() - 1).to_owned();
            last[0] = nan;
            refuses_row(subject, &format!("predict_row on {what}"), &model, &last)?;
        }
    }
    let mut endless = sample.x.clone();
    endless[[0, 1]] = S::F::from_f64(f64::INFINITY);
    match calm("fit on infinity", || subject.fit(&endless, &sample.y))? {
        Ok(model) => calm("predict on infinity", || subject.predict(&model, &endless)).map(drop),
        Err(_) => refuses("fit on infinity", "x", || subject.fit(&endless, &sample.y)),
    }
}

pub(crate) fn empty<S: Subject>(subject: &S) -> Verdict {
    let (model, sample) = usual(subject)?;
    let none = sample.x.slice(s![..0, ..]);
    works_or_names(subject, "no rows", (&none, &sample.y.slice(s![..0])))?;
    let narrow = sample.x.slice(s![.., ..0]);
    works_or_names(subject, "no columns", (&narrow, &sample.y))?;
    let nothing = sample.x.slice(s![..0, ..0]);
    works_or_names(
        subject,
        "neither rows nor columns",
        (&nothing, &sample.y.slice(s![..0])),
    )?;
    match calm("predict on no rows", || subject.predict(&model, &none))? {
        Ok(_) => predicted(subject, &model, "no rows", &none).map(drop),
        Err(e) => refuses("predict on no rows", "x", || Err::<(), _>(e)),
    }
}

pub(crate) fn one_row<S: Subject>(subject: &S) -> Verdict {
    let sample = subject.sample(1);
    works_or_names(subject, "one row", (&sample.x, &sample.y))
}

pub(crate) fn constant_column<S: Subject>(subject: &S) -> Verdict {
    let mut sample = subject.sample(subject.facts().rows);
    let first = sample.x[[0, 0]];
    sample.x.column_mut(0).fill(first);
    works(subject, "a constant column", (&sample.x, &sample.y))?;
    let zero = S::F::from_f64(0.0);
    sample.x.column_mut(0).fill(zero);
    works(subject, "a column of zeros", (&sample.x, &sample.y))?;
    let row = sample.x.row(0).to_owned();
    sample
        .x
        .rows_mut()
        .into_iter()
        .for_each(|mut r| r.assign(&row));
    works_or_names(subject, "constant columns only", (&sample.x, &sample.y))
}

pub(crate) fn duplicates<S: Subject>(subject: &S) -> Verdict {
    let sample = subject.sample(subject.facts().rows);
    let each: Vec<usize> = (0..sample.x.nrows()).map(|i| i / 4).collect();
    let (x, y) = (
        sample.x.select(Axis(0), &each),
        sample.y.select(Axis(0), &each),
    );
    works(subject, "every row four times", (&x, &y))
}

pub(crate) fn few_rows<S: Subject>(subject: &S) -> Verdict {
    let Some(k) = subject.facts().n_clusters else {
        return Ok(());
    };
    for n in [k.saturating_sub(1), k] {
        let sample = subject.sample(n);
        let what = format!("{n} rows for {k} clusters");
        works_or_names(subject, &what, (&sample.x, &sample.y))?;
    }
    let sample = subject.sample(k.saturating_sub(1).max(1));
    let n = sample.x.nrows();
    let each: Vec<usize> = (0..subject.facts().rows).map(|i| i % n).collect();
    let what = format!("{n} different rows for {k} clusters");
    let x: Array2<S::F> = sample.x.select(Axis(0), &each);
    works_or_names(subject, &what, (&x, &Array1::zeros(each.len())))
}

pub(crate) fn targets<S: Subject>(subject: &S) -> Verdict {
    if subject.facts().target == Target::None {
        return Ok(());
    }
    let Sample { x, y } = subject.sample(subject.facts().rows);
    let long = concatenate![Axis(0), y.view(), y.slice(s![..1])];
    let mut holes = y.clone();
    holes[y.len() / 2] = f64::NAN;
    let targets = [
        ("a target too many", long.view()),
        ("a target too few", y.slice(s![1..])),
        ("no targets", y.slice(s![..0])),
        ("a missing target", holes.view()),
    ];
    for (what, y) in targets {
        refuses(&format!("fit on {what}"), "y", || subject.fit(&x, &y))?;
    }
    Ok(())
}

pub(crate) fn bad_params<S: Subject>(subject: &S) -> Verdict {
    let bad = subject.bad_params();
    if bad.is_empty() {
        return Err("no bad parameters are given".into());
    }
    let sample = subject.sample(subject.facts().rows);
    let none = sample.x.slice(s![..0, ..]);
    for (name, subject) in bad {
        let step = format!("fit with a bad {name}");
        refuses(&step, name, || subject.fit(&sample.x, &sample.y))?;
        // Parameters are judged before the data.
        let step = format!("fit with a bad {name} on no rows");
        refuses(&step, name, || subject.fit(&none, &sample.y.slice(s![..0])))?;
    }
    Ok(())
}
