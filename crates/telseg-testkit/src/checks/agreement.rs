//! The same by another way: fitted again, row by row, through views, on other threads.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis, s};
use telseg_core::Scalar;

use crate::same::{pool, same_bits};
use crate::subject::Subject;
use crate::suite::{Verdict, calm, fitted, model_bytes, predicted, usual};

/// Rows that are asked one by one.
const ALONE: usize = 50;

/// A model's bytes and what it says of the rows it was fitted on: equal for equal models.
type Print = (Option<Vec<u8>>, Array2<f64>);

fn print<S: Subject>(
    subject: &S,
    what: &str,
    x: &ArrayRef2<S::F>,
    y: &ArrayRef1<f64>,
) -> Verdict<Print> {
    let model = fitted(subject, what, x, y)?;
    Ok((
        model_bytes::<S>(&model),
        predicted(subject, &model, what, x)?,
    ))
}

fn same(what: &str, a: &Print, b: &Print) -> Verdict {
    if !same_bits(&a.1, &b.1) {
        return Err(format!("{what}: predictions differ"));
    }
    if a.0 != b.0 {
        return Err(format!(
            "{what}: predictions agree, but saved models differ"
        ));
    }
    Ok(())
}

pub(crate) fn refit<S: Subject>(subject: &S) -> Verdict {
    let sample = subject.sample(subject.facts().rows);
    let first = print(subject, "the usual data", &sample.x, &sample.y)?;
    let second = print(subject, "the usual data again", &sample.x, &sample.y)?;
    same("fitted twice", &first, &second)
}

pub(crate) fn labels<S: Subject>(subject: &S) -> Verdict {
    let (model, sample) = usual(subject)?;
    let Some(labels) = subject.labels(&model) else {
        if subject.facts().n_clusters.is_some() {
            return Err("a clusterer holds the labels of its rows: write `labels`".into());
        }
        return Ok(());
    };
    let said = predicted(subject, &model, "the rows at fit", &sample.x)?;
    if labels.dim() != said.dim() {
        let (a, b) = (labels.dim(), said.dim());
        return Err(format!("labels at fit are {a:?}, predictions {b:?}"));
    }
    let rows = labels.rows().into_iter().zip(said.rows());
    match rows.enumerate().find(|(_, (a, b))| a != b) {
        None => Ok(()),
        Some((row, (a, b))) => Err(format!("row {row} was {a} at fit and is {b} in predict")),
    }
}

pub(crate) fn rows<S: Subject>(subject: &S) -> Verdict {
    let (model, sample) = usual(subject)?;
    let x = &sample.x;
    let batch = predicted(subject, &model, "all rows", x)?;
    let close = |row: usize, alone: &[f64], how: &str| {
        let tolerance = subject.facts().row_tolerance;
        let together = batch.row(row);
        let near = |(a, b): (&f64, &f64)| {
            a.to_bits() == b.to_bits() || (a - b).abs() <= tolerance * (1.0 + b.abs())
        };
        if alone.len() == together.len() && alone.iter().zip(together).all(near) {
            return Ok(());
        }
        Err(format!(
            "row {row} is {together} in a batch, and {alone:?} {how}"
        ))
    };
    let turned = column_major(x);
    for row in 0..x.nrows().min(ALONE) {
        let alone = predicted(subject, &model, "one row", &x.slice(s![row..=row, ..]))?;
        close(row, alone.row(0).to_vec().as_slice(), "in a batch of one")?;
        for (row_view, how) in [(x.row(row), "alone"), (turned.row(row), "alone, strided")] {
            match calm("predict_row", || subject.predict_row(&model, &row_view))? {
                Some(Ok(said)) => close(row, &said, how)?,
                Some(Err(e)) => return Err(format!("predict_row fails: {e}")),
                None if subject.facts().no_rows_alone.is_some() => {}
                None => return Err("write `predict_row`, or declare `no_rows_alone`".into()),
            }
        }
    }
    let (top, bottom) = x.view().split_at(Axis(0), x.nrows() / 3);
    let top_said = predicted(subject, &model, "the first third", &top)?;
    let bottom_said = predicted(subject, &model, "the other rows", &bottom)?;
    for (row, said) in top_said
        .rows()
        .into_iter()
        .chain(bottom_said.rows())
        .enumerate()
    {
        close(row, &said.to_vec(), "in a smaller batch")?;
    }
    Ok(())
}

pub(crate) fn strides<S: Subject>(subject: &S) -> Verdict {
    let sample = subject.sample(subject.facts().rows);
    let (x, y) = (&sample.x, &sample.y);
    let (n, d) = x.dim();
    let plain = print(subject, "the usual data", x, y)?;
    let model = fitted(subject, "the usual data", x, y)?;

    let turned = column_major(x);
    let mut wide = Array2::from_elem((2 * n, 3 * d), S::F::from_f64(f64::NAN));
    wide.slice_mut(s![..;2, 1..;3]).assign(x);
    let back = Array2::from_shape_fn((n, d), |(i, j)| x[[n - 1 - i, d - 1 - j]]);
    let mut long = Array1::from_elem(2 * n, f64::NAN);
    long.slice_mut(s![..;2]).assign(y);

    let views = [
        ("a column-major array", turned.view()),
        (
            "every other row and third column",
            wide.slice(s![..;2, 1..;3]),
        ),
        ("rows and columns reversed", back.slice(s![..;-1, ..;-1])),
    ];
    for (what, view) in views {
        same(
            what,
            &plain,
            &print(subject, what, &view, &long.slice(s![..;2]))?,
        )?;
        if !same_bits(&plain.1, &predicted(subject, &model, what, &view)?) {
            return Err(format!("{what}: predictions of one model differ"));
        }
    }
    Ok(())
}

pub(crate) fn threads<S: Subject>(subject: &S) -> Verdict {
    let sample = subject.sample(subject.facts().rows_for_threads);
    let on = |threads| {
        let what = format!("{threads} threads");
        pool(threads, || print(subject, &what, &sample.x, &sample.y))
    };
    let one = on(1)?;
    for threads in [2, 7] {
        same(&format!("1 and {threads} threads"), &one, &on(threads)?)?;
    }
    Ok(())
}

fn column_major<F: Scalar>(x: &Array2<F>) -> Array2<F> {
    let (n, d) = x.dim();
    Array2::from_shape_fn((d, n), |(j, i)| x[[i, j]]).reversed_axes()
}
