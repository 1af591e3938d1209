//! The templates of the reports, filled from synthetic networks: no hole stays open, and what is not here is named.

use std::fs;
use std::path::{Path, PathBuf};

use mirador_models::find;
use mirador_models::tasks::Task;
use mirador_train::recipe::{Recipe, Roots};
use mirador_train::reports::{Runs, names, reproduce};
use mirador_train::stats::metrics;
use serde_json::{Value, json};
use tch::Device;
use tempfile::TempDir;

const ROWS: usize = 8;

/// The project's recipes and templates, beside empty roots of everything else.
struct Project(TempDir);

impl Project {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn runs(&self) -> Runs {
        let (committed, root) = (committed(), self.0.path());
        let roots = Roots {
            recipes: committed.join("recipes"),
            weights: root.join("weights"),
            runs: root.join("runs"),
        };
        let (templates, reports) = (committed.join("reports/templates"), root.join("reports"));
        Runs { roots, templates, reports, data: root.join("data"), device: Device::Cpu, train: false }
    }

    /// Gives every recipe its measurements.
    fn train(&self, row_scores: bool) {
        let roots = self.runs().roots;
        let recipes = fs::read_dir(&roots.recipes).unwrap().flat_map(|model| {
            fs::read_dir(model.unwrap().path()).unwrap().map(|version| version.unwrap().path())
        });
        for path in recipes.filter(|path| !path.ends_with("pretrained.json")) {
            let recipe = Recipe::read(&path).unwrap();
            let task = find(&recipe.model).unwrap().task;
            let folder = roots.folder(&recipe);
            fs::create_dir_all(&folder).unwrap();
            fs::copy(&path, folder.join("recipe.json")).unwrap();
            let metrics = folder.join("metrics.json");
            if recipe.fit.is_some() {
                let id = format!("weights/{}/{}/metrics.json", recipe.model, recipe.version);
                fs::copy(committed().join(id), metrics).unwrap();
            } else {
                fs::write(metrics, measurements(task, &recipe).to_string()).unwrap();
            }
            let config =
                committed().join("weights").join(&recipe.model).join(&recipe.version).join("config.json");
            if config.is_file() {
                fs::copy(config, folder.join("config.json")).unwrap();
            }
            if row_scores {
                let folder = roots.runs.join(&recipe.model).join(&recipe.version);
                fs::create_dir_all(&folder).unwrap();
                fs::write(folder.join("predictions.tsv"), scores(task)).unwrap();
                fs::copy(&path, folder.join("recipe.json")).unwrap();
            }
        }
    }

    /// What was measured of the authors' weights, and of networks side by side.
    fn add_measurements(&self) {
        for kind in ["rivals", "compared", "matrices", "side_by_side"] {
            let folder = self.0.path().join("reports").join(kind);
            fs::create_dir_all(&folder).unwrap();
            for file in fs::read_dir(committed().join("reports").join(kind)).unwrap() {
                let file = file.unwrap();
                fs::copy(file.path(), folder.join(file.file_name())).unwrap();
            }
        }
        // Plans of which nobody has a result yet: that of another, on their own rows.
        let folder = self.0.path().join("reports/side_by_side");
        let another = fs::read_to_string(folder.join("dmiso-random-fifth.json")).unwrap();
        for plan in fs::read_dir(committed().join("reports/templates/side_by_side")).unwrap() {
            let (path, name) = (plan.as_ref().unwrap().path(), plan.unwrap().file_name());
            if !folder.join(&name).is_file() {
                let plan: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
                let own = another
                    .replace("random_fifth", plan["tests"][0].as_str().unwrap())
                    .replace("dmiso@paper", plan["rows"].as_str().unwrap());
                fs::write(folder.join(name), own).unwrap();
            }
        }
    }

    fn report(&self, name: &str) -> String {
        reproduce(name, self.runs()).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        fs::read_to_string(self.0.path().join("reports").join(format!("{name}.md"))).unwrap()
    }
}

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Sets and baselines that a task's recipes measure.
fn measured(task: Task) -> (&'static [&'static str], &'static [&'static str]) {
    match task {
        Task::TargetSite => (
            &[
                "validation",
                "random_fifth",
                "held_out",
                "held_out, miRNAs",
                "held_out, isomiRs",
                "held_out, 5p_deletion",
                "held_out, 3p_deletion",
                "left_out_families",
                "miraw_independent",
                "deepmirtar_independent",
                "miraw_rest",
                "deepmirnatar_test",
                "deepmirnatar_test, seen families",
                "deepmirnatar_test, unseen families",
                "parclip48",
                "hejret2023_test",
                "klimentova2022_test",
                "hejret2023_test, cut to 20 nt",
            ],
            &[
                "miRNA only",
                "site 5-mers (naive Bayes)",
                "seed class",
                "miRNA share and seed class",
                "aligner, no training",
                "duplex energy (Turner 2004)",
            ],
        ),
        Task::PreMirna => (
            &["held_out", "held_out_last_5_masked", "held_out_mature_arms", "held_out_yag_wrong"],
            &[
                "ends in YAG",
                "length < 70",
                "logistic regression, 7 features of the sequence",
                "Rorbach's 21 numbers, support vectors",
                "Rorbach's 21 numbers, random forest",
                "Rorbach's 21 numbers, linear discriminant",
                "Rorbach's 21 numbers, logistic regression",
                "Rorbach's 21 numbers, decision tree",
                "Rorbach's 21 numbers, naive Bayes",
            ],
        ),
        Task::Repression => (&["left_out"], &["seed class"]),
        Task::Expression => (
            &["validation", "test_86nt", "test_300nt"],
            &[
                "promoter: 1- to 4-mers, ridge",
                "promoter: 1- to 4-mers, boosting",
                "half-life, its value",
                "half-life, whether it is known",
                "any record of a miRNA",
                "published Xpresso, 10.5 kb, no half-life",
            ],
        ),
    }
}

fn measurements(task: Task, recipe: &Recipe) -> Value {
    let (sets, baselines) = measured(task);
    let metrics: Vec<Value> = metrics::Metric::of(task)
        .iter()
        .map(|name| json!({ "name": name, "value": 0.75, "low": 0.5, "high": 1.0 }))
        .collect();
    let at_threshold = json!({ "threshold": 0.5, "accuracy": 0.75, "sensitivity": 0.75, "specificity": 0.5,
                               "precision": 0.75, "f1": 0.75, "mcc": 0.5 });
    let classes = json!({ "positives": 4, "base_rate": 0.5, "at_threshold": at_threshold, "brier": 0.1,
                          "reliability": [] });
    let baselines: Vec<Value> =
        baselines.iter().map(|name| json!({ "probe": name, "metrics": metrics })).collect();
    let published = json!([
        { "tool": "measured", "average_precision": 0.75, "measured": metrics },
        { "tool": "printed", "average_precision": 0.5, "measured": null },
    ]);
    let set = |name: &&str| {
        let mut set = json!({ "name": name, "baselines": baselines, "published": published,
                              "model": { "rows": ROWS, "metrics": metrics } });
        if task.has_two_classes() {
            set["model"]["classes"] = classes.clone();
        }
        set
    };
    let tests: Vec<_> = sets.iter().filter(|name| **name != "validation").collect();
    // Another value for each seed and version, so that pairs by seed differ.
    let reached = |seed: u64| -> Vec<Value> {
        let value = 0.5 + ((7 * seed + 3 * recipe.id().to_string().len() as u64) % 11) as f64 / 40.0;
        tests.iter().map(|name| json!([name, vec![value; metrics.len()]])).collect()
    };
    let names = sets.iter().filter(|name| **name != "validation" && task.has_two_classes());
    let calls: Vec<Value> = names.map(|name| json!([name, at_threshold])).collect();
    let epoch = |epoch: usize| {
        json!({ "stage": 0, "epoch": epoch, "loss": 1.0,
            "validation": { "accuracy": 0.75, "loss": 0.5 / epoch as f64 }, "score": 0.5 + 0.1 * epoch as f64 })
    };
    let folds = if task == Task::PreMirna { 2 } else { 1 };
    let run = |(seed, fold): (&u64, usize)| json!({ "seed": seed, "fold": fold, "best": 1, "history": [epoch(1), epoch(2)], "tests": reached(*seed), "calls": calls });
    let runs = recipe.seeds.iter().flat_map(|seed| (0..folds).map(move |fold| (seed, fold)));
    let classes = json!({ "positives": 4, "negatives": 4 });
    let fold = json!({ "train": classes, "validation": classes, "test": classes });
    json!({
        "command": "", "dataset_sha256": "", "preparation": [], "parameters": 968, "shared": [], "shipped": 0,
        "folds": vec![fold; if folds > 1 { folds } else { 0 }], "seeds": runs.map(run).collect::<Vec<_>>(),
        "sets": sets.iter().map(set).collect::<Vec<_>>(),
        "training_audit": [],
    })
}

fn scores(task: Task) -> String {
    let (sets, baselines) = measured(task);
    let mut text = format!("set\ttarget\tgroup\tnetwork\t{}\n", baselines.join("\t"));
    for set in sets {
        for row in 0..ROWS {
            let score = format!("\t0.{}", row * 7 % 10);
            text += &format!("{set}\t{}\t{row}{}\n", row % 2, score.repeat(1 + baselines.len()));
        }
    }
    text
}

fn names_of_templates() -> Vec<String> {
    names(&committed().join("reports/templates")).unwrap()
}

/// The pictures that a report links.
fn pictures(report: &str) -> impl Iterator<Item = &str> {
    report.lines().filter_map(|line| line.strip_prefix("![")?.split_once("](")?.1.strip_suffix(')'))
}

#[test]
fn every_template_is_filled() {
    let project = Project::new();
    project.train(true);
    project.add_measurements();
    assert!(names_of_templates().len() >= 7);
    for name in names_of_templates() {
        let report = project.report(&name);
        for open in ["Left out", "{{", "{%", "NaN", "| none", "undefined", "\n\n\n"] {
            assert!(!report.contains(open), "{name}: {open:?} in\n{report}");
        }
        let lines: Vec<&str> = report.lines().collect();
        for pair in lines.windows(2) {
            let columns = [pair[0], pair[1]].map(|line| line.matches(" | ").count());
            assert!(
                !pair[1].starts_with("| ") || !pair[0].starts_with("| ") || columns[0] == columns[1],
                "{name}: {pair:?}"
            );
        }
        for picture in pictures(&report) {
            assert!(project.0.path().join("reports").join(picture).is_file(), "{name}: no {picture}");
        }
        assert!(name == "unbiased" || pictures(&report).count() > 0, "{name} has no picture");
    }
}

#[test]
fn a_network_that_is_not_trained_is_named_with_its_command() {
    let project = Project::new();
    for name in names_of_templates() {
        if name == "unbiased" {
            let error = reproduce(&name, project.runs()).unwrap_err().to_string();
            assert!(error.contains("weights"), "{error}");
            continue;
        }
        let report = project.report(&name);
        assert_eq!(pictures(&report).count(), 0, "{name}");
        let (_, left_out) = report.split_once("Left out, since not trained").unwrap();
        assert!(left_out.contains("\n- `mirador-train train --model "), "{left_out}");
    }
    let dmiso = project.report("dmiso");
    for version in ["paper", "balanced", "reads", "reads_unseen"] {
        let command = format!("\n- `mirador-train train --model dmiso --version {version}`");
        assert!(dmiso.contains(&command), "no {command} in {dmiso}");
    }
}

/// Changes what a recipe measures; gives its text before.
fn add_seed(recipe: &Path) -> String {
    let before = fs::read_to_string(recipe).unwrap();
    fs::write(recipe, before.replace(r#""seeds": ["#, r#""seeds": [99, "#)).unwrap();
    before
}

#[test]
fn what_was_measured_before_a_recipe_was_changed_is_not_taken() {
    let project = Project::new();
    project.train(false);
    let command = "- `mirador-train train --model dmiso --version reads`";
    assert!(!project.report("dmiso").contains(command));
    fs::remove_dir_all(project.0.path().join("reports/measured")).unwrap();
    let path = project.0.path().join("runs/measured/dmiso/reads/recipe.json");
    let recipe = add_seed(&path);
    assert!(project.report("dmiso").contains(command));
    fs::write(&path, recipe.replace(r#""notes": ["#, r#""notes": ["one more", "#)).unwrap();
    assert!(!project.report("dmiso").contains(command));
}

#[test]
fn row_scores_of_before_a_recipe_was_changed_are_not_taken() {
    let project = Project::new();
    project.train(true);
    let left_out = "Left out, since the scores of single rows";
    assert!(!project.report("dmiso").contains(left_out));
    fs::remove_dir_all(project.0.path().join("reports/dmiso")).unwrap(); // a picture that is there stays
    let path = project.0.path().join("runs/dmiso/paper/recipe.json");
    add_seed(&path);
    let report = project.report("dmiso");
    let (_, missing) = report.split_once(left_out).unwrap();
    assert!(missing.contains("- `mirador-train train --model dmiso --version paper`"), "{missing}");
}

#[test]
fn a_picture_from_row_scores_stays_where_they_are_not_here() {
    let project = Project::new();
    project.train(false);
    let folder = project.0.path().join("reports/dmiso");
    fs::create_dir_all(&folder).unwrap();
    for end in ["roc", "pr"] {
        fs::write(folder.join(format!("paper-hejret2023_test-{end}.svg")), "drawn before").unwrap();
    }
    let report = project.report("dmiso");
    let kept: Vec<&str> = pictures(&report).filter(|picture| picture.contains("_test-")).collect();
    assert_eq!(kept, ["dmiso/paper-hejret2023_test-roc.svg", "dmiso/paper-hejret2023_test-pr.svg"]);
    assert_eq!(fs::read_to_string(folder.join("paper-hejret2023_test-pr.svg")).unwrap(), "drawn before");
    let (_, left_out) = report.split_once("Left out, since the scores of single rows").unwrap();
    assert!(left_out.contains("- `mirador-train train --model dmiso --version paper`"), "{left_out}");
    for name in names_of_templates() {
        project.report(&name);
    }
}

#[test]
fn a_report_without_a_template_is_refused() {
    let project = Project::new();
    let error = reproduce("no-paper", project.runs()).unwrap_err().to_string();
    assert!(error.contains("no report \"no-paper\"; there are deepmirnatar, dmiso"), "{error}");
}
