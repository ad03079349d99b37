//! What is written, as JSON and as UBJSON: XGBoost wants arrays of the types that it writes itself.

use std::fmt::Write;

/// A value of the file.
pub(super) enum Doc {
    Text(String),
    Int(i32),
    Bytes(Vec<u8>),
    Ints(Vec<i32>),
    Longs(Vec<i64>),
    Floats(Vec<f32>),
    List(Vec<Doc>),
    Map(Vec<(&'static str, Doc)>),
}

impl Doc {
    pub(super) fn text(text: impl ToString) -> Self {
        Self::Text(text.to_string())
    }

    pub(super) fn texts(texts: impl IntoIterator<Item = impl ToString>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    /// Whole numbers that the binary form marks one by one, as XGBoost wants it outside of trees.
    pub(super) fn plain_ints(values: impl IntoIterator<Item = i32>) -> Self {
        Self::List(values.into_iter().map(Self::Int).collect())
    }

    pub(super) fn json(&self, out: &mut String) {
        match self {
            Self::Text(text) => quote(text, out),
            Self::Int(v) => numeral(v, out),
            Self::Bytes(v) => list(v, out, numeral),
            Self::Ints(v) => list(v, out, numeral),
            Self::Longs(v) => list(v, out, numeral),
            Self::Floats(v) => list(v, out, |v, out| {
                let _ = write!(out, "{v:E}"); // writing to a string does not fail
            }),
            Self::List(v) => list(v, out, Self::json),
            Self::Map(entries) => {
                out.push('{');
                for (i, (key, value)) in entries.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    quote(key, out);
                    out.push(':');
                    value.json(out);
                }
                out.push('}');
            }
        }
    }

    pub(super) fn ubjson(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => {
                out.push(b'S');
                length(text.len(), out);
                out.extend(text.as_bytes());
            }
            Self::Int(v) => {
                out.push(b'l');
                out.extend(v.to_be_bytes());
            }
            Self::Bytes(v) => typed(b'U', v, out, |v| [*v]),
            Self::Ints(v) => typed(b'l', v, out, |v| v.to_be_bytes()),
            Self::Longs(v) => typed(b'L', v, out, |v| v.to_be_bytes()),
            Self::Floats(v) => typed(b'd', v, out, |v| v.to_be_bytes()),
            Self::List(v) => {
                out.extend(b"[#");
                length(v.len(), out);
                v.iter().for_each(|v| v.ubjson(out));
            }
            Self::Map(entries) => {
                out.push(b'{');
                for (key, value) in entries {
                    length(key.len(), out);
                    out.extend(key.as_bytes());
                    value.ubjson(out);
                }
                out.push(b'}');
            }
        }
    }
}

fn numeral(v: &impl std::fmt::Display, out: &mut String) {
    let _ = write!(out, "{v}"); // writing to a string does not fail
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32); // writing to a string does not fail
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn list<T>(values: &[T], out: &mut String, put: impl Fn(&T, &mut String)) {
    out.push('[');
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        put(value, out);
    }
    out.push(']');
}

fn length(n: usize, out: &mut Vec<u8>) {
    out.push(b'L');
    out.extend((n as i64).to_be_bytes());
}

fn typed<T, const N: usize>(
    marker: u8,
    values: &[T],
    out: &mut Vec<u8>,
    bytes: impl Fn(&T) -> [u8; N],
) {
    out.extend([b'[', b'$', marker, b'#']);
    length(values.len(), out);
    values.iter().for_each(|v| out.extend(bytes(v)));
}
