//! The models that this process serves, and which of them answers to which name.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use metrics::{describe_gauge, gauge};
use mirador_models::device::Device;
use mirador_models::tasks::Task;
use mirador_models::{
    Encoder, LoadError, Model, Pairing, Panels, Replica, SiteEffects, Weights, WeightsConfig, WeightsDir,
    cuda, sha256,
};

use super::worker::{first_line, message};
use super::{Forward, Predictor, PredictorConfig, cost};

/// One weights folder in service.
pub struct ServedModel {
    /// The kind of network.
    pub model: &'static Model,
    /// What `config.json` says.
    pub config: WeightsConfig,
    /// What `metrics.json` says.
    pub metrics: serde_json::Map<String, serde_json::Value>,
    /// The text of `CARD.md`.
    pub card: String,
    /// From letters to its input.
    pub encoder: Arc<Encoder>,
    /// Which letters pair, where the model knows.
    pub pairing: Option<Pairing>,
    /// Panels of callers, where the model compares a pair's miRNA with others.
    pub panels: Option<Panels>,
    /// What a site adds to its gene's repression, where that is what the model knows.
    pub site_effects: Option<SiteEffects>,
    /// What scores its rows.
    pub predictor: Predictor,
}

/// Characters of a name that nobody answers to which are repeated.
const MOST_ECHOED: usize = 100;

/// All of them, in order of their names.
pub struct Registry {
    entries: Vec<Entry>,
}

/// A model and what it answers to.
pub struct Entry {
    /// The model.
    pub served: Arc<ServedModel>,
    /// Answers its task when a request names no model.
    pub default: bool,
    /// Answers when a request names the model only.
    pub default_version: bool,
}

/// No served model of the task answers to this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", match known.is_empty() {
    true => "no model that answers this is loaded here".to_owned(),
    false => format!("no model {asked:?}; there is: {}", known.join(", ")),
})]
pub struct UnknownModel {
    /// What was asked for, or its beginning.
    pub asked: String,
    /// What there is, as `name@version`.
    pub known: Vec<String>,
}

impl ServedModel {
    /// Loads one replica for each worker, on the devices by turns; those of one device share the weights. Each has to
    /// reproduce the golden outputs, which warms it too.
    pub fn load(dir: &WeightsDir, devices: &[Device], config: &PredictorConfig) -> Result<Self, LoadError> {
        let (model, golden) = (dir.model()?, Arc::new(dir.golden()?));
        let encoder = Arc::new((model.encoder)(&dir.config.options)?);
        let loaded = devices.iter().map(|device| dir.load(*device)).collect::<Result<Vec<_>, _>>()?;
        let Some(first) = loaded.first() else {
            return Err(LoadError::Ambiguous(format!("no device to load {} on", dir.config.id())));
        };
        golden.verify(first)?;
        let cost = cost::measure(first, config.max_batch_size);
        let max_batch_size =
            cost.in_memory.map_or(config.max_batch_size, |most| most.min(config.max_batch_size));
        let weights: Arc<[Weights]> = loaded.iter().map(Replica::weights).collect();
        let pairing = model.pairing.map(|make| make(&first.store)).transpose()?;
        let panels = model.panels.map(|make| make(&first.store)).transpose()?.flatten();
        let site_effects = model.site_effects.map(|make| make(&first.store)).transpose()?;
        let options = dir.config.options.clone();
        let make = move |worker: usize| -> Result<Forward, LoadError> {
            let replica = Replica::sharing(model, &options, &weights[worker % weights.len()])?;
            golden.verify(&replica)?;
            Ok(Box::new(move |inputs| replica.forward(inputs)))
        };
        let replicas = |workers: Range<usize>| workers.map(&make).collect::<Result<Vec<_>, _>>();
        let (short_workers, workers) = (config.short_workers, config.short_workers + config.long_workers);
        let (short, long) = (replicas(0..short_workers)?, replicas(short_workers..workers)?);
        let devices: Arc<[Device]> = devices.into();
        let config = PredictorConfig {
            max_batch_size,
            inputs_of_row: encoder.most_inputs,
            cost: cost.time,
            condition: Some(Arc::new(move |worker| cuda::condition(devices[worker % devices.len()]))),
            rebuild: Some(Arc::new(move |worker| make(worker).map_err(|error| error.to_string()))),
            ..config.clone()
        };
        let predictor = Predictor::start(&dir.config.id().to_string(), encoder.width, config, short, long)
            .map_err(|cause| LoadError::Io { path: dir.path.clone(), cause })?;
        let metrics = match dir.metrics()? {
            serde_json::Value::Object(metrics) => metrics,
            _ => {
                let reason = "is not a JSON object".into();
                return Err(LoadError::Format { path: dir.path.join("metrics.json"), reason });
            }
        };
        Ok(Self {
            model,
            config: dir.config.clone(),
            metrics,
            card: dir.card()?,
            encoder,
            pairing,
            panels,
            site_effects,
            predictor,
        })
    }

    /// Whether this is what the folder holds.
    fn is(&self, dir: &WeightsDir) -> bool {
        let intact =
            || sha256(&dir.path.join("model.safetensors")).is_ok_and(|digest| digest == self.config.sha256);
        self.config == dir.config && dir.card().is_ok_and(|card| card == self.card) && intact()
    }

    /// Whether it came from the folder of this model and version.
    fn lies_at(&self, path: &Path) -> bool {
        path.ends_with(Path::new(&self.config.model).join(&self.config.version))
    }

    /// `name@version`.
    pub fn full_name(&self) -> String {
        self.config.id().to_string()
    }
}

/// libtorch panics where it finds no memory or no kernel, and one folder must not end the server.
fn load_or_reason(
    dir: &WeightsDir,
    devices: &[Device],
    config: &PredictorConfig,
) -> Result<ServedModel, LoadError> {
    catch_unwind(AssertUnwindSafe(|| ServedModel::load(dir, devices, config))).unwrap_or_else(|panic| {
        let reason = format!("libtorch cannot run it: {}", first_line(&message(&*panic)));
        Err(LoadError::Format { path: dir.path.clone(), reason })
    })
}

impl Registry {
    /// Loads every weights folder under `root`. Of the models that are served `already`, those whose weights and
    /// settings are the same go on as they are; one whose new folder cannot be used goes on with the old. A folder that
    /// cannot be used keeps no other from being served, unless it leaves a question without an answer.
    pub fn load(
        root: &Path,
        devices: &[Device],
        config: &PredictorConfig,
        already: Option<&Self>,
    ) -> Result<Self, LoadError> {
        Self::load_some(root, &[], devices, config, already)
    }

    /// Loads these models only, each `name` or `name@version`; for all where none is named.
    ///
    /// # Errors
    /// Also where there is no such folder.
    pub fn load_some(
        root: &Path,
        names: &[String],
        devices: &[Device],
        config: &PredictorConfig,
        already: Option<&Self>,
    ) -> Result<Self, LoadError> {
        let mut models: Vec<Arc<ServedModel>> = Vec::new();
        let mut unusable: Vec<LoadError> = Vec::new();
        for path in WeightsDir::folders_of(root, names)? {
            let entries = already.iter().flat_map(|already| &already.entries).map(|entry| &entry.served);
            let mut old = entries.filter(|served| served.lies_at(&path));
            let loaded =
                WeightsDir::open(&path).and_then(|dir| match old.clone().find(|served| served.is(&dir)) {
                    Some(same) => Ok(same.clone()),
                    None => load_or_reason(&dir, devices, config).map(Arc::new),
                });
            match loaded {
                Ok(served) => models.push(served),
                Err(error) => {
                    tracing::error!(%error, folder = %path.display(), "this weights folder cannot be served");
                    models.extend(old.next().cloned());
                    unusable.push(error);
                }
            }
        }
        describe_gauge!(
            "mirador_weights_folders_unusable",
            "Weights folders that cannot be served; the log says why"
        );
        gauge!("mirador_weights_folders_unusable").set(unusable.len() as f64);
        match (models.is_empty(), unusable.pop()) {
            (true, Some(error)) => Err(error),
            (_, None) => Self::new(models),
            // Another version does not become the default because the default is broken: that is to blame.
            (_, Some(last)) => Self::settled(models, false).map_err(|_| match unusable.is_empty() {
                true => last,
                false => {
                    unusable.push(last);
                    let all: Vec<String> = unusable.iter().map(LoadError::to_string).collect();
                    LoadError::Ambiguous(all.join("; "))
                }
            }),
        }
    }

    /// Settles the defaults: each model has one version with `default_version`, and each task one with `default` too;
    /// where there is only one, it is that.
    ///
    /// # Errors
    /// [`LoadError::Ambiguous`] when the folders leave a choice.
    pub fn new(models: Vec<Arc<ServedModel>>) -> Result<Self, LoadError> {
        Self::settled(models, true)
    }

    fn settled(models: Vec<Arc<ServedModel>>, only_is_default: bool) -> Result<Self, LoadError> {
        let entry = |served: Arc<ServedModel>| Entry {
            default: served.config.default,
            default_version: served.config.default_version,
            served,
        };
        let mut entries: Vec<Entry> = models.into_iter().map(entry).collect();
        let names: Vec<&str> = entries.iter().map(|entry| entry.served.model.name).collect();
        for name in names {
            let question = format!("version answers to the name {name:?} (default_version)");
            let of_name = |entry: &&mut Entry| entry.served.model.name == name;
            settle(entries.iter_mut().filter(of_name), &question, only_is_default, |entry| {
                &mut entry.default_version
            })?;
        }
        let tasks: Vec<Task> = entries.iter().map(|entry| entry.served.model.task).collect();
        for task in tasks {
            let question = format!("model answers the task {:?} (default)", task.name());
            let of_task = |entry: &&mut Entry| entry.served.model.task == task;
            for other in entries.iter_mut().filter(of_task).filter(|entry| !entry.default_version) {
                other.default = false;
            }
            let candidates = entries.iter_mut().filter(of_task).filter(|entry| entry.default_version);
            settle(candidates, &question, only_is_default, |entry| &mut entry.default)?;
        }
        Ok(Self { entries })
    }

    /// All models, in order of their names.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The model of this task that answers to `name`, `name@version` or, without a name, by default.
    pub fn resolve(&self, task: Task, name: Option<&str>) -> Result<&Arc<ServedModel>, UnknownModel> {
        self.find(name, |entry| entry.served.model.task == task).map(|entry| &entry.served)
    }

    /// The model that answers to `name` or `name@version`.
    pub fn get(&self, name: &str) -> Result<&Entry, UnknownModel> {
        self.find(Some(name), |_| true)
    }

    /// A model whose task has rows of its own, which tensors can hold; repression is asked by scans.
    pub fn get_with_rows(&self, name: &str) -> Result<&Entry, UnknownModel> {
        self.find(Some(name), |entry| entry.served.model.task != Task::Repression)
    }

    /// The first model that does not answer.
    pub fn broken(&self) -> Option<&Arc<ServedModel>> {
        self.entries.iter().map(|entry| &entry.served).find(|served| !served.predictor.is_good())
    }

    /// Inputs that were admitted and not answered.
    pub fn inputs_in_flight(&self) -> usize {
        self.entries.iter().map(|entry| entry.served.predictor.inputs_in_flight()).sum()
    }

    /// Waits until every accepted row is answered, then ends the workers.
    pub fn shut_down(&self) {
        self.entries.iter().for_each(|entry| entry.served.predictor.shut_down());
    }

    /// Runs nothing more but the batches that run.
    pub fn abort(&self) {
        self.entries.iter().for_each(|entry| entry.served.predictor.abort());
    }

    fn find(&self, name: Option<&str>, among: impl Fn(&Entry) -> bool) -> Result<&Entry, UnknownModel> {
        let answers = |entry: &Entry| {
            let (model, version) = (entry.served.model.name, &entry.served.config.version);
            match name.map(|name| name.split_once('@').ok_or(name)) {
                None => entry.default,
                Some(Err(name)) => model == name && entry.default_version,
                Some(Ok(name)) => (model, version.as_str()) == name,
            }
        };
        let mut candidates = self.entries.iter().filter(|entry| among(entry));
        candidates.clone().find(|entry| answers(entry)).ok_or_else(|| UnknownModel {
            asked: name.unwrap_or_default().chars().take(MOST_ECHOED).collect(),
            known: candidates.by_ref().map(|entry| entry.served.full_name()).collect(),
        })
    }
}

/// Leaves exactly one candidate flagged: the one that is, or, if wanted, the only one there is.
fn settle<'a>(
    candidates: impl Iterator<Item = &'a mut Entry>,
    question: &str,
    only_is_default: bool,
    flag: impl Fn(&mut Entry) -> &mut bool,
) -> Result<(), LoadError> {
    let mut candidates: Vec<&mut Entry> = candidates.collect();
    if only_is_default && let [only] = candidates.as_mut_slice() {
        *flag(only) = true;
        return Ok(());
    }
    let mut flagged = Vec::new();
    for entry in &mut candidates {
        if *flag(entry) {
            flagged.push(entry.served.full_name());
        }
    }
    let all = || candidates.iter().map(|entry| entry.served.full_name()).collect::<Vec<_>>().join(", ");
    match flagged.len() {
        1 => Ok(()),
        0 => Err(LoadError::Ambiguous(format!("no {question}; there is: {}", all()))),
        _ => Err(LoadError::Ambiguous(format!("more than one {question}: {}", flagged.join(", ")))),
    }
}
