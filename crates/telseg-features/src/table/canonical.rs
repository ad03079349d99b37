//! The three column types that tables hold, and how other Arrow types become one of them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, Date32Array, Float64Array};
use arrow_schema::{DataType, TimeUnit};
use telseg_core::Result;

use super::read::parse::dictionary;

/// Whole numbers beyond this are not exact in double precision.
const EXACT: i128 = 1 << 53;
const DAY_SECONDS: i64 = 86_400;

/// One column in canonical form, or the reason why it cannot be held.
pub(super) enum Canonical {
    Kept(ArrayRef, Option<String>),
    LeftOut(String),
}

/// Numbers become `Float64`, texts and booleans `Dictionary<Int32, Utf8>` with sorted levels, dates `Date32`.
pub(super) fn canonical(array: &ArrayRef) -> Result<Canonical> {
    use DataType as T;
    let kept = |a: ArrayRef| Ok(Canonical::Kept(a, None));
    match array.data_type() {
        T::Float64 => kept(floats(array.as_primitive::<Float64Type>(), |v| v)),
        T::Float32 => kept(floats(array.as_primitive::<Float32Type>(), f64::from)),
        T::Int8 => kept(floats(array.as_primitive::<Int8Type>(), f64::from)),
        T::Int16 => kept(floats(array.as_primitive::<Int16Type>(), f64::from)),
        T::Int32 => kept(floats(array.as_primitive::<Int32Type>(), f64::from)),
        T::UInt8 => kept(floats(array.as_primitive::<UInt8Type>(), f64::from)),
        T::UInt16 => kept(floats(array.as_primitive::<UInt16Type>(), f64::from)),
        T::UInt32 => kept(floats(array.as_primitive::<UInt32Type>(), f64::from)),
        T::Int64 => wide(array.as_primitive::<Int64Type>()),
        T::UInt64 => wide(array.as_primitive::<UInt64Type>()),
        T::Decimal128(_, scale) => {
            let unit = 10f64.powi(i32::from(*scale));
            kept(floats(array.as_primitive::<Decimal128Type>(), |v| {
                v as f64 / unit
            }))
        }
        T::Null => kept(Arc::new(Float64Array::new_null(array.len()))),
        T::Boolean => {
            let values = array.as_boolean();
            let words = values
                .iter()
                .map(|v| v.map(|b| if b { "true" } else { "false" }));
            kept(texts(words)?)
        }
        T::Utf8 => kept(texts(array.as_string::<i32>().iter())?),
        T::LargeUtf8 => kept(texts(array.as_string::<i64>().iter())?),
        T::Utf8View => kept(texts(array.as_string_view().iter())?),
        T::Dictionary(_, values) => match values.as_ref() {
            T::Utf8 | T::LargeUtf8 | T::Utf8View => kept(from_dictionary(array)?),
            other => Ok(Canonical::LeftOut(format!("a dictionary of {other}"))),
        },
        T::Date32 => kept(Arc::new(array.as_primitive::<Date32Type>().clone())),
        T::Date64 => kept(dates(
            array.as_primitive::<Date64Type>(),
            DAY_SECONDS * 1000,
        )),
        T::Timestamp(unit, _) => {
            let days = match unit {
                TimeUnit::Second => dates(array.as_primitive::<TimestampSecondType>(), DAY_SECONDS),
                TimeUnit::Millisecond => dates(
                    array.as_primitive::<TimestampMillisecondType>(),
                    DAY_SECONDS * 1_000,
                ),
                TimeUnit::Microsecond => dates(
                    array.as_primitive::<TimestampMicrosecondType>(),
                    DAY_SECONDS * 1_000_000,
                ),
                TimeUnit::Nanosecond => dates(
                    array.as_primitive::<TimestampNanosecondType>(),
                    DAY_SECONDS * 1_000_000_000,
                ),
            };
            Ok(Canonical::Kept(days, Some("time of day left out".into())))
        }
        other => Ok(Canonical::LeftOut(format!("of type {other}"))),
    }
}

/// Numbers; NaN and infinity become missing.
fn floats<T: ArrowPrimitiveType>(
    array: &arrow_array::PrimitiveArray<T>,
    to: impl Fn(T::Native) -> f64,
) -> ArrayRef {
    let values = array.iter().map(|v| v.map(&to).filter(|v| v.is_finite()));
    Arc::new(Float64Array::from_iter(values))
}

/// 64-bit integers: numbers while all are exact, otherwise codes.
fn wide<T: ArrowPrimitiveType>(array: &arrow_array::PrimitiveArray<T>) -> Result<Canonical>
where
    T::Native: Into<i128> + std::fmt::Display,
{
    if array
        .iter()
        .flatten()
        .all(|v| (-EXACT..=EXACT).contains(&v.into()))
    {
        let values = array.iter().map(|v| v.map(|v| v.into() as f64));
        return Ok(Canonical::Kept(
            Arc::new(Float64Array::from_iter(values)),
            None,
        ));
    }
    let words: Vec<Option<String>> = array.iter().map(|v| v.map(|v| v.to_string())).collect();
    Ok(Canonical::Kept(
        texts(words.iter().map(Option::as_deref))?,
        Some("integers beyond 2^53 taken as text".into()),
    ))
}

fn dates<T: ArrowPrimitiveType<Native = i64>>(
    array: &arrow_array::PrimitiveArray<T>,
    per_day: i64,
) -> ArrayRef {
    let values = array
        .iter()
        .map(|v| v.and_then(|v| i32::try_from(v.div_euclid(per_day)).ok()));
    Arc::new(Date32Array::from_iter(values))
}

/// Texts, trimmed; blank is missing.
pub(super) fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Result<ArrayRef> {
    let mut codes: HashMap<&str, i32> = HashMap::new();
    let mut keys = Vec::new();
    for value in values {
        let value = value.map(str::trim).filter(|v| !v.is_empty());
        let next = codes.len() as i32;
        keys.push(value.map_or(-1, |v| *codes.entry(v).or_insert(next)));
    }
    let mut levels = vec![""; codes.len()];
    codes
        .iter()
        .for_each(|(level, &code)| levels[code as usize] = level);
    dictionary(keys, &levels)
}

fn from_dictionary(array: &ArrayRef) -> Result<ArrayRef> {
    let dict = array.as_any_dictionary();
    let values = dict.values();
    let words: Vec<Option<&str>> = match values.data_type() {
        DataType::Utf8 => values.as_string::<i32>().iter().collect(),
        DataType::LargeUtf8 => values.as_string::<i64>().iter().collect(),
        _ => values.as_string_view().iter().collect(),
    };
    if words.is_empty() {
        return texts((0..array.len()).map(|_| None));
    }
    let keys = dict.normalized_keys();
    texts((0..array.len()).map(|i| {
        if array.is_null(i) {
            None
        } else {
            words[keys[i]]
        }
    }))
}
