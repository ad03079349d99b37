//! The segments as a table for a terminal.

use std::fmt;

use crate::report::{Report, SegmentCard};

/// Displays the segments: name, share of the base, ARPU, churn rate and what sets them apart.
#[derive(Clone, Copy, Debug)]
pub struct Segments<'a> {
    report: &'a Report,
}

impl<'a> Segments<'a> {
    pub(super) fn new(report: &'a Report) -> Self {
        Self { report }
    }

    /// The segments, the largest first.
    pub fn cards(&self) -> Vec<&'a SegmentCard> {
        let mut cards: Vec<&SegmentCard> = self.report.segmentation.segments.iter().collect();
        cards.sort_by(|a, b| b.n.cmp(&a.n).then(a.id.cmp(&b.id)));
        cards
    }
}

/// Widest text in a cell; a terminal shows about twice that in a row.
const WIDEST: usize = 72;

impl fmt::Display for Segments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = &self.report.words;
        let cards = self.cards();
        let has_value = cards.iter().any(|c| c.arpu.is_some());
        let has_rate = cards.iter().any(|c| c.churn_rate.is_some());
        let mut head = vec!["segment".to_owned(), "share".to_owned()];
        if has_value {
            head.push(words.arpu.clone());
        }
        if has_rate {
            head.push(words.rate.clone());
        }
        head.push("what sets it apart".to_owned());
        let mut rows = vec![head];
        for card in cards {
            let mut row = vec![card.name.clone(), format!("{:.1}%", 100.0 * card.share)];
            if has_value {
                row.push(card.arpu.map_or("-".into(), |v| {
                    format!("{}{:.2}", words.currency, v.estimate)
                }));
            }
            if has_rate {
                row.push(
                    card.churn_rate
                        .map_or("-".into(), |v| format!("{:.1}%", 100.0 * v.estimate)),
                );
            }
            row.push(apart(card));
            rows.push(row);
        }
        let width = |column: usize| {
            rows.iter()
                .map(|r| r[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
        for (i, row) in rows.iter().enumerate() {
            let last = row.len() - 1;
            for (j, (cell, width)) in row.iter().zip(&widths).enumerate() {
                match j {
                    0 => write!(f, "{cell:<width$}")?,
                    _ if j == last => write!(f, "  {cell}")?,
                    _ => write!(f, "  {cell:>width$}")?,
                }
            }
            writeln!(f)?;
            if i == 0 {
                let line: Vec<String> = widths
                    .iter()
                    .map(|w| "-".repeat((*w).min(WIDEST)))
                    .collect();
                writeln!(f, "{}", line.join("  "))?;
            }
        }
        Ok(())
    }
}

/// The description's first line without the size, which has its own column.
fn apart(card: &SegmentCard) -> String {
    let first = &card.description[0];
    let text = first
        .split_once(". ")
        .map_or(first.as_str(), |(_, rest)| rest);
    if text.chars().count() <= WIDEST {
        return text.to_owned();
    }
    let cut: String = text.chars().take(WIDEST - 1).collect();
    let end = cut.rfind(' ').unwrap_or(cut.len());
    format!("{}…", cut[..end].trim_end_matches([',', ';', ' ']))
}
