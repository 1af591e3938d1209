//! `mirador-train reproduce NAME`: fills the holes of `reports/templates/NAME.md` and writes `reports/NAME.md` with its
//! pictures. A template holds the sentences, the order and what papers published; these modules find the networks and
//! compute. `reports/templates/README.md` lists what a template may ask.

pub mod charts;
pub mod drawing;
mod folds;
mod functions;
mod measured;
mod network;
mod page;
mod pictures;
mod rivals;
mod scores;
mod side_by_side;
mod unrelated;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, context, path_loader};
use tch::Device;

use crate::recipe::Roots;
use page::Page;

/// Where everything is.
pub struct Runs {
    /// Recipes, checkpoints, weights.
    pub roots: Roots,
    /// The templates.
    pub templates: PathBuf,
    /// Where the reports go.
    pub reports: PathBuf,
    /// The public files.
    pub data: PathBuf,
    /// Where networks run.
    pub device: Device,
    /// Whether what is missing is trained.
    pub train: bool,
}

/// Trains what is missing (unless `runs` forbids) and writes a report. A command's hyphens are underscores in the name.
pub fn reproduce(command: &str, runs: Runs) -> Result<()> {
    let name = command.replace('-', "_");
    let names = names(&runs.templates)?;
    ensure!(names.contains(&name), "no report {command:?}; there are {}", names.join(", ").replace('_', "-"));
    fs::create_dir_all(&runs.reports).with_context(|| runs.reports.display().to_string())?;
    let path = runs.reports.join(format!("{name}.md"));
    let page = Arc::new(Page::new(&name, runs));
    let environment = environment(Arc::clone(&page))?;
    let template = environment.get_template(&format!("{name}.md"))?;
    let text = template.render(context! { command => command.replace('_', "-") })?;
    fs::write(&path, single_blank_lines(&text)).with_context(|| path.display().to_string())?;
    println!("wrote {}", path.display());
    match page.missing().len() {
        0 => {}
        missing => eprintln!("left out: what {missing} command(s) would make; the report's end names them"),
    }
    Ok(())
}

/// The reports that have a template.
pub fn names(templates: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for file in fs::read_dir(templates).with_context(|| templates.display().to_string())? {
        let file = file?.file_name();
        let name = file.to_str().and_then(|file| file.strip_suffix(".md"));
        names.extend(name.filter(|name| *name != "README").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

fn environment(page: Arc<Page>) -> Result<Environment<'static>> {
    let mut environment = empty_environment(&page.runs.templates)?;
    functions::add_to(&mut environment, page);
    Ok(environment)
}

/// The templates below a folder, with no function yet; a hole that nothing fills is an error.
pub fn empty_environment(templates: &Path) -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_loader(path_loader(templates));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    Ok(environment)
}

/// What was left out leaves no gap, no line ends in a blank; one line break ends the file.
pub fn single_blank_lines(text: &str) -> String {
    let mut lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
    lines.dedup_by(|line, before| line.is_empty() && before.is_empty());
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_template_asks_only_for_what_there_is() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let roots =
            Roots { recipes: root.join("recipes"), weights: root.join("weights"), runs: root.join("runs") };
        let (templates, reports) = (root.join("reports/templates"), root.join("reports"));
        let data = root.join("data");
        let runs = Runs { roots, templates, reports, data, device: Device::Cpu, train: false };
        let mut files = names(&runs.templates).unwrap();
        files.extend(["parts/tables".to_owned(), "parts/made_by".to_owned()]);
        let environment = environment(Arc::new(Page::new("", runs))).unwrap();
        let mut known: HashSet<&str> = environment.globals().map(|(name, _)| name).collect();
        known.extend(["command", "loop"]);
        for file in files {
            let asked = environment.get_template(&format!("{file}.md")).unwrap().undeclared_variables(false);
            let unknown: Vec<&String> = asked.iter().filter(|name| !known.contains(name.as_str())).collect();
            assert!(unknown.is_empty(), "{file}: {unknown:?}");
        }
    }
}
