//! `weights/<model>/<version>/`: what is there, what it is called, and whether it is what it says.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tch::Device;

use crate::error::io;
use crate::{Golden, LoadError, Model, ModelId, Options, Replica, Tensors, find};

/// Lower-case hexadecimal SHA-256 of a file.
pub fn sha256(path: &Path) -> Result<String, LoadError> {
    Ok(sha256_of(&fs::read(path).map_err(io(path))?))
}

/// Lower-case hexadecimal SHA-256 of bytes.
pub fn sha256_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `config.json`: what the weights are and how they are served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightsConfig {
    /// Name in [`crate::MODELS`].
    pub model: String,
    /// The folder's name.
    pub version: String,
    /// Whether this model answers its task when a request names none.
    pub default: bool,
    /// Whether this version answers when a request names the model only.
    pub default_version: bool,
    /// A probability from here on is a yes; `null` for a task whose answer is a number.
    pub decision_threshold: Option<f32>,
    /// The model's own switches.
    pub options: Options,
    /// SHA-256 of `model.safetensors`.
    pub sha256: String,
}

impl WeightsConfig {
    /// What it is called.
    pub fn id(&self) -> ModelId {
        ModelId::new(&self.model, &self.version)
    }

    /// A probability from here on is a yes.
    pub fn threshold(&self) -> f32 {
        self.decision_threshold.unwrap_or(0.5)
    }
}

/// One weights folder.
#[derive(Clone, Debug)]
pub struct WeightsDir {
    /// Where it is.
    pub path: PathBuf,
    /// What `config.json` says.
    pub config: WeightsConfig,
}

impl WeightsDir {
    /// Reads one folder's `config.json`.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let config: WeightsConfig = read_json(&path.join("config.json"))?;
        if !path.ends_with(Path::new(&config.model).join(&config.version)) {
            let reason = format!("names {}@{}, but lies elsewhere", config.model, config.version);
            return Err(LoadError::format(&path.join("config.json"), reason));
        }
        Ok(Self { path: path.to_owned(), config })
    }

    /// All folders `<model>/<version>/` under a root that hold a `config.json`, in order of their names.
    pub fn scan(root: &Path) -> Result<Vec<Self>, LoadError> {
        Self::folders(root)?.iter().map(|path| Self::open(path)).collect()
    }

    /// Their paths, whether they can be used or not.
    pub fn folders(root: &Path) -> Result<Vec<PathBuf>, LoadError> {
        let mut found = Vec::new();
        for model in subfolders(root)? {
            found.extend(
                subfolders(&model)?.into_iter().filter(|version| version.join("config.json").is_file()),
            );
        }
        if found.is_empty() {
            return Err(LoadError::format(root, "holds no <model>/<version>/config.json"));
        }
        Ok(found)
    }

    /// Those of these models, each `name` or `name@version`; all where none is named.
    ///
    /// # Errors
    /// Also where a name has no folder.
    pub fn folders_of(root: &Path, names: &[String]) -> Result<Vec<PathBuf>, LoadError> {
        let all = Self::folders(root)?;
        let answers = |path: &Path, name: &str| match name.split_once('@') {
            Some((model, version)) => path.ends_with(Path::new(model).join(version)),
            None => path.parent().is_some_and(|folder| folder.ends_with(name)),
        };
        if let Some(name) = names.iter().find(|name| !all.iter().any(|path| answers(path, name))) {
            return Err(LoadError::format(root, format!("holds no model {name:?}")));
        }
        let asked = |path: &PathBuf| names.is_empty() || names.iter().any(|name| answers(path, name));
        Ok(all.into_iter().filter(asked).collect())
    }

    /// The kind of network.
    pub fn model(&self) -> Result<&'static Model, LoadError> {
        find(&self.config.model).ok_or_else(|| LoadError::UnknownModel(self.config.model.clone()))
    }

    /// A replica with these weights; the file's digest, every name and every shape are checked.
    pub fn load(&self, device: Device) -> Result<Replica, LoadError> {
        let file = self.path.join("model.safetensors");
        let found = sha256(&file)?;
        if found != self.config.sha256 {
            let reason = format!("SHA-256 is {found}, but config.json says {}", self.config.sha256);
            return Err(LoadError::format(&file, reason));
        }
        let replica = Replica::new(self.model()?, &self.config.options, device)?;
        Tensors::read(&file)?.load_into(&replica.store).map_err(|error| LoadError::format(&file, error))?;
        Ok(replica)
    }

    /// The inputs and outputs that training saw.
    pub fn golden(&self) -> Result<Golden, LoadError> {
        read_json(&self.path.join("golden.json"))
    }

    /// `metrics.json` as it stands.
    pub fn metrics(&self) -> Result<serde_json::Value, LoadError> {
        read_json(&self.path.join("metrics.json"))
    }

    /// `CARD.md` as it stands.
    pub fn card(&self) -> Result<String, LoadError> {
        let path = self.path.join("CARD.md");
        fs::read_to_string(&path).map_err(io(&path))
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, LoadError> {
    let text = fs::read_to_string(path).map_err(io(path))?;
    serde_json::from_str(&text).map_err(|error| LoadError::format(path, error))
}

fn subfolders(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(path).map_err(io(path))? {
        let entry = entry.map_err(io(path))?.path();
        if entry.is_dir() {
            folders.push(entry);
        }
    }
    folders.sort();
    Ok(folders)
}
