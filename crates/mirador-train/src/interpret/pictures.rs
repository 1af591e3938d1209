//! The pictures of an interpretation, as SVG: curves of masks, importance, perturbation, logos of kernels.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use plotters::coord::Shift;
use plotters::prelude::*;

use super::curves::StrandCurves;
use super::kernels::{Kernel, Kernels};
use super::moments::Point;

const SIZE: (u32, u32) = (980, 400);
const BLUE: RGBColor = RGBColor(0, 90, 156);

type Panel<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What a panel shows of a strand.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Shown {
    /// A curve for each width of masks.
    Masks,
    /// A bar for each letter.
    Importance,
    /// What each letter adds to the logit, in place of the importance.
    Gradients,
    /// The mask of four letters: mean, and a band of one standard deviation.
    Perturbation,
}

/// Two panels, the miRNA's and the site's, with one range of effects.
pub(super) fn strands(path: &Path, title: &str, shown: Shown, curves: &[StrandCurves]) -> Result<()> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let below = root.titled(title, ("sans-serif", 17))?;
    let range = range(shown, curves);
    for (panel, curves) in below.split_evenly((1, 2)).iter().zip(curves) {
        let from = match (shown, curves.strand.as_str()) {
            (_, "mirna") => "miRNA position L, from its 5' end",
            (Shown::Perturbation | Shown::Gradients, _) => "site position, from its 5' end",
            _ => "site position LT, from its 3' end",
        };
        match shown {
            Shown::Masks => masks(panel, from, range, curves)?,
            Shown::Importance => bars(panel, from, "importance (effect on p)", range, &curves.importance)?,
            Shown::Gradients => bars(panel, from, "added to the logit", range, &curves.importance)?,
            Shown::Perturbation => perturbation(panel, from, range, &curves.perturbation)?,
        }
    }
    Ok(root.present()?)
}

fn range(shown: Shown, curves: &[StrandCurves]) -> (f64, f64) {
    let spread = |point: &Point| match shown {
        Shown::Perturbation => point.variance.sqrt(),
        _ => point.error,
    };
    let points = curves.iter().flat_map(|curves| match shown {
        Shown::Masks => curves.masks.iter().flatten().collect::<Vec<_>>(),
        Shown::Importance | Shown::Gradients => curves.importance.iter().collect(),
        Shown::Perturbation => curves.perturbation.iter().collect(),
    });
    let (low, high) = points.fold((0.0f64, 1e-3f64), |(low, high), point| {
        (low.min(point.mean - spread(point)), high.max(point.mean + spread(point)))
    });
    let margin = (high - low) * 0.06;
    (if low < 0.0 { low - margin } else { 0.0 }, high + margin)
}

type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

fn chart<'a, 'b>(
    panel: &'a Panel<'b>,
    from: &str,
    effect: &str,
    last: usize,
    range: (f64, f64),
) -> Result<Chart<'a, 'b>> {
    let mut chart = ChartBuilder::on(panel)
        .margin(10)
        .x_label_area_size(38)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..last as f64 + 1.0, range.0..range.1)?;
    chart
        .configure_mesh()
        .x_desc(from)
        .y_desc(effect)
        .x_label_formatter(&|at| format!("{at:.0}"))
        .y_label_formatter(&|effect| format!("{:.2}", effect + 0.0))
        .light_line_style(WHITE.mix(0.0))
        .draw()?;
    Ok(chart)
}

fn last(points: &[Point]) -> usize {
    points.last().map_or(1, |point| point.position)
}

fn masks(panel: &Panel<'_>, from: &str, range: (f64, f64), curves: &StrandCurves) -> Result<()> {
    let longest = curves.masks.iter().map(|points| last(points)).max().unwrap_or(1);
    // Room for the legend, which the miRNA's panel has for both.
    let legend = curves.strand == "mirna";
    let longest = if legend { longest + longest.div_ceil(4) } else { longest };
    let mut chart = chart(panel, from, "mean effect on p", longest, range)?;
    for (width, points) in curves.masks.iter().enumerate() {
        let colour = HSLColor(0.62 - 0.62 * width as f64 / 7.0, 0.75, 0.42);
        let line = points.iter().map(|point| (point.position as f64, point.mean));
        chart
            .draw_series(LineSeries::new(line, colour.stroke_width(2)))?
            .label(format!("{} nt", width + 1))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        chart.draw_series(points.iter().map(|point| error(point, colour.stroke_width(1))))?;
    }
    if legend {
        let mut labels = chart.configure_series_labels();
        let labels = labels.position(SeriesLabelPosition::UpperRight).background_style(WHITE.mix(0.85));
        labels.border_style(BLACK.mix(0.3)).draw()?;
    }
    Ok(())
}

/// One standard error up and down.
fn error(point: &Point, style: ShapeStyle) -> PathElement<(f64, f64)> {
    let at = point.position as f64;
    PathElement::new([(at, point.mean - point.error), (at, point.mean + point.error)], style)
}

fn bars(panel: &Panel<'_>, from: &str, what: &str, range: (f64, f64), points: &[Point]) -> Result<()> {
    let mut chart = chart(panel, from, what, last(points), range)?;
    chart.draw_series(points.iter().map(|point| {
        let at = point.position as f64;
        Rectangle::new([(at - 0.38, 0.0), (at + 0.38, point.mean)], BLUE.filled())
    }))?;
    chart.draw_series(points.iter().map(|point| error(point, BLACK.stroke_width(1))))?;
    Ok(())
}

fn perturbation(panel: &Panel<'_>, from: &str, range: (f64, f64), points: &[Point]) -> Result<()> {
    let mut chart = chart(panel, from, "effect of 4 nt hidden from here on", last(points), range)?;
    let side = |sign: f64| {
        points
            .iter()
            .map(move |point| (point.position as f64, point.mean + sign * point.variance.sqrt()))
            .collect::<Vec<_>>()
    };
    let band: Vec<(f64, f64)> = side(1.0).into_iter().chain(side(-1.0).into_iter().rev()).collect();
    chart.draw_series([Polygon::new(band, BLACK.mix(0.15))])?;
    let line = points.iter().map(|point| (point.position as f64, point.mean));
    chart.draw_series(LineSeries::new(line, BLUE.stroke_width(2)))?;
    Ok(())
}

/// Width and height of a logo, and of the space round it.
const LOGO: (f64, f64) = (200.0, 120.0);
const GAP: (f64, f64) = (40.0, 46.0);
/// Logos beside each other.
const COLUMNS: usize = 4;
/// Bits of a column that one letter fills.
const MOST_BITS: f64 = 2.0;

/// The informative kernels as logos: a column is as high as its information, a letter as its part of it.
pub(super) fn logos(path: &Path, title: &str, kernels: &Kernels) -> Result<()> {
    let shown: Vec<&Kernel> =
        kernels.kernels.iter().filter(|kernel| kernel.informative && kernel.motif.is_some()).collect();
    let lines = shown.len().div_ceil(COLUMNS).max(1);
    let width = GAP.0 + COLUMNS as f64 * (LOGO.0 + GAP.0);
    let height = 40.0 + lines as f64 * (LOGO.1 + GAP.1);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{}\" y=\"24\" font-size=\"17\" text-anchor=\"middle\">{title}</text>\n",
        width / 2.0
    );
    for (place, kernel) in shown.iter().enumerate() {
        let left = GAP.0 + (place % COLUMNS) as f64 * (LOGO.0 + GAP.0);
        let top = 62.0 + (place / COLUMNS) as f64 * (LOGO.1 + GAP.1);
        logo(&mut svg, kernel, (left, top));
    }
    svg += "</svg>\n";
    std::fs::write(path, svg).with_context(|| path.display().to_string())
}

/// One logo; its axis reaches two bits. A String takes everything that is written.
fn logo(svg: &mut String, kernel: &Kernel, (left, top): (f64, f64)) {
    let Some(motif) = &kernel.motif else { return };
    let bottom = top + LOGO.1;
    let branch = if kernel.branch == "mirna" { "miRNA" } else { "site" };
    let _ = writeln!(
        svg,
        "<text x=\"{left}\" y=\"{:.1}\" font-size=\"12\">{branch}, kernel {} ({} words)</text>\n\
         <path d=\"M{left} {top}V{bottom}H{}\" fill=\"none\" stroke=\"#777\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"10\" text-anchor=\"end\">2 bits</text>\n\
         <text x=\"{:.1}\" y=\"{bottom}\" font-size=\"10\" text-anchor=\"end\">0</text>",
        top - 8.0,
        kernel.index,
        kernel.words,
        left + LOGO.0,
        left - 4.0,
        top + 8.0,
        left - 4.0,
    );
    let step = LOGO.0 / motif.len() as f64;
    for (at, column) in motif.iter().enumerate() {
        let bits = information(column);
        let mut letters: Vec<(char, f64, &str)> = ["#2a7", "#05a", "#d90", "#c33"]
            .into_iter()
            .zip(['A', 'C', 'G', 'U'])
            .zip(column)
            .map(|((colour, letter), fraction)| (letter, fraction * bits / MOST_BITS * LOGO.1, colour))
            .collect();
        letters.sort_by(|one, other| one.1.total_cmp(&other.1));
        let (middle, mut base) = (left + (at as f64 + 0.5) * step, bottom);
        for (letter, height, colour) in letters.into_iter().filter(|letter| letter.1 > 0.4) {
            // A capital of 10 px is about 7.2 px high and 7 px wide.
            let _ = writeln!(
                svg,
                "<text transform=\"translate({middle:.1} {base:.1}) scale({:.2} {:.3})\" font-size=\"10\" \
                 font-weight=\"bold\" text-anchor=\"middle\" fill=\"{colour}\">{letter}</text>",
                step / 8.0,
                height / 7.2
            );
            base -= height;
        }
        let _ = writeln!(
            svg,
            "<text x=\"{middle:.1}\" y=\"{:.1}\" font-size=\"10\" text-anchor=\"middle\">{}</text>",
            bottom + 12.0,
            at + 1
        );
    }
}

/// Bits that a column tells: 2 less its entropy.
fn information(column: &[f64; 4]) -> f64 {
    let entropy: f64 = column.iter().filter(|p| **p > 0.0).map(|p| -p * p.log2()).sum();
    MOST_BITS - entropy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_tells_at_most_two_bits() {
        assert_eq!(information(&[0.25; 4]), 0.0);
        assert_eq!(information(&[1.0, 0.0, 0.0, 0.0]), 2.0);
        assert_eq!(information(&[0.5, 0.5, 0.0, 0.0]), 1.0);
    }
}
