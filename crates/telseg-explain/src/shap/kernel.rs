//! The inner loops: answers of a block of rows, their codes, and one table look-up for each group and term.
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

/// What the bits of a code ask: for blocks of rows by answers side by side, for a row alone by words of answers.
#[derive(Clone, Debug)]
pub(crate) struct Bits {
    asks: Vec<Vec<Ask>>,
    tests: Vec<Test>,
}

/// Clears a bit of a code unless the answers in a word are those that are wanted.
#[derive(Clone, Copy, Debug)]
struct Test {
    mask: u64,
    want: u64,
    word: u32,
    bit: u32,
}

impl Bits {
    /// Bit `b` is set when all of `asks[b]` hold.
    pub(crate) fn new(asks: &[Vec<Ask>]) -> Self {
        let mut tests: Vec<Test> = Vec::new();
        for (bit, asks) in asks.iter().enumerate() {
            for ask in asks {
                let (word, flag) = (ask.split / 64, 1u64 << (ask.split % 64));
                let want = if ask.left { flag } else { 0 };
                match tests.last_mut() {
                    Some(test) if (test.word, test.bit) == (word, bit as u32) => {
                        test.mask |= flag;
                        test.want |= want;
                    }
                    _ => tests.push(Test {
                        mask: flag,
                        want,
                        word,
                        bit: bit as u32,
                    }),
                }
            }
        }
        Self {
            asks: asks.to_vec(),
            tests,
        }
    }

    /// Number of bits.
    pub(crate) fn len(&self) -> usize {
        self.asks.len()
    }

    /// The code of a row alone, from its answers.
    #[inline(always)]
    pub(crate) fn code(&self, answers: &[u64]) -> u64 {
        let all = u64::MAX.checked_shr(64 - self.asks.len() as u32);
        self.tests.iter().fold(all.unwrap_or(0), |code, test| {
            let fails = answers[test.word as usize] & test.mask != test.want;
            code & !(u64::from(fails) << test.bit)
        })
    }
}

/// Answers to the splits of a tree for a block of rows, 1 where a row goes left: `splits x rows`.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    rows: usize,
    left: Vec<u8>,
    bit: Vec<u8>,
    part: Vec<u16>,
}

impl Answers {
    /// Asks all splits; `column` gives the block's values of a feature.
    pub(crate) fn ask<'a>(
        &mut self,
        rows: usize,
        splits: &[Split],
        column: impl Fn(usize) -> &'a [f32],
    ) {
        self.rows = rows;
        self.left.resize(splits.len() * rows, 0);
        self.bit.resize(rows, 0);
        for (split, answers) in splits.iter().zip(self.left.chunks_exact_mut(rows)) {
            answer(split, column(split.feature), answers);
        }
    }

    /// The codes of all rows, of up to 16 bits.
    pub(crate) fn codes(&mut self, bits: &Bits, codes: &mut [u16]) {
        encode(&bits.asks, &self.left, &mut self.bit, codes);
    }

    /// The codes of all rows, of up to 64 bits.
    pub(crate) fn patterns(&mut self, bits: &Bits, patterns: &mut [u64]) {
        self.part.resize(self.rows, 0);
        patterns.fill(0);
        for (p, asks) in bits.asks.chunks(16).enumerate() {
            encode(asks, &self.left, &mut self.bit, &mut self.part);
            for (pattern, &part) in patterns.iter_mut().zip(&self.part) {
                *pattern |= u64::from(part) << (16 * p);
            }
        }
    }
}

/// What a thread needs to work on a block of rows.
#[derive(Debug)]
pub(crate) struct Block {
    rows: usize,
    /// Columns of the block: `features x rows`.
    pub(crate) columns: Vec<f32>,
    answers: Answers,
    codes: Vec<u16>,
    patterns: Vec<u64>,
    /// Attributions: `slots x rows`.
    pub(crate) sums: Vec<f64>,
}

impl Block {
    pub(crate) fn new(rows: usize, n_features: usize, n_slots: usize) -> Self {
        Self {
            rows,
            columns: vec![0.0; n_features * rows],
            answers: Answers::default(),
            codes: vec![0; rows],
            patterns: vec![0; rows],
            sums: vec![0.0; n_slots * rows],
        }
    }

    /// Adds a tree's attributions of the block's rows.
    pub(crate) fn add(&mut self, tree: &Compiled) {
        let rows = self.rows;
        let column = |feature: usize| &self.columns[feature * rows..][..rows];
        self.answers.ask(rows, &tree.splits, column);
        for table in &tree.tables {
            self.answers.codes(&table.bits, &mut self.codes[..rows]);
            let columns = table.slots.len();
            for (c, &slot) in table.slots.iter().enumerate() {
                let sums = &mut self.sums[slot as usize * rows..][..rows];
                for (sum, &code) in sums.iter_mut().zip(&self.codes[..rows]) {
                    *sum += table.sums[usize::from(code) * columns + c];
                }
            }
        }
        for deep in &tree.deep {
            self.add_deep(deep);
        }
    }

    fn add_deep(&mut self, deep: &Deep) {
        let rows = self.rows;
        match deep {
            Deep::Parts(deep) => {
                let needed = deep.parts.len() * rows;
                if self.codes.len() < needed {
                    self.codes.resize(needed, 0);
                }
                for (part, codes) in deep.parts.iter().zip(self.codes.chunks_exact_mut(rows)) {
                    self.answers.codes(&part.bits, codes);
                }
                for row in 0..rows {
                    let code = |part: usize| usize::from(self.codes[part * rows + row]);
                    deep.add(code, |slot, part| self.sums[slot * rows + row] += part);
                }
            }
            Deep::Patterns(deep) => {
                self.answers.patterns(&deep.bits, &mut self.patterns);
                // Rows with the same pattern get the same attributions: each is worked out once.
                let mut order: Vec<usize> = (0..rows).collect();
                order.sort_unstable_by_key(|&row| self.patterns[row]);
                for alike in order.chunk_by(|&a, &b| self.patterns[a] == self.patterns[b]) {
                    deep.add(self.patterns[alike[0]], |slot, part| {
                        let sums = &mut self.sums[slot * rows..][..rows];
                        alike.iter().for_each(|&row| sums[row] += part);
                    });
                }
            }
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
        Rule::ZeroTurned(_) | Rule::OneOf(_) => {
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

/// Words of answers that need no allocation: trees of up to 4096 splits.
const WORDS: usize = 64;
/// Tables whose codes are found before the first is read, so that the reads wait for memory together.
const AHEAD: usize = 32;

/// Adds a tree's attributions of one row.
#[inline(always)]
pub(crate) fn add_row(
    tree: &Compiled,
    value: impl Fn(usize) -> f32,
    mut add: impl FnMut(usize, f64),
) {
    let needed = tree.splits.len().div_ceil(64);
    let (mut short, mut long) = ([0u64; WORDS], Vec::new());
    let answers: &mut [u64] = if needed <= WORDS {
        &mut short[..needed]
    } else {
        long.resize(needed, 0);
        &mut long
    };
    for (word, splits) in answers.iter_mut().zip(tree.splits.chunks(64)) {
        let left = splits.iter().map(|s| s.goes_left(value(s.feature)));
        *word = left
            .enumerate()
            .fold(0, |word, (b, left)| word | u64::from(left) << b);
    }
    for tables in tree.tables.chunks(AHEAD) {
        let mut codes = [0; AHEAD];
        for (code, table) in codes.iter_mut().zip(tables) {
            *code = table.bits.code(answers) as usize;
        }
        for (code, table) in codes.into_iter().zip(tables) {
            let columns = table.slots.len();
            let sums = &table.sums[code * columns..][..columns];
            for (&slot, &sum) in table.slots.iter().zip(sums) {
                add(slot as usize, sum);
            }
        }
    }
    for deep in &tree.deep {
        match deep {
            Deep::Parts(deep) => deep.add(
                |part| deep.parts[part].bits.code(answers) as usize,
                &mut add,
            ),
            Deep::Patterns(deep) => deep.add(deep.bits.code(answers), &mut add),
        }
    }
}
