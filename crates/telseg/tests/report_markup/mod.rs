//! A strict reader of the small part of HTML that a report uses.

/// An opening tag.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
}

impl Element {
    /// The value of an attribute.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }
}

const VOID: [&str; 5] = ["meta", "link", "input", "br", "hr"];

/// All elements in their order; an error when tags do not balance, an attribute is not quoted or
/// a bare `&` or `<` stands in a text.
pub(crate) fn elements(html: &str) -> Result<Vec<Element>, String> {
    let mut rest = html.strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    let (mut open, mut found) = (Vec::<String>::new(), Vec::new());
    while let Some(at) = rest.find('<') {
        check_text(&rest[..at])?;
        let near: String = rest[at..].chars().take(120).collect();
        let end = tag_end(&rest[at..]).ok_or(format!("tag without end: {near}"))?;
        let tag = &rest[at + 1..at + end];
        rest = &rest[at + end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some(last) if last == name => {}
                last => return Err(format!("</{name}> closes {last:?}: {near}")),
            }
            continue;
        }
        let element = element(tag).ok_or(format!("malformed tag: {near}"))?;
        if element.name == "style" {
            let end = rest.find("</style>").ok_or("style without end")?;
            rest = &rest[end + "</style>".len()..];
        } else if !VOID.contains(&element.name.as_str()) {
            open.push(element.name.clone());
        }
        found.push(element);
    }
    if open.is_empty() {
        Ok(found)
    } else {
        Err(format!("still open: {open:?}"))
    }
}

/// Where the tag ends that a text starts with; a `>` in quotes does not count.
fn tag_end(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == '>' && !quoted).then_some(at)
    })
}

fn element(tag: &str) -> Option<Element> {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    let valid = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
    let mut attributes = Vec::new();
    while !rest.is_empty() {
        let cut = rest.find(['=', ' ']).unwrap_or(rest.len());
        let key = rest[..cut].to_string();
        rest = &rest[cut..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let end = quoted.find('"')?;
            check_text(&quoted[..end]).ok()?;
            value = plain(&quoted[..end]);
            rest = &quoted[end + 1..];
        } else if rest.starts_with('=') {
            return None;
        }
        if !rest.is_empty() {
            rest = rest.strip_prefix(' ')?;
        }
        attributes.push((key, value));
    }
    valid.then(|| Element {
        name: name.into(),
        attributes,
    })
}

fn check_text(text: &str) -> Result<(), String> {
    for (at, _) in text.match_indices('&') {
        if !["&amp;", "&lt;", "&gt;", "&quot;"]
            .iter()
            .any(|e| text[at..].starts_with(e))
        {
            return Err(format!("bare & in {text:?}"));
        }
    }
    Ok(())
}

fn plain(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

/// The values of an attribute, wherever it stands.
pub(crate) fn attributes(html: &str, name: &str) -> Vec<String> {
    let elements = elements(html).unwrap_or_default();
    elements
        .iter()
        .filter_map(|e| e.get(name).map(String::from))
        .collect()
}

/// What is read when tags are taken away, with single spaces.
pub(crate) fn text(html: &str) -> String {
    let body = html.split_once("<body").map_or(html, |(_, body)| body);
    let (mut words, mut rest) = (String::new(), body);
    while let Some(at) = rest.find('<') {
        words += &rest[..at];
        // Blocks end a word, what stands in a line does not.
        let inline = ["<strong", "</strong", "<span", "</span", "<i", "</i"];
        if !inline.iter().any(|tag| rest[at..].starts_with(tag)) {
            words.push(' ');
        }
        rest = &rest[at + tag_end(&rest[at..]).unwrap_or(0) + 1..];
    }
    plain(&words)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
