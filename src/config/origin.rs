//! Where a page comes from and what a server is called: the values of `--cors-origin` and `--allowed-host`, and the
//! headers that they are compared with.

use std::str::FromStr;

/// A host, and a port where one is named: `lab.example`, `127.0.0.1:8080`, `[::1]:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// In lower case, without the root's dot.
    host: String,
    port: Option<u16>,
}

/// Where a page was loaded from, as browsers write it: `https://lab.example`, `http://localhost:3000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    authority: Authority,
}

/// An entry of `--cors-origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// `*`
    Any,
    /// Pages of this origin.
    One(Origin),
}

impl Authority {
    /// Whether a request for `asked` is for this host. Without a port of its own, any port will do.
    pub fn admits(&self, asked: &Self) -> bool {
        self.host == asked.host && (self.port.is_none() || self.port == asked.port)
    }

    /// The address of its front page; the scheme's own port need not be named.
    pub fn home(&self, scheme: &str) -> String {
        let port = self.port.filter(|port| Some(*port) != own_port(scheme));
        format!("{scheme}://{}{}/", self.host, port.map_or(String::new(), |port| format!(":{port}")))
    }

    /// This host, at this port where none was named.
    pub fn or_port(self, port: Option<u16>) -> Self {
        Self { port: self.port.or(port), ..self }
    }
}

impl Origin {
    /// Whether its pages were loaded from this host. A port that is not named is the scheme's own.
    pub fn is_of(&self, host: &Authority) -> bool {
        self.authority.host == host.host && self.port() == host.port.or_else(|| own_port(&self.scheme))
    }

    /// Whether its pages come encrypted.
    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// Whether both are one.
    pub fn is(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.authority.host == other.authority.host
            && self.port() == other.port()
    }

    fn port(&self) -> Option<u16> {
        self.authority.port.or_else(|| own_port(&self.scheme))
    }
}

impl AllowedOrigin {
    /// Whether pages of `origin` may ask.
    pub fn admits(&self, origin: &Origin) -> bool {
        match self {
            Self::Any => true,
            Self::One(one) => one.is(origin),
        }
    }
}

fn own_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

impl FromStr for Authority {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no host; write lab.example, or lab.example:8443");
        // The colons of an IPv6 address stand in brackets.
        let (host, port) = match text.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let sane = match address {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(name),
        };
        if sane { Ok(Self { host, port }) } else { Err(wrong()) }
    }
}

impl FromStr for Origin {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no origin; write https://lab.example, with its port and no path");
        let (scheme, authority) = text.split_once("://").ok_or_else(wrong)?;
        let sane =
            scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        match authority.parse() {
            Ok(authority) if sane && !scheme.is_empty() => {
                Ok(Self { scheme: scheme.to_ascii_lowercase(), authority })
            }
            _ => Err(wrong()),
        }
    }
}

impl FromStr for AllowedOrigin {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "*" { Ok(Self::Any) } else { text.parse().map(Self::One) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_origins_are_compared_as_browsers_mean_them() {
        let host = |text: &str| text.parse::<Authority>().unwrap();
        let origin = |text: &str| text.parse::<Origin>().unwrap();
        assert!(origin("https://Lab.Example").is_of(&host("lab.example.:443")));
        assert!(origin("http://[::1]:8080").is_of(&host("[::1]:8080")));
        assert!(!origin("http://lab.example:8080").is_of(&host("lab.example")));
        assert!(!origin("http://lab.example").is_of(&host("lab.example.org")));
        assert!(host("lab.example").admits(&host("LAB.example:8443")));
        assert!(!host("lab.example:8443").admits(&host("lab.example")));
        let listed: AllowedOrigin = "https://lab.example:443".parse().unwrap();
        assert!(listed.admits(&origin("https://lab.example")));
        assert!(!listed.admits(&origin("http://lab.example")));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in
            ["", "lab", "null", "https://", "https://a/", "https://a b", "https://a@b", "https://a:x", "://a"]
        {
            assert!(text.parse::<AllowedOrigin>().is_err(), "{text}");
        }
        for text in ["", ":80", "https://a", "a/b", "[::g]", "a:99999", "a, b", "::1"] {
            assert!(text.parse::<Authority>().is_err(), "{text}");
        }
    }
}
