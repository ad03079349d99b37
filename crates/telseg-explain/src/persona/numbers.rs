//! Numbers as they stand in a sentence.

/// "6,201": thousands apart.
pub(crate) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Whole from 20, one decimal from 1, two significant digits below.
pub(crate) fn amount(value: f64) -> String {
    let size = value.abs();
    if size >= 20.0 {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", count(size.round() as usize));
    }
    let decimals = if size >= 1.0 || size == 0.0 {
        1
    } else {
        (1.0 - size.log10().floor()).clamp(1.0, 6.0) as usize
    };
    trim(format!("{value:.decimals$}"))
}

/// "12.4%", and "57%" from 20%.
pub(crate) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent >= 20.0 {
        return format!("{percent:.0}%");
    }
    if percent > 0.0 && percent < 0.1 {
        return "under 0.1%".into();
    }
    format!("{}%", trim(format!("{percent:.1}")))
}

/// A share of the base, always to a tenth of a percent.
pub(crate) fn share(share: f64) -> String {
    if share > 0.0 && share < 0.001 {
        return percent(share);
    }
    format!("{}%", trim(format!("{:.1}", 100.0 * share)))
}

fn trim(text: String) -> String {
    if !text.contains('.') {
        return text;
    }
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(999), "999");
        for (value, text) in [
            (0.0, "0"),
            (18.24, "18.2"),
            (24.3, "24"),
            (64.76, "65"),
            (3.0, "3"),
            (0.0312, "0.031"),
            (-0.5, "-0.5"),
            (12_345.6, "12,346"),
            (-40.2, "-40"),
            (0.996, "1"),
            (-0.000_000_1, "0"),
        ] {
            assert_eq!(amount(value), text, "{value}");
        }
        assert_eq!(percent(0.124), "12.4%");
        assert_eq!(percent(0.5678), "57%");
        assert_eq!(percent(0.0001), "under 0.1%");
        assert_eq!(share(0.2651), "26.5%");
    }
}
