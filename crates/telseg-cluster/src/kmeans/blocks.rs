//! Exact k-means on data that does not fit into memory, read block by block, round by round.

use ndarray::Array2;
use telseg_core::merge::Merge;
use telseg_core::{Error, Result, Scalar};

use super::model::{KMeans, KMeansReport};
use super::params::{Algorithm, Distance, Init, KMeansParams};
use super::stats::{KMeansExtent, KMeansState, KMeansStats};

impl KMeansParams {
    /// Finds clusters among rows that come in blocks: `blocks` opens the data anew for every pass, in the same order.
    ///
    /// The model is the one of Lloyd's algorithm on all rows, and the same bits come out however the rows are divided, as
    /// long as the start is. Unless centres are given, it is found on the first block: `n_init` starts are run there, and
    /// the best goes on, so let the first block be a fair sample. A cluster that runs empty keeps its centre.
    ///
    /// # Errors
    /// Parameters, then what reading a block says, then shapes and values. Only the Euclidean distance.
    ///
    /// # Cost
    /// One pass over the blocks for their extent, one a round and one for the report; the memory of a block.
    ///
    /// # Examples
    /// ```
    /// use ndarray::{Array2, array};
    /// use telseg_cluster::KMeans;
    /// // Blocks that a reader would fetch from a file: two kinds of subscribers.
    /// let block = |b: usize| Ok(Array2::from_shape_fn((50, 2), |(i, j)| ((i % 2) * 10 + (i * (3 + j) + b) % 7) as f32));
    /// let model = KMeans::params(2).with_seed(1).fit_blocks(|| Ok((0..20).map(block)))?;
    /// assert_eq!(model.report().sizes, [500.0, 500.0]);
    /// # Ok::<(), telseg_core::Error>(())
    /// ```
    pub fn fit_blocks<F: Scalar, I>(
        &self,
        mut blocks: impl FnMut() -> Result<I>,
    ) -> Result<KMeans<F>>
    where
        I: Iterator<Item = Result<Array2<F>>>,
    {
        self.validate()?;
        if self.distance != Distance::Euclidean {
            return Err(Error::param(
                "distance",
                "only the Euclidean distance is summarised in blocks",
            ));
        }
        let (mut extent, mut start) = (None::<KMeansExtent>, None);
        for block in blocks()? {
            let block = block?;
            if start.is_none() {
                start = Some(self.start_of(&block)?);
            }
            let part = KMeansExtent::of(&block, None)?;
            match &mut extent {
                Some(extent) => extent.merge(&part)?,
                None => extent = Some(part),
            }
        }
        let (Some(extent), Some(start)) = (extent, start) else {
            return Err(Error::data("blocks", "there are none"));
        };
        let mut state = KMeansState::new(&start, &extent)?;
        let (mut trace, mut converged, mut variance) = (Vec::new(), false, None);
        let mut stats = summarise(&state, blocks()?)?;
        while trace.len() < self.max_iter && !converged {
            let variance = *variance.get_or_insert_with(|| state.variance(&stats));
            let moved = state.update(&stats)?;
            converged = moved <= self.tol * variance;
            if moved > 0.0 {
                stats = summarise(&state, blocks()?)?;
            }
            trace.push(stats.inertia());
        }
        let report = KMeansReport {
            algorithm: Algorithm::Lloyd,
            inertia: stats.inertia(),
            n_iter: trace.len(),
            converged,
            trace,
            starts: vec![stats.inertia()],
            sizes: stats.sizes(),
        };
        Ok(KMeans::of_blocks(state.into_codebook(), report))
    }

    fn start_of<F: Scalar>(&self, block: &Array2<F>) -> Result<Array2<F>> {
        match &self.init {
            Init::Centers(centers) => Ok(centers.mapv(F::from_f64)),
            _ => Ok(self.fit(block)?.centers().clone()),
        }
    }
}

fn summarise<F: Scalar>(
    state: &KMeansState<F>,
    blocks: impl Iterator<Item = Result<Array2<F>>>,
) -> Result<KMeansStats> {
    let mut whole = state.empty();
    for block in blocks {
        whole.merge(&state.summarise(&block?, None)?)?;
    }
    Ok(whole)
}
