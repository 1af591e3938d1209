//! API keys: who may ask what. The file holds digests, never keys; a key has 256 random bits, so a plain SHA-256 of it
//! cannot be searched.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use mirador_models::sha256_of;
use subtle::ConstantTimeEq;

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub enum Scope {
    /// To have rows scored.
    Score,
    /// To read what is served, the cards and the documents.
    Read,
    /// To read the metrics.
    Metrics,
    /// To have rows scored while nobody waits, and to see one's own jobs.
    Jobs,
}

/// A key without its secret.
#[derive(Clone, Debug)]
pub struct Key {
    /// Who holds it.
    pub name: Arc<str>,
    /// What its holder may ask.
    pub scopes: Vec<Scope>,
    /// SHA-256 of the secret, 64 lower-case hexadecimal digits.
    digest: String,
}

/// All keys: a file with a line `NAME SCOPE,SCOPE SHA256` for each; `#` starts a comment.
#[derive(Clone, Debug)]
pub struct Keys(Vec<Key>);

/// The file of keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {reason}", path.display(), line.map_or(String::new(), |line| format!(", line {line}")))]
pub struct KeyFileError {
    path: PathBuf,
    line: Option<usize>,
    reason: String,
}

impl Keys {
    /// Reads the file; a wrong line is named.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let error = |line, reason| KeyFileError { path: path.to_owned(), line, reason };
        let text = fs::read_to_string(path).map_err(|cause| error(None, cause.to_string()))?;
        let mut keys: Vec<Key> = Vec::new();
        for (line, content) in (1..).zip(text.lines()) {
            let content = content.split('#').next().unwrap_or_default().trim();
            if content.is_empty() {
                continue;
            }
            let key: Key = content.parse().map_err(|reason| error(Some(line), reason))?;
            if keys.iter().any(|other| other.name == key.name) {
                return Err(error(Some(line), format!("the name {} stands there twice", key.name)));
            }
            keys.push(key);
        }
        match keys.is_empty() {
            true => Err(error(None, "no key: nobody could ask anything".into())),
            false => Ok(Self(keys)),
        }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// A new key: the secret, which only its holder should know, and its line in the file.
    pub fn make(name: &str, scopes: &[Scope]) -> (String, String) {
        let secret = format!("mirador_{}", sha256_of(&rand::random::<[u8; 32]>()));
        let scopes = scopes.iter().map(Scope::to_string).collect::<Vec<_>>().join(",");
        let line = format!("{name} {scopes} {}", sha256_of(secret.as_bytes()));
        (secret, line)
    }

    /// Whether there is a key of this name.
    pub fn knows(&self, name: &str) -> bool {
        self.0.iter().any(|key| &*key.name == name)
    }

    /// The key with this secret. Every key is looked at in full, whichever it is and whether there is one.
    pub fn find(&self, secret: &str) -> Option<&Key> {
        let digest = sha256_of(secret.as_bytes());
        self.0.iter().fold(None, |found, key| {
            match bool::from(key.digest.as_bytes().ct_eq(digest.as_bytes())) {
                true => Some(key),
                false => found,
            }
        })
    }
}

impl FromStr for Key {
    type Err = String;
    fn from_str(line: &str) -> Result<Self, String> {
        let [name, scopes, digest] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err("expected NAME SCOPE,SCOPE SHA256".into());
        };
        check_name(name)?;
        Ok(Self {
            name: name.into(),
            scopes: scopes.split(',').map(parse_scope).collect::<Result<_, _>>()?,
            digest: match digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                true => digest.to_ascii_lowercase(),
                false => return Err("the digest is not 64 hexadecimal digits".into()),
            },
        })
    }
}

/// `mirador key`: a new key, and its line in the file, in words for whoever makes it.
pub fn new_key(name: &str, scopes: &[String]) -> Result<String, String> {
    check_name(name)?;
    let scopes = scopes.iter().map(|scope| parse_scope(scope)).collect::<Result<Vec<_>, _>>()?;
    let (secret, line) = Keys::make(name, &scopes);
    Ok(format!("The key, which is shown only now:\n{secret}\n\nIts line for --key-file:\n{line}"))
}

/// A name stands in the file and in log lines.
fn check_name(name: &str) -> Result<(), String> {
    match name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#') {
        true => Err(format!("{name:?} is no name: one word, without # and control characters")),
        false => Ok(()),
    }
}

fn parse_scope(scope: &str) -> Result<Scope, String> {
    scope.parse().map_err(|_| format!("scope {scope:?} is none of score, read, metrics, jobs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Keys, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Keys::read(file.path()).map_err(|error| {
            error
                .to_string()
                .split_once(".tmp")
                .map_or_else(|| error.to_string(), |(_, rest)| rest.to_owned())
        })
    }

    #[test]
    fn a_key_that_was_made_is_found_and_no_other() {
        let (first, line) = Keys::make("lims", &[Scope::Score, Scope::Read]);
        let (second, other) = Keys::make("watcher", &[Scope::Metrics]);
        assert_ne!(first, second);
        let keys = read(&format!("# ours\n{line} # nightly rows\n\n{other}\n")).unwrap();
        assert_eq!(
            keys.find(&first).map(|key| (&*key.name, key.scopes.clone())),
            Some(("lims", vec![Scope::Score, Scope::Read]))
        );
        assert_eq!(keys.find(&second).map(|key| &*key.name), Some("watcher"));
        for wrong in ["", "mirador_", &first[1..], &format!("{first}0")] {
            assert!(keys.find(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_name_is_a_word() {
        for name in ["", "a b", "a#b", "a\u{7}"] {
            assert!(new_key(name, &["read".to_owned()]).is_err(), "{name:?}");
        }
        assert!(new_key("lims", &["read".to_owned()]).is_ok());
    }

    #[test]
    fn a_wrong_line_is_named() {
        let digest = "0".repeat(64);
        for (text, part) in [
            (format!("a score {digest}\nb write {digest}"), "line 2: scope \"write\" is none of"),
            ("a score".to_owned(), "line 1: expected NAME"),
            (format!("a score {}", &digest[1..]), "line 1: the digest"),
            (format!("a score {}", "g".repeat(64)), "line 1: the digest"),
            (format!("a score {digest}\na read {digest}"), "line 2: the name a stands there twice"),
            (format!("a\u{7} score {digest}"), "line 1: \"a\\u{7}\" is no name"),
            ("# none".to_owned(), "no key"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
