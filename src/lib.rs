//! mirador: answers the questions of microRNA biology with libtorch networks, over HTTP.
//!
//! A request's way: letters → [`mirna`] → [`mirador_models`] (encoding) → [`serving`] queue → a worker's replica → JSON
//! ([`http`]). A module imports only from those listed before it.

pub mod scan;
pub mod serving;

pub mod config;
pub mod telemetry;
mod text_file;

pub mod jobs;

pub mod http;
pub mod offline;
