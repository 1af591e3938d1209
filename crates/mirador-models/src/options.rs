//! A model's own switches.

/// A model's own switches, as they stand under `options` in `config.json`.
pub type Options = serde_json::Map<String, serde_json::Value>;
