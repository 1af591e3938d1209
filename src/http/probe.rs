//! `mirador health`: asks a server that runs whether it is ready, so that a container needs no other program for that.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::blocking::{Client, ClientBuilder};
use reqwest::redirect::Policy;
use serde_json::Value;
use tokio_rustls::rustls::crypto::ring;

use crate::config::HealthConfig;

/// Most seconds for the answer: a server that is well gives it in a millisecond.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of an answer that is no problem document, in the message.
const EXCERPT: usize = 200;

/// Asks for `/health/ready`: what the server says, or why it is not ready or cannot be asked.
pub fn probe(config: &HealthConfig) -> Result<String> {
    // Whoever was first chose the same.
    let _ = ring::default_provider().install_default();
    // The question is whether it answers, not who it is: its certificate names the host that callers know, which is not
    // the address that it is asked at. Kubernetes probes in the same way.
    let client = Client::builder().timeout(PATIENCE).no_proxy().redirect(Policy::none());
    let client = client.tls_certs_only([]).tls_danger_accept_invalid_certs(true);
    let (client, url) = match (&config.url, &config.ops_bind) {
        (Some(url), _) => {
            let known = url.starts_with("http://") || url.starts_with("https://");
            ensure!(known, "--url {url}: expected http://HOST:PORT or https://HOST:PORT");
            (client, url.clone())
        }
        (None, Some(ops)) => listening(client, "http", "--ops-bind", ops)?,
        (None, None) => {
            let scheme = if config.tls_cert.is_some() { "https" } else { "http" };
            listening(client, scheme, "--bind", &config.bind)?
        }
    };
    let url = format!("{}/health/ready", url.trim_end_matches('/'));
    let unheard = || format!("{url} does not answer");
    let answer = client.build()?.get(&url).send().with_context(unheard)?;
    let status = answer.status();
    let text = answer.text().with_context(unheard)?;
    let json = serde_json::from_str::<Value>(&text).unwrap_or_default();
    let said = ["detail", "title", "status"].iter().find_map(|name| json[name].as_str());
    let said = said.map_or_else(|| text.chars().take(EXCERPT).collect(), str::to_owned);
    ensure!(status.is_success(), "{url} answers {status}: {said}");
    Ok(said)
}

/// How a server that listens there is asked from the same machine: one that listens on every address, on loopback.
fn listening(
    client: ClientBuilder,
    scheme: &str,
    flag: &str,
    address: &str,
) -> Result<(ClientBuilder, String)> {
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let Some(port @ 1..) = port else {
        bail!("{flag} {address} does not tell where the server listens: give --url");
    };
    match address.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_unspecified() => {
            // By IPv4 or IPv6, whichever it is; no file of names is needed, which a container may lack.
            let loopback = [(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()];
            Ok((client.resolve_to_addrs("localhost", &loopback), format!("{scheme}://localhost:{port}")))
        }
        _ => Ok((client, format!("{scheme}://{address}"))),
    }
}
