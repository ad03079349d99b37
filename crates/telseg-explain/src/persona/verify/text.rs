//! A sentence in pieces: words, numbers and marks.

/// A piece of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    /// As written, in lower case.
    pub(super) text: String,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Word,
    Number(Number),
    Mark,
}

/// A number as written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number {
    pub(super) value: f64,
    /// Half of the last digit's step: how far the true number may be.
    pub(super) half_step: f64,
    pub(super) percent: bool,
}

impl Token {
    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub(super) fn number(&self) -> Option<Number> {
        match self.kind {
            Kind::Number(number) => Some(number),
            _ => None,
        }
    }
}

/// A text as its tokens. Hyphens and apostrophes inside a word belong to it, commas and a point inside digits to the
/// number; a percent sign or the word "percent" behind a number to that.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut found: Vec<Token> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let next = |k: usize| chars.get(at + k).copied();
        let signed = matches!(c, '-' | '\u{2212}')
            && next(1).is_some_and(|d| d.is_ascii_digit())
            && (at == 0 || !chars[at - 1].is_alphanumeric());
        if c.is_whitespace() {
            at += 1;
        } else if c.is_ascii_digit() || signed {
            let end = end_of_number(&chars, at + usize::from(signed));
            // "4g", "1-highest": digits that are the beginning of a word.
            let mut stop = end;
            while stop < chars.len() && is_inner(&chars, stop) {
                stop += 1;
            }
            let end = if stop > end && !signed { stop } else { end };
            found.push(token(&chars[at..end]));
            at = end;
        } else if c == '%' {
            make_percent(&mut found);
            at += 1;
        } else if c.is_alphanumeric() {
            let mut end = at + 1;
            while end < chars.len() && is_inner(&chars, end) {
                end += 1;
            }
            found.push(token(&chars[at..end]));
            at = end;
            if found.last().is_some_and(|t| t.is("percent")) && found.len() > 1 {
                let before = &found[found.len() - 2];
                if before.number().is_some() {
                    found.pop();
                    make_percent(&mut found);
                }
            }
        } else {
            found.push(Token {
                text: c.to_string(),
                kind: Kind::Mark,
            });
            at += 1;
        }
    }
    found
}

/// Whether a character goes on with the word before it.
fn is_inner(chars: &[char], at: usize) -> bool {
    let c = chars[at];
    let next = chars.get(at + 1).is_some_and(|n| n.is_alphanumeric());
    c.is_alphanumeric()
        || (matches!(c, '-' | '\'' | '\u{2019}' | '_') && next && chars[at - 1].is_alphanumeric())
}

fn end_of_number(chars: &[char], start: usize) -> usize {
    let digit = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
    let mut end = start;
    while digit(end) {
        end += 1;
    }
    // Groups of three after the first one to three digits.
    if end - start <= 3 {
        while chars.get(end) == Some(&',') && (1..=3).all(|k| digit(end + k)) && !digit(end + 4) {
            end += 4;
        }
    }
    if chars.get(end) == Some(&'.') && digit(end + 1) {
        end += 1;
        while digit(end) {
            end += 1;
        }
    }
    end
}

fn token(chars: &[char]) -> Token {
    let text: String = chars.iter().collect::<String>().to_lowercase();
    let text = text.replace('\u{2019}', "'");
    let plain = text.replace(',', "").replace('\u{2212}', "-");
    let digits = plain
        .trim_start_matches('-')
        .starts_with(|c: char| c.is_ascii_digit());
    let kind = match plain.parse::<f64>() {
        Ok(value) if digits => {
            let decimals = plain.split_once('.').map_or(0, |(_, d)| d.len());
            Kind::Number(Number {
                value,
                half_step: 0.5 * 0.1f64.powi(decimals as i32),
                percent: false,
            })
        }
        _ => Kind::Word,
    };
    Token { text, kind }
}

/// The number before becomes one in percent; a percent sign without one is a mark of its own.
fn make_percent(found: &mut Vec<Token>) {
    match found.last_mut().map(|t| &mut t.kind) {
        Some(Kind::Number(number)) if !number.percent => number.percent = true,
        _ => found.push(Token {
            text: "%".into(),
            kind: Kind::Mark,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fall_into_their_pieces() {
        let shown: Vec<String> =
            tokens("Data: 1,234.5 GB, -3% vs 40 percent (4G, month-to-month; it's).")
                .into_iter()
                .map(|t| match t.kind {
                    Kind::Number(n) => format!("#{}{}", n.value, if n.percent { "%" } else { "" }),
                    _ => t.text,
                })
                .collect();
        let wanted = [
            "data",
            ":",
            "#1234.5",
            "gb",
            ",",
            "#-3%",
            "vs",
            "#40%",
            "(",
            "4g",
            ",",
            "month-to-month",
            ";",
            "it's",
            ")",
            ".",
        ];
        assert_eq!(shown, wanted);
        assert_eq!(
            tokens("18.24")[0].number().unwrap().half_step,
            0.5 * 0.1f64.powi(2)
        );
        assert_eq!(tokens("12,34").len(), 3);
    }
}
