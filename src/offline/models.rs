//! The models that a command without a server asks, found as a server finds them.

use anyhow::{Context, Result, ensure};
use mirador_models::tasks::Task;
use mirador_models::{LoadError, WeightsDir};

use crate::config::NetworkConfig;

/// The version of this task that answers to `name`, `name@version`, or by default.
pub(super) fn choose(network: &NetworkConfig, task: Task, name: Option<&str>) -> Result<WeightsDir> {
    let folders = WeightsDir::folders_of(&network.weights()?, &network.models)?;
    let dirs =
        folders.iter().map(|folder| WeightsDir::open(folder)).collect::<Result<Vec<_>, LoadError>>()?;
    let of_task: Vec<WeightsDir> =
        dirs.into_iter().filter(|dir| dir.model().is_ok_and(|model| model.task == task)).collect();
    let known: Vec<String> = of_task.iter().map(|dir| dir.config.id().to_string()).collect();
    let only = of_task.len() == 1;
    let answers = |dir: &WeightsDir| match name.map(|name| name.split_once('@').ok_or(name)) {
        None => dir.config.default || only,
        Some(Err(name)) => {
            let versions = of_task_versions(&known, name);
            dir.config.model == name && (dir.config.default_version || versions == 1)
        }
        Some(Ok((model, version))) => dir.config.model == model && dir.config.version == version,
    };
    let found = of_task.into_iter().find(answers);
    ensure!(!known.is_empty(), "--models leaves no model of {}", task.name());
    found.with_context(|| match name {
        Some(name) => format!("no model {name:?} of {}; there is: {}", task.name(), known.join(", ")),
        None => format!("no default model of {}; there is: {}", task.name(), known.join(", ")),
    })
}

fn of_task_versions(known: &[String], model: &str) -> usize {
    known.iter().filter(|id| id.split('@').next() == Some(model)).count()
}

/// Holds a network to its golden outputs: whether it does here what it did where it was trained. The largest difference,
/// relative to 1 + |output|.
pub(super) fn check(dir: &WeightsDir, replica: &mirador_models::Replica) -> Result<f32, LoadError> {
    dir.golden()?.verify(replica)
}
