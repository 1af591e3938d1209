//! Why the server cannot start or go on, in words for whoever starts it.

use std::io;
use std::path::PathBuf;

use mirador_models::LoadError;

use super::keys::KeyFileError;
use super::net::TlsError;
use crate::config::ConfigError;
use crate::jobs::JobsError;

/// Why the server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The settings contradict each other.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// `--bind`.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The file for the bound address cannot be written.
    #[error("{}: {source}", path.display())]
    PortFile {
        /// `--port-file`.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file of keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The file of miRNAs cannot be used.
    #[error("--mirbase {}: {reason}", path.display())]
    Mirbase {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Jobs cannot be kept.
    #[error(transparent)]
    Jobs(#[from] JobsError),
    /// The models cannot be served.
    #[error("the models cannot be served: {0}")]
    Load(#[from] LoadError),
    /// The thread that loads the models panicked; the log has its message.
    #[error("the models cannot be served: loading them panicked")]
    Loader,
    /// The device broke while serving.
    #[error("the device is broken: {0}")]
    Fault(String),
    /// The system refused a signal handler or a thread, or the listener broke.
    #[error(transparent)]
    Io(#[from] io::Error),
}
