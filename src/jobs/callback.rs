//! Tells somebody that a job has ended: a POST to an origin that the operator has listed, signed as Standard Webhooks 1
//! says. Neither a redirect nor a name that leads elsewhere makes it ask what it should not.

use std::collections::HashSet;
use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use ipnet::IpNet;
use reqwest::{Client, Url, header, redirect};
use ring::hmac;
use serde_json::json;
use tokio::net::lookup_host;
use tokio::time::sleep;
use tokio_rustls::rustls::crypto::ring as provider;

use super::store::Store;
use super::table::{self, Due, now};
use crate::config::{JobsConfig, Origin};

/// How often it is tried, and how long after the first try, the second and so on.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(15), Duration::from_secs(120), Duration::from_secs(900)];
/// Most seconds of one try.
const TRY: Duration = Duration::from_secs(10);
/// Tries at once: one who does not answer does not keep the others waiting.
const AT_ONCE: usize = 8;
/// Between two looks for whom to tell.
const LOOK: Duration = Duration::from_secs(1);
/// Fewest bytes of a secret, as Standard Webhooks has it.
const LEAST_SECRET: usize = 24;

/// The secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// Not read.
    #[error("--callback-secret-file {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Not what it should be.
    #[error("--callback-secret-file {}: expected whsec_ and the base64 of 24 to 64 bytes", .0.display())]
    Secret(PathBuf),
    /// Not https.
    #[error("--callback-origin: only https:// origins are told")]
    Scheme,
}

/// Why a URL is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// No URL.
    #[error("callback has to be a URL, https://HOST/PATH, without a user's name and a fragment")]
    Malformed,
    /// Another's.
    #[error("callback may only be of an origin that this server lists (--callback-origin)")]
    Unlisted,
}

/// Why a try failed; says nothing of the URL's query.
#[derive(Debug, thiserror::Error)]
enum TryError {
    #[error("the URL is not listed any more")]
    Unlisted,
    #[error("the name cannot be resolved")]
    Unresolved,
    #[error("the address {0} is private, and not in --callback-network")]
    Private(IpAddr),
    #[error("{}", reasons(.0))]
    Request(reqwest::Error),
    #[error("the answer is {0}")]
    Status(u16),
}

/// What failed, and each reason behind it: a certificate, a time that was over.
fn reasons(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut reason = error.source();
    while let Some(error) = reason {
        text += &format!(": {error}");
        reason = error.source();
    }
    text
}

/// Whom jobs' ends may be told, and by which secret they know us.
pub struct Callbacks {
    origins: Vec<Origin>,
    networks: Vec<IpNet>,
    key: hmac::Key,
}

impl Callbacks {
    /// Nobody where no origin is listed.
    pub(super) fn open(config: &JobsConfig) -> Result<Option<Self>, CallbackError> {
        let Some(path) = config.callback_secret_file.clone().filter(|_| !config.callback_origin.is_empty())
        else {
            return Ok(None);
        };
        if config.callback_origin.iter().any(|origin| !origin.is_https()) {
            return Err(CallbackError::Scheme);
        }
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|cause| CallbackError::Read { path: path.clone(), cause })?;
        let secret = text.trim().strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok());
        let secret = secret.filter(|secret| (LEAST_SECRET..=64).contains(&secret.len()));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret.ok_or(CallbackError::Secret(path))?);
        // Whoever was first chose the same.
        let _ = provider::default_provider().install_default();
        let (origins, networks) = (config.callback_origin.clone(), config.callback_network.clone());
        Ok(Some(Self { origins, networks, key }))
    }

    /// Whether this URL may be told.
    pub fn check(&self, url: &str) -> Result<(), UrlError> {
        self.listed(url).map(drop)
    }

    fn listed(&self, url: &str) -> Result<Url, UrlError> {
        let url = Url::parse(url).map_err(|_| UrlError::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(UrlError::Malformed);
        }
        let origin: Origin = url.origin().ascii_serialization().parse().map_err(|_| UrlError::Malformed)?;
        if self.origins.iter().any(|listed| listed.is(&origin)) { Ok(url) } else { Err(UrlError::Unlisted) }
    }

    /// Tells whoever is due, again and again; who does not answer keeps nobody else waiting.
    pub(super) async fn deliver(&self, store: &Store) {
        let (mut telling, mut told) = (FuturesUnordered::new(), HashSet::new());
        loop {
            match store.ask(|table| table::due(table)).await {
                Ok(due) => {
                    for due in due {
                        if telling.len() < AT_ONCE && told.insert(due.id) {
                            telling.push(async { (due.id, self.tell(store, due).await).0 });
                        }
                    }
                }
                Err(error) => tracing::error!(%error, "nobody can be told of jobs"),
            }
            let mut pause = std::pin::pin!(sleep(LOOK));
            loop {
                tokio::select! {
                    Some(id) = telling.next() => drop(told.remove(&id)),
                    () = &mut pause => break,
                }
            }
        }
    }

    async fn tell(&self, store: &Store, due: Due) {
        let (id, tries) = (due.id, due.tries as usize);
        let again = match self.try_to(&due).await {
            Ok(()) => None,
            Err(error) => {
                let next = PAUSES.get(tries).copied();
                tracing::warn!(job = %id, tries = tries + 1, last = next.is_none(), %error, "a callback failed");
                next.map(|pause| now() + i64::try_from(pause.as_millis()).unwrap_or(i64::MAX))
            }
        };
        if let Err(error) = store.ask(move |table| table::told(table, id, again)).await {
            tracing::error!(%error, job = %id, "a callback cannot be written down");
        }
    }

    async fn try_to(&self, due: &Due) -> Result<(), TryError> {
        let url = self.listed(&due.url).map_err(|_| TryError::Unlisted)?;
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::time::timeout(TRY, lookup_host((bare, port))).await;
        let addresses: Vec<SocketAddr> =
            found.ok().and_then(Result::ok).map(Iterator::collect).unwrap_or_default();
        self.admit(&addresses)?;
        self.post(url.clone(), host, &addresses, due).await
    }

    /// Refuses addresses that lie within somebody's network, unless they are listed.
    fn admit(&self, addresses: &[SocketAddr]) -> Result<(), TryError> {
        if addresses.is_empty() {
            return Err(TryError::Unresolved);
        }
        let private = addresses.iter().map(|address| address.ip().to_canonical()).find(|address| {
            !is_public(*address) && !self.networks.iter().any(|network| network.contains(address))
        });
        private.map_or(Ok(()), |address| Err(TryError::Private(address)))
    }

    /// Asks these addresses and no others, whatever the name means by now.
    async fn post(&self, url: Url, host: &str, addresses: &[SocketAddr], due: &Due) -> Result<(), TryError> {
        let client = Client::builder()
            .https_only(true)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .resolve_to_addrs(host, addresses)
            .timeout(TRY)
            .build()
            .map_err(TryError::Request)?;
        let (id, time) = (format!("job_{}", due.id), now() / 1000);
        let body = json!({"id": due.id, "state": due.state}).to_string();
        let signature = self.sign(&id, time, &body);
        let request = client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", time)
            .header("webhook-signature", signature)
            .body(body);
        let status = request.send().await.map_err(|error| TryError::Request(error.without_url()))?.status();
        if status.is_success() { Ok(()) } else { Err(TryError::Status(status.as_u16())) }
    }

    fn sign(&self, id: &str, time: i64, body: &str) -> String {
        let tag = hmac::sign(&self.key, format!("{id}.{time}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    }
}

/// Whether an address is one that everybody reaches (IANA's registries of special-purpose addresses).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            let special = address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_documentation()
                || address.is_multicast()
                // This network, shared space of carriers, IETF's own, benchmarks, reserved.
                || first == 0
                || (first == 100 && (64..128).contains(&second))
                || (first == 192 && second == 0 && third == 0)
                || (first == 192 && second == 88 && third == 99)
                || (first == 198 && (18..20).contains(&second))
                || first >= 240;
            !special
        }
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            let global = (0x2000..0x4000).contains(&first);
            // Protocols, Teredo among them, and documentation; 6to4, which holds an IPv4 address.
            let special = (first == 0x2001 && (second < 0x200 || second == 0xdb8))
                || first == 0x2002
                || (first == 0x3fff && second < 0x1000);
            global && !special
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use uuid::Uuid;

    use super::*;

    use crate::jobs::State;

    fn callbacks(origin: &str, networks: &[&str]) -> Callbacks {
        Callbacks {
            origins: vec![origin.parse().unwrap()],
            networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
            key: hmac::Key::new(
                hmac::HMAC_SHA256,
                &STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap(),
            ),
        }
    }

    /// The example of the specification's own libraries.
    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        let signature = callbacks("https://a.example", &[]).sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn only_listed_origins_are_told() {
        let callbacks = callbacks("https://lims.example", &[]);
        for url in ["https://lims.example/done", "https://LIMS.example:443/?token=1"] {
            assert_eq!(callbacks.check(url), Ok(()), "{url}");
        }
        for url in [
            "http://lims.example/done",
            "https://lims.example:8443/",
            "https://lims.example.evil.example/",
            "https://evil.example/#https://lims.example",
            "https://lims.example@evil.example/",
            "https://evil.example\\@lims.example/",
            "file:///etc/passwd",
            "lims.example",
            "",
        ] {
            assert!(callbacks.check(url).is_err(), "{url}");
        }
    }

    #[test]
    fn private_addresses_have_to_be_listed() {
        let admitted = |networks: &[&str], addresses: &[&str]| {
            let addresses: Vec<SocketAddr> =
                addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 443)).collect();
            callbacks("https://a.example", networks).admit(&addresses).is_ok()
        };
        assert!(admitted(&[], &["8.8.8.8", "2606:4700::1111"]));
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "192.168.0.1",
            "172.16.0.1",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "fe80::1",
            "fd00::1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
            "ff02::1",
        ] {
            assert!(!admitted(&[], &[private]), "{private}");
            assert!(!admitted(&[], &["8.8.8.8", private]), "one of several: {private}");
        }
        assert!(admitted(&["10.1.0.0/16"], &["10.1.2.3"]));
        assert!(!admitted(&["10.1.0.0/16"], &["10.2.2.3"]));
        assert!(!admitted(&[], &[]), "a name without an address");
    }

    /// A name that means another address by the time of the request: it is the address that was checked which is asked.
    #[tokio::test]
    async fn the_address_that_was_checked_is_asked() {
        let _ = provider::default_provider().install_default();
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let callbacks = callbacks("https://localhost", &[]);
        let due = Due { id: Uuid::new_v4(), state: State::Complete, url: String::new(), tries: 0 };
        // Nobody has the name; only the address leads there.
        let url = Url::parse(&format!("https://pinned.invalid:{port}/")).unwrap();
        let addresses = [listener.local_addr().unwrap()];
        let asked = callbacks.post(url, "pinned.invalid", &addresses, &due);
        let (asked, came) = tokio::join!(asked, async {
            let (stream, _) = listener.accept().await.unwrap();
            drop(stream);
        });
        assert!(matches!(asked, Err(TryError::Request(_))), "it spoke to us, and we hung up: {came:?}");
        // And a name that means a private one is not asked.
        let due = Due { url: format!("https://localhost:{port}/"), ..due };
        let callbacks = super::tests::callbacks(&format!("https://localhost:{port}"), &[]);
        assert!(matches!(callbacks.try_to(&due).await, Err(TryError::Private(_))));
    }
}
