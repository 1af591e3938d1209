//! Holds src/ to the layers and sizes of ARCHITECTURE.md.

use std::fs;
use std::path::{Path, PathBuf};

/// A module imports from lower layers and from itself; equals never import each other.
const LAYERS: &[(&str, u8)] = &[
    ("rna", 0),
    ("encoding", 1),
    ("tasks", 1),
    ("models", 2),
    ("interpret", 2),
    ("serving", 3),
    ("training", 3),
    // Beside the path: settings name devices, and logging knows which threads are workers.
    ("config", 4),
    ("telemetry", 5),
    ("http", 6),
    ("bin", 7),
];

/// Who may name a crate: modules, or single files.
const CRATES: &[(&str, &[&str])] = &[
    ("tch", &["models/", "training/", "serving/worker.rs"]),
    ("axum", &["http/", "bin/"]),
    ("utoipa", &["http/", "bin/"]),
    ("anyhow", &["training/", "bin/"]),
    ("clap", &["config.rs", "training/commands.rs", "bin/"]),
];

struct Source {
    /// Relative to src/.
    path: String,
    /// Without comments, and without what stands behind `#[cfg(test)]` at the file's end.
    code: String,
    lines: usize,
}

impl Source {
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod ").next().unwrap().lines();
                let code =
                    code.filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
                let path = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                found.push(Source { path, code, lines: text.lines().count() });
            }
        }
    }
    assert!(found.len() > 20, "src/ was not found");
    found
}

/// Whether `code` names the path `name::…`.
fn names(code: &str, name: &str) -> bool {
    code.match_indices(&format!("{name}::")).any(|(at, _)| {
        !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
    })
}

/// Modules that a file names, by `crate::module`, `crate::{module…}` or, in a program, `mirador::module`.
fn imports(code: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    for (start, root) in ["crate::", "mirador::"].iter().flat_map(|root| code.match_indices(root)) {
        let rest = &code[start + root.len()..];
        let group =
            rest.strip_prefix('{').and_then(|group| group.split_once(';')).map_or(rest, |(group, _)| group);
        for (module, _) in LAYERS {
            let whole = |text: &str| {
                text.strip_prefix(module).is_some_and(|after| {
                    !after.starts_with(|next: char| next.is_alphanumeric() || next == '_')
                })
            };
            let in_group = rest.starts_with('{') && group.split([',', '{', ' ', '\n']).any(whole);
            if whole(rest) || in_group {
                found.push(*module);
            }
        }
    }
    found
}

fn layer(module: &str) -> u8 {
    LAYERS.iter().find(|(name, _)| *name == module).unwrap_or_else(|| panic!("{module} has no layer")).1
}

#[test]
fn imports_point_down() {
    for source in sources().iter().filter(|source| source.path != "lib.rs") {
        let module = source.module();
        for import in imports(&source.code).into_iter().filter(|import| *import != module) {
            assert!(layer(import) < layer(module), "{}: {module} must not import {import}", source.path);
        }
    }
}

#[test]
fn crates_stay_in_their_places() {
    for source in sources() {
        for (name, places) in CRATES {
            let allowed = places.iter().any(|place| source.path.starts_with(place));
            assert!(allowed || !names(&source.code, name), "{}: {name} has no place here", source.path);
        }
    }
}

#[test]
fn nothing_unwraps() {
    for source in sources() {
        assert!(!source.code.contains(".unwrap()"), "{}: unwrap outside tests", source.path);
    }
}

#[test]
fn files_stay_small() {
    let sources = sources();
    for source in &sources {
        assert!(source.lines <= 400, "{}: {} lines", source.path, source.lines);
        let program = source.path.starts_with("bin/");
        assert!(!program || source.lines <= 60, "{}: a program is a table of contents", source.path);
    }
    let mut lines: Vec<usize> = sources.iter().map(|source| source.lines).collect();
    lines.sort_unstable();
    assert!(lines[lines.len() / 2] < 120, "the median file has {} lines", lines[lines.len() / 2]);
}
