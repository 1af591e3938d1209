//! Holds every crate to the sizes of ARCHITECTURE.md, and to imports that never run in a circle. Which crate may use which
//! is said in their manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{Visit, visit_item_mod, visit_path};
use syn::{ItemMod, ItemUse, UseTree};

const CRATES: [&str; 4] =
    ["src", "crates/mirna/src", "crates/mirador-models/src", "crates/mirador-train/src"];

type Module = Vec<String>;

struct Source {
    path: PathBuf,
    module: Module,
    text: String,
    names: Names,
}

/// The paths that a file names, tests apart.
#[derive(Default)]
struct Names {
    module: Module,
    paths: Vec<Module>,
    /// What it hands on under its own name: name → path.
    hands_on: BTreeMap<String, Module>,
    children: BTreeSet<String>,
}

impl Names {
    fn absolute(&self, path: &[String]) -> Option<Module> {
        let above = path.iter().take_while(|segment| *segment == "super").count();
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([&self.module, &path[1..]].concat()),
            "super" => Some([&self.module[..self.module.len().checked_sub(above)?], &path[above..]].concat()),
            child if self.children.contains(child) => Some([&self.module, path].concat()),
            _ => None,
        }
    }

    fn tree(&mut self, tree: &UseTree, mut before: Module, public: bool) {
        let (path, name) = match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                return self.tree(&path.tree, before, public);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.tree(tree, before.clone(), public));
            }
            UseTree::Glob(_) => (before, None),
            UseTree::Name(name) if name.ident == "self" => (before.clone(), before.last().cloned()),
            UseTree::Name(name) => {
                ([before, vec![name.ident.to_string()]].concat(), Some(name.ident.to_string()))
            }
            UseTree::Rename(name) => {
                ([before, vec![name.ident.to_string()]].concat(), Some(name.rename.to_string()))
            }
        };
        if let Some(path) = self.absolute(&path) {
            if let Some(name) = name.filter(|_| public) {
                self.hands_on.insert(name, path.clone());
            }
            self.paths.push(path);
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        // Only tests stand within a file.
        if item.content.is_none() {
            visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.tree(&item.tree, Module::new(), !matches!(item.vis, syn::Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let path_names: Module = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.paths.extend(self.absolute(&path_names));
        visit_path(self, path);
    }
}

fn sources(root: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let (mut folders, mut found) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(Source::read(&root, path));
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(found.len() > 5, "{} was not found", root.display());
    found
}

impl Source {
    fn read(root: &Path, path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let place = path.strip_prefix(root).unwrap().with_extension("");
        let mut module: Module = place.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
        if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
            module.pop();
        }
        let file = syn::parse_file(&text).unwrap();
        let mut names = Names { module: module.clone(), ..Names::default() };
        // First its children: which names are modules must be known before the imports are read.
        file.items.iter().for_each(|item| {
            if let syn::Item::Mod(item) = item {
                names.children.insert(item.ident.to_string());
            }
        });
        names.visit_file(&file);
        Self { path, module, text, names }
    }
}

/// The module that a path leads into, behind whatever hands it on.
fn target(path: &Module, sources: &BTreeMap<Module, &Source>) -> Module {
    for length in (0..=path.len()).rev() {
        let Some(source) = sources.get(&path[..length]) else { continue };
        let handed = path.get(length).and_then(|name| source.names.hands_on.get(name));
        return handed.map_or_else(|| path[..length].to_vec(), |handed| target(handed, sources));
    }
    Module::new()
}

/// Which of a folder's files and folders imports which other.
fn arrows(sources: &[Source]) -> BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> {
    let by_module = sources.iter().map(|source| (source.module.clone(), source)).collect();
    let mut arrows: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for source in sources {
        for path in &source.names.paths {
            let target = target(path, &by_module);
            let shared = source.module.iter().zip(&target).take_while(|(one, other)| one == other).count();
            // A folder and what is in it are one room.
            if let (Some(from), Some(to)) = (source.module.get(shared), target.get(shared)) {
                let room = arrows.entry(target[..shared].to_vec()).or_default();
                room.entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    arrows
}

/// A way from `at` back to its start.
fn circle<'a>(
    arrows: &'a BTreeMap<String, BTreeSet<String>>,
    way: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
    at: &'a str,
) -> bool {
    let known = way.iter().position(|before| *before == at);
    way.push(at);
    if let Some(start) = known {
        way.drain(..start);
        return true;
    }
    if done.insert(at) && arrows.get(at).into_iter().flatten().any(|next| circle(arrows, way, done, next)) {
        return true;
    }
    way.pop();
    false
}

#[test]
fn imports_run_in_no_circle() {
    let mut circles = Vec::new();
    for root in CRATES {
        for (room, arrows) in arrows(&sources(root)) {
            let mut done = BTreeSet::new();
            for start in arrows.keys() {
                let mut way = Vec::new();
                if circle(&arrows, &mut way, &mut done, start) {
                    circles.push(format!("{root} {}: {}", room.join("::"), way.join(" -> ")));
                }
            }
        }
    }
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn nothing_unwraps() {
    for source in CRATES.iter().flat_map(|root| sources(root)) {
        let code = source.text.split("#[cfg(test)]\nmod ").next().unwrap();
        let unwraps =
            code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(".unwrap()"));
        assert!(!unwraps, "{}: unwrap outside tests", source.path.display());
    }
}

#[test]
fn files_stay_small() {
    let mut lines = Vec::new();
    for source in CRATES.iter().flat_map(|root| sources(root)) {
        let length = source.text.lines().count();
        assert!(length <= 400, "{}: {length} lines", source.path.display());
        let program = source.path.ends_with("src/main.rs");
        assert!(!program || length <= 70, "{}: a program is a table of contents", source.path.display());
        lines.push(length);
    }
    lines.sort_unstable();
    assert!(lines[lines.len() / 2] < 120, "the median file has {} lines", lines[lines.len() / 2]);
}

#[test]
fn documentation_begins_with_its_subject() {
    for source in CRATES.iter().flat_map(|root| sources(root)) {
        for line in source.text.lines().map(str::trim_start) {
            let Some(text) = line.strip_prefix("///").or(line.strip_prefix("//!")) else { continue };
            let vague = ["Of ", "The same ", "Its "].iter().any(|start| text.trim_start().starts_with(start));
            assert!(!vague, "{}: {line:?} does not begin with its subject", source.path.display());
        }
    }
}
