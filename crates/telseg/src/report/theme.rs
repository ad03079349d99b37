//! Colours of the page, by day and by night.
//!
//! Every colour of the style sheet and of the charts is a variable from this table. The first
//! nine segment hues follow the "muted" set of Paul Tol (*Colour Schemes*, SRON/EPS/TN/09-002,
//! 2021), which stays apart under the common kinds of colour blindness, with lightness fitted to
//! each background; three more make as many as are tried by default. Segments also carry their number everywhere, so that no colour stands alone.

use std::fmt::Write as _;

/// Segments beyond this many use the colours again.
pub(crate) const SEGMENT_COLOURS: usize = 12;

/// Name, light, dark.
const TOKENS: &[(&str, &str, &str)] = &[
    ("page", "#f7f7f4", "#14171a"),
    ("card", "#ffffff", "#1c2024"),
    ("ink", "#1c2126", "#e8eaec"),
    ("muted", "#57606a", "#a3acb5"),
    ("rule", "#dfe1dd", "#343a40"),
    ("track", "#eceeea", "#2a2f34"),
    ("accent", "#0b6580", "#62c2e0"),
    ("wash", "#e9f2f4", "#1b2c33"),
    ("warn", "#fdf3dc", "#352b16"),
    ("warn-rule", "#d9a62e", "#b08a2c"),
    ("pos", "#c25a12", "#f0a05a"),
    ("neg", "#2b6cb0", "#7ab4ea"),
    ("p1", "#fcefe3", "#2b2521"),
    ("p2", "#f9dcc1", "#46311f"),
    ("p3", "#f2b989", "#6e4420"),
    ("p4", "#d9752b", "#b86a2a"),
    ("p5", "#a3480a", "#f2ab6b"),
    ("n1", "#e8f0f8", "#20272e"),
    ("n2", "#cbdff0", "#213547"),
    ("n3", "#97c0e2", "#244f75"),
    ("n4", "#3f82bd", "#3d83bf"),
    ("n5", "#1c5590", "#8cc2f0"),
    ("p4-ink", "#1c2126", "#ffffff"),
    ("n4-ink", "#ffffff", "#ffffff"),
    ("x5-ink", "#ffffff", "#14171a"),
    ("s0", "#4b3fa8", "#9d94f2"),
    ("s1", "#c4566a", "#f0909d"),
    ("s2", "#21917f", "#5fcab8"),
    ("s3", "#a8851b", "#dfca73"),
    ("s4", "#8a2358", "#d978a6"),
    ("s5", "#3d93c6", "#8ed0f2"),
    ("s6", "#15733a", "#62b97f"),
    ("s7", "#78781f", "#bdbd5c"),
    ("s8", "#9a469a", "#d595d6"),
    ("s9", "#7a5230", "#cfa67f"),
    ("s10", "#5c6b7a", "#aab8c6"),
    ("s11", "#d1491b", "#ff9b6e"),
];

/// The style sheet: the variables, then the rules that use them.
pub(crate) fn style() -> String {
    let light = variables("light", |t| t.1);
    let dark = variables("dark", |t| t.2);
    // On paper it is always day. On a screen the reader's setting holds until a button is chosen.
    format!(
        ":root{{{light}}}\
         @media screen{{\
         @media (prefers-color-scheme:dark){{:root{{{dark}}}}}\
         :root:has(#theme-light:checked){{{light}}}\
         :root:has(#theme-dark:checked){{{dark}}}}}\n{}",
        include_str!("style.css")
    )
}

fn variables(
    scheme: &str,
    colour: impl Fn(&(&str, &'static str, &'static str)) -> &'static str,
) -> String {
    let mut css = format!("color-scheme:{scheme};");
    for token in TOKENS {
        let _ = write!(css, "--{}:{};", token.0, colour(token));
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.2).
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let c = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if c <= 0.040_45 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn pair(name: &str) -> [&'static str; 2] {
        let token = TOKENS.iter().find(|t| t.0 == name).unwrap();
        [token.1, token.2]
    }

    #[test]
    fn contrast_of_black_and_white_is_21() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
    }

    #[test]
    fn letters_and_marks_stand_out_by_day_and_by_night() {
        // WCAG 2.2: 4.5 for text, 3 for what a picture is made of.
        let mut least = vec![
            ("ink", "page", 4.5),
            ("ink", "card", 4.5),
            ("muted", "page", 4.5),
            ("muted", "card", 4.5),
            ("muted", "wash", 4.5),
            ("accent", "page", 4.5),
            ("accent", "card", 4.5),
            ("ink", "warn", 4.5),
            ("ink", "wash", 4.5),
            ("ink", "p3", 4.5),
            ("ink", "n3", 4.5),
            ("p4-ink", "p4", 4.0),
            ("n4-ink", "n4", 4.0),
            ("x5-ink", "p5", 4.5),
            ("x5-ink", "n5", 4.5),
            ("pos", "card", 3.0),
            ("neg", "card", 3.0),
        ];
        let segments: Vec<_> = (0..SEGMENT_COLOURS).map(|s| format!("s{s}")).collect();
        least.extend(segments.iter().map(|s| (s.as_str(), "card", 3.0)));
        for (front, back, least) in least {
            for at in 0..2 {
                let found = contrast(pair(front)[at], pair(back)[at]);
                let scheme = ["light", "dark"][at];
                assert!(
                    found >= least,
                    "{front} on {back}, {scheme}: {found:.2} < {least}"
                );
            }
        }
    }

    #[test]
    fn every_variable_of_the_style_sheet_is_in_the_table() {
        let css = include_str!("style.css");
        for (at, _) in css.match_indices("var(--") {
            let name: String = css[at + 6..].chars().take_while(|c| *c != ')').collect();
            assert!(
                name == "c" || TOKENS.iter().any(|t| t.0 == name),
                "--{name}"
            );
        }
    }
}
