//! How a request came: from which address, for which host, by which scheme. Behind a proxy that is what the proxy says,
//! in the last value of its headers: those before it the caller can make up.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, Uri, header};

use crate::config::{Authority, ServeConfig};

/// The caller's address: of the peer, or the last in `X-Forwarded-For`.
pub(super) fn address(headers: &HeaderMap, extensions: &Extensions, config: &ServeConfig) -> IpAddr {
    let peer = extensions.get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip());
    let forwarded = forwarded(headers, config, "x-forwarded-for").and_then(parse_address);
    forwarded.or(peer).map_or(Ipv4Addr::UNSPECIFIED.into(), |address| address.to_canonical())
}

/// The host that was asked for, where one is named and named once.
pub(super) fn host(headers: &HeaderMap, uri: &Uri, config: &ServeConfig) -> Option<Authority> {
    let host = match forwarded(headers, config, "x-forwarded-host") {
        Some(host) => host,
        // HTTP/2 and absolute addresses have it in the address, where it counts more than `Host`.
        None => match uri.authority() {
            Some(authority) => authority.as_str(),
            None => {
                let mut hosts = headers.get_all(header::HOST).iter();
                hosts.next().filter(|_| hosts.next().is_none())?.to_str().ok()?
            }
        },
    };
    let port = forwarded(headers, config, "x-forwarded-port").and_then(|port| port.parse().ok());
    host.parse().ok().map(|host: Authority| host.or_port(port))
}

/// The page that stands above all routes, as the caller knows it; no host, no page.
pub(super) fn home(headers: &HeaderMap, uri: &Uri, config: &ServeConfig) -> Option<String> {
    Some(host(headers, uri, config)?.home(scheme(headers, config)))
}

/// `https` or `http`.
pub(super) fn scheme(headers: &HeaderMap, config: &ServeConfig) -> &'static str {
    match forwarded(headers, config, "x-forwarded-proto") {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => "http",
        _ if config.tls_cert.is_some() => "https",
        _ => "http",
    }
}

/// The last of a header's values; nobody is believed who need not be a proxy.
fn forwarded<'a>(headers: &'a HeaderMap, config: &ServeConfig, name: &str) -> Option<&'a str> {
    let last = headers.get_all(name).iter().next_back().filter(|_| config.forwarded_for)?;
    last.to_str().ok()?.rsplit(',').next().map(str::trim).filter(|value| !value.is_empty())
}

/// An address as proxies write it: bare, with a port, in brackets, in quotes, after `for=`.
fn parse_address(text: &str) -> Option<IpAddr> {
    let text = match text.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("for") => value,
        _ => text,
    };
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '"');
    let bare = match text.strip_prefix('[') {
        Some(text) => text.split_once(']')?.0,
        None if text.matches(':').count() == 1 => text.split(':').next()?,
        None => text,
    };
    // The zone of a link's own address is a name of the proxy's.
    bare.split('%').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_however_a_proxy_writes_it() {
        for (text, address) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:55", "192.0.2.1"),
            ("\"192.0.2.1:55\"", "192.0.2.1"),
            ("for=192.0.2.1", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("For=\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
        ] {
            assert_eq!(parse_address(text), address.parse().ok(), "{text}");
        }
        for text in ["", "unknown", "_hidden", "192.0.2", "for=", "[::1", "a:b:c"] {
            assert_eq!(parse_address(text), None, "{text}");
        }
    }
}
