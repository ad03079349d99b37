//! The tree as a picture that stands alone: by day and by night, and in words for those who cannot see it.

use std::fmt::Write as _;

use telseg_core::{Error, Result};

use super::dendrogram::Dendrogram;
use super::params::Cut;

/// How a [`Dendrogram`] is drawn.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SvgParams {
    /// Most leaves that are drawn: what merges below the last so many clusters is folded into wedges. Default 30.
    pub n_leaves: usize,
    /// The cut that clusters are coloured by. Default: none.
    pub cut: Option<Cut>,
    /// Width of the picture. Default 900.
    pub width: f64,
    /// Height of the picture. Default 460.
    pub height: f64,
    /// Its title. Default: `Which clusters merge, and how far apart they are`.
    pub title: String,
}

impl Default for SvgParams {
    fn default() -> Self {
        Self {
            n_leaves: 30,
            cut: None,
            width: 900.0,
            height: 460.0,
            title: "Which clusters merge, and how far apart they are".to_owned(),
        }
    }
}

impl SvgParams {
    /// Sets the most leaves that are drawn.
    pub fn with_n_leaves(mut self, n_leaves: usize) -> Self {
        self.n_leaves = n_leaves;
        self
    }

    /// Sets the cut that clusters are coloured by.
    pub fn with_cut(mut self, cut: Cut) -> Self {
        self.cut = Some(cut);
        self
    }

    /// Sets width and height of the picture.
    pub fn with_size(mut self, width: f64, height: f64) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    /// Sets the title.
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// The first parameter that cannot have its value, by name.
    pub fn validate(&self) -> Result<()> {
        if !(2..=500).contains(&self.n_leaves) {
            let problem = format!("expected from 2 to 500, found {}", self.n_leaves);
            return Err(Error::param("n_leaves", problem));
        }
        for (name, found) in [("width", self.width), ("height", self.height)] {
            if !(found.is_finite() && found >= 200.0) {
                let problem = format!("expected a number of at least 200, found {found}");
                return Err(Error::param(name, problem));
            }
        }
        self.cut.map_or(Ok(()), |cut| cut.validate())
    }
}

/// Hues by day and by night, after the "muted" set of P. Tol (2021), "Colour schemes".
const HUES: [(&str, &str); 9] = [
    ("#4b3fa8", "#9d94f2"),
    ("#c4566a", "#f0909d"),
    ("#21917f", "#5fcab8"),
    ("#a8851b", "#dfca73"),
    ("#8a2358", "#d978a6"),
    ("#3d93c6", "#8ed0f2"),
    ("#15733a", "#62b97f"),
    ("#78781f", "#bdbd5c"),
    ("#9a469a", "#d595d6"),
];
/// Room around the tree: above, right, below, left.
const MARGIN: [f64; 4] = [46.0, 18.0, 92.0, 64.0];

impl Dendrogram {
    /// The tree as an SVG document with a title, a description in words, and colours by day and by night.
    ///
    /// Each leaf is a cluster whose own merges are folded into a wedge as high as the last of them; the number beneath is its
    /// weight (rows, where no weights were given). Merges above the cut are grey, the dashed line is the cut.
    ///
    /// # Errors
    /// When a parameter cannot be, or there is no such cut.
    ///
    /// # Examples
    /// ```
    /// use ndarray::array;
    /// use telseg_cluster::{Cut, Hierarchical, SvgParams};
    /// let usage = array![[0.0f32], [1.0], [10.0], [12.0], [40.0]];
    /// let model = Hierarchical::params(2).fit(&usage)?;
    /// let svg = model.dendrogram().svg(&SvgParams::default().with_cut(Cut::Clusters(2)))?;
    /// assert!(svg.starts_with("<svg ") && svg.contains("cluster 0: 4"));
    /// # Ok::<(), telseg_core::Error>(())
    /// ```
    pub fn svg(&self, params: &SvgParams) -> Result<String> {
        params.validate()?;
        let picture = Picture::new(self, params)?;
        let (w, h) = (params.width, params.height);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" \
             aria-labelledby=\"dendrogram-title dendrogram-text\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
             <title id=\"dendrogram-title\">{}</title>\n<desc id=\"dendrogram-text\">{}</desc>\n{}\n",
            escape(&params.title),
            escape(&picture.words()),
            style(),
        );
        let _ = writeln!(out, "<rect class=\"page\" width=\"{w}\" height=\"{h}\"/>");
        let _ = writeln!(
            out,
            "<text class=\"title\" x=\"16\" y=\"26\">{}</text>",
            escape(&params.title)
        );
        picture.axis(&mut out);
        picture.branches(&mut out);
        picture.leaves(&mut out);
        picture.clusters(&mut out);
        out.push_str("</svg>\n");
        Ok(out)
    }
}

/// What is drawn, and where.
struct Picture<'a> {
    tree: &'a Dendrogram,
    params: &'a SvgParams,
    /// Merges below this one are folded.
    first: usize,
    /// Merges below the cut.
    n_kept: Option<usize>,
    /// Drawn leaves from left to right, by their number.
    leaves: Vec<u32>,
    /// Cluster of the cut of each drawn leaf; none where it holds several.
    of_leaf: Vec<Option<u32>>,
    /// Place from left to right of each drawn merge.
    at: Vec<f64>,
    top: f64,
}

impl<'a> Picture<'a> {
    fn new(tree: &'a Dendrogram, params: &'a SvgParams) -> Result<Self> {
        let (n, merges) = (tree.n_leaves(), tree.merges());
        let first = merges.len()
            - merges
                .len()
                .min(params.n_leaves - tree.n_trees().min(params.n_leaves));
        let n_kept = params.cut.map(|cut| tree.n_kept(cut)).transpose()?;
        let mut picture = Self {
            tree,
            params,
            first,
            n_kept,
            leaves: Vec::new(),
            of_leaf: Vec::new(),
            at: vec![0.0; merges.len() - first],
            top: merges.iter().map(|m| m.height).fold(0.0, f64::max),
        };
        picture.place();
        if let (Some(cut), Some(n_kept)) = (params.cut, n_kept) {
            let labels = tree.cut(cut)?;
            let mut below: Vec<u32> = (0..n as u32).collect();
            for merge in merges {
                below.push(below[merge.left as usize]);
            }
            let label = |&id: &u32| {
                let whole = (id as usize) < n + n_kept;
                whole.then(|| labels[below[id as usize] as usize])
            };
            picture.of_leaf = picture.leaves.iter().map(label).collect();
        } else {
            picture.of_leaf = vec![None; picture.leaves.len()];
        }
        Ok(picture)
    }

    /// Orders the leaves so that no branches cross, the heavier part of each merge to the left.
    fn place(&mut self) {
        let (n, merges) = (self.tree.n_leaves(), self.tree.merges());
        let mut is_part = vec![false; n + merges.len()];
        merges.iter().for_each(|m| {
            is_part[m.left as usize] = true;
            is_part[m.right as usize] = true;
        });
        let mut stack: Vec<u32> = (0..(n + merges.len()) as u32)
            .filter(|&id| !is_part[id as usize])
            .collect();
        // Of many trees, those that were merged last.
        let skip = stack.len().saturating_sub(self.params.n_leaves);
        stack.drain(..skip);
        while let Some(id) = stack.pop() {
            match self.drawn(id) {
                None => self.leaves.push(id),
                Some(merge) => {
                    let (a, b) = (merge.left, merge.right);
                    let swap = self.size(a) > self.size(b);
                    stack.extend(if swap { [b, a] } else { [a, b] });
                }
            }
        }
        let mut at = vec![0.0; n + merges.len()];
        for (place, &leaf) in self.leaves.iter().enumerate() {
            at[leaf as usize] = place as f64 + 0.5;
        }
        for (i, merge) in merges.iter().enumerate().skip(self.first) {
            at[n + i] = 0.5 * (at[merge.left as usize] + at[merge.right as usize]);
            self.at[i - self.first] = at[n + i];
        }
    }

    /// The merge that made a cluster, when it is drawn.
    fn drawn(&self, id: u32) -> Option<&super::Merge> {
        let i = (id as usize).checked_sub(self.tree.n_leaves())?;
        (i >= self.first).then(|| &self.tree.merges()[i])
    }

    fn size(&self, id: u32) -> f64 {
        let i = (id as usize).checked_sub(self.tree.n_leaves());
        i.map_or_else(|| self.tree.leaf_size(id), |i| self.tree.merges()[i].size)
    }

    fn height(&self, id: u32) -> f64 {
        let i = (id as usize).checked_sub(self.tree.n_leaves());
        i.map_or(0.0, |i| self.tree.merges()[i].height)
    }

    /// The cluster of the cut that a drawn cluster lies in.
    fn cluster(&self, id: u32) -> Option<u32> {
        let place = self.leaves.iter().position(|&leaf| leaf == id);
        match place {
            Some(place) => self.of_leaf[place],
            None => {
                let whole = (id as usize) < self.tree.n_leaves() + self.n_kept?;
                whole
                    .then(|| self.drawn(id).and_then(|merge| self.cluster(merge.left)))
                    .flatten()
            }
        }
    }

    fn step(&self) -> f64 {
        (self.params.width - MARGIN[1] - MARGIN[3]) / self.leaves.len().max(1) as f64
    }

    fn x(&self, place: f64) -> f64 {
        MARGIN[3] + place * self.step()
    }

    fn x_of(&self, id: u32) -> f64 {
        match self.leaves.iter().position(|&leaf| leaf == id) {
            Some(place) => self.x(place as f64 + 0.5),
            None => self.x(self.at[id as usize - self.tree.n_leaves() - self.first]),
        }
    }

    fn y(&self, height: f64) -> f64 {
        let (low, high) = (self.params.height - MARGIN[2], MARGIN[0]);
        if self.top > 0.0 {
            low - (low - high) * height / self.top
        } else {
            low
        }
    }

    fn axis(&self, out: &mut String) {
        let (left, right) = (MARGIN[3], self.params.width - MARGIN[1]);
        for tick in ticks(self.top) {
            let y = self.y(tick);
            let _ = writeln!(
                out,
                "<line class=\"rule\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"muted\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 8.0,
                y + 4.0,
                number(tick),
            );
        }
        let middle = 0.5 * (MARGIN[0] + self.params.height - MARGIN[2]);
        let _ = writeln!(
            out,
            "<text class=\"muted\" transform=\"translate(20 {middle:.1}) rotate(-90)\" text-anchor=\"middle\">height</text>"
        );
        if let Some(n_kept) = self.n_kept {
            let below = n_kept
                .checked_sub(1)
                .map_or(0.0, |i| self.tree.merges()[i].height);
            let above = self
                .tree
                .merges()
                .get(n_kept)
                .map_or(self.top, |m| m.height);
            let y = self.y(0.5 * (below + above.max(below)));
            let _ = writeln!(
                out,
                "<line class=\"cut\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
            );
        }
    }

    fn branches(&self, out: &mut String) {
        let n = self.tree.n_leaves();
        for (i, merge) in self.tree.merges().iter().enumerate().skip(self.first) {
            let class = class(self.cluster((n + i) as u32));
            let y = self.y(merge.height);
            let leg = |id: u32| (self.x_of(id), self.y(self.height(id)));
            let ((xl, yl), (xr, yr)) = (leg(merge.left), leg(merge.right));
            let _ = writeln!(
                out,
                "<path class=\"branch {class}\" d=\"M{xl:.1} {yl:.1}V{y:.1}H{xr:.1}V{yr:.1}\"><title>{} merge at {}: {} and {}\
                 </title></path>",
                count(merge.size),
                number(merge.height),
                count(self.size(merge.left)),
                count(self.size(merge.right)),
            );
        }
    }

    /// Wedges of folded merges, and sizes.
    fn leaves(&self, out: &mut String) {
        let (base, half) = (self.y(0.0), (0.38 * self.step()).min(9.0));
        self.name_row(out, "size", base + 16.0);
        for (place, (&id, &cluster)) in self.leaves.iter().zip(&self.of_leaf).enumerate() {
            let (x, y, class) = (
                self.x(place as f64 + 0.5),
                self.y(self.height(id)),
                class(cluster),
            );
            if (id as usize) >= self.tree.n_leaves() {
                let _ = writeln!(
                    out,
                    "<path class=\"wedge {class}\" d=\"M{x:.1} {y:.1}L{:.1} {base:.1}H{:.1}Z\"/>",
                    x - half,
                    x + half
                );
            }
            let size = count(self.size(id));
            let y = base + 14.0;
            let turn = if self.step() < 7.0 * size.len() as f64 + 6.0 {
                format!(
                    "transform=\"translate({:.1} {y:.1}) rotate(-55)\" text-anchor=\"end\"",
                    x + 4.0
                )
            } else {
                format!("x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\"", y + 2.0)
            };
            let _ = writeln!(out, "<text class=\"leaf\" {turn}>{size}</text>");
        }
    }

    /// What the numbers in a row beneath the tree are.
    fn name_row(&self, out: &mut String, name: &str, y: f64) {
        let x = MARGIN[3] - 8.0;
        let _ = writeln!(
            out,
            "<text class=\"muted leaf\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{name}</text>"
        );
    }

    /// A bar under the leaves of each cluster of the cut, with its number.
    fn clusters(&self, out: &mut String) {
        let y = self.params.height - 30.0;
        if self.of_leaf.iter().any(Option::is_some) {
            self.name_row(out, "cluster", y + 19.0);
        }
        let mut start = 0;
        while start < self.leaves.len() {
            let cluster = self.of_leaf[start];
            let end = (start..self.leaves.len())
                .take_while(|&i| self.of_leaf[i] == cluster)
                .count()
                + start;
            if let Some(label) = cluster {
                let (from, to) = (self.x(start as f64) + 2.0, self.x(end as f64) - 2.0);
                let _ = writeln!(
                    out,
                    "<rect class=\"bar c{}\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"4\" rx=\"2\"/>\
                     <text class=\"leaf\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                    label as usize % HUES.len(),
                    (to - from).max(2.0),
                    0.5 * (from + to),
                    y + 19.0,
                );
            }
            start = end;
        }
    }

    /// The picture in words.
    fn words(&self) -> String {
        let merges = self.tree.merges();
        let rows: f64 = (0..self.tree.n_leaves() as u32)
            .map(|leaf| self.tree.leaf_size(leaf))
            .sum();
        let mut words = format!(
            "A tree over {} rows, drawn with {} leaves; heights go up to {}.",
            count(rows),
            self.leaves.len(),
            number(self.top)
        );
        if self.tree.n_trees() > 1 {
            let _ = write!(
                words,
                " There are {} trees that are not connected.",
                self.tree.n_trees()
            );
        }
        let mut sizes: Vec<(u32, f64)> = Vec::new();
        for (&id, cluster) in self.leaves.iter().zip(&self.of_leaf) {
            if let Some(label) = *cluster {
                match sizes.iter_mut().find(|(known, _)| *known == label) {
                    Some((_, size)) => *size += self.size(id),
                    None => sizes.push((label, self.size(id))),
                }
            }
        }
        sizes.sort_by_key(|(label, _)| *label);
        if !sizes.is_empty() {
            let sizes: Vec<String> = sizes
                .iter()
                .map(|(label, size)| format!("cluster {label}: {}", count(*size)))
                .collect();
            let _ = write!(words, " Rows by cluster of the cut: {}.", sizes.join(", "));
        }
        let last = merges.iter().rev().take(5).map(|merge| {
            let (a, b) = (count(self.size(merge.left)), count(self.size(merge.right)));
            format!("{a} with {b} at {}", number(merge.height))
        });
        let last: Vec<String> = last.collect();
        if !last.is_empty() {
            let _ = write!(
                words,
                " The last merges, from the top: {}.",
                last.join("; ")
            );
        }
        words
    }
}

fn class(cluster: Option<u32>) -> String {
    cluster.map_or_else(
        || "above".to_owned(),
        |label| format!("c{}", label as usize % HUES.len()),
    )
}

fn style() -> String {
    let rules = |night: bool| {
        let of = |day: &'static str, dark: &'static str| if night { dark } else { day };
        let mut rules = format!(
            ".page{{fill:{}}}text{{fill:{}}}.muted{{fill:{}}}.rule{{stroke:{}}}.cut{{stroke:{}}}.above{{stroke:{}}}\
             .wedge.above{{fill:{}}}",
            of("#ffffff", "#1c2024"),
            of("#1c2126", "#e8eaec"),
            of("#57606a", "#a3acb5"),
            of("#dfe1dd", "#343a40"),
            of("#1c2126", "#e8eaec"),
            of("#8a929b", "#7c858e"),
            of("#8a929b", "#7c858e"),
        );
        for (i, (day, dark)) in HUES.iter().enumerate() {
            let hue = of(day, dark);
            let _ = write!(
                rules,
                ".branch.c{i}{{stroke:{hue}}}.wedge.c{i},.bar.c{i}{{fill:{hue}}}"
            );
        }
        rules
    };
    format!(
        "<style>.branch{{fill:none;stroke-width:1.6;stroke-linejoin:round}}.wedge{{opacity:.45}}.cut{{stroke-dasharray:5 4}}\
         .title{{font-size:15px;font-weight:600}}.leaf{{font-size:11px}}{}\
         @media (prefers-color-scheme:dark){{{}}}</style>",
        rules(false),
        rules(true)
    )
}

/// Some round heights from 0 up.
fn ticks(top: f64) -> Vec<f64> {
    if !(top > 0.0 && top.is_finite()) {
        return vec![0.0];
    }
    let rough = top / 5.0;
    let unit = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|m| m * unit)
        .into_iter()
        .find(|&s| s >= rough)
        .unwrap_or(rough);
    (0..=5)
        .map(|i| i as f64 * step)
        .filter(|&tick| tick <= top)
        .collect()
}

/// A height with about three digits.
fn number(v: f64) -> String {
    let places = if v == 0.0 {
        0.0
    } else {
        (2.0 - v.abs().log10().floor()).clamp(0.0, 9.0)
    };
    let text = format!("{v:.*}", places as usize);
    let trimmed = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    trimmed.to_owned()
}

/// A weight: with its thousands apart where it is whole.
fn count(v: f64) -> String {
    if v.fract() != 0.0 || v >= 1e15 {
        return number(v);
    }
    let digits = format!("{v:.0}");
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 0.012345, 1.5, 12.34, 1234.5].map(number);
        assert_eq!(shown, ["0", "0.0123", "1.5", "12.3", "1234"]);
        assert_eq!([1.0, 1234567.0, 2.5].map(count), ["1", "1,234,567", "2.5"]);
        assert_eq!(ticks(7.0), [0.0, 2.0, 4.0, 6.0]);
        assert_eq!(ticks(0.0), [0.0]);
    }
}
