//! The encoder as a saved model.

use telseg_core::artefact::Artefact;
use telseg_core::{Error, Result};

use super::{Encoded, EncodedColumn, FeatureKind, MISSING, TableEncoder};
use crate::array::Sound;

impl Artefact for TableEncoder {
    const KIND: &'static str = "table_encoder";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        let broken = |problem: String| Err(Error::data("table encoder", problem));
        let n = self.names.len();
        if n == 0 || self.kinds.len() != n || self.sources.len() != n {
            return broken("its features' names, kinds and sources disagree in number".into());
        }
        let mut start = 0;
        for (source, column) in self.columns.iter().enumerate() {
            let end = start + column.width();
            if column.start != start || end > n {
                return broken(format!("column {} is out of place", column.name));
            }
            if self.sources[start..end]
                .iter()
                .any(|&s| s as usize != source)
            {
                return broken(format!(
                    "column {} is not the source of its features",
                    column.name
                ));
            }
            if !column.is_sound(&self.kinds[start..end]) {
                return broken(format!(
                    "what was learnt of column {} is not sound",
                    column.name
                ));
            }
            start = end;
        }
        if start != n {
            return broken("it has features without a column".into());
        }
        Ok(())
    }
}

impl EncodedColumn {
    fn width(&self) -> usize {
        match &self.encoding {
            Encoded::Number { indicator, .. } => 1 + usize::from(*indicator),
            Encoded::OneHot { single: true, .. } | Encoded::Ordinal { .. } => 1,
            Encoded::OneHot { map, .. } => map.width(),
        }
    }

    fn is_sound(&self, kinds: &[FeatureKind]) -> bool {
        match &self.encoding {
            Encoded::Number { map, indicator } => {
                map.is_sound()
                    && kinds[0] == FeatureKind::Numeric
                    && (!indicator || kinds[1] == FeatureKind::MissingIndicator)
            }
            Encoded::OneHot {
                levels,
                map,
                single,
            } => {
                let known = |c: &i32| usize::try_from(*c).is_ok_and(|c| c < levels.len());
                levels.is_sorted_by(|a, b| a < b)
                    && map.is_sound()
                    && map.rare.iter().all(known)
                    && map.levels.iter().all(|c| *c == MISSING || known(c))
                    && (!single || map.width() == 2)
                    && kinds
                        .iter()
                        .all(|k| matches!(k, FeatureKind::OneHot { .. }))
            }
            Encoded::Ordinal { levels, map } => {
                let mut codes = map.levels.clone();
                codes.sort_unstable();
                levels.is_sorted_by(|a, b| a < b)
                    && codes.iter().copied().eq(0..levels.len() as i32)
                    && kinds[0].levels().is_some_and(|l| l.len() == levels.len())
            }
        }
    }
}
