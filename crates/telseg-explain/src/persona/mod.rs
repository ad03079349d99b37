//! Names, two-line descriptions and personas of segments, made from their statements and nothing else.
//!
//! A persona is written from a [`FactSheet`], by a grammar or by a [`TextGenerator`], and every sentence is held against
//! the facts that it cites ([`verify`]). Names and descriptions come from fixed forms:
//!
//! A statement may be used when it is significant, not tiny, and rests on enough rows
//! ([`ProfileParams`]); outcomes name no segment. Used statements do not repeat a column, nor one that
//! correlates strongly with a column already used, nor what follows from a statement already used (see [`overlap`]). A
//! level names a segment when at least half of it has it, the more gladly the fewer of the base have it.
//! Segments take names in the order of their strongest statement; a name that is taken gives way to the next
//! combination of statements, in the end to a number. Where nothing may be said the name is "Close to average".

mod grammar;
mod name;
mod numbers;
mod overlap;
mod sensitive;
mod sheet;
mod text;
mod verify;
mod words;
mod write;

use overlap::Overlap;

pub(crate) use words::readable;

pub use sheet::{FactSheet, Measure, SheetFact};
pub use verify::{Violation, verify};
pub use write::{
    Author, Draft, Persona, PersonaParams, Rejected, Sentence, TextGenerator, TextRequest,
};

use crate::profile::{Column, Groups, ProfileParams, SegmentProfile, Sourced};

/// A number of a fact as a sentence writes it.
#[cfg(feature = "llm")]
pub(crate) fn number_text(fact: &SheetFact, value: f64) -> String {
    match &fact.unit {
        _ if fact.is_share() => numbers::percent(value),
        Some(unit) => format!("{} {unit}", numbers::amount(value)),
        None => numbers::amount(value),
    }
}

/// Turns measured segments into named and described ones.
pub(crate) fn describe(
    columns: &[Column<'_>],
    groups: &Groups<'_>,
    sizes: &[(usize, f64)],
    statements: Vec<Vec<Sourced>>,
    params: &ProfileParams,
) -> Vec<SegmentProfile> {
    let chosen: Vec<_> = statements
        .iter()
        .enumerate()
        .map(|(segment, statements)| {
            let overlap = Overlap {
                columns,
                groups,
                segment,
                min_rows: params.min_rows,
            };
            name::choose(&overlap, statements, params)
        })
        .collect();
    let names = name::assign(sizes, &chosen);
    let parts = sizes.iter().zip(statements).zip(chosen).zip(names);
    parts
        .enumerate()
        .map(|(id, (((&(n, share), statements), chosen), name))| {
            let description = text::description(
                columns,
                (n, share),
                &statements,
                &chosen,
                &name.used,
                params,
            );
            SegmentProfile {
                id: id as u32,
                n,
                share,
                name: name.text,
                description,
                key: chosen.iter().map(|c| c.statement).collect(),
                statements: statements.into_iter().map(|s| s.statement).collect(),
            }
        })
        .collect()
}
