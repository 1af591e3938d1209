//! `name@version`: one version of one model.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a weights folder is called, and a recipe.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelId {
    /// The model's name.
    pub name: String,
    /// The version's name.
    pub version: String,
}

/// A text that is not `name@version`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not name@version")]
pub struct NoModelId(String);

impl ModelId {
    /// One version of one model.
    pub fn new(name: &str, version: &str) -> Self {
        Self { name: name.to_owned(), version: version.to_owned() }
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

impl FromStr for ModelId {
    type Err = NoModelId;

    fn from_str(text: &str) -> Result<Self, NoModelId> {
        match text.split_once('@') {
            Some((name, version)) if !name.is_empty() && !version.is_empty() => Ok(Self::new(name, version)),
            _ => Err(NoModelId(text.to_owned())),
        }
    }
}

impl TryFrom<String> for ModelId {
    type Error = NoModelId;

    fn try_from(text: String) -> Result<Self, NoModelId> {
        text.parse()
    }
}

impl From<ModelId> for String {
    fn from(id: ModelId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_version_are_needed() {
        let id: ModelId = serde_json::from_str("\"pairmap@aligner\"").unwrap();
        assert_eq!(id, ModelId::new("pairmap", "aligner"));
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"pairmap@aligner\"");
        for text in ["", "pairmap", "pairmap@", "@aligner", "@"] {
            assert_eq!(text.parse::<ModelId>(), Err(NoModelId(text.to_owned())));
        }
    }
}
