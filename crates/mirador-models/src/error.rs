//! What can be wrong with weights.

use std::path::{Path, PathBuf};

use mirna::ParseError;
use serde::de::DeserializeOwned;

use crate::Options;

/// Why a weights folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said; not a `source`, which would be told a second time by whoever prints the whole chain.
        cause: std::io::Error,
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
        /// The tensor's name.
        tensor: String,
        /// The layer's shape.
        expected: Vec<i64>,
        /// The file's shape.
        found: Vec<i64>,
    },
    /// The switches in `config.json` are not the model's.
    #[error("options: {0}")]
    Options(String),
    /// There are no golden outputs to reproduce.
    #[error("golden.json has no case")]
    NoGolden,
    /// A golden case is no row of the task.
    #[error("golden case {case}: {error}")]
    GoldenInput {
        /// The row's index in `golden.json`.
        case: usize,
        /// What is wrong with its letters.
        error: ParseError,
    },
    /// The network does not reproduce what training saw.
    #[error("golden case {case}: output {got}, but training saw {expected}")]
    Golden {
        /// The row's index in `golden.json`.
        case: usize,
        /// The output now.
        got: f32,
        /// The output then.
        expected: f32,
    },
    /// No folder was named, and there is none where weights are looked for.
    #[error("there are no weights in ./weights{}; name their folder with --weights-dir or MIRADOR_WEIGHTS_DIR",
        installed.as_ref().map(|root| format!(", nor in {}", root.display())).unwrap_or_default())]
    Nowhere {
        /// Where a package would have them, if the program knows where it lies itself.
        installed: Option<PathBuf>,
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
    |cause| LoadError::Io { path: path.to_owned(), cause }
}
