//! A report in Markdown, with its pictures beside it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::drawing::{self, Curve};
use super::runs::Finished;
use crate::results::predictions::Predictions;
use crate::stats::metrics::Classes;

/// `reports/<name>.md` and the folder of its pictures.
pub struct Page {
    name: &'static str,
    folder: PathBuf,
    text: String,
}

impl Page {
    /// Begins a report.
    pub fn new(reports: &Path, name: &'static str, title: &str) -> Result<Self> {
        fs::create_dir_all(reports.join(name)).with_context(|| reports.display().to_string())?;
        Ok(Self { name, folder: reports.to_owned(), text: format!("# {title}\n") })
    }

    /// A heading of the second order.
    pub fn heading(&mut self, title: &str) {
        self.text += &format!("\n## {title}\n");
    }

    /// A paragraph.
    pub fn paragraph(&mut self, text: &str) {
        self.text += &format!("\n{text}\n");
    }

    /// A table.
    pub fn table(&mut self, header: &[&str], rows: &[Vec<String>]) {
        self.text += &format!("\n| {} |\n|{}\n", header.join(" | "), "---|".repeat(header.len()));
        for row in rows {
            self.text += &format!("| {} |\n", row.join(" | "));
        }
    }

    /// ROC and precision-recall curves of a set: the network beside some floors.
    pub fn class_curves(
        &mut self,
        file: &str,
        title: &str,
        set: &Predictions,
        floors: &[&str],
    ) -> Result<()> {
        let labels = set.labels();
        let scores: Vec<(&str, &[f64])> = [("this network", set.network())]
            .into_iter()
            .chain(floors.iter().filter_map(|&name| Some((name, set.floor(name)?))))
            .collect();
        let of = |curve: drawing::OfScores| -> Vec<Curve> {
            let curve = |(name, scores): &(&str, &[f64])| Curve {
                name: (*name).to_owned(),
                points: curve(&labels, scores),
            };
            scores.iter().map(curve).collect()
        };
        let unit = [(0.0, 1.0), (0.0, 1.0)];
        let axes = ("false positive rate", "true positive rate");
        self.curves(&format!("{file}-roc"), &format!("{title}: ROC"), axes, unit, &of(drawing::roc))?;
        let axes = ("recall", "precision");
        self.curves(
            &format!("{file}-pr"),
            &format!("{title}: precision and recall"),
            axes,
            unit,
            &of(drawing::precision_recall),
        )
    }

    /// Share of positives by probability, in bins of a tenth.
    pub fn reliability(&mut self, file: &str, title: &str, set: &Predictions) -> Result<()> {
        let classes = Classes::new(&set.targets, set.network());
        let bins = classes.reliability.iter().filter(|bin| bin.rows > 0);
        let seen = Curve {
            name: "seen".to_owned(),
            points: bins.map(|bin| (bin.predicted, bin.observed)).collect(),
        };
        let perfect = Curve { name: "perfect".to_owned(), points: vec![(0.0, 0.0), (1.0, 1.0)] };
        let axes = ("probability", "share of positives");
        self.curves(file, title, axes, [(0.0, 1.0), (0.0, 1.0)], &[seen, perfect])
    }

    /// The figure that chooses, epoch by epoch, of every run.
    pub fn training_curves(&mut self, file: &str, title: &str, finished: &Finished) -> Result<()> {
        let sign = if finished.lower_is_better() { -1.0 } else { 1.0 };
        let curve = |run: &crate::results::report::SeedReport| Curve {
            name: format!("seed {}, fold {}", run.seed, run.fold + 1),
            points: run
                .history
                .iter()
                .enumerate()
                .map(|(at, epoch)| (at as f64 + 1.0, sign * epoch.score))
                .collect(),
        };
        let curves: Vec<Curve> = finished.report.seeds.iter().take(5).map(curve).collect();
        let values = || curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1));
        let (low, high) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        let longest = curves.iter().map(|curve| curve.points.len()).max().unwrap_or(1) as f64;
        let margin = (high - low).max(1e-3) * 0.1;
        let ranges = [(1.0, longest.max(2.0)), (low - margin, high + margin)];
        self.curves(file, title, ("epoch", &format!("validation {}", finished.chosen_by())), ranges, &curves)
    }

    /// Bars.
    pub fn bars(
        &mut self,
        file: &str,
        title: &str,
        figure: &str,
        from: f64,
        bars: &[(String, f64)],
    ) -> Result<()> {
        drawing::bars(&self.picture(file, title), title, figure, from, bars)
    }

    fn curves(
        &mut self,
        file: &str,
        title: &str,
        axes: (&str, &str),
        ranges: [(f64, f64); 2],
        curves: &[Curve],
    ) -> Result<()> {
        drawing::curves(&self.picture(file, title), title, axes, ranges, curves)
    }

    fn picture(&mut self, file: &str, title: &str) -> PathBuf {
        self.text += &format!("\n![{title}]({}/{file}.svg)\n", self.name);
        self.folder.join(self.name).join(format!("{file}.svg"))
    }

    /// What could not be filled in, and the command; then the file is written.
    pub fn write(mut self, missing: &[String]) -> Result<()> {
        self.heading("Made by");
        self.paragraph(&format!(
            "```console\n$ mirador-train reproduce {}\n```",
            self.name.replace('_', "-")
        ));
        if !missing.is_empty() {
            self.paragraph("Left out, since not trained yet; the command above, or each of these, fills it:");
            for command in missing {
                self.text += &format!("\n- `{command}`");
            }
            self.text += "\n";
        }
        let path = self.folder.join(format!("{}.md", self.name));
        fs::write(&path, self.text).with_context(|| path.display().to_string())?;
        println!("wrote {}", path.display());
        Ok(())
    }
}
