//! How good the model is, each picture with one sentence on how to read it.

use maud::{Markup, html};

use super::summary::{capital, times};
use crate::report::chart::{self, Axis, Plot, Ticks};
use crate::report::format::{count, fixed, percent, percent1, range, signed};
use crate::report::model::{Calibration, Interval, Prediction};
use crate::report::view::{self, View, curve_at, figure};

pub(crate) fn section(view: View<'_>) -> Markup {
    view::section(
        "model",
        "Prediction",
        html! {
            @match &view.report.prediction {
                None => {
                    p.empty { "No target column was given, so nothing was predicted." }
                }
                Some(prediction) => {
                    p { (measured(view, prediction)) }
                    (measures(view, prediction))
                    div.grid {
                        (gains(view, prediction))
                        (calibration(view, prediction))
                        (roc(view, prediction))
                        (precision_recall(view, prediction))
                    }
                    (by_segment(view, prediction))
                }
            }
        },
    )
}

fn measured(view: View<'_>, p: &Prediction) -> Markup {
    let words = view.words();
    html! {
        "Predicts " strong { (p.target) " = " (p.positive) } ". Measured on "
        (count(p.n)) " " (words.subscribers) ", of whom " (count(p.positives)) " " (words.happen)
        @if p.folds > 1 {
            ", by " (p.folds) "-fold cross-validation: every score comes from a model that had not seen that row"
        } @else {
            ", on rows that were held out"
        }
        ". " (p.method)
    }
}

/// A measure of quality as a row of the table.
struct Measure {
    name: &'static str,
    value: Interval,
    decimals: usize,
    /// What a constant score reaches.
    without: f64,
    means: String,
}

impl Measure {
    fn new(name: &'static str, value: Interval, decimals: usize, without: f64) -> Self {
        Self {
            name,
            value,
            decimals,
            without,
            means: String::new(),
        }
    }

    fn means(mut self, words: impl Into<String>) -> Self {
        self.means = words.into();
        self
    }
}

fn measures(view: View<'_>, p: &Prediction) -> Markup {
    let words = view.words();
    let base = view.base_rate().unwrap_or(f64::NAN);
    let entropy = -(base * base.ln() + (1.0 - base) * (1.0 - base).ln());
    let rows = [
        Measure::new("AUC", p.auc, 3, 0.5).means(format!(
            "how often one who is going to {} scores above one who is not",
            words.happen
        )),
        Measure::new("Average precision", p.average_precision, 3, base)
            .means("precision averaged over all ways to cut the list"),
        Measure::new("Lift in the top 10%", p.lift_at_10, 2, 1.0).means(format!(
            "{} there over the {} of all",
            words.rate, words.rate
        )),
        Measure::new("Log loss", p.log_loss.into(), 4, entropy)
            .means("penalty for confident mistakes; lower is better"),
        Measure::new("Brier score", p.brier.into(), 4, base * (1.0 - base))
            .means("squared error of the probabilities; lower is better"),
    ];
    html! {
        div.card {
            table.stack.measures {
                caption { "Quality of the " (words.event) " model" }
                thead { tr {
                    th scope="col" { "Measure" } th.number scope="col" { "Value" }
                    th.number scope="col" { "Interval" } th.number scope="col" { "Without a model" }
                    th scope="col" { "What it says" }
                } }
                tbody {
                    @for row in rows.iter().filter(|r| r.value.estimate.is_finite()) {
                        tr {
                            th scope="row" { (row.name) }
                            td.number data-label="Value" { strong { (fixed(row.value.estimate, row.decimals)) } }
                            td.number data-label="Interval" {
                                (range(row.value, |x| fixed(x, row.decimals)).unwrap_or("–".into()))
                            }
                            td.number data-label="Without a model" { (fixed(row.without, row.decimals)) }
                            td.means data-label="" { (row.means) }
                        }
                    }
                }
            }
        }
    }
}

fn gains(view: View<'_>, p: &Prediction) -> Markup {
    let words = view.words();
    if p.gains.is_empty() {
        return html! {};
    }
    let says = match curve_at(&p.gains, 0.2) {
        Some(gain) => format!(
            "Contacting the 20% scored highest reaches {} of all who {}; at random it would be 20%.",
            percent(gain),
            words.happen
        ),
        None => format!(
            "How many of those who {} are reached by contacting the highest scores first.",
            words.happen
        ),
    };
    let mut plot = Plot::new(
        format!("Cumulative gains. {says}"),
        Axis::share(format!("{} contacted →", capital(&words.subscribers))),
        Axis::share(format!("↑ Reached of those who {}", words.happen)),
    );
    plot = plot.line("chance", &[(0.0, 0.0), (1.0, 1.0)]);
    if let Some(base) = view.base_rate().filter(|b| *b > 0.0) {
        plot = plot.line("ideal", &[(0.0, 0.0), (base, 1.0), (1.0, 1.0)]);
        plot = plot.text("faint", (base, 1.0), (6.0, 14.0), "perfect");
    }
    plot = plot
        .line("accent", &p.gains)
        .text("faint end", (1.0, 1.0), (-44.0, 66.0), "chance");
    if let Some(gain) = curve_at(&p.gains, 0.2) {
        plot = plot.dot("accent", (0.2, gain), 5.0, &says);
        plot = plot.text("strong", (0.2, gain), (10.0, 6.0), &percent(gain));
    }
    figure("Whom to contact: gains", plot.draw(), html! { (says) })
}

fn calibration(view: View<'_>, p: &Prediction) -> Markup {
    let bins: Vec<&Calibration> = (p.calibration.iter())
        .filter(|b| b.predicted.is_finite() && b.observed.is_finite())
        .collect();
    if bins.is_empty() {
        return html! {};
    }
    let weight = |b: &Calibration| {
        if b.weight.is_finite() {
            b.weight.max(0.0)
        } else {
            0.0
        }
    };
    let all: f64 = bins.iter().map(|b| weight(b)).sum();
    let gap: f64 = bins
        .iter()
        .map(|b| weight(b) * (b.predicted - b.observed).abs())
        .sum();
    let mut says = String::from("On the dashed line a score of 30% means that 30% ");
    says += &view.words().happen;
    says += ".";
    if all > 0.0 {
        says += &format!(
            " The average distance from it is {} points.",
            fixed(gap / all * 100.0, 1)
        );
    }
    let most = bins
        .iter()
        .map(|b| weight(b))
        .fold(f64::MIN_POSITIVE, f64::max);
    // Rare events have low scores: the axes end where the bins do.
    let top = (bins.iter()).fold(0.0f64, |top, b| top.max(b.predicted).max(b.observed));
    let axis = |title: &str| match top > 0.5 {
        true => Axis::share(title),
        false => Axis::around(title, [0.0, top], Ticks::Percent),
    };
    let mut plot = Plot::new(
        format!("Calibration. {says}"),
        axis("Predicted →"),
        axis("↑ Observed"),
    )
    .line("chance", &[(0.0, 0.0), (1.0, 1.0)]);
    let line: Vec<_> = bins.iter().map(|b| (b.predicted, b.observed)).collect();
    plot = plot.line("accent thin", &line);
    for bin in &bins {
        let tip = format!(
            "predicted {}, observed {}",
            percent1(bin.predicted),
            percent1(bin.observed)
        );
        let radius = 2.5 + 4.5 * (weight(bin) / most).sqrt();
        plot = plot.dot("accent", (bin.predicted, bin.observed), radius, &tip);
    }
    figure(
        "Can the scores be taken at their word: calibration",
        plot.draw(),
        html! { (says) },
    )
}

fn roc(view: View<'_>, p: &Prediction) -> Markup {
    if p.roc.is_empty() {
        return html! {};
    }
    let happen = &view.words().happen;
    let swapped: Vec<_> = p.roc.iter().map(|(x, y)| (*y, *x)).collect();
    let says = match curve_at(&swapped, 0.8) {
        Some(alarm) => format!(
            "To catch 80% of those who {happen}, {} of the others are flagged too.",
            percent(alarm)
        ),
        None => format!(
            "Share of those who {happen} that are caught, against the share of the others flagged."
        ),
    };
    let mut plot = Plot::new(
        format!("ROC curve, area {}. {says}", fixed(p.auc.estimate, 3)),
        Axis::share("Others flagged (false positives) →"),
        Axis::share("↑ Caught (true positives)"),
    )
    .line("chance", &[(0.0, 0.0), (1.0, 1.0)])
    .line("accent", &p.roc);
    if p.auc.estimate.is_finite() {
        let area = format!("AUC {}", fixed(p.auc.estimate, 3));
        plot = plot.text("strong end", (1.0, 0.0), (-8.0, -12.0), &area);
    }
    if let Some(alarm) = curve_at(&swapped, 0.8) {
        plot = plot.dot("accent", (alarm, 0.8), 5.0, &says);
    }
    figure(
        "Caught against false alarms: ROC",
        plot.draw(),
        html! { (says) },
    )
}

fn precision_recall(view: View<'_>, p: &Prediction) -> Markup {
    if p.precision_recall.is_empty() {
        return html! {};
    }
    let happen = &view.words().happen;
    let says = match curve_at(&p.precision_recall, 0.5) {
        Some(precision) => format!(
            "When half of those who {happen} are caught, {} of the flagged do {happen}.",
            percent(precision)
        ),
        None => format!(
            "How many of the flagged do {happen}, against how many of those who {happen} are caught."
        ),
    };
    let mut plot = Plot::new(
        format!("Precision against recall. {says}"),
        Axis::share("Caught (recall) →"),
        Axis::share("↑ Right among the flagged (precision)"),
    );
    if let Some(base) = view.base_rate() {
        // Below the line, unless that is where the axis is written.
        let dy = if base < 0.1 { -6.0 } else { 14.0 };
        plot = plot.line("chance", &[(0.0, base), (1.0, base)]).text(
            "faint",
            (0.0, base),
            (8.0, dy),
            &format!("chance {}", percent(base)),
        );
    }
    plot = plot.line("accent", &p.precision_recall);
    if let Some(precision) = curve_at(&p.precision_recall, 0.5) {
        plot = plot.dot("accent", (0.5, precision), 5.0, &says);
        plot = plot.text("strong", (0.5, precision), (8.0, -8.0), &percent(precision));
    }
    figure(
        "Right among the flagged: precision and recall",
        plot.draw(),
        html! { (says) },
    )
}

fn by_segment(view: View<'_>, p: &Prediction) -> Markup {
    let rows = &p.by_segment;
    if rows.is_empty() {
        return html! {};
    }
    let words = view.words();
    let most = rows
        .iter()
        .flat_map(|r| [r.churn_rate, r.mean_score])
        .filter(|x| x.is_finite());
    let most = most.fold(0.01, f64::max) * 1.06;
    html! {
        h3 id="by-segment" { "By segment" }
        div.card {
            table.stack.by-segment {
                caption { "How the model does within each segment" }
                thead { tr {
                    th scope="col" { "Segment" } th.number scope="col" { "Rows" }
                    th scope="col" { "Predicted against observed" }
                    th.number scope="col" { "Observed" } th.number scope="col" { "Predicted" }
                    th.number scope="col" { "Gap, points" } th.number scope="col" { "AUC within" }
                } }
                tbody {
                    @for row in rows {
                        @let label = format!("Predicted {}, observed {}", percent1(row.mean_score), percent1(row.churn_rate));
                        tr {
                            th scope="row" { (view.named(row.segment)) }
                            td.number data-label="Rows" { (count(row.n)) }
                            td.plain data-label="" {
                                (chart::interval_dot(&label, &view.class(row.segment), row.mean_score / most, None, Some(row.churn_rate / most)))
                            }
                            td.number data-label="Observed" { (percent1(row.churn_rate)) }
                            td.number data-label="Predicted" { (percent1(row.mean_score)) }
                            td.number data-label="Gap, points" { (signed((row.mean_score - row.churn_rate) * 100.0, 1)) }
                            td.number data-label="AUC within" { (row.auc.map_or("–".into(), |a| fixed(a, 3))) }
                        }
                    }
                }
            }
            p.key { "The dot is the mean score, the upright line the observed " (words.rate) ". " (spread(view, p)) }
        }
    }
}

/// Which segment the model knows least.
fn spread(view: View<'_>, p: &Prediction) -> Markup {
    let judged = || {
        p.by_segment
            .iter()
            .filter_map(|r| Some((r, r.auc.filter(|a| a.is_finite())?)))
    };
    let worst = judged().min_by(|a, b| a.1.total_cmp(&b.1));
    let base = view.base_rate().unwrap_or(f64::NAN);
    html! {
        @if let Some((row, auc)) = worst.filter(|_| judged().count() > 1) {
            "It ranks least well within segment " (row.segment) " (AUC " (fixed(auc, 3)) "). "
        }
        @if let Some(highest) = p.by_segment.iter().filter(|r| r.mean_score.is_finite())
            .max_by(|a, b| a.mean_score.total_cmp(&b.mean_score)).filter(|_| base > 0.0 && p.by_segment.len() > 1) {
            "Segment " (highest.segment) " scores highest, " (times(highest.mean_score / base)) " the average."
        }
    }
}
