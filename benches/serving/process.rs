//! The servers under test: each a process of its own on a free port of loopback, ended with this program.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::client::{Client, request};
use super::{Failure, WEIGHTS};

pub(crate) struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Server {
    /// The release server.
    pub(crate) async fn mirador(flags: &[&str]) -> Result<Self, Failure> {
        Self::mirador_at(free()?, flags).await
    }

    /// The same at an address of the caller's choice.
    pub(crate) async fn mirador_at(address: SocketAddr, flags: &[&str]) -> Result<Self, Failure> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mirador"));
        command.args(["serve", "--device", "cpu", "--weights-dir", WEIGHTS, "--bind", &address.to_string()]);
        command.args(flags).env("RUST_LOG", "error");
        Self::start(&mut command, address).await
    }

    /// A container of this image, ended by the signal that ends its engine's client.
    pub(crate) async fn container_at(
        engine: &str,
        image: &str,
        address: SocketAddr,
    ) -> Result<Self, Failure> {
        let mut command = Command::new(engine);
        command.args(["run", "--rm", "--network", "host", "--read-only", "--cap-drop", "ALL"]);
        command.args(["--security-opt", "no-new-privileges", "--env", "RUST_LOG=error"]);
        command.args(["--env", &format!("MIRADOR_BIND={address}"), image, "serve", "--device", "cpu"]);
        Self::start(&mut command, address).await
    }

    /// This program as a route that parses the same body and answers a constant: what HTTP and JSON alone cost.
    pub(crate) async fn constant() -> Result<Self, Failure> {
        let address = free()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["constant", &address.to_string()]);
        Self::start(&mut command, address).await
    }

    /// FastAPI and PyTorch, without batching.
    pub(crate) async fn fastapi(python: &Path) -> Result<Self, Failure> {
        let address = free()?;
        let mut command = Command::new(python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/fastapi_peer.py"));
        command.arg(weights()).arg(address.port().to_string());
        Self::start(&mut command, address).await
    }

    /// mosec, with batches of up to `batch` requests that wait up to `wait_ms`.
    pub(crate) async fn mosec(python: &Path, batch: usize, wait_ms: usize) -> Result<Self, Failure> {
        let address = free()?;
        let mut command = Command::new(python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/mosec_peer.py"));
        command.args(["--address", "127.0.0.1", "--port", &address.port().to_string()]);
        command.args(["--log-level", "error", "--capacity", "4096", "--timeout", "60000"]);
        command.env("DMISO_WEIGHTS", weights());
        command.env("MAX_BATCH_SIZE", batch.to_string()).env("MAX_WAIT_MS", wait_ms.to_string());
        Self::start(&mut command, address).await
    }

    /// Its resident memory.
    pub(crate) fn resident_kib(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
    }

    /// Tells it to read keys and weights anew.
    pub(crate) fn signal_hangup(&self) -> Result<(), Failure> {
        Command::new("kill").args(["-HUP", &self.process.id().to_string()]).status()?;
        Ok(())
    }

    /// Ends it by SIGTERM: its exit code.
    pub(crate) fn stop(&mut self) -> Result<Option<i32>, Failure> {
        Command::new("kill").arg(self.process.id().to_string()).status()?;
        Ok(self.process.wait()?.code())
    }

    /// A counter's values by their labels.
    pub(crate) async fn metrics(&self, name: &str) -> Result<Vec<(String, f64)>, Failure> {
        let text = super::client::get(self.address, "/metrics").await?;
        let values = text.lines().filter_map(|line| line.strip_prefix(name)?.rsplit_once(' '));
        values.map(|(labels, value)| Ok((labels.to_owned(), value.parse()?))).collect()
    }

    /// Waits until a pair is scored.
    pub(crate) async fn start(command: &mut Command, address: SocketAddr) -> Result<Self, Failure> {
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut server = Self { process, address };
        let pair = request(1);
        for _ in 0..1200 {
            if let Some(status) = server.process.try_wait()? {
                return Err(format!("{command:?} ended: {status}").into());
            }
            if let Ok(mut client) = Client::connect(address).await
                && client.send(&pair).await.is_ok()
            {
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("{command:?} was not ready after a minute").into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // mosec has children of its own, which end when it is asked to, not when it is killed.
        let asked = Command::new("kill").arg(self.process.id().to_string()).status();
        for _ in 0..100 {
            if asked.is_err() || matches!(self.process.try_wait(), Ok(Some(_))) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Pairs per second of the peers' network without a server.
pub(crate) fn bare_pytorch(python: &Path) -> Result<f64, Failure> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/bare.py");
    let output = Command::new(python).arg(script).arg(weights()).stderr(Stdio::inherit()).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

fn weights() -> String {
    format!("{WEIGHTS}/dmiso/balanced/model.safetensors")
}

/// A free address of loopback.
pub(crate) fn free() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}
