//! Universal Binary JSON (draft 12), as far as XGBoost writes it, as a source for serde.
//!
//! A value is a marker byte and what the marker says; numbers are big-endian. An array or object may announce the type of
//! its values (`$`) and their number (`#`).

use std::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// Most containers within each other.
const MOST_DEPTH: usize = 64;

/// The value of exactly these bytes.
///
/// # Errors
/// A sentence with the byte where reading ended.
pub(super) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut reader = Reader {
        bytes,
        at: 0,
        depth: 0,
        marker: None,
    };
    let value = T::deserialize(&mut reader).and_then(|value| {
        if reader.at < bytes.len() {
            return Err(Problem("expected the end of the file".into()));
        }
        Ok(value)
    });
    value.map_err(|problem| format!("byte {}: {}", reader.at, problem.0))
}

#[derive(Debug)]
struct Problem(String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

impl de::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

struct Reader<'de> {
    bytes: &'de [u8],
    at: usize,
    depth: usize,
    /// The type that the container announced for its values.
    marker: Option<u8>,
}

impl<'de> Reader<'de> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let rest = &self.bytes[self.at..];
        let found = rest.first_chunk::<N>().copied();
        let found =
            found.ok_or_else(|| Problem("the file ends within a value: it is truncated".into()))?;
        self.at += N;
        Ok(found)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next marker; `N` stands for nothing.
    fn marker(&mut self) -> Result<u8, Problem> {
        loop {
            match self.take::<1>()?[0] {
                b'N' => {}
                marker => return Ok(marker),
            }
        }
    }

    fn integer(&mut self, marker: u8) -> Result<i64, Problem> {
        Ok(match marker {
            b'i' => i8::from_be_bytes(self.take()?).into(),
            b'U' => u8::from_be_bytes(self.take()?).into(),
            b'I' => i16::from_be_bytes(self.take()?).into(),
            b'l' => i32::from_be_bytes(self.take()?).into(),
            b'L' => i64::from_be_bytes(self.take()?),
            other => {
                let shown = char::from(other);
                return Err(Problem(format!(
                    "expected a whole number, found the type {shown:?}"
                )));
            }
        })
    }

    fn length(&mut self) -> Result<usize, Problem> {
        let marker = self.marker()?;
        let length = self.integer(marker)?;
        usize::try_from(length).map_err(|_| Problem(format!("{length} is not a length")))
    }

    fn text(&mut self) -> Result<&'de str, Problem> {
        let length = self.length()?;
        let bytes = self
            .at
            .checked_add(length)
            .and_then(|end| self.bytes.get(self.at..end));
        let bytes =
            bytes.ok_or_else(|| Problem("the file ends within a text: it is truncated".into()))?;
        let text = std::str::from_utf8(bytes).map_err(|e| Problem(e.to_string()))?;
        self.at += length;
        Ok(text)
    }

    /// Enters an array or object.
    fn enter(&mut self, end: u8) -> Result<Container, Problem> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(Problem(format!(
                "more than {MOST_DEPTH} containers within each other"
            )));
        }
        let mut container = Container {
            end,
            marker: None,
            left: None,
        };
        if self.peek() == Some(b'$') {
            self.at += 1;
            let marker = self.take::<1>()?[0];
            // Values that take no bytes could be announced without end.
            if matches!(marker, b'Z' | b'N' | b'T' | b'F') || self.peek() != Some(b'#') {
                return Err(Problem("a type is announced without values to hold".into()));
            }
            container.marker = Some(marker);
        }
        if self.peek() == Some(b'#') {
            self.at += 1;
            container.left = Some(self.length()?);
        }
        Ok(container)
    }
}

/// What is known of an array or object that is being read.
struct Container {
    end: u8,
    marker: Option<u8>,
    left: Option<usize>,
}

struct Values<'r, 'de> {
    reader: &'r mut Reader<'de>,
    container: Container,
}

impl Values<'_, '_> {
    /// Is there another value? Takes the end where there is none.
    fn more(&mut self) -> bool {
        match &mut self.container.left {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => {
                while self.reader.peek() == Some(b'N') {
                    self.reader.at += 1;
                }
                if self.reader.peek() == Some(self.container.end) {
                    self.reader.at += 1;
                    return false;
                }
                true
            }
        }
    }

    fn value<'de, T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Problem>
    where
        Self: AsReader<'de>,
    {
        let marker = self.container.marker;
        let reader = self.reader();
        reader.marker = marker;
        seed.deserialize(reader)
    }
}

/// Reborrows the reader with the lifetime of its bytes.
trait AsReader<'de> {
    fn reader(&mut self) -> &mut Reader<'de>;
}

impl<'de> AsReader<'de> for Values<'_, 'de> {
    fn reader(&mut self) -> &mut Reader<'de> {
        self.reader
    }
}

impl<'de> SeqAccess<'de> for Values<'_, 'de> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Problem> {
        if !self.more() {
            return Ok(None);
        }
        self.value(seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        // Each value takes at least a byte.
        self.container
            .left
            .map(|left| left.min(self.reader.bytes.len() - self.reader.at))
    }
}

impl<'de> MapAccess<'de> for Values<'_, 'de> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        if !self.more() {
            return Ok(None);
        }
        let key = self.reader.text()?;
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        self.value(seed)
    }
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let marker = match self.marker.take() {
            Some(marker) => marker,
            None => self.marker()?,
        };
        match marker {
            b'Z' => visitor.visit_unit(),
            b'T' => visitor.visit_bool(true),
            b'F' => visitor.visit_bool(false),
            b'd' => visitor.visit_f32(f32::from_be_bytes(self.take()?)),
            b'D' => visitor.visit_f64(f64::from_be_bytes(self.take()?)),
            b'C' => visitor.visit_char(char::from(self.take::<1>()?[0])),
            b'S' | b'H' => visitor.visit_borrowed_str(self.text()?),
            b'[' | b'{' => {
                let container = self.enter(if marker == b'[' { b']' } else { b'}' })?;
                let values = Values {
                    reader: &mut *self,
                    container,
                };
                let value = if marker == b'[' {
                    visitor.visit_seq(values)
                } else {
                    visitor.visit_map(values)
                }?;
                self.depth -= 1;
                Ok(value)
            }
            other => visitor.visit_i64(self.integer(other)?),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        if self.marker.is_none() && self.peek() == Some(b'Z') {
            self.at += 1;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
