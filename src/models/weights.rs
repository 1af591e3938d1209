//! `weights/<model>/<version>/`: what is there, what it is called, and whether it is what it says.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tch::Device;

use super::{Golden, Model, Options, Replica, Tensors, find};

/// Why a weights folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is there, but not what it should be.
    #[error("{}: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No model of this build has that name.
    #[error("no model {0:?} in this build")]
    UnknownModel(String),
    /// A tensor that the network needs is missing.
    #[error("tensor {0:?} is missing")]
    Missing(String),
    /// A tensor that the network does not know.
    #[error("tensor {0:?} belongs to no layer")]
    Surplus(String),
    /// A tensor has another shape than the layer.
    #[error("tensor {tensor:?} has shape {found:?}; the network has {expected:?}")]
    Shape {
        /// Its name.
        tensor: String,
        /// The layer's shape.
        expected: Vec<i64>,
        /// The file's shape.
        found: Vec<i64>,
    },
    /// The switches in `config.json` are not the model's.
    #[error("options: {0}")]
    Options(String),
    /// The network does not reproduce what training saw.
    #[error("golden case {case}: logit {got}, but training saw {expected}")]
    Golden {
        /// Its index in `golden.json`.
        case: usize,
        /// The logit now.
        got: f32,
        /// The logit then.
        expected: f32,
    },
    /// Which weights answer by default is not clear.
    #[error("{0}")]
    Ambiguous(String),
}

impl LoadError {
    /// Reads a model's own switches.
    pub(super) fn options<T: DeserializeOwned>(options: &Options) -> Result<T, Self> {
        serde_json::from_value(options.clone().into()).map_err(|error| Self::Options(error.to_string()))
    }

    pub(super) fn format(path: &Path, reason: impl ToString) -> Self {
        Self::Format { path: path.to_owned(), reason: reason.to_string() }
    }
}

pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> LoadError + '_ {
    |source| LoadError::Io { path: path.to_owned(), source }
}

/// Lower-case hexadecimal SHA-256 of a file.
pub fn sha256(path: &Path) -> Result<String, LoadError> {
    let digest = Sha256::digest(fs::read(path).map_err(io(path))?);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// `config.json`: what the weights are and how they are served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightsConfig {
    /// Name in [`super::MODELS`].
    pub model: String,
    /// The folder's name.
    pub version: String,
    /// Whether this model answers its task when a request names none.
    pub default: bool,
    /// Whether this version answers when a request names the model only.
    pub default_version: bool,
    /// A probability from here on is a yes.
    pub decision_threshold: f32,
    /// The model's own switches.
    pub options: Options,
    /// SHA-256 of `model.safetensors`.
    pub sha256: String,
}

/// One weights folder.
#[derive(Clone, Debug)]
pub struct WeightsDir {
    /// Where it is.
    pub path: PathBuf,
    /// Its `config.json`.
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
        let mut found = Vec::new();
        for model in subfolders(root)? {
            for version in subfolders(&model)? {
                if version.join("config.json").is_file() {
                    found.push(Self::open(&version)?);
                }
            }
        }
        if found.is_empty() {
            return Err(LoadError::format(root, "holds no <model>/<version>/config.json"));
        }
        Ok(found)
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
