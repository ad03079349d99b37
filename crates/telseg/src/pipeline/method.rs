//! The methods that segments can be found by.

use std::str::FromStr;

use ndarray::{Array1, Array2};
use telseg_cluster::hierarchical::Assign;
use telseg_cluster::kmedoids::Metric;
use telseg_cluster::{
    ConstrainedKMeans, Family, GaussianMixture, Gower, GowerColumn, Hdbscan, Hierarchical,
    KMedoids, KPrototypes, LatentClass,
};
use telseg_core::{Error, Result};
use telseg_features::{CategoryEncoding, LevelOrder, TableEncoder, TableEncoderParams};

use crate::run::SegmentModel;

/// How segments are found.
///
/// Methods that are told the number of segments take the one that k-means is chosen with, where a range is given; only
/// [`Hdbscan`](Self::Hdbscan) finds its own. Parse one from its name: `"ward".parse()`.
///
/// | method | name | columns | rows in the saved run |
/// | --- | --- | --- | --- |
/// | [`KMeans`](Self::KMeans) | `k-means` | numbers, levels as 0/1 | none |
/// | [`Sized`](Self::Sized) | `sized` | the same | none |
/// | [`GaussianMixture`](Self::GaussianMixture) | `gaussian-mixture` | the same | none |
/// | [`Ward`](Self::Ward) | `ward` | the same | none |
/// | [`Hdbscan`](Self::Hdbscan) | `hdbscan` | the same | all, as numbers |
/// | [`KPrototypes`](Self::KPrototypes) | `k-prototypes` | numbers, levels as they are | none |
/// | [`LatentClasses`](Self::LatentClasses) | `latent-classes` | the same, missing cells stay missing | none |
/// | [`KMedoids`](Self::KMedoids) | `k-medoids` | the same, missing cells stay missing | a subscriber a segment |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// k-means: compact segments around a mean.
    #[default]
    KMeans,
    /// k-means with segments of at least `min` and at most `max` subscribers. New rows go to the nearest centre.
    Sized {
        /// Fewest subscribers of a segment.
        min: usize,
        /// Most subscribers of a segment; `None`: no limit.
        max: Option<usize>,
    },
    /// k-prototypes: a mean of numbers and the commonest of levels.
    KPrototypes,
    /// Gaussian mixture: segments of different spread and direction.
    GaussianMixture,
    /// Latent classes: a mixture over numbers and levels; missing cells are left out, not filled in.
    LatentClasses,
    /// HDBSCAN*: dense groups of any shape. Who is in none is shown as "No segment".
    Hdbscan {
        /// Fewest subscribers of a segment; `None`: 1 % of the base, at least 20.
        min_cluster_size: Option<usize>,
    },
    /// Ward's hierarchy, cut into the wanted number. Rows are labelled by the nearest mean.
    Ward,
    /// k-medoids by Gower's distance: each segment is centred on one of its subscribers.
    KMedoids,
}

/// Names that [`Method`] is parsed from.
const NAMES: [(&str, Method); 8] = [
    ("k-means", Method::KMeans),
    (
        "sized",
        Method::Sized {
            min: 100,
            max: None,
        },
    ),
    ("k-prototypes", Method::KPrototypes),
    ("gaussian-mixture", Method::GaussianMixture),
    ("latent-classes", Method::LatentClasses),
    (
        "hdbscan",
        Method::Hdbscan {
            min_cluster_size: None,
        },
    ),
    ("ward", Method::Ward),
    ("k-medoids", Method::KMedoids),
];

impl FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, method)| *method).ok_or_else(|| {
            let known = NAMES.map(|(known, _)| known).join(", ");
            Error::param("method", format!("expected one of {known}, found {name:?}"))
        })
    }
}

/// What a method found.
pub(super) struct Found {
    pub(super) model: SegmentModel,
    /// Group of each row; see [`SegmentModel`].
    pub(super) labels: Array1<u32>,
    /// What it is, for a sentence.
    pub(super) name: &'static str,
}

impl Method {
    /// Whether the number of segments is asked for.
    pub(super) fn takes_k(self) -> bool {
        !matches!(self, Self::Hdbscan { .. })
    }

    /// Columns that it measures by, where they are not those of k-means.
    pub(super) fn columns(self, distances: &TableEncoderParams) -> Option<TableEncoderParams> {
        let order = LevelOrder::Value;
        let mixed = || {
            let codes = CategoryEncoding::Ordinal { order };
            distances
                .clone()
                .with_categories(codes)
                .with_missing_indicator(None)
        };
        match self {
            Self::KPrototypes => Some(mixed()),
            Self::LatentClasses | Self::KMedoids => Some(mixed().with_impute(None)),
            _ => None,
        }
    }

    /// Finds `k` segments among the rows that `encoder` made.
    pub(super) fn fit(
        self,
        k: usize,
        x: &Array2<f32>,
        encoder: &TableEncoder,
        seed: u64,
    ) -> Result<Found> {
        let codes = encoder.categorical_features();
        let n_levels = |j: usize| codes.iter().find(|c| c.0 == j).map(|c| c.1);
        let columns = 0..x.ncols();
        macro_rules! found {
            ($kind:ident, $model:expr, $name:literal) => {{
                let model = $model;
                Ok(Found {
                    labels: model.labels().clone(),
                    model: SegmentModel::$kind(Box::new(model)),
                    name: $name,
                })
            }};
        }
        match self {
            Self::KMeans => {
                let params = telseg_cluster::KMeans::params(k).with_seed(seed);
                found!(KMeans, params.fit(x)?, "k-means")
            }
            Self::Sized { min, max } => {
                let mut params = ConstrainedKMeans::params(k)
                    .with_min_size(min)
                    .with_seed(seed);
                params.max_size = max;
                found!(
                    Sized,
                    params.fit(x)?,
                    "k-means with segments of given sizes"
                )
            }
            Self::KPrototypes => {
                let codes: Vec<usize> = codes.iter().map(|c| c.0).collect();
                found!(
                    KPrototypes,
                    KPrototypes::params(k, &codes).with_seed(seed).fit(x)?,
                    "k-prototypes"
                )
            }
            Self::GaussianMixture => {
                let params = GaussianMixture::params(k).with_seed(seed);
                found!(Gaussian, params.fit(x)?, "a Gaussian mixture")
            }
            Self::LatentClasses => {
                let family = |j| match n_levels(j) {
                    Some(n) => Family::Categorical {
                        n_levels: n.max(1) as u32,
                    },
                    None => Family::Normal,
                };
                let params = LatentClass::params(k, columns.map(family)).with_seed(seed);
                found!(Latent, params.fit(x)?, "latent classes")
            }
            Self::Ward => {
                let params = Hierarchical::params(k).with_assign(Assign::NearestCenter);
                found!(Ward, params.fit(x)?, "Ward's hierarchy")
            }
            Self::KMedoids => {
                let kind = |j| {
                    if n_levels(j).is_some() {
                        GowerColumn::Categorical
                    } else {
                        GowerColumn::Numeric
                    }
                };
                let kinds: Vec<GowerColumn> = columns.map(kind).collect();
                let params = KMedoids::params(k).with_metric(Metric::Gower(Gower::params(&kinds)));
                found!(
                    KMedoids,
                    params.with_seed(seed).fit(x)?,
                    "k-medoids by Gower's distance"
                )
            }
            Self::Hdbscan { min_cluster_size } => {
                let least = min_cluster_size.unwrap_or((x.nrows() / 100).max(20));
                let model = Hdbscan::params(least).fit(x)?;
                let none = model.n_clusters() as u32;
                Ok(Found {
                    labels: model.labels().mapv(|label| label.cluster().unwrap_or(none)),
                    model: SegmentModel::Hdbscan(Box::new(model)),
                    name: "HDBSCAN*",
                })
            }
        }
    }
}
