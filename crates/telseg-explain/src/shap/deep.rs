//! Leaves whose paths ask too many features for one table, where background rows stand for what is unknown or pairs are
//! asked for: each pattern that rows have is worked out when it is met.

use super::game::{Game, STEPS};
use super::kernel::Bits;
use super::paths::{Path, Step};

/// A deep leaf whose attributions are worked out pattern by pattern.
#[derive(Clone, Debug)]
pub(crate) struct Deep {
    pub(crate) bits: Bits,
    path: Path,
    game: std::sync::Arc<Game>,
    /// Patterns of the background rows and their shares; `None` where unknown features follow the covers.
    background: Option<Vec<(u64, f64)>>,
    /// Slots of the attributions: `entries x values`.
    slots: Vec<u32>,
}

impl Deep {
    pub(crate) fn new(
        path: &Path,
        slots: Vec<u32>,
        game: &std::sync::Arc<Game>,
        background: Option<Vec<(u64, f64)>>,
    ) -> Self {
        Self {
            bits: bits(&path.steps),
            path: path.clone(),
            game: game.clone(),
            background,
            slots,
        }
    }

    /// Adds the attributions of a row with this pattern.
    pub(crate) fn add(&self, pattern: u64, mut add: impl FnMut(usize, f64)) {
        let mut out = [0.0; STEPS * (STEPS + 1) / 2];
        let m = self.path.steps.len();
        let out = &mut out[..self.game.entries(m)];
        match &self.background {
            None => self.game.by_covers(&self.path, pattern, out),
            Some(rows) => self.game.by_rows(m, rows.iter().copied(), pattern, out),
        }
        let width = self.path.value.len();
        for (part, slots) in out.iter().zip(self.slots.chunks_exact(width)) {
            for (&slot, value) in slots.iter().zip(&self.path.value) {
                add(slot as usize, value * part);
            }
        }
    }
}

/// One bit for each step.
pub(crate) fn bits(steps: &[Step]) -> Bits {
    let asks: Vec<_> = steps.iter().map(|s| s.asks.clone()).collect();
    Bits::new(&asks)
}
