//! The base at the end of a month as a training table, with the truth beside it.

use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;
use telseg_core::Result;

use crate::config::WorldConfig;
use crate::month::{Row, at};
use crate::noise;
use crate::subscriber::{DEVICE_CLASSES, GENDERS, INCOME_BANDS, Subscriber};
use crate::world::{CHUNK, World};

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ColumnKind {
    /// A number, with its unit ("" = unit-free).
    Numeric {
        /// Unit.
        unit: &'static str,
    },
    /// The index of a level.
    Categorical {
        /// Names of the levels, by index.
        levels: Vec<String>,
    },
}

/// A column of a snapshot.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Column {
    /// Name.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
}

/// The base at the end of a month: features, target, and the truth behind them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The month at whose end it was taken.
    pub month: u32,
    /// Subscriber ids, a row each.
    pub ids: Vec<u64>,
    /// Columns of `features`.
    pub columns: Vec<Column>,
    /// What an operator would see, with missing values (NaN) and outliers. Categorical columns hold level indices.
    pub features: Array2<f32>,
    /// The same without missing values and outliers.
    pub clean: Array2<f32>,
    /// True group of each row, an index into `archetype_names`.
    pub archetype: Vec<u32>,
    /// Names of the groups.
    pub archetype_names: Vec<String>,
    /// True probability of leaving next month: the best score that any model can have.
    pub hazard: Vec<f64>,
    /// Leaves next month when nobody is contacted: the target.
    pub churned: Vec<bool>,
}

/// Simulates `config.n_months` months and takes the snapshot at their end, with the next month's churn as target.
///
/// # Errors
/// What [`WorldConfig::validate`] refuses.
///
/// # Examples
/// ```
/// use telseg_sim::{WorldConfig, customers};
/// let base = customers(&WorldConfig::default().with_n_subscribers(2000), 42)?;
/// let rate = base.churned.iter().filter(|&&c| c).count() as f64 / 2000.0;
/// assert!((0.01..0.06).contains(&rate));
/// assert_eq!(base.features.dim(), (2000, base.columns.len()));
/// # Ok::<(), telseg_core::Error>(())
/// ```
pub fn customers(config: &WorldConfig, seed: u64) -> Result<Snapshot> {
    let mut world = World::new(config.clone(), seed)?;
    for _ in 1..config.n_months {
        world.advance();
    }
    Ok(world.snapshot())
}

impl Snapshot {
    /// Rows.
    pub fn n_rows(&self) -> usize {
        self.ids.len()
    }

    /// Names of the columns.
    pub fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|c| c.name).collect()
    }

    /// A column of `features` by name.
    pub fn column(&self, name: &str) -> Option<ArrayView1<'_, f32>> {
        column_index(name).map(|i| self.features.column(i))
    }
}

impl World {
    /// The base at the end of this month; aggregates look back over `window` months, or as many as there are.
    ///
    /// # Cost
    /// About two microseconds per subscriber and core.
    pub fn snapshot(&self) -> Snapshot {
        let base = self.subscribers();
        let mut clean = Array2::zeros((base.len(), SPECS.len()));
        let mut features = clean.clone();
        let width = SPECS.len();
        let (flat_clean, flat) = (
            clean
                .as_slice_mut()
                .expect("invariant: a new array is contiguous"),
            features
                .as_slice_mut()
                .expect("invariant: a new array is contiguous"),
        );
        let spoil = noise::Spoiler::new(self.config(), self.seed(), self.month());
        flat_clean
            .par_chunks_mut(width * CHUNK)
            .zip(flat.par_chunks_mut(width * CHUNK))
            .enumerate()
            .for_each(|(chunk, (clean, seen))| {
                let rows = clean
                    .chunks_exact_mut(width)
                    .zip(seen.chunks_exact_mut(width));
                for (i, (clean, seen)) in rows.enumerate() {
                    let place = chunk * CHUNK + i;
                    fill(self, place, clean);
                    seen.copy_from_slice(clean);
                    spoil.row(base[place].id, clean, seen);
                }
            });
        Snapshot {
            month: self.month(),
            ids: base.iter().map(|s| s.id).collect(),
            columns: columns(self.config()),
            features,
            clean,
            archetype: base.iter().map(|s| s.archetype).collect(),
            archetype_names: self
                .config()
                .archetypes
                .iter()
                .map(|a| a.name.clone())
                .collect(),
            hazard: base.iter().map(|s| s.hazard).collect(),
            churned: base.iter().map(|s| self.leaves_next(s)).collect(),
        }
    }
}

/// Name, unit, and whether outliers can hit it. Categorical columns have the unit "level".
const SPECS: [(&str, &str, bool); 45] = [
    ("age", "years", false),
    ("gender", "level", false),
    ("region", "level", false),
    ("income_band", "level", false),
    ("household_size", "people", false),
    ("payment", "level", false),
    ("tariff", "level", false),
    ("monthly_fee", "currency per month", false),
    ("contract_months_left", "months", false),
    ("device_class", "level", false),
    ("device_age_months", "months", false),
    ("five_g", "level", false),
    ("tenure_months", "months", false),
    ("voice_min_mean", "minutes per month", true),
    ("voice_trend", "ln per month", false),
    ("voice_last_ratio", "", true),
    ("data_gb_mean", "GB per month", true),
    ("data_trend", "ln per month", false),
    ("data_last_ratio", "", true),
    ("data_volatility", "", true),
    ("sms_mean", "per month", true),
    ("peak_share", "", false),
    ("night_share", "", false),
    ("weekend_share", "", false),
    ("international_min_mean", "minutes per month", true),
    ("roaming_days_mean", "days per month", true),
    ("topups_mean", "per month", true),
    ("topup_amount_mean", "currency per month", true),
    ("revenue_mean", "currency per month", true),
    ("revenue_last_ratio", "", true),
    ("overage_mean", "currency per month", true),
    ("days_late_mean", "days per month", true),
    ("days_late_max", "days", true),
    ("care_contacts_mean", "per month", true),
    ("care_contacts_last", "in the last month", true),
    ("complaints_mean", "per month", true),
    ("dropped_rate_mean", "", true),
    ("dropped_rate_last", "", true),
    ("video_share", "", false),
    ("social_share", "", false),
    ("music_share", "", false),
    ("game_share", "", false),
    ("work_share", "", false),
    ("app_sessions_mean", "per month", true),
    ("web_sessions_mean", "per month", true),
];

/// The place of a column.
pub(crate) fn column_index(name: &str) -> Option<usize> {
    SPECS.iter().position(|spec| spec.0 == name)
}

/// Whether outliers can hit a column.
pub(crate) fn takes_outliers(column: usize) -> bool {
    SPECS[column].2
}

/// All columns with their levels.
fn columns(config: &WorldConfig) -> Vec<Column> {
    let own = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
    let levels = |name: &str| match name {
        "gender" => own(&GENDERS),
        "region" => config.regions.iter().map(|r| r.name.clone()).collect(),
        "income_band" => own(&INCOME_BANDS),
        "payment" => own(&["prepaid", "postpaid"]),
        "tariff" => config.tariffs.iter().map(|t| t.name.clone()).collect(),
        "device_class" => own(&DEVICE_CLASSES),
        _ => own(&["no", "yes"]),
    };
    let kind = |name, unit| match unit {
        "level" => ColumnKind::Categorical {
            levels: levels(name),
        },
        unit => ColumnKind::Numeric { unit },
    };
    SPECS
        .iter()
        .map(|&(name, unit, _)| Column {
            name,
            kind: kind(name, unit),
        })
        .collect()
}

/// Writes the clean row of the subscriber at `place`.
fn fill(world: &World, place: usize, out: &mut [f32]) {
    let (config, s) = (world.config(), &world.subscribers()[place]);
    let who = who(config, s);
    let window = Window::of(world.rows(place));
    let (voice, data, revenue) = (
        window.mean(at::VOICE),
        window.mean(at::DATA),
        window.mean(at::REVENUE),
    );
    let mean = |column| window.mean(column);
    let past = [
        voice,
        window.trend(at::VOICE),
        ratio(window.last[at::VOICE], voice),
        data,
        window.trend(at::DATA),
        ratio(window.last[at::DATA], data),
        window.volatility(at::DATA),
        mean(at::SMS),
        mean(at::PEAK),
        mean(at::NIGHT),
        mean(at::WEEKEND),
        mean(at::INTERNATIONAL),
        mean(at::ROAMING_DAYS),
        mean(at::TOPUPS),
        mean(at::TOPUP_AMOUNT),
        revenue,
        ratio(window.last[at::REVENUE], revenue),
        mean(at::OVERAGE),
        mean(at::DAYS_LATE),
        window.most_late,
        mean(at::CARE),
        window.last[at::CARE],
        mean(at::COMPLAINTS),
        mean(at::DROPPED),
        window.last[at::DROPPED],
        mean(at::VIDEO),
        mean(at::VIDEO + 1),
        mean(at::VIDEO + 2),
        mean(at::VIDEO + 3),
        mean(at::VIDEO + 4),
        mean(at::APP),
        mean(at::WEB),
    ];
    out[..who.len()].copy_from_slice(&who);
    out[who.len()..].copy_from_slice(&past);
}

/// The columns that do not look back.
fn who(config: &WorldConfig, s: &Subscriber) -> [f32; 13] {
    let tariff = &config.tariffs[usize::from(s.tariff)];
    [
        s.age.floor(),
        s.gender.into(),
        s.region.into(),
        s.income.into(),
        s.household_size.into(),
        if tariff.prepaid { 0.0 } else { 1.0 },
        s.tariff.into(),
        tariff.fee as f32,
        s.contract_left.into(),
        s.device_class.into(),
        s.device_age.into(),
        s.five_g.into(),
        s.tenure.into(),
    ]
}

/// `last / mean`, 1 when there was nothing.
fn ratio(last: f32, mean: f32) -> f32 {
    if mean > 0.0 { last / mean } else { 1.0 }
}

/// Sums over the months that a subscriber has in the window.
struct Window<'a> {
    n: f64,
    sum: [f64; at::N],
    squares: f64,
    /// Sums of `(i - middle) * ln x` for voice and data, and of `(i - middle)^2`.
    slope: [f64; 2],
    spread: f64,
    most_late: f32,
    last: &'a Row,
}

impl<'a> Window<'a> {
    fn of(rows: impl ExactSizeIterator<Item = &'a Row>) -> Self {
        const EMPTY: &Row = &[0.0; at::N];
        let n = rows.len() as f64;
        let mut window = Self {
            n,
            sum: [0.0; at::N],
            squares: 0.0,
            slope: [0.0; 2],
            spread: 0.0,
            most_late: 0.0,
            last: EMPTY,
        };
        for (i, row) in rows.enumerate() {
            let from_middle = i as f64 - (n - 1.0) / 2.0;
            for (sum, &value) in window.sum.iter_mut().zip(row) {
                *sum += f64::from(value);
            }
            window.squares += f64::from(row[at::DATA]).powi(2);
            window.slope[0] += from_middle * f64::from(row[at::VOICE].max(0.01).ln());
            window.slope[1] += from_middle * f64::from(row[at::DATA].max(0.001).ln());
            window.spread += from_middle * from_middle;
            window.most_late = window.most_late.max(row[at::DAYS_LATE]);
            window.last = row;
        }
        window
    }

    fn mean(&self, column: usize) -> f32 {
        (self.sum[column] / self.n) as f32
    }

    /// Least-squares slope of ln(usage) per month; 0 with one month.
    fn trend(&self, column: usize) -> f32 {
        let slope = self.slope[usize::from(column == at::DATA)];
        if self.spread > 0.0 {
            (slope / self.spread) as f32
        } else {
            0.0
        }
    }

    /// Standard deviation over mean of data.
    fn volatility(&self, column: usize) -> f32 {
        let mean = self.sum[column] / self.n;
        let variance = (self.squares / self.n - mean * mean).max(0.0);
        if mean > 0.0 {
            (variance.sqrt() / mean) as f32
        } else {
            0.0
        }
    }
}
