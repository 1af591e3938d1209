//! The report of a network's interpretation: `reports/templates/interpretation/<model>.md` filled from results.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind, context};
use serde::Serialize;

use super::curves::StrandCurves;
use super::moments::Point;
use super::pictures::{self, Shown};
use super::results::Results;
use crate::reports::{drawing, empty_environment, single_blank_lines};

/// A report that is being written.
struct Page {
    /// Name of the file and of the folder of its pictures.
    name: String,
    runs: PathBuf,
    reports: PathBuf,
    missing: Mutex<Vec<Missing>>,
}

/// Results that a template asked for and that are not here.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Missing {
    name: String,
    command: String,
}

/// Writes a model's report, if it has a template.
pub fn write(model: &str, templates: &Path, runs: &Path, reports: &Path) -> Result<()> {
    let file = format!("interpretation/{model}.md");
    if !templates.join(&file).is_file() {
        println!("no report of {model}: there is no {file} below {}", templates.display());
        return Ok(());
    }
    let name = format!("interpretation-{model}");
    let folder = reports.join(&name);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let page = Page {
        name: name.clone(),
        runs: runs.to_owned(),
        reports: reports.to_owned(),
        missing: Mutex::default(),
    };
    let environment = environment(templates, Arc::new(page))?;
    let text = environment.get_template(&file)?.render(context! { model })?;
    let path = reports.join(format!("{name}.md"));
    fs::write(&path, single_blank_lines(&text)).with_context(|| path.display().to_string())?;
    println!("wrote {}", path.display());
    Ok(())
}

fn environment(templates: &Path, page: Arc<Page>) -> Result<Environment<'static>> {
    let mut environment = empty_environment(templates)?;
    let here = page.clone();
    environment.add_function("results", move |name: String, command: String| {
        let found = here.results(&name).map_err(refused)?;
        if found.is_none() {
            here.miss(Missing { name, command });
        }
        Ok::<Value, Error>(found.map_or(Value::from(()), |found| Value::from(Serde(found))))
    });
    let here = page.clone();
    environment.add_function("effect", move |name: String, class: String, region: String, letter: String| {
        here.effect(&name, &class, &region, &letter).map_err(refused)
    });
    let here = page.clone();
    environment.add_function("picture", move |kind: String, name: String, class: String, title: String| {
        here.picture(&kind, &name, &class, &title).map_err(refused)
    });
    let here = page.clone();
    environment.add_function("peaks", move |name: String, class: String| {
        let found = here.results(&name).map_err(refused)?;
        let curves = found.and_then(|found| Some(found.class(&class)?.curves.clone())).unwrap_or_default();
        Ok::<Value, Error>(Value::from(Serde(curves.iter().map(peaks).collect::<Vec<_>>())))
    });
    environment.add_function("missing", move || {
        Value::from(Serde(page.missing.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    });
    environment.add_filter("p_value", p_value);
    environment.add_filter("fraction", |value: f64| signed(value, 3));
    Ok(environment)
}

impl Page {
    fn results(&self, name: &str) -> Result<Option<Results>> {
        Results::read(&self.runs, name)
    }

    fn miss(&self, missing: Missing) {
        let mut all = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains(&missing) {
            all.push(missing);
        }
    }

    /// A region's mean effect, or none where it was not measured.
    fn effect(&self, name: &str, class: &str, region: &str, letter: &str) -> Result<Option<f64>> {
        let Some(found) = self.results(name)? else { return Ok(None) };
        let regions = found.class(class).map_or(&[][..], |class| &class.regions);
        let of = regions.iter().find(|effect| effect.name == region && letter.starts_with(effect.letter));
        Ok(of.map(|effect| effect.effect))
    }

    /// Draws a picture and gives the Markdown that shows it; nothing where there are no results.
    fn picture(&self, kind: &str, name: &str, class: &str, title: &str) -> Result<String> {
        let Some(found) = self.results(name)? else { return Ok(String::new()) };
        let file = format!("{}/{name}-{class}-{kind}.svg", self.name);
        let path = self.reports.join(&file);
        if kind == "logos" {
            let Some(kernels) = &found.kernels else { return Ok(String::new()) };
            pictures::logos(&path, title, kernels)?;
            return Ok(format!("![{title}]({file})"));
        }
        let Some(class) = found.class(class) else { return Ok(String::new()) };
        let shown = match kind {
            "gradients" => {
                let Some(gradients) = &class.gradients else { return Ok(String::new()) };
                pictures::strands(&path, title, Shown::Gradients, &gradients.curves())?;
                return Ok(format!("![{title}]({file})"));
            }
            "masks" => Shown::Masks,
            "importance" => Shown::Importance,
            "perturbation" => Shown::Perturbation,
            _ => {
                let hidden = class.regions.iter().filter(|region| region.letter == 'N');
                let bars = hidden.map(|region| (region.name.clone(), region.effect)).collect::<Vec<_>>();
                let least = bars.iter().map(|bar| bar.1).fold(0.0, f64::min);
                drawing::bars(&path, title, "mean effect on p", least, &bars)?;
                return Ok(format!("![{title}]({file})"));
            }
        };
        pictures::strands(&path, title, shown, &class.curves)?;
        Ok(format!("![{title}]({file})"))
    }
}

/// Where the curves of a strand are highest.
#[derive(Debug, Serialize)]
struct Peaks {
    strand: String,
    /// For each width the position with the largest mean.
    highest: Vec<Point>,
    /// Positions whose single letter does more than both neighbours and at least a quarter of the largest.
    single: Vec<Point>,
    /// The run of four letters with the most importance: its first position, and its mean.
    best_four: Option<(usize, f64)>,
    /// The run of five.
    best_five: Option<(usize, f64)>,
}

fn peaks(curves: &StrandCurves) -> Peaks {
    let highest = |points: &Vec<Point>| points.iter().copied().max_by(|a, b| a.mean.total_cmp(&b.mean));
    let one = curves.masks.first().map_or(&[][..], Vec::as_slice);
    let top = one.iter().map(|point| point.mean).fold(0.0, f64::max);
    let is_peak = |at: usize| {
        let mean = |at: usize| one.get(at).map_or(f64::NEG_INFINITY, |point| point.mean);
        one[at].mean > mean(at + 1)
            && at.checked_sub(1).is_none_or(|before| one[at].mean > mean(before))
            && one[at].mean >= top / 4.0
    };
    let best = |length: usize| {
        let runs = curves.importance.windows(length);
        let mean = |run: &[Point]| {
            (run[0].position, run.iter().map(|point| point.mean).sum::<f64>() / length as f64)
        };
        runs.map(mean).max_by(|a, b| a.1.total_cmp(&b.1))
    };
    Peaks {
        strand: curves.strand.clone(),
        highest: curves.masks.iter().filter_map(highest).collect(),
        single: (0..one.len()).filter(|&at| is_peak(at)).map(|at| one[at]).collect(),
        best_four: best(4),
        best_five: best(5),
    }
}

/// A p from its logarithm: `.013`, or `4e-21`.
fn p_value(log10: f64) -> String {
    if log10 > -3.0 {
        return signed(10f64.powf(log10), 3);
    }
    let exponent = log10.floor();
    let mantissa = 10f64.powf(log10 - exponent);
    if mantissa >= 9.5 { format!("1e{:.0}", exponent + 1.0) } else { format!("{mantissa:.0}e{exponent:.0}") }
}

/// A fraction without its leading zero, with a true minus.
fn signed(value: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", value.abs());
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let sign = if value < 0.0 && !is_zero { "−" } else { "" };
    format!("{sign}{}", text.strip_prefix('0').unwrap_or(&text))
}

fn refused(error: anyhow::Error) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [0.1554, -0.0005, -0.0001, 1.0].map(|value| signed(value, 3)),
            [".155", "−.001", ".000", "1.000"]
        );
        assert_eq!([-0.5, -20.4, -8688.29, -20.02].map(p_value), [".316", "4e-21", "5e-8689", "1e-20"]);
    }

    #[test]
    fn a_report_without_results_names_the_commands() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../reports/templates"));
        let folder = tempfile::tempdir().unwrap();
        for model in ["mitar", "dmiso", "pairmap"] {
            write(model, root, folder.path(), folder.path()).unwrap();
            let report =
                fs::read_to_string(folder.path().join(format!("interpretation-{model}.md"))).unwrap();
            assert!(report.contains(&format!("- `mirador-train interpret {model}")), "{report}");
            assert!(!report.contains("![") && !report.contains("| none"), "{report}");
        }
    }
}
