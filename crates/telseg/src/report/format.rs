//! Numbers as people read them. What is not a number is a dash.

use crate::report::model::Interval;

/// Stands for a number that is not there.
pub(crate) const DASH: &str = "–";

/// A count with its thousands apart: `12,345`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with about three significant digits, never in scientific notation unless it must be.
pub(crate) fn number(x: f64) -> String {
    if !x.is_finite() {
        return DASH.into();
    }
    let size = x.abs();
    let text = if size >= 1e15 || (size > 0.0 && size < 1e-4) {
        format!("{x:.1e}")
    } else if size >= 99.95 {
        let sign = if x < 0.0 { "-" } else { "" };
        format!("{sign}{}", count(size.round() as u64))
    } else if size >= 9.995 {
        trimmed(format!("{x:.1}"))
    } else if size >= 0.995 {
        trimmed(format!("{x:.2}"))
    } else {
        trimmed(format!("{x:.3}"))
    };
    minus(text)
}

/// A number where there is little room: `120k`, `3.5M`.
pub(crate) fn compact(x: f64) -> String {
    match x.abs() {
        size if size >= 1e12 => number(x),
        size if size >= 1e9 => format!("{}bn", number(x / 1e9)),
        size if size >= 1e6 => format!("{}M", number(x / 1e6)),
        size if size >= 1e4 => format!("{}k", number(x / 1e3)),
        _ => number(x),
    }
}

/// Exactly so many decimals, for columns that are read downwards.
pub(crate) fn fixed(x: f64, decimals: usize) -> String {
    if x.is_finite() {
        minus(format!("{x:.decimals$}"))
    } else {
        DASH.into()
    }
}

/// A number that shows its sign either way, unless it is written as zero: `+1.3`.
pub(crate) fn signed(x: f64, decimals: usize) -> String {
    let text = fixed(x, decimals);
    let none = text.starts_with('−') || text.chars().all(|c| matches!(c, '0' | '.'));
    if none || !x.is_finite() {
        text
    } else {
        format!("+{text}")
    }
}

/// A share in running text: `43%`, `2.6%`, `<0.1%`.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if !percent.is_finite() {
        DASH.into()
    } else if percent > 0.0 && percent < 0.1 {
        "<0.1%".into()
    } else if percent.abs() < 9.95 {
        format!("{}%", trimmed(fixed(percent, 1)))
    } else {
        format!("{}%", fixed(percent, 0))
    }
}

/// A share in a table, always with one decimal.
pub(crate) fn percent1(share: f64) -> String {
    if !share.is_finite() {
        DASH.into()
    } else if share > 0.0 && share < 0.0005 {
        "<0.1%".into()
    } else {
        format!("{}%", fixed(share * 100.0, 1))
    }
}

/// An amount of money.
pub(crate) fn money(x: f64, currency: &str) -> String {
    match number(x) {
        text if !x.is_finite() => text,
        text => match text.strip_prefix('−') {
            Some(size) => format!("−{currency}{size}"),
            None => format!("{currency}{text}"),
        },
    }
}

/// "0.81 to 0.85", or nothing when the ends are not known.
pub(crate) fn range(interval: Interval, show: impl Fn(f64) -> String) -> Option<String> {
    let (low, high) = interval.ends()?;
    Some(format!("{} to {}", show(low), show(high)))
}

/// Seconds, in the unit that suits them.
pub(crate) fn seconds(s: f64) -> String {
    if !s.is_finite() {
        DASH.into()
    } else if s < 0.0005 {
        "<1 ms".into()
    } else if s < 0.9995 {
        format!("{:.0} ms", s * 1e3)
    } else if s < 120.0 {
        format!("{} s", fixed(s, 1))
    } else {
        format!("{} min {:02.0} s", (s / 60.0).floor(), (s % 60.0).floor())
    }
}

/// "a", "a and b", "a, b and c".
pub(crate) fn listed<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().into(),
        [head @ .., last] => {
            let head: Vec<_> = head.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", head.join(", "), last.as_ref())
        }
    }
}

/// A name cut to so many characters, with an ellipsis when something was cut.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.into();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn trimmed(text: String) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').into()
    } else {
        text
    }
}

/// A true minus sign, and none before a zero.
fn minus(text: String) -> String {
    match text.strip_prefix('-') {
        Some(size) if size.chars().all(|c| matches!(c, '0' | '.' | ',')) => size.into(),
        Some(size) => format!("−{size}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_their_thousands_apart() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
    }

    #[test]
    fn numbers_keep_three_digits() {
        for (x, text) in [
            (0.0, "0"),
            (-0.0001, "0"),
            (0.123_45, "0.123"),
            (1.0, "1"),
            (1.234, "1.23"),
            (-12.36, "−12.4"),
            (99.96, "100"),
            (1_234.6, "1,235"),
            (-20_000.0, "−20,000"),
            (f64::NAN, DASH),
            (f64::NEG_INFINITY, DASH),
        ] {
            assert_eq!(number(x), text);
        }
    }

    #[test]
    fn little_room_makes_short_numbers() {
        assert_eq!(compact(9_000.0), "9,000");
        assert_eq!(compact(-120_000.0), "−120k");
        assert_eq!(compact(3.5e6), "3.5M");
        assert_eq!(compact(2e9), "2bn");
    }

    #[test]
    fn shares_are_percentages() {
        assert_eq!(percent(0.431), "43%");
        assert_eq!(percent(0.0265), "2.6%");
        assert_eq!(percent(0.02), "2%");
        assert_eq!(percent(0.0004), "<0.1%");
        assert_eq!(percent(1.0), "100%");
        assert_eq!(percent1(0.5), "50.0%");
        assert_eq!(percent1(f64::NAN), DASH);
    }

    #[test]
    fn signs_money_and_time() {
        assert_eq!(signed(0.31, 1), "+0.3");
        assert_eq!(signed(-0.31, 1), "−0.3");
        assert_eq!(signed(-0.01, 1), "0.0");
        assert_eq!(money(-64.76, "€"), "−€64.8");
        assert_eq!(money(f64::NAN, "€"), DASH);
        assert_eq!(seconds(0.0123), "12 ms");
        assert_eq!(seconds(3.21), "3.2 s");
        assert_eq!(seconds(125.4), "2 min 05 s");
    }

    #[test]
    fn lists_and_cuts() {
        assert_eq!(listed::<&str>(&[]), "");
        assert_eq!(listed(&["a", "b"]), "a and b");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(shortened("Größe", 5), "Größe");
        assert_eq!(shortened("Größenordnung", 6), "Größe…");
    }
}
