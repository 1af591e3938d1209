//! What lies below a request: addresses, places, connections, and how long each may take.
//!
//! An address is listened on by `listen`; a connection gets one of the `places`, is served by `connection`, which asks
//! its `life` now and then whether it is overdue; bodies are held to their `pace`; every end that is not the caller's
//! own is `ended` by a cause.

mod connection;
mod ended;
mod leaving;
mod life;
mod listen;
mod pace;
mod places;
mod tls;
mod turn;
mod watched;

pub(super) use connection::Connections;
pub(super) use life::Limits;
pub(super) use listen::{Listening, share_files};
pub(super) use pace::{Pace, Slow};
pub(super) use places::Places;
pub(super) use tls::{Certificate, TlsError};
