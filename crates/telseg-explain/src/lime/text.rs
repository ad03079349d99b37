//! LIME of texts: rows nearby are the text without some of its words.

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::{Array1, Array2};
use rand::Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use telseg_core::{Error, Result, Seed};

use super::local::LocalModelParams;
use super::stability::Stability;
use super::tabular::check_sampling;

/// Parameters of [`LimeText`]; start from [`LimeText::params`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LimeTextParams {
    /// Texts to ask the model about, the explained one among them. 5000 unless set.
    pub n_samples: usize,
    /// How fast a text loses weight with its distance, which is 100 times 1 minus the cosine of the words that are left. 25
    /// unless set.
    pub kernel_width: f64,
    /// How the stand-in is fitted.
    pub local: LocalModelParams,
    /// The root of all draws.
    pub seed: u64,
}

impl Default for LimeTextParams {
    fn default() -> Self {
        Self {
            n_samples: 5000,
            kernel_width: 25.0,
            local: LocalModelParams::default(),
            seed: 0,
        }
    }
}

impl LimeTextParams {
    /// Sets how many texts to ask about.
    pub fn with_n_samples(mut self, n_samples: usize) -> Self {
        self.n_samples = n_samples;
        self
    }

    /// Sets how fast a text loses weight with its distance.
    pub fn with_kernel_width(mut self, kernel_width: f64) -> Self {
        self.kernel_width = kernel_width;
        self
    }

    /// Sets how the stand-in is fitted.
    pub fn with_local(mut self, local: LocalModelParams) -> Self {
        self.local = local;
        self
    }

    /// Sets the root of all draws.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// `n_samples` must be at least 2, `kernel_width` above 0 and finite, `local` sound.
    pub fn validate(&self) -> Result<()> {
        check_sampling(self.n_samples, Some(self.kernel_width))?;
        self.local.validate()
    }

    /// Makes ready to explain a model of texts.
    ///
    /// # Errors
    /// When a parameter cannot be.
    pub fn fit<F: Fn(&[String]) -> Result<Array1<f64>>>(&self, score: F) -> Result<LimeText<F>> {
        self.validate()?;
        let params = self.clone();
        Ok(LimeText { params, score })
    }
}

/// One word's part of an explanation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WordPart {
    /// The word, as it is written in the text.
    pub word: String,
    /// How much the score is higher where it is there.
    pub weight: f64,
}

/// A text's score, explained by its words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TextExplanation {
    /// The chosen words, strongest first.
    pub parts: Vec<WordPart>,
    /// The stand-in's score where none of the words is left.
    pub intercept: f64,
    /// The share of the scores' variance nearby that the stand-in explains.
    pub r2: f64,
    /// What the stand-in says of the text.
    pub local_prediction: f64,
    /// What the model says of it.
    pub score: f64,
}

/// Explains any model of texts by the words that it leans on.
///
/// Words are runs of letters and digits, alike wherever they stand; a word is taken away everywhere at once.
///
/// # Cost
/// `n_samples` model scores for each text; samples × words² beside.
///
/// # Examples
/// ```
/// use telseg_explain::LimeText;
/// let angry = |texts: &[String]| Ok(texts.iter().map(|t| if t.contains("cancel") { 0.9 } else { 0.2 }).collect());
/// let why = LimeText::params().with_n_samples(500).fit(angry)?.explain("I want to cancel my plan, cancel it now")?;
/// assert_eq!(why.parts[0].word, "cancel");
/// assert!(why.parts[0].weight > 0.6 && why.score == 0.9);
/// # Ok::<(), telseg_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LimeText<F> {
    params: LimeTextParams,
    score: F,
}

impl LimeText<()> {
    /// What to ask for: everything by default.
    pub fn params() -> LimeTextParams {
        LimeTextParams::default()
    }
}

impl<F: Fn(&[String]) -> Result<Array1<f64>>> LimeText<F> {
    /// Explains one text.
    ///
    /// # Errors
    /// When the text has no word, or the model fails or answers with something else than a finite number for each text.
    pub fn explain(&self, text: &str) -> Result<TextExplanation> {
        let (words, (found, score)) = (Words::of(text)?, self.run(text, 0)?);
        let part = |&(word, weight): &(usize, f64)| WordPart {
            word: text[words.places[word][0].clone()].to_owned(),
            weight,
        };
        let mut parts: Vec<WordPart> = found.weights.iter().map(part).collect();
        parts.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        Ok(TextExplanation {
            parts,
            intercept: found.intercept,
            r2: found.r2,
            local_prediction: found.prediction,
            score,
        })
    }

    /// How far explanations from `n_runs` different draws agree; features are the text's different words, in the order of
    /// their first places.
    ///
    /// # Errors
    /// As [`explain`](Self::explain); and when there are fewer than 2 runs.
    pub fn stability(&self, text: &str, n_runs: usize) -> Result<Stability> {
        if n_runs < 2 {
            let problem = format!("must be at least 2, found {n_runs}");
            return Err(Error::param("n_runs", problem));
        }
        let runs = (0..n_runs).map(|run| Ok(self.run(text, run as u64)?.0.weights));
        Ok(Stability::of(&runs.collect::<Result<Vec<_>>>()?))
    }

    /// What one draw of texts gives, and the model's score of the whole text.
    fn run(&self, text: &str, run: u64) -> Result<(Found, f64)> {
        let words = Words::of(text)?;
        let (n, many) = (words.places.len(), self.params.n_samples);
        let stream = Seed::new(self.params.seed).stream("lime.texts").child(run);
        let mut z = Array2::ones((many, n));
        let mut order: Vec<usize> = (0..n).collect();
        for (i, mut row) in z.outer_iter_mut().enumerate().skip(1) {
            let mut rng = stream.index(i as u64);
            let n_gone = rng.random_range(1..=n);
            order.sort_unstable();
            let (gone, _) = order.partial_shuffle(&mut rng, n_gone);
            gone.iter().for_each(|&word| row[word] = 0.0);
        }
        let left = |row: ndarray::ArrayView1<'_, f64>| words.without(text, |word| row[word] == 0.0);
        let texts: Vec<String> = z.outer_iter().map(left).collect();
        let scores = (self.score)(&texts)?;
        if scores.len() != many {
            let expected = format!("{many} numbers (one for each text)");
            return Err(Error::shape("score", expected, scores.len().to_string()));
        }
        if let Some(bad) = scores.iter().find(|s| !s.is_finite()) {
            let problem = format!("must answer with finite numbers, found {bad}");
            return Err(Error::data("score", problem));
        }
        let weight = |row: ndarray::ArrayView1<'_, f64>| {
            let distance = 100.0 * (1.0 - (row.sum() / n as f64).sqrt()) / self.params.kernel_width;
            (-distance * distance).exp().sqrt()
        };
        let weights: Array1<f64> = z.outer_iter().map(weight).collect();
        let fit = self.params.local.fit(&z, &scores, &weights)?;
        let found = Found {
            weights: fit.kept.into_iter().zip(fit.weights).collect(),
            intercept: fit.intercept,
            r2: fit.r2,
            prediction: fit.prediction,
        };
        Ok((found, scores[0]))
    }
}

/// What one draw found.
struct Found {
    weights: Vec<(usize, f64)>,
    intercept: f64,
    r2: f64,
    prediction: f64,
}

/// The different words of a text, and where they stand.
struct Words {
    places: Vec<Vec<Range<usize>>>,
}

impl Words {
    fn of(text: &str) -> Result<Self> {
        let mut places: Vec<Vec<Range<usize>>> = Vec::new();
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        let mut start = None;
        let ends = text.char_indices().map(Some).chain([None]);
        for at in ends {
            let (place, inside) = match at {
                Some((place, c)) => (place, c.is_alphanumeric() || c == '_'),
                None => (text.len(), false),
            };
            match (start, inside) {
                (None, true) => start = Some(place),
                (Some(from), false) => {
                    let word = *known.entry(&text[from..place]).or_insert(places.len());
                    if word == places.len() {
                        places.push(Vec::new());
                    }
                    places[word].push(from..place);
                    start = None;
                }
                _ => {}
            }
        }
        if places.is_empty() {
            return Err(Error::data("text", "has no word"));
        }
        Ok(Self { places })
    }

    /// The text without some words; what stood between them stays.
    fn without(&self, text: &str, gone: impl Fn(usize) -> bool) -> String {
        let words = self
            .places
            .iter()
            .enumerate()
            .filter(|(word, _)| gone(*word));
        let mut holes: Vec<&Range<usize>> = words.flat_map(|(_, places)| places).collect();
        holes.sort_by_key(|hole| hole.start);
        let (mut left, mut from) = (String::with_capacity(text.len()), 0);
        for hole in holes {
            left.push_str(&text[from..hole.start]);
            from = hole.end;
        }
        left.push_str(&text[from..]);
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_wherever_they_stand() {
        let text = "Сеть плохая, сеть; плохая!";
        let words = Words::of(text).expect("words");
        assert_eq!(words.places.len(), 3); // capitals tell apart
        assert_eq!(words.without(text, |word| word == 1), "Сеть , сеть; !");
        assert_eq!(words.without(text, |_| false), text);
        assert!(Words::of(" ... ").is_err());
    }
}
