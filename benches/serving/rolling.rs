//! `make rolling`: two processes, or containers, behind nginx are restarted one after the other, again and again, while clients ask. Not
//! one request may fail, and no line of a stream may be lost: one that the server ends is taken up where it says.

use std::net::SocketAddr;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::client::{Client, request};
use super::process::{Server, free};
use super::{CLIENTS, Failure, Run, resume};

/// nginx, ended with this program.
struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is restarted: the engine and the image of containers, or else the release server.
pub(crate) type Containers<'a> = Option<(&'a str, &'a str)>;

async fn server(containers: Containers<'_>, address: SocketAddr) -> Result<Server, Failure> {
    match containers {
        Some((engine, image)) => Server::container_at(engine, image, address).await,
        None => Server::mirador_at(address, &[]).await,
    }
}

pub(crate) async fn rolling(requests: usize, containers: Containers<'_>) -> Result<(), Failure> {
    let mut run = Run::new(if containers.is_some() { "rolling-containers" } else { "rolling" });
    let addresses = [free()?, free()?];
    let mut servers = Vec::new();
    for address in addresses {
        servers.push(Some(server(containers, address).await?));
    }
    let (proxy, address) = nginx(addresses)?;
    tokio::time::sleep(Duration::from_secs(1)).await;

    let (begun, asked) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let asked = asked.clone();
        clients.spawn(async move {
            let (mut client, request, mut failed) = (Client::connect(address).await?, request(1), 0);
            while asked.fetch_add(1, Ordering::Relaxed) < requests {
                if let Err(error) = client.send(&request).await {
                    eprintln!("a request failed: {error}");
                    failed += 1;
                    client = Client::connect(address).await?;
                }
            }
            Ok::<usize, std::io::Error>(failed)
        });
    }
    // Lines as fast as they are answered, and from who takes his time to read.
    let streams = [(5, requests), (5, requests), (60, requests / 5)]
        .map(|(ms, lines)| tokio::spawn(resume::all(address, lines, Duration::from_millis(ms))));
    let mut restarts = 0;
    while restarts < 2 || asked.load(Ordering::Relaxed) < requests {
        let index = restarts % 2;
        // Dropping it sends SIGTERM and waits for its end.
        let ending = servers[index].take();
        tokio::task::spawn_blocking(move || drop(ending)).await?;
        servers[index] = Some(server(containers, addresses[index]).await?);
        restarts += 1;
    }
    let mut failed = 0;
    while let Some(client) = clients.join_next().await {
        failed += client??;
    }
    let (mut answered, mut resumed) = (0, 0);
    for stream in streams {
        match stream.await? {
            Ok(stream) => {
                answered += stream.answered;
                resumed += stream.times;
            }
            Err(error) => {
                eprintln!("a stream of lines failed: {error}");
                failed += 1;
            }
        }
    }
    drop(proxy);
    run.note("requests", requests as f64);
    run.note("requests/s through nginx", requests as f64 / begun.elapsed().as_secs_f64());
    run.note("restarts", restarts as f64);
    run.note("lines answered in streams beside them", answered as f64);
    run.note("streams taken up again where they ended", resumed as f64);
    run.note("requests and streams that failed", failed as f64);
    run.keep()?;
    if failed > 0 { Err(format!("{failed} requests failed").into()) } else { Ok(()) }
}

fn nginx([first, second]: [SocketAddr; 2]) -> Result<(Proxy, SocketAddr), Failure> {
    let folder = tempfile::tempdir()?.keep();
    let proxy = free()?;
    let settings = include_str!("nginx.conf")
        .replace("FOLDER", &folder.to_string_lossy())
        .replace("FIRST", &first.to_string())
        .replace("SECOND", &second.to_string())
        .replace("PROXY", &proxy.to_string());
    let file = folder.join("nginx.conf");
    std::fs::write(&file, settings)?;
    let process = Command::new("nginx").arg("-p").arg(&folder).arg("-c").arg(file).spawn();
    Ok((Proxy(process.map_err(|error| format!("nginx: {error}; install Debian's nginx-light"))?), proxy))
}
