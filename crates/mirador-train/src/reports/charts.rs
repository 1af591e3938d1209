//! Charts of several values a name, as SVG: bars in groups, a radar, a heat map.

use std::f64::consts::TAU;
use std::path::Path;

use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::drawing::COLOURS;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const WIDTH: u32 = 640;
const MIDDLE: Pos = Pos { h_pos: HPos::Center, v_pos: VPos::Center };
const LEFT: Pos = Pos { h_pos: HPos::Left, v_pos: VPos::Center };
const RIGHT: Pos = Pos { h_pos: HPos::Right, v_pos: VPos::Center };

/// A value and how far it reaches down and up.
pub type Spread = [f64; 3];

/// A picture with its title, of this height.
fn area<'a>(path: &'a Path, title: &str, height: u32) -> Result<Area<'a>> {
    let root = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    text(&root, title, (WIDTH as i32 / 2, 18), 16, MIDDLE)?;
    Ok(root)
}

fn text(area: &Area<'_>, letters: &str, at: (i32, i32), size: i32, anchor: Pos) -> Result<()> {
    let style = ("sans-serif", size).into_font().into_text_style(area).pos(anchor);
    Ok(area.draw(&Text::new(letters.to_owned(), at, style))?)
}

/// The names of series beside their colours, from this line on.
fn legend(area: &Area<'_>, names: &[&str], (left, top): (i32, i32)) -> Result<()> {
    for (index, name) in names.iter().enumerate() {
        let y = top + 18 * index as i32;
        let corners = [(left, y - 5), (left + 14, y + 5)];
        area.draw(&Rectangle::new(corners, COLOURS[index % COLOURS.len()].filled()))?;
        text(area, name, (left + 20, y), 12, LEFT)?;
    }
    Ok(())
}

/// Bars that stand in groups, from `from` on, each with its spread as a line.
pub fn grouped_bars(
    path: &Path,
    title: &str,
    from: f64,
    groups: &[String],
    series: &[(String, Vec<Spread>)],
) -> Result<()> {
    let names: Vec<&str> = series.iter().map(|(name, _)| name.as_str()).collect();
    let root = area(path, title, 330 + 18 * names.len() as u32)?;
    let highest = series.iter().flat_map(|(_, spreads)| spreads).map(|spread| spread[2]).fold(from, f64::max);
    let top = highest + (highest - from).max(1e-6) * 0.05;
    let (left, right, floor, ceiling) = (60.0, f64::from(WIDTH) - 16.0, 290.0, 40.0);
    let y = |value: f64| (floor - (value.max(from) - from) / (top - from) * (floor - ceiling)) as i32;
    for line in 0..=5 {
        let value = from + (top - from) * f64::from(line) / 5.0;
        let ends = [(left as i32, y(value)), (right as i32, y(value))];
        root.draw(&PathElement::new(ends, BLACK.mix(0.15)))?;
        text(&root, &format!("{value:.3}"), (left as i32 - 6, y(value)), 12, RIGHT)?;
    }
    let group_width = (right - left) / groups.len() as f64;
    let bar = group_width * 0.8 / series.len() as f64;
    for (at, group) in groups.iter().enumerate() {
        let start = left + group_width * (at as f64 + 0.1);
        for (index, spread) in series.iter().filter_map(|(_, spreads)| spreads.get(at)).enumerate() {
            let (x0, x1) = (start + bar * index as f64, start + bar * (index as f64 + 0.9));
            let corners = [(x0 as i32, y(spread[0])), (x1 as i32, floor as i32)];
            root.draw(&Rectangle::new(corners, COLOURS[index % COLOURS.len()].filled()))?;
            let middle = ((x0 + x1) / 2.0) as i32;
            root.draw(&PathElement::new([(middle, y(spread[1])), (middle, y(spread[2]))], BLACK))?;
        }
        let middle = left + group_width * (at as f64 + 0.5);
        text(&root, group, (middle as i32, floor as i32 + 14), 13, MIDDLE)?;
    }
    legend(&root, &names, (left as i32, floor as i32 + 40))?;
    Ok(root.present()?)
}

/// One ray from 0 to 1 for each axis, and one closed line for each series.
pub fn radar(path: &Path, title: &str, axes: &[String], series: &[(String, Vec<f64>)]) -> Result<()> {
    let names: Vec<&str> = series.iter().map(|(name, _)| name.as_str()).collect();
    let root = area(path, title, 420)?;
    let (centre, radius) = ((210.0, 225.0), 150.0);
    let point = |axis: usize, value: f64| {
        let angle = TAU * (axis as f64 / axes.len() as f64 - 0.25);
        let reach = radius * value.clamp(0.0, 1.2);
        ((centre.0 + reach * angle.cos()) as i32, (centre.1 + reach * angle.sin()) as i32)
    };
    let ring = |value: &dyn Fn(usize) -> f64| -> Vec<(i32, i32)> {
        (0..=axes.len()).map(|axis| point(axis % axes.len(), value(axis % axes.len()))).collect()
    };
    for part in 1..=5 {
        let value = f64::from(part) / 5.0;
        root.draw(&PathElement::new(ring(&|_| value), BLACK.mix(0.15)))?;
        text(&root, &format!("{value:.1}"), point(0, value), 10, RIGHT)?;
    }
    for (axis, name) in axes.iter().enumerate() {
        root.draw(&PathElement::new([point(axis, 0.0), point(axis, 1.0)], BLACK.mix(0.15)))?;
        text(&root, name, point(axis, 1.14), 12, MIDDLE)?;
    }
    for (index, (_, values)) in series.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()].stroke_width(2);
        let line = ring(&|axis| values.get(axis).copied().unwrap_or_default());
        root.draw(&PathElement::new(line, colour))?;
    }
    legend(&root, &names, (425, 80))?;
    Ok(root.present()?)
}

/// Values from 0 to 1 as blue in white; a cell without one stays empty.
pub fn heat_map(
    path: &Path,
    title: &str,
    rows: &[String],
    columns: &[String],
    values: &[Vec<Option<f64>>],
) -> Result<()> {
    let (left, top, cell) = (130, 70, (56, 28));
    let root = area(path, title, (top + cell.1 * rows.len() as i32 + 20) as u32)?;
    let corner = |row: usize, column: usize| (left + cell.0 * column as i32, top + cell.1 * row as i32);
    for (at, name) in columns.iter().enumerate() {
        let (x, y) = corner(0, at);
        text(&root, name, (x + cell.0 / 2, y - 14), 12, MIDDLE)?;
    }
    for (row, name) in rows.iter().enumerate() {
        let (x, y) = corner(row, 0);
        text(&root, name, (x - 8, y + cell.1 / 2), 12, RIGHT)?;
        for column in 0..columns.len() {
            let Some(value) = values.get(row).and_then(|of_row| *of_row.get(column)?) else { continue };
            let ((x, y), strength) = (corner(row, column), value.clamp(0.0, 1.0));
            let corners = [(x, y), (x + cell.0 - 2, y + cell.1 - 2)];
            root.draw(&Rectangle::new(corners, COLOURS[0].mix(strength).filled()))?;
            let style = ("sans-serif", 12).into_font().into_text_style(&root).pos(MIDDLE);
            let style = if strength > 0.6 { style.color(&WHITE) } else { style };
            let middle = (x + cell.0 / 2, y + cell.1 / 2);
            root.draw(&Text::new(format!("{value:.2}"), middle, style))?;
        }
    }
    Ok(root.present()?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn drawn(draw: impl Fn(&Path) -> Result<()>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chart.svg");
        draw(&path).unwrap();
        fs::read_to_string(path).unwrap()
    }

    fn names(of: &[&str]) -> Vec<String> {
        of.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn every_name_and_value_is_drawn() {
        let bars = drawn(|path| {
            let series =
                vec![("one".to_owned(), vec![[0.95, 0.94, 0.96]; 2]), ("two".to_owned(), vec![[0.9; 3]; 2])];
            grouped_bars(path, "bars", 0.8, &names(&["AUROC", "F1"]), &series)
        });
        for name in ["bars", "AUROC", "F1", "one", "two"] {
            assert!(bars.contains(&format!("\n{name}\n")), "{name}: {bars}");
        }
        let radar = drawn(|path| {
            let series = [("tool".to_owned(), vec![0.5, 0.6, 0.7])];
            radar(path, "radar", &names(&["a", "b", "c"]), &series)
        });
        assert!(radar.contains("\ntool\n") && radar.contains("\nc\n"), "{radar}");
        let map = drawn(|path| {
            let values = [vec![Some(0.25), None], vec![Some(1.0), Some(0.0)]];
            heat_map(path, "map", &names(&["r", "s"]), &names(&["x", "y"]), &values)
        });
        assert!(map.contains("\n0.25\n") && map.matches("\n1.00\n").count() == 1, "{map}");
    }
}
