//! The models that this process serves, and which of them answers to which name.

use std::path::Path;
use std::sync::Arc;

use super::{Forward, Predictor, PredictorConfig};
use crate::models::device::Device;
use crate::models::{Encoder, LoadError, Model, WeightsConfig, WeightsDir};
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
    /// What scores its rows.
    pub predictor: Predictor,
}

/// All of them, in order of their names.
pub struct Registry {
    models: Vec<Arc<ServedModel>>,
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
    /// Loads one replica for each worker. Each has to reproduce the golden outputs and is warmed with a full batch.
    pub fn load(dir: &WeightsDir, device: Device, config: PredictorConfig) -> Result<Self, LoadError> {
        let (model, golden) = (dir.model()?, dir.golden()?);
        let encoder = Arc::new((model.encoder)(&dir.config.options)?);
        // Capacity is meant in rows; a long site takes several inputs.
        let queue_capacity = config.queue_capacity.saturating_mul(encoder.most_inputs);
        let config = PredictorConfig { queue_capacity, ..config };
        let mut replicas: Vec<Forward> = Vec::with_capacity(config.workers);
        for _ in 0..config.workers {
            let replica = dir.load(device)?;
            golden.verify(&replica)?;
            replica.forward(&vec![0.0; config.max_batch_size * encoder.width]);
            replicas.push(Box::new(move |inputs| replica.forward(inputs)));
        }
        let name = format!("{}@{}", dir.config.model, dir.config.version);
        let predictor = Predictor::start(&name, encoder.width, config, replicas)
            .map_err(|source| LoadError::Io { path: dir.path.clone(), source })?;
        let metrics = match dir.metrics()? {
            serde_json::Value::Object(metrics) => metrics,
            _ => {
                let reason = "is not a JSON object".into();
                return Err(LoadError::Format { path: dir.path.join("metrics.json"), reason });
            }
        };
        Ok(Self { model, config: dir.config.clone(), metrics, card: dir.card()?, encoder, predictor })
    }

    /// `name@version`.
    pub fn full_name(&self) -> String {
        format!("{}@{}", self.config.model, self.config.version)
    }
}

impl Registry {
    /// Loads every weights folder under `root`.
    pub fn load(root: &Path, device: Device, config: PredictorConfig) -> Result<Self, LoadError> {
        let folders = WeightsDir::scan(root)?;
        let load = |dir: &WeightsDir| ServedModel::load(dir, device, config);
        Self::new(folders.iter().map(load).collect::<Result<_, _>>()?)
    }

    /// Settles the defaults: afterwards each model has one version with `default_version`, and each task one with
    /// `default` too.
    ///
    /// # Errors
    /// [`LoadError::Ambiguous`] when the folders leave a choice.
    pub fn new(mut models: Vec<ServedModel>) -> Result<Self, LoadError> {
        let names: Vec<&str> = models.iter().map(|served| served.model.name).collect();
        for name in names {
            let question = format!("version answers to the name {name:?} (default_version)");
            let of_name = |served: &&mut ServedModel| served.model.name == name;
            settle(models.iter_mut().filter(of_name), &question, |config| &mut config.default_version)?;
        }
        let tasks: Vec<Task> = models.iter().map(|served| served.model.task).collect();
        for task in tasks {
            let question = format!("model answers the task {:?} (default)", task.name());
            let of_task = |served: &&mut ServedModel| served.model.task == task;
            for other in models.iter_mut().filter(of_task).filter(|served| !served.config.default_version) {
                other.config.default = false;
            }
            let candidates = models.iter_mut().filter(of_task).filter(|served| served.config.default_version);
            settle(candidates, &question, |config| &mut config.default)?;
        }
        Ok(Self { models: models.into_iter().map(Arc::new).collect() })
    }

    /// All models, in order of their names.
    pub fn models(&self) -> &[Arc<ServedModel>] {
        &self.models
    }

    /// The model of this task that answers to `name`, `name@version` or, without a name, by default.
    pub fn resolve(&self, task: Task, name: Option<&str>) -> Result<&Arc<ServedModel>, UnknownModel> {
        self.find(name, |served| served.model.task == task)
    }

    /// The model that answers to `name` or `name@version`.
    pub fn card(&self, name: &str) -> Result<&Arc<ServedModel>, UnknownModel> {
        self.find(Some(name), |_| true)
    }

    /// Waits until every accepted row is answered, then ends the workers.
    pub fn shut_down(&self) {
        self.models.iter().for_each(|served| served.predictor.shut_down());
    }

    fn find(
        &self,
        name: Option<&str>,
        among: impl Fn(&ServedModel) -> bool,
    ) -> Result<&Arc<ServedModel>, UnknownModel> {
        let answers = |served: &ServedModel| match name.map(|name| name.split_once('@').ok_or(name)) {
            None => served.config.default,
            Some(Err(name)) => served.model.name == name && served.config.default_version,
            Some(Ok((name, version))) => served.model.name == name && served.config.version == version,
        };
        let mut candidates = self.models.iter().filter(|served| among(served));
        candidates.clone().find(|served| answers(served)).ok_or_else(|| UnknownModel {
            asked: name.unwrap_or_default().to_owned(),
            known: candidates.by_ref().map(|served| served.full_name()).collect(),
        })
    }
}

/// Leaves exactly one candidate flagged: the one that is, or the only one there is.
fn settle<'a>(
    candidates: impl Iterator<Item = &'a mut ServedModel>,
    question: &str,
    flag: impl Fn(&mut WeightsConfig) -> &mut bool,
) -> Result<(), LoadError> {
    let mut candidates: Vec<&mut ServedModel> = candidates.collect();
    if let [only] = candidates.as_mut_slice() {
        *flag(&mut only.config) = true;
        return Ok(());
    }
    let mut flagged = Vec::new();
    for served in &mut candidates {
        if *flag(&mut served.config) {
            flagged.push(served.full_name());
        }
    }
    let all = || candidates.iter().map(|served| served.full_name()).collect::<Vec<_>>().join(", ");
    match flagged.len() {
        1 => Ok(()),
        0 => Err(LoadError::Ambiguous(format!("no {question}; there is: {}", all()))),
        _ => Err(LoadError::Ambiguous(format!("more than one {question}: {}", flagged.join(", ")))),
    }
}
