//! `weights/<model>/<version>/`: tensors by name, checked one by one, and the small files beside them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tch::{Device, Tensor, nn::VarStore};

use super::{Golden, Model, Options, Replica, find};

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

    fn format(path: &Path, reason: impl ToString) -> Self {
        Self::Format { path: path.to_owned(), reason: reason.to_string() }
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> LoadError + '_ {
    |source| LoadError::Io { path: path.to_owned(), source }
}

/// One float32 tensor outside libtorch.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Array {
    /// The same values with the axes in reverse order: Keras kernels to libtorch's.
    pub fn reverse_axes(&self) -> Self {
        let shape: Vec<i64> = self.shape.iter().map(|&size| size as i64).collect();
        let axes: Vec<i64> = (0..shape.len() as i64).rev().collect();
        Self::of(&Tensor::from_slice(&self.values).view(&*shape).permute(&*axes))
    }

    /// As many zeros.
    pub fn zeros_like(&self) -> Self {
        Self { shape: self.shape.clone(), values: vec![0.0; self.values.len()] }
    }

    fn of(tensor: &Tensor) -> Self {
        let mut values = vec![0.0; tensor.numel()];
        tensor.to_device(Device::Cpu).contiguous().copy_data(&mut values, tensor.numel());
        Self { shape: tensor.size().iter().map(|&size| size as usize).collect(), values }
    }
}

/// Tensors by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors(BTreeMap<String, Array>);

impl Tensors {
    /// Reads a safetensors file of float32 tensors.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        let bytes = fs::read(path).map_err(io(path))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| LoadError::format(path, error))?;
        let mut tensors = Self::default();
        for (name, view) in file.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(LoadError::format(path, format!("tensor {name:?} is not float32")));
            }
            let values = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            tensors.insert(name, Array { shape: view.shape().to_vec(), values: values.collect() });
        }
        Ok(tensors)
    }

    /// Writes a safetensors file; the same tensors give the same bytes.
    pub fn write(&self, path: &Path) -> Result<(), LoadError> {
        let bytes: Vec<(&String, &Array, Vec<u8>)> = self
            .0
            .iter()
            .map(|(name, array)| (name, array, array.values.iter().flat_map(|v| v.to_le_bytes()).collect()))
            .collect();
        let mut views = Vec::with_capacity(bytes.len());
        for (name, array, data) in &bytes {
            let view = TensorView::new(Dtype::F32, array.shape.clone(), data);
            views.push((name.as_str(), view.map_err(|error| LoadError::format(path, error))?));
        }
        let file = safetensors::serialize(views, None).map_err(|error| LoadError::format(path, error))?;
        fs::write(path, file).map_err(io(path))
    }

    /// A network's variables, trained and running alike.
    pub fn of(store: &VarStore) -> Self {
        Self::copy(store.variables())
    }

    /// Copies of libtorch tensors, e.g. an optimiser's state.
    pub fn copy(tensors: impl IntoIterator<Item = (String, Tensor)>) -> Self {
        Self(tensors.into_iter().map(|(name, tensor)| (name, Array::of(&tensor))).collect())
    }

    /// Copies every tensor into the network.
    pub fn load_into(self, store: &VarStore) -> Result<(), LoadError> {
        self.copy_into(store.variables())
    }

    /// Copies every tensor into the one of the same name. Names and shapes must be exactly the same: libtorch's own
    /// loading ignores surplus tensors and broadcasts wrong shapes.
    pub fn copy_into(mut self, targets: impl IntoIterator<Item = (String, Tensor)>) -> Result<(), LoadError> {
        for (name, mut variable) in targets {
            let array = self.take(&name)?;
            let found: Vec<i64> = array.shape.iter().map(|&size| size as i64).collect();
            if variable.size() != found {
                return Err(LoadError::Shape { tensor: name, expected: variable.size(), found });
            }
            tch::no_grad(|| variable.copy_(&Tensor::from_slice(&array.values).view(&*found)));
        }
        self.expect_empty()
    }

    /// Adds all tensors of another set, with a prefix to their names.
    pub fn extend_with(&mut self, prefix: &str, other: Tensors) {
        self.0.extend(other.0.into_iter().map(|(name, array)| (format!("{prefix}{name}"), array)));
    }

    /// Takes out the tensors whose names begin with a prefix, which is cut off.
    pub fn split_off(&mut self, prefix: &str) -> Tensors {
        let names: Vec<String> = self.0.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
        names
            .into_iter()
            .filter_map(|name| Some((name[prefix.len()..].to_owned(), self.0.remove(&name)?)))
            .collect()
    }

    /// Adds a tensor.
    pub fn insert(&mut self, name: String, array: Array) {
        self.0.insert(name, array);
    }

    /// Removes a tensor that has to be there.
    pub fn take(&mut self, name: &str) -> Result<Array, LoadError> {
        self.0.remove(name).ok_or_else(|| LoadError::Missing(name.to_owned()))
    }

    /// Fails when a tensor is left that nobody took.
    pub fn expect_empty(self) -> Result<(), LoadError> {
        self.0.into_keys().next().map_or(Ok(()), |name| Err(LoadError::Surplus(name)))
    }
}

impl FromIterator<(String, Array)> for Tensors {
    fn from_iter<I: IntoIterator<Item = (String, Array)>>(tensors: I) -> Self {
        Self(tensors.into_iter().collect())
    }
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
