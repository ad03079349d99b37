//! Places for the rows that are linked: the most entangled first, each in the cheapest cluster that is allowed, with
//! backtracking.

use telseg_core::{Error, Result};

use super::links::{Links, name_rows};

/// Blocks without a place after which the search gives up.
const STEPS: usize = 1_000_000;

/// Least and greatest number of rows of a cluster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) least: usize,
    pub(super) most: usize,
}

/// The search as it stands.
struct Search<'a> {
    links: &'a Links,
    sizes: Sizes,
    /// The cluster of each block; `None` where it has no place yet.
    place: Vec<Option<usize>>,
    used: Vec<usize>,
    /// Rows that have no place yet, singles included.
    left: usize,
    /// What is missing to the least sizes.
    missing: usize,
}

/// The order in which blocks are placed: those with the most to keep away from first, then the largest.
pub(super) fn order(links: &Links) -> Vec<usize> {
    let mut order: Vec<usize> = (0..links.blocks.len()).collect();
    let key = |&b: &usize| (links.apart[b].len(), links.blocks[b].len());
    order.sort_by(|a, b| key(b).cmp(&key(a)).then(a.cmp(b)));
    order
}

/// The cluster of each block, by the costs of a block in a cluster (`cost(block, cluster)`).
///
/// # Errors
/// When there is no such assignment, or none was found; the message names the rows.
pub(super) fn place(
    links: &Links,
    order: &[usize],
    sizes: Sizes,
    k: usize,
    cost: impl Fn(usize, usize) -> f64,
) -> Result<Vec<usize>> {
    let rows: usize = links.blocks.iter().map(Vec::len).sum();
    let mut search = Search {
        links,
        sizes,
        place: vec![None; links.blocks.len()],
        used: vec![0; k],
        left: rows + links.singles.len(),
        missing: k * sizes.least,
    };
    check_sizes(links, sizes)?;
    let choices = |block: usize| {
        let mut choices: Vec<usize> = (0..k).collect();
        choices.sort_by(|&a, &b| cost(block, a).total_cmp(&cost(block, b)));
        choices
    };
    // For each depth, the choices for its block and how many of them were tried.
    let mut stack: Vec<(Vec<usize>, usize)> = Vec::with_capacity(order.len());
    let (mut depth, mut steps, mut deepest) = (0, 0, (0, 0, Vec::new()));
    while depth < order.len() {
        let block = order[depth];
        if stack.len() == depth {
            stack.push((choices(block), 0));
        }
        search.remove(block);
        let (choices, tried) = &mut stack[depth];
        let next = choices[*tried..]
            .iter()
            .position(|&j| search.allows(block, j));
        if let Some(at) = next {
            *tried += at + 1;
            search.put(block, choices[*tried - 1]);
            depth += 1;
            continue;
        }
        if depth >= deepest.0 {
            deepest = (depth, block, search.conflict(block));
        }
        stack.pop();
        steps += 1;
        if depth == 0 || steps > STEPS {
            let kept_apart = !links.apart[deepest.1].is_empty();
            return Err(failure(k, kept_apart, &deepest.2, steps > STEPS));
        }
        depth -= 1;
    }
    Ok(search.place.into_iter().flatten().collect())
}

fn check_sizes(links: &Links, sizes: Sizes) -> Result<()> {
    if let Some(block) = links.blocks.iter().find(|b| b.len() > sizes.most) {
        let (found, most) = (block.len(), sizes.most);
        let problem = format!(
            "rows {} ({found} linked) do not fit max_size {most}",
            name_rows(block)
        );
        return Err(Error::param("must_link", problem));
    }
    Ok(())
}

impl Search<'_> {
    fn lacks(&self, cluster: usize) -> usize {
        self.sizes.least.saturating_sub(self.used[cluster])
    }

    /// Whether a block may go there: nothing that it keeps away from, not too many, and enough left for the others.
    fn allows(&self, block: usize, cluster: usize) -> bool {
        let size = self.links.blocks[block].len();
        let missing = self.missing - self.lacks(cluster).min(size);
        self.used[cluster] + size <= self.sizes.most
            && missing <= self.left - size
            && !self.links.apart[block]
                .iter()
                .any(|&b| self.place[b] == Some(cluster))
    }

    fn put(&mut self, block: usize, cluster: usize) {
        let size = self.links.blocks[block].len();
        self.missing -= self.lacks(cluster).min(size);
        self.left -= size;
        self.used[cluster] += size;
        self.place[block] = Some(cluster);
    }

    fn remove(&mut self, block: usize) {
        if let Some(cluster) = self.place[block].take() {
            let (size, before) = (self.links.blocks[block].len(), self.lacks(cluster));
            self.used[cluster] -= size;
            self.missing += self.lacks(cluster) - before;
            self.left += size;
        }
    }

    /// A row of the block that found no place, and one of each block that it keeps away from and that has one.
    fn conflict(&self, block: usize) -> Vec<usize> {
        let placed = self.links.apart[block]
            .iter()
            .filter(|&&b| self.place[b].is_some());
        let mut rows: Vec<usize> = placed.map(|&b| self.links.blocks[b][0]).collect();
        rows.push(self.links.blocks[block][0]);
        rows.sort_unstable();
        rows
    }
}

fn failure(k: usize, kept_apart: bool, rows: &[usize], gave_up: bool) -> Error {
    let name = if kept_apart {
        "cannot_link"
    } else {
        "must_link"
    };
    let rows = name_rows(rows);
    let problem = if gave_up {
        format!(
            "no assignment to {k} clusters was found in {STEPS} steps back; the search was stuck at rows {rows}"
        )
    } else {
        format!(
            "no assignment to {k} clusters obeys all links and sizes; the search ended at rows {rows}"
        )
    };
    Error::param(name, problem)
}
