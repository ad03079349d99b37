//! The methods that segments can be found by.

use std::ops::RangeInclusive;
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
/// Where a range is given, each method is asked itself how many segments there are: mixtures take the number with the best
/// completed likelihood (ICL), [`Hdbscan`](Self::Hdbscan) finds its own, and the others follow the rule of
/// [`choose`](telseg_cluster::choose), k-means on all of up to 8,000 rows, the rest on up to 2,000. Parse one from its name:
/// `"ward".parse()`.
///
/// | method | name | columns | number of segments | rows in the saved run |
/// | --- | --- | --- | --- | --- |
/// | [`KMeans`](Self::KMeans) | `k-means` | numbers, levels as 0/1 | apart, confirmed | none |
/// | [`Sized`](Self::Sized) | `sized` | the same | the same | none |
/// | [`GaussianMixture`](Self::GaussianMixture) | `gaussian-mixture` | the same | ICL | none |
/// | [`Ward`](Self::Ward) | `ward` | the same | apart, confirmed | none |
/// | [`Hdbscan`](Self::Hdbscan) | `hdbscan` | the same | found | all, as numbers |
/// | [`KPrototypes`](Self::KPrototypes) | `k-prototypes` | numbers, levels as they are | apart, confirmed | none |
/// | [`LatentClasses`](Self::LatentClasses) | `latent-classes` | the same, missing cells stay missing | ICL | none |
/// | [`KMedoids`](Self::KMedoids) | `k-medoids` | the same, missing cells stay missing | apart, confirmed | a subscriber a segment |
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
}

/// What the columns of latent classes hold.
pub(super) fn families(encoder: &TableEncoder, n_columns: usize) -> Vec<Family> {
    let codes = encoder.categorical_features();
    let family = |j| match codes.iter().find(|c| c.0 == j) {
        Some((_, n)) => Family::Categorical {
            n_levels: (*n).max(1) as u32,
        },
        None => Family::Normal,
    };
    (0..n_columns).map(family).collect()
}

impl Method {
    /// Whether the number of segments is asked for.
    pub(super) fn takes_k(self) -> bool {
        !matches!(self, Self::Hdbscan { .. })
    }

    /// What it is, for a sentence.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::KMeans => "k-means",
            Self::Sized { .. } => "k-means with segments of given sizes",
            Self::KPrototypes => "k-prototypes",
            Self::GaussianMixture => "a Gaussian mixture",
            Self::LatentClasses => "latent classes",
            Self::Hdbscan { .. } => "HDBSCAN*",
            Self::Ward => "Ward's hierarchy",
            Self::KMedoids => "k-medoids by Gower's distance",
        }
    }

    /// The numbers of segments for which there are enough rows, and not too many.
    pub(super) fn feasible(
        self,
        ks: RangeInclusive<usize>,
        n_rows: usize,
    ) -> RangeInclusive<usize> {
        let Self::Sized { min, max } = self else {
            return ks;
        };
        let fewest = max.map_or(0, |max| n_rows.div_ceil(max.max(1)));
        let low = fewest.clamp(*ks.start(), *ks.end());
        low..=(*ks.end()).min(n_rows / min.max(1)).max(low)
    }

    /// The same for a share of the rows.
    pub(super) fn for_share(self, share: f64) -> Self {
        match self {
            Self::Sized { min, max } => Self::Sized {
                min: (min as f64 * share).floor() as usize,
                max: max.map(|max| (max as f64 * share).ceil() as usize),
            },
            _ => self,
        }
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
        macro_rules! found {
            ($kind:ident, $model:expr) => {{
                let model = $model;
                Ok(Found {
                    labels: model.labels().clone(),
                    model: SegmentModel::$kind(Box::new(model)),
                })
            }};
        }
        match self {
            Self::KMeans => {
                let params = telseg_cluster::KMeans::params(k).with_seed(seed);
                found!(KMeans, params.fit(x)?)
            }
            Self::Sized { min, max } => {
                let mut params = ConstrainedKMeans::params(k)
                    .with_min_size(min)
                    .with_seed(seed);
                params.max_size = max;
                found!(Sized, params.fit(x)?)
            }
            Self::KPrototypes => {
                let codes: Vec<usize> = codes.iter().map(|c| c.0).collect();
                let params = KPrototypes::params(k, &codes).with_seed(seed);
                found!(KPrototypes, params.fit(x)?)
            }
            Self::GaussianMixture => {
                let params = GaussianMixture::params(k).with_seed(seed);
                found!(Gaussian, params.fit(x)?)
            }
            Self::LatentClasses => {
                let params = LatentClass::params(k, families(encoder, x.ncols()));
                found!(Latent, params.with_seed(seed).fit(x)?)
            }
            Self::Ward => {
                let params = Hierarchical::params(k).with_assign(Assign::NearestCenter);
                found!(Ward, params.fit(x)?)
            }
            Self::KMedoids => {
                let kind = |j| match codes.iter().any(|c| c.0 == j) {
                    true => GowerColumn::Categorical,
                    false => GowerColumn::Numeric,
                };
                let kinds: Vec<GowerColumn> = (0..x.ncols()).map(kind).collect();
                let params = KMedoids::params(k).with_metric(Metric::Gower(Gower::params(&kinds)));
                found!(KMedoids, params.with_seed(seed).fit(x)?)
            }
            Self::Hdbscan { min_cluster_size } => {
                let least = min_cluster_size.unwrap_or((x.nrows() / 100).max(20));
                let model = Hdbscan::params(least).fit(x)?;
                let none = model.n_clusters() as u32;
                Ok(Found {
                    labels: model.labels().mapv(|label| label.cluster().unwrap_or(none)),
                    model: SegmentModel::Hdbscan(Box::new(model)),
                })
            }
        }
    }
}
