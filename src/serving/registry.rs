//! The models that this process serves, and which of them answers to which name.

use std::path::Path;
use std::sync::Arc;

use super::{Forward, Predictor, PredictorConfig};
use crate::models::device::Device;
use crate::models::{Encoder, LoadError, Model, Pairing, WeightsConfig, WeightsDir};
use crate::tasks::Task;

/// One weights folder in service.
pub struct ServedModel {
    /// The kind of network.
    pub model: &'static Model,
    /// Its `config.json`.
    pub config: WeightsConfig,
    /// Its `metrics.json`.
    pub metrics: serde_json::Map<String, serde_json::Value>,
    /// Its `CARD.md`.
    pub card: String,
    /// From letters to its input.
    pub encoder: Arc<Encoder>,
    /// Which letters pair, where the model knows.
    pub pairing: Option<Pairing>,
    /// What scores its rows.
    pub predictor: Predictor,
}

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
#[error("no model {asked:?}; there is: {}", known.join(", "))]
pub struct UnknownModel {
    /// What was asked for.
    pub asked: String,
    /// What there is, as `name@version`.
    pub known: Vec<String>,
}

impl ServedModel {
    /// Loads one replica for each worker. Each has to reproduce the golden outputs, which warms it too.
    pub fn load(dir: &WeightsDir, device: Device, config: &PredictorConfig) -> Result<Self, LoadError> {
        let (model, golden) = (dir.model()?, dir.golden()?);
        let encoder = Arc::new((model.encoder)(&dir.config.options)?);
        // Capacity is meant in rows; a long site takes several inputs.
        let queue_capacity = config.queue_capacity.saturating_mul(encoder.most_inputs);
        let config = PredictorConfig { queue_capacity, ..config.clone() };
        let replica = || -> Result<Forward, LoadError> {
            let replica = dir.load(device)?;
            golden.verify(&replica)?;
            Ok(Box::new(move |inputs| replica.forward(inputs)))
        };
        let replicas = |workers| (0..workers).map(|_| replica()).collect::<Result<_, _>>();
        let pairing = model.pairing.map(|make| make(&dir.load(Device::Cpu)?.store)).transpose()?;
        let (short, long) = (replicas(config.short_workers)?, replicas(config.long_workers)?);
        let name = format!("{}@{}", dir.config.model, dir.config.version);
        let predictor = Predictor::start(&name, encoder.width, config, short, long)
            .map_err(|source| LoadError::Io { path: dir.path.clone(), source })?;
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
            predictor,
        })
    }

    /// Whether this is what the folder holds.
    fn is(&self, dir: &WeightsDir) -> bool {
        self.config == dir.config && dir.card().is_ok_and(|card| card == self.card)
    }

    /// `name@version`.
    pub fn full_name(&self) -> String {
        format!("{}@{}", self.config.model, self.config.version)
    }
}

impl Registry {
    /// Loads every weights folder under `root`. Of the models that are served `already`, those whose weights and
    /// settings are the same go on as they are.
    pub fn load(
        root: &Path,
        device: Device,
        config: &PredictorConfig,
        already: Option<&Self>,
    ) -> Result<Self, LoadError> {
        let folders = WeightsDir::scan(root)?;
        let load = |dir: &WeightsDir| {
            let same = |entry: &&Entry| entry.served.is(dir);
            match already.and_then(|already| already.entries.iter().find(same)) {
                Some(entry) => Ok(entry.served.clone()),
                None => ServedModel::load(dir, device, config).map(Arc::new),
            }
        };
        Self::new(folders.iter().map(load).collect::<Result<_, _>>()?)
    }

    /// Settles the defaults: each model has one version with `default_version`, and each task one with `default` too.
    ///
    /// # Errors
    /// [`LoadError::Ambiguous`] when the folders leave a choice.
    pub fn new(models: Vec<Arc<ServedModel>>) -> Result<Self, LoadError> {
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
            settle(entries.iter_mut().filter(of_name), &question, |entry| &mut entry.default_version)?;
        }
        let tasks: Vec<Task> = entries.iter().map(|entry| entry.served.model.task).collect();
        for task in tasks {
            let question = format!("model answers the task {:?} (default)", task.name());
            let of_task = |entry: &&mut Entry| entry.served.model.task == task;
            for other in entries.iter_mut().filter(of_task).filter(|entry| !entry.default_version) {
                other.default = false;
            }
            let candidates = entries.iter_mut().filter(of_task).filter(|entry| entry.default_version);
            settle(candidates, &question, |entry| &mut entry.default)?;
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
    pub fn card(&self, name: &str) -> Result<&Entry, UnknownModel> {
        self.find(Some(name), |_| true)
    }

    /// Waits until every accepted row is answered, then ends the workers.
    pub fn shut_down(&self) {
        self.entries.iter().for_each(|entry| entry.served.predictor.shut_down());
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
            asked: name.unwrap_or_default().to_owned(),
            known: candidates.by_ref().map(|entry| entry.served.full_name()).collect(),
        })
    }
}

/// Leaves exactly one candidate flagged: the one that is, or the only one there is.
fn settle<'a>(
    candidates: impl Iterator<Item = &'a mut Entry>,
    question: &str,
    flag: impl Fn(&mut Entry) -> &mut bool,
) -> Result<(), LoadError> {
    let mut candidates: Vec<&mut Entry> = candidates.collect();
    if let [only] = candidates.as_mut_slice() {
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
