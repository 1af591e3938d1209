//! TLS by rustls, with HTTP/2 and HTTP/1.1.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct TlsError {
    path: PathBuf,
    reason: String,
}

/// A certificate that can be replaced while connections are accepted.
#[derive(Clone)]
pub(crate) struct Certificate {
    paths: [PathBuf; 2],
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Certificate {
    /// A certificate chain and its key, both PEM.
    pub(crate) fn read(chain: &Path, key: &Path) -> Result<Self, TlsError> {
        let current = Arc::new(RwLock::new(config(chain, key)?));
        Ok(Self { paths: [chain.to_owned(), key.to_owned()], current })
    }

    /// Reads the files anew; the old certificate stays when they cannot be used.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        let [chain, key] = &self.paths;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = config(chain, key)?;
        Ok(())
    }

    /// What shakes hands by it now.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone().into()
    }
}

fn config(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let error = |path: &Path, reason: String| TlsError { path: path.to_owned(), reason };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|cause| error(chain, cause.to_string()))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|cause| error(key, cause.to_string()))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(|cause| error(chain, cause.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
