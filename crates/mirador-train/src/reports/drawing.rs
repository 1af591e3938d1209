//! Pictures for the reports, as SVG.

use std::path::Path;

use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::stats::ranking::falling_ties;

const SIZE: (u32, u32) = (560, 420);
/// One for each series, the first ones first.
pub(super) const COLOURS: [RGBColor; 10] = [
    RGBColor(0, 90, 156),
    RGBColor(200, 80, 30),
    RGBColor(60, 140, 60),
    RGBColor(130, 80, 160),
    RGBColor(110, 110, 110),
    RGBColor(180, 150, 20),
    RGBColor(0, 150, 160),
    RGBColor(220, 120, 170),
    RGBColor(120, 80, 40),
    RGBColor(20, 20, 20),
];

/// A curve and its name in the legend.
pub struct Curve {
    /// In the legend.
    pub name: String,
    /// x and y.
    pub points: Vec<(f64, f64)>,
}

/// Curves in one frame.
pub fn curves(
    path: &Path,
    title: &str,
    axes: (&str, &str),
    ranges: [(f64, f64); 2],
    curves: &[Curve],
) -> Result<()> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let [(x0, x1), (y0, y1)] = ranges;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(38)
        .y_label_area_size(52)
        .build_cartesian_2d(x0..x1, y0..y1)?;
    chart
        .configure_mesh()
        .x_desc(axes.0)
        .y_desc(axes.1)
        .x_label_formatter(&tick)
        .light_line_style(WHITE.mix(0.0))
        .draw()?;
    for (index, Curve { name, points }) in curves.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        chart
            .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    Ok(root.present()?)
}

/// A number beside an axis, without the zeros that say nothing: epochs are whole.
fn tick(at: &f64) -> String {
    ((at * 1e3).round() / 1e3).to_string()
}

/// Horizontal bars, one for each name, from `from` on.
pub fn bars(path: &Path, title: &str, metric: &str, from: f64, bars: &[(String, f64)]) -> Result<()> {
    let root = SVGBackend::new(path, (SIZE.0, 90 + 30 * bars.len() as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    let highest = bars.iter().map(|bar| bar.1).fold(from, f64::max);
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(38)
        .y_label_area_size(170)
        .build_cartesian_2d(from..highest + (highest - from) * 0.15, 0.0..bars.len() as f64)?;
    chart.configure_mesh().disable_y_mesh().disable_y_axis().x_desc(metric).draw()?;
    let style = ("sans-serif", 13).into_font().into_text_style(&root);
    for (index, (name, value)) in bars.iter().enumerate() {
        let (low, high) = (bars.len() as f64 - index as f64 - 0.85, bars.len() as f64 - index as f64 - 0.15);
        let middle = (low + high) / 2.0;
        chart.draw_series([Rectangle::new([(from, low), (*value, high)], COLOURS[0].filled())])?;
        let right = style.clone().pos(Pos::new(HPos::Right, VPos::Center));
        let left = style.clone().pos(Pos::new(HPos::Left, VPos::Center));
        chart.draw_series([Text::new(format!("{name}  "), (from, middle), right)])?;
        chart.draw_series([Text::new(format!(" {value:.3}"), (*value, middle), left)])?;
    }
    Ok(root.present()?)
}

/// Makes a curve from classes and scores.
pub type OfScores = fn(&[bool], &[f64]) -> Vec<(f64, f64)>;

/// The ROC curve: false against true positives.
pub fn roc(labels: &[bool], scores: &[f64]) -> Vec<(f64, f64)> {
    let positives = labels.iter().filter(|&&label| label).count() as f64;
    let negatives = labels.len() as f64 - positives;
    let points = falling(labels, scores).map(|(tp, seen)| ((seen - tp) / negatives, tp / positives));
    thin([(0.0, 0.0)].into_iter().chain(points).collect())
}

/// The precision-recall curve.
pub fn precision_recall(labels: &[bool], scores: &[f64]) -> Vec<(f64, f64)> {
    let positives = labels.iter().filter(|&&label| label).count() as f64;
    thin(falling(labels, scores).map(|(tp, seen)| (tp / positives, tp / seen)).collect())
}

/// True positives and rows at every threshold, ties as one step.
fn falling(labels: &[bool], scores: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    falling_ties(labels, scores).into_iter().scan((0.0, 0.0), |counts, (positives, rows)| {
        *counts = (counts.0 + positives, counts.1 + rows);
        Some(*counts)
    })
}

/// At most some hundred points: more cannot be seen.
fn thin(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let (step, last) = (points.len().div_ceil(400).max(1), points.len() - 1);
    let kept = points.into_iter().enumerate().filter(|(index, _)| index % step == 0 || *index == last);
    kept.map(|(_, point)| point).collect()
}
