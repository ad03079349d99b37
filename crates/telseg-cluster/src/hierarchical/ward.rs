//! Ward's clusters as weighted means: no distance matrix.
//!
//! `d(A, B)^2 = 2 / (1/w_A + 1/w_B) |m_A - m_B|^2`, twice the growth of the sum of squares when A and B merge.

use telseg_core::kernel::Probe;

use super::boxes::{Boxes, Nearest};
use super::reciprocal::Space;

/// Means of clusters in boxes.
pub(super) struct Ward {
    n_columns: usize,
    boxes: Boxes<f64>,
    /// Row of `means` where each cluster lies, by id.
    row_of: Vec<u32>,
    /// Place in `boxes`, by row of `means`.
    place_of: Vec<u32>,
    means: Vec<f64>,
    /// By row of `means`.
    weights: Vec<f64>,
}

impl Ward {
    /// Returns the order in which to look at them, too.
    pub(super) fn new(means: Vec<f64>, n_columns: usize, weights: Vec<f64>) -> (Self, Vec<u32>) {
        let n = weights.len();
        let (boxes, place_of) = Boxes::new(&means, n_columns, |i| i as u32, |i| 1.0 / weights[i]);
        let order = boxes.points().map(|(id, _)| id).collect();
        let mut row_of: Vec<u32> = (0..n as u32).collect();
        row_of.resize((2 * n).saturating_sub(1), 0);
        let ward = Self {
            n_columns,
            boxes,
            row_of,
            place_of,
            means,
            weights,
        };
        (ward, order)
    }
}

impl Space for Ward {
    fn nearest(&self, id: u32) -> (f64, u32) {
        let (row, d) = (self.row_of[id as usize] as usize, self.n_columns);
        let probe = Probe {
            row: &self.means[row * d..][..d],
            inverse: 1.0 / self.weights[row],
        };
        let mut nearest = Nearest::to(id);
        self.boxes.search(probe, &mut nearest);
        (nearest.distance, nearest.id)
    }

    fn merge(&mut self, a: u32, b: u32, new: u32) {
        let (a, b, d) = (
            self.row_of[a as usize] as usize,
            self.row_of[b as usize] as usize,
            self.n_columns,
        );
        // The heavier one keeps its place: its mean moves less.
        let (keep, drop) = if self.weights[a] >= self.weights[b] {
            (a, b)
        } else {
            (b, a)
        };
        let weight = self.weights[keep] + self.weights[drop];
        let share = self.weights[drop] / weight;
        for j in 0..d {
            let off = self.means[drop * d + j] - self.means[keep * d + j];
            self.means[keep * d + j] += share * off;
        }
        self.weights[keep] = weight;
        self.row_of[new as usize] = keep as u32;
        self.boxes.remove(self.place_of[drop] as usize);
        let mean = &self.means[keep * d..][..d];
        self.boxes
            .put(self.place_of[keep] as usize, mean, 1.0 / weight, new);
    }

    fn tidy(&mut self, n: usize) {
        if 2 * n > self.boxes.n_places() || n < 64 {
            return;
        }
        // Half of the places are empty: pack the clusters anew.
        let ids: Vec<u32> = self.boxes.points().map(|(id, _)| id).collect();
        let rows: Vec<usize> = ids
            .iter()
            .map(|&id| self.row_of[id as usize] as usize)
            .collect();
        let d = self.n_columns;
        let means: Vec<f64> = rows
            .iter()
            .flat_map(|&row| self.means[row * d..][..d].iter().copied())
            .collect();
        let (boxes, places) = Boxes::new(&means, d, |i| ids[i], |i| 1.0 / self.weights[rows[i]]);
        for (&row, place) in rows.iter().zip(places) {
            self.place_of[row] = place;
        }
        self.boxes = boxes;
    }
}
