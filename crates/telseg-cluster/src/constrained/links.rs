//! Rows that are linked: merged into blocks by union-find, with the blocks that each must keep away from.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use telseg_core::{Error, Result};

/// Rows in blocks that are placed as one, and all other rows.
pub(super) struct Links {
    /// The rows of each block, in rising order; a row that is only kept apart is a block of its own.
    pub(super) blocks: Vec<Vec<usize>>,
    /// For each block, the blocks that must not share its cluster, in rising order.
    pub(super) apart: Vec<Vec<usize>>,
    /// Rows without a link.
    pub(super) singles: Vec<usize>,
}

/// Rows that an error names, at most.
const NAMED: usize = 12;

impl Links {
    /// # Errors
    /// A row that is not there, or a pair that must and must not share a cluster; the message names the rows.
    pub(super) fn new(
        n_rows: usize,
        must: &[(usize, usize)],
        cannot: &[(usize, usize)],
    ) -> Result<Self> {
        for (name, pairs) in [("must_link", must), ("cannot_link", cannot)] {
            if let Some(row) = pairs.iter().flat_map(|p| [p.0, p.1]).find(|&r| r >= n_rows) {
                let problem = format!("row {row} is not there: x has {n_rows} rows");
                return Err(Error::param(name, problem));
            }
        }
        let mut parent: Vec<usize> = (0..n_rows).collect();
        for &(a, b) in must {
            let (a, b) = (root(&mut parent, a), root(&mut parent, b));
            // The lowest row stands for its block.
            parent[a.max(b)] = a.min(b);
        }
        for &(a, b) in cannot {
            if root(&mut parent, a) == root(&mut parent, b) {
                return Err(contradiction(must, a, b));
            }
        }
        let linked: BTreeSet<usize> = must.iter().chain(cannot).flat_map(|p| [p.0, p.1]).collect();
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &row in &linked {
            members.entry(root(&mut parent, row)).or_default().push(row);
        }
        let place: BTreeMap<usize, usize> =
            members.keys().enumerate().map(|(at, &r)| (r, at)).collect();
        let mut apart = vec![BTreeSet::new(); members.len()];
        for &(a, b) in cannot {
            let (a, b) = (place[&root(&mut parent, a)], place[&root(&mut parent, b)]);
            apart[a].insert(b);
            apart[b].insert(a);
        }
        Ok(Self {
            blocks: members.into_values().collect(),
            apart: apart.into_iter().map(|a| a.into_iter().collect()).collect(),
            singles: (0..n_rows).filter(|row| !linked.contains(row)).collect(),
        })
    }
}

fn root(parent: &mut [usize], mut row: usize) -> usize {
    while parent[row] != row {
        parent[row] = parent[parent[row]];
        row = parent[row];
    }
    row
}

/// Rows for a message, cut where there are many.
pub(super) fn name_rows(rows: &[usize]) -> String {
    let names: Vec<String> = rows.iter().take(NAMED).map(usize::to_string).collect();
    let more = rows.len().saturating_sub(NAMED);
    match more {
        0 => names.join(", "),
        _ => format!("{} and {more} more", names.join(", ")),
    }
}

/// Says by way of which rows two that are kept apart are linked: the shortest chain.
fn contradiction(must: &[(usize, usize)], a: usize, b: usize) -> Error {
    if a == b {
        let problem = format!("row {a} cannot be kept apart from itself");
        return Error::param("cannot_link", problem);
    }
    let mut next: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &(u, v) in must {
        next.entry(u).or_default().push(v);
        next.entry(v).or_default().push(u);
    }
    let (mut from, mut queue) = (BTreeMap::from([(b, b)]), VecDeque::from([b]));
    while let Some(u) = queue.pop_front() {
        for &v in next.get(&u).into_iter().flatten() {
            if let std::collections::btree_map::Entry::Vacant(place) = from.entry(v) {
                place.insert(u);
                queue.push_back(v);
            }
        }
    }
    let (mut chain, mut row) = (vec![a], a);
    while row != b {
        let Some(&before) = from.get(&row) else { break };
        row = before;
        chain.push(row);
    }
    let problem = format!(
        "rows {a} and {b} must share a cluster: must_link chains rows {}",
        name_rows(&chain)
    );
    Error::param("cannot_link", problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_become_blocks() {
        let links = Links::new(9, &[(5, 1), (7, 5), (3, 3)], &[(7, 2), (1, 2), (2, 8)]).unwrap();
        assert_eq!(links.blocks, [vec![1, 5, 7], vec![2], vec![3], vec![8]]);
        assert_eq!(links.apart, [vec![1], vec![0, 3], vec![], vec![1]]);
        assert_eq!(links.singles, [0, 4, 6]);
    }

    #[test]
    fn contradictions_name_the_chain() {
        let found =
            |must: &[_], cannot: &[_]| Links::new(9, must, cannot).err().unwrap().to_string();
        assert_eq!(
            found(&[(5, 1), (7, 5), (7, 8)], &[(1, 8)]),
            "cannot_link: rows 1 and 8 must share a cluster: must_link chains rows 1, 5, 7, 8"
        );
        assert_eq!(
            found(&[], &[(4, 4)]),
            "cannot_link: row 4 cannot be kept apart from itself"
        );
        assert_eq!(
            found(&[(9, 1)], &[]),
            "must_link: row 9 is not there: x has 9 rows"
        );
    }
}
