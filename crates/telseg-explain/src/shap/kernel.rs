//! The inner loops: answers of a block of rows, their codes, and one table look-up for each group and feature.
//!
//! Lanes run across rows. A row's attributions are added up in the order of the trees and of the groups in them, alone
//! or in a block, so that both give the same bits.

use super::deep::Deep;
use super::paths::{Ask, Rule, Split};
use super::table::Table;

/// One tree, ready for rows. Features are those that the ensemble uses, renumbered.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    pub(crate) splits: Vec<Split>,
    pub(crate) tables: Vec<Table>,
    pub(crate) deep: Vec<Deep>,
}

/// What a thread needs to work on a block of rows.
#[derive(Debug)]
pub(crate) struct Block {
    rows: usize,
    /// Columns of the block: `features x rows`.
    pub(crate) columns: Vec<f32>,
    /// 1 where a row goes left: `splits x rows`.
    answers: Vec<u8>,
    bit: Vec<u8>,
    codes: Vec<u16>,
    /// Attributions: `slots x rows`.
    pub(crate) sums: Vec<f64>,
}

impl Block {
    pub(crate) fn new(rows: usize, n_features: usize, n_slots: usize) -> Self {
        Self {
            rows,
            columns: vec![0.0; n_features * rows],
            answers: Vec::new(),
            bit: vec![0; rows],
            codes: vec![0; rows],
            sums: vec![0.0; n_slots * rows],
        }
    }

    /// Adds a tree's attributions of the block's rows.
    pub(crate) fn add(&mut self, tree: &Compiled) {
        let rows = self.rows;
        self.answers.resize(tree.splits.len() * rows, 0);
        for (split, answers) in tree.splits.iter().zip(self.answers.chunks_exact_mut(rows)) {
            answer(
                split,
                &self.columns[split.feature * rows..][..rows],
                answers,
            );
        }
        for table in &tree.tables {
            encode(
                &table.bits,
                &self.answers,
                &mut self.bit,
                &mut self.codes[..rows],
            );
            let size = 1 << table.bits.len();
            for (&slot, values) in table.slots.iter().zip(table.sums.chunks_exact(size)) {
                let sums = &mut self.sums[slot as usize * rows..][..rows];
                for (sum, &code) in sums.iter_mut().zip(&self.codes[..rows]) {
                    *sum += values[usize::from(code)];
                }
            }
        }
        for deep in &tree.deep {
            self.add_deep(deep);
        }
    }

    fn add_deep(&mut self, deep: &Deep) {
        let rows = self.rows;
        let needed = deep.parts.len() * rows;
        if self.codes.len() < needed {
            self.codes.resize(needed, 0);
        }
        for (part, codes) in deep.parts.iter().zip(self.codes.chunks_exact_mut(rows)) {
            encode(&part.bits, &self.answers, &mut self.bit, codes);
        }
        for row in 0..rows {
            let code = |part: usize| usize::from(self.codes[part * rows + row]);
            deep.add(code, |slot, part| self.sums[slot * rows + row] += part);
        }
    }
}

fn answer(split: &Split, column: &[f32], answers: &mut [u8]) {
    let missing = u8::from(split.missing_left);
    match &split.rule {
        Rule::AtMost(threshold) => {
            for (answer, &x) in answers.iter_mut().zip(column) {
                *answer = u8::from(x <= *threshold) | (u8::from(x.is_nan()) & missing);
            }
        }
        Rule::OneOf(_) => {
            for (answer, &x) in answers.iter_mut().zip(column) {
                *answer = u8::from(split.goes_left(x));
            }
        }
    }
}

fn encode(bits: &[Vec<Ask>], answers: &[u8], bit: &mut [u8], codes: &mut [u16]) {
    let rows = codes.len();
    let of = |ask: &Ask| {
        let flip = u8::from(!ask.left);
        (&answers[ask.split as usize * rows..][..rows], flip)
    };
    codes.fill(0);
    for (b, asks) in bits.iter().enumerate() {
        let (first, flip) = of(&asks[0]);
        if asks.len() == 1 {
            for (code, answer) in codes.iter_mut().zip(first) {
                *code |= u16::from(answer ^ flip) << b;
            }
            continue;
        }
        for (bit, answer) in bit.iter_mut().zip(first) {
            *bit = answer ^ flip;
        }
        for ask in &asks[1..] {
            let (more, flip) = of(ask);
            for (bit, answer) in bit.iter_mut().zip(more) {
                *bit &= answer ^ flip;
            }
        }
        for (code, bit) in codes.iter_mut().zip(&*bit) {
            *code |= u16::from(*bit) << b;
        }
    }
}

/// Adds a tree's attributions of one row.
pub(crate) fn add_row(
    tree: &Compiled,
    value: impl Fn(usize) -> f32,
    mut add: impl FnMut(usize, f64),
) {
    let code = |bits: &[Vec<Ask>]| {
        let holds = |asks: &[Ask]| {
            asks.iter().all(|ask| {
                let split = &tree.splits[ask.split as usize];
                split.goes_left(value(split.feature)) == ask.left
            })
        };
        let bits = bits.iter().enumerate();
        bits.fold(0, |code, (b, asks)| code | usize::from(holds(asks)) << b)
    };
    for table in &tree.tables {
        let code = code(&table.bits);
        let size = 1 << table.bits.len();
        for (&slot, values) in table.slots.iter().zip(table.sums.chunks_exact(size)) {
            add(slot as usize, values[code]);
        }
    }
    for deep in &tree.deep {
        deep.add(|part| code(&deep.parts[part].bits), &mut add);
    }
}
