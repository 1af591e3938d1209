//! Settings of `mirador health`: where the server listens, by the settings that the server itself has.

use std::path::PathBuf;

use clap::Args;

/// Settings of `mirador health`.
#[derive(Args, Clone, Debug)]
pub struct HealthConfig {
    /// The server, as in `https://mirador.example:8443` [default: by the settings below, which are the server's own]
    #[arg(long)]
    pub url: Option<String>,
    /// Address that the server listens on
    #[arg(long, env = "MIRADOR_BIND", default_value = "127.0.0.1:8080")]
    pub bind: String,
    /// The server's second address, which is asked where there is one
    #[arg(long, env = "MIRADOR_OPS_BIND")]
    pub ops_bind: Option<String>,
    /// The server's certificate chain: it is asked over HTTPS
    #[arg(long, env = "MIRADOR_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
}
