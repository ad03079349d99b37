//! Small estimators that pass the suite, unless a flaw is built in.

use std::sync::atomic::{AtomicU32, Ordering};

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, Axis, s};
use serde::{Deserialize, Serialize};
use telseg_core::artefact::Artefact;
use telseg_core::{Error, Result, par};
use telseg_testkit::{Check, Facts, Subject, as_rows};

/// Takes the first rows as centres and moves each to the mean of its rows, once.
#[derive(Clone)]
pub(crate) struct Nearest {
    pub(crate) n_clusters: usize,
    /// The check that this toy is to fail.
    pub(crate) flaw: Option<Check>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Centres {
    centres: Array2<f64>,
    labels: Vec<u32>,
    /// Broken saving: this is lost.
    #[serde(skip)]
    shift: f64,
    trusting: bool,
}

impl Artefact for Centres {
    const KIND: &'static str = "toy.centres";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        let k = self.centres.nrows();
        let sound = k > 0
            && self.centres.iter().all(|v| v.is_finite())
            && self.labels.iter().all(|&l| (l as usize) < k);
        if sound || self.trusting {
            return Ok(());
        }
        Err(Error::data("centres", "are not sound"))
    }
}

impl Nearest {
    fn has(&self, flaw: Check) -> bool {
        self.flaw == Some(flaw)
    }

    fn check(&self, x: &ArrayRef2<f32>, width: usize) -> Result<()> {
        if x.ncols() != width && !self.has(Check::Width) {
            let expected = format!("{width} columns (as at fit)");
            return Err(Error::shape("x", expected, x.ncols().to_string()));
        }
        match x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            Some((at, _)) if !self.has(Check::Missing) => {
                Err(Error::value("x", "not a finite number", at))
            }
            _ => Ok(()),
        }
    }

    fn check_fit(&self, x: &ArrayRef2<f32>) -> Result<()> {
        let k = self.n_clusters;
        if k == 0 && !self.has(Check::BadParams) {
            return Err(Error::param("n_clusters", "must be at least 1, found 0"));
        }
        self.check(x, x.ncols())?;
        let (n, panics) = (
            x.nrows(),
            self.has(Check::FewRows) || self.has(Check::Empty),
        );
        if self.has(Check::OneRow) && n == 1 {
            return Err(Error::data("matrix", "is singular"));
        }
        let may_panic = panics && (n > 0 || self.has(Check::Empty)) && n != 1;
        if n < k.max(1) && !may_panic {
            return Err(Error::param(
                "n_clusters",
                format!("must be at most {n}, found {k}"),
            ));
        }
        if self.has(Check::Duplicates) && n > 1 && x.row(0) == x.row(1) {
            return Err(Error::data("x", "holds a row twice"));
        }
        Ok(())
    }

    fn nearest(centres: &Array2<f64>, row: &ArrayRef1<f32>, shift: f64) -> u32 {
        let far = |centre: &ArrayRef1<f64>| -> f64 {
            let cells = centre.iter().zip(row);
            cells
                .map(|(c, &v)| (c - f64::from(v) - shift).powi(2))
                .sum()
        };
        let mut best = (0, f64::INFINITY);
        for (i, centre) in centres.rows().into_iter().enumerate() {
            let distance = far(&centre);
            if distance < best.1 {
                best = (i as u32, distance);
            }
        }
        best.0
    }
}

impl Subject for Nearest {
    type F = f32;
    type Model = Centres;

    fn facts(&self) -> Facts {
        Facts::clusterer(self.n_clusters)
    }

    fn fit(&self, x: &ArrayRef2<f32>, _: &ArrayRef1<f64>) -> Result<Centres> {
        static FITS: AtomicU32 = AtomicU32::new(0);
        self.check_fit(x)?;
        let mut x = x.to_owned();
        if self.has(Check::Strides)
            && let Some(cells) = x.as_slice_memory_order()
        {
            x = Array2::from_shape_vec(x.dim(), cells.to_vec()).expect("as many cells");
        }
        let k = self.n_clusters;
        let first = x.slice(s![..k, ..]).mapv(f64::from);
        let chunk = match self.has(Check::Threads) {
            true => x.nrows().div_ceil(rayon::current_num_threads()),
            false => 256,
        };
        let parts = par::map(x.nrows(), chunk, |rows| {
            // Thirds: sums of `f32` in `f64` would be exact, and any order of them the same.
            let (mut sums, mut counts) = (Array2::zeros(first.dim()), Array1::<f64>::zeros(k));
            for row in x.slice(s![rows, ..]).rows() {
                let label = Self::nearest(&first, &row, 0.0) as usize;
                sums.row_mut(label)
                    .zip_mut_with(&row, |s, &v| *s += f64::from(v) / 3.0);
                counts[label] += 1.0;
            }
            (sums, counts)
        });
        let mut centres = first.clone();
        let (mut sums, mut counts) = (Array2::<f64>::zeros(first.dim()), Array1::<f64>::zeros(k));
        for (part, count) in parts {
            sums += &part;
            counts += &count;
        }
        for (i, &count) in counts.iter().enumerate().filter(|(_, c)| **c > 0.0) {
            centres.row_mut(i).assign(&(&sums.row(i) * (3.0 / count)));
        }
        if self.has(Check::Refit) {
            centres[[0, 0]] += f64::from(FITS.fetch_add(1, Ordering::Relaxed));
        }
        let shift = if self.has(Check::Saved) { 15.0 } else { 0.0 };
        let rows = x.rows().into_iter();
        let mut labels: Vec<u32> = rows.map(|r| Self::nearest(&centres, &r, shift)).collect();
        if self.has(Check::Labels) {
            labels[0] = (labels[0] + 1) % k as u32;
        }
        Ok(Centres {
            centres,
            labels,
            shift,
            trusting: self.has(Check::Hostile),
        })
    }

    fn predict(&self, model: &Centres, x: &ArrayRef2<f32>) -> Result<Array2<f64>> {
        self.check(x, model.centres.ncols())?;
        if self.has(Check::Hostile) {
            // Trusts what it loaded.
            for &label in &model.labels {
                assert!(model.centres[[label as usize, 0]].is_finite());
            }
        }
        let mut x = x.to_owned();
        if self.has(Check::Rows) && x.nrows() > 0 {
            let mean = x.mean_axis(Axis(0)).expect("rows");
            x -= &mean;
        }
        let rows = x.rows().into_iter();
        let labels = rows.map(|r| Self::nearest(&model.centres, &r, model.shift));
        let mut said = as_rows(labels.collect::<Array1<u32>>());
        if self.has(Check::ConstantColumn) {
            let column = x.column(0);
            let constant = column.iter().all(|v| *v == column[0]);
            said.mapv_inplace(|v| {
                if constant && x.nrows() > 1 {
                    f64::NAN
                } else {
                    v
                }
            });
        }
        Ok(said)
    }

    fn predict_row(&self, model: &Centres, row: &ArrayRef1<f32>) -> Option<Result<Vec<f64>>> {
        let table = row.to_owned().insert_axis(Axis(0));
        let checked = self.check(&table, model.centres.ncols());
        let label = || vec![f64::from(Self::nearest(&model.centres, row, model.shift))];
        Some(checked.map(|()| label()))
    }

    fn labels(&self, model: &Centres) -> Option<Array2<f64>> {
        Some(as_rows(Array1::from(model.labels.clone())))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        vec![(
            "n_clusters",
            Self {
                n_clusters: 0,
                ..self.clone()
            },
        )]
    }
}

/// One split of the first column at zero; missing values go right.
#[derive(Clone)]
pub(crate) struct Stump {
    pub(crate) learning_rate: f64,
    /// Does not look at the targets.
    pub(crate) careless: bool,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Sides {
    n_features: usize,
    means: [f64; 2],
}

impl Artefact for Sides {
    const KIND: &'static str = "toy.sides";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        if self.means.iter().all(|m| m.is_finite()) && self.n_features > 0 {
            return Ok(());
        }
        Err(Error::data("means", "must be finite"))
    }
}

fn side(row: &ArrayRef1<f64>) -> usize {
    usize::from(row[0].is_nan() || row[0] > 0.0)
}

impl Subject for Stump {
    type F = f64;
    type Model = Sides;

    fn facts(&self) -> Facts {
        Facts::regressor().accepts_missing()
    }

    fn fit(&self, x: &ArrayRef2<f64>, y: &ArrayRef1<f64>) -> Result<Sides> {
        if self.learning_rate.is_nan() || self.learning_rate <= 0.0 {
            return Err(Error::param("learning_rate", "must be above 0"));
        }
        if x.is_empty() {
            return Err(Error::shape(
                "x",
                "rows and columns",
                format!("{:?}", x.dim()),
            ));
        }
        if !self.careless && (y.len() != x.nrows() || y.iter().any(|v| !v.is_finite())) {
            return Err(Error::data("y", "needs a finite number for each row"));
        }
        let (mut sums, mut counts) = ([0.0; 2], [0.0; 2]);
        for (row, y) in x.rows().into_iter().zip(y.iter().filter(|v| v.is_finite())) {
            sums[side(&row)] += self.learning_rate * y;
            counts[side(&row)] += 1.0;
        }
        Ok(Sides {
            n_features: x.ncols(),
            means: [0, 1].map(|i| sums[i] / f64::max(counts[i], 1.0)),
        })
    }

    fn predict(&self, model: &Sides, x: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        if x.ncols() != model.n_features {
            let expected = format!("{} columns (as at fit)", model.n_features);
            return Err(Error::shape("x", expected, x.ncols().to_string()));
        }
        let said = x.rows().into_iter().map(|row| model.means[side(&row)]);
        Ok(as_rows(said.collect::<Array1<f64>>()))
    }

    fn predict_row(&self, model: &Sides, row: &ArrayRef1<f64>) -> Option<Result<Vec<f64>>> {
        let table = row.to_owned().insert_axis(Axis(0));
        Some(self.predict(model, &table).map(|said| said.row(0).to_vec()))
    }

    fn bad_params(&self) -> Vec<(&'static str, Self)> {
        [0.0, -1.0, f64::NAN]
            .map(|learning_rate| {
                let bad = Self {
                    learning_rate,
                    ..self.clone()
                };
                ("learning_rate", bad)
            })
            .into()
    }
}
