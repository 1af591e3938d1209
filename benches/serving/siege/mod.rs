//! `make siege`: every attack that once got through, all at once and again and again, on a server that may use 1.5 GiB.
//! Beside them single pairs come as from honest users. The server has to live, to give the memory back, and to answer
//! every request or to end its connection for a reason that it counts; honest pairs have to be answered.

mod attacks;
mod bodies;

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::client::{Client, request};
use super::process::{Server, free};
use super::{Failure, Run, WEIGHTS};

const MEMORY_MIB: u64 = 1536;
/// Honest single pairs a second, over connections of their own.
const HONEST: u32 = 50;
/// The attacks come this long before memory is looked at: what a first round needs (threads, their heaps, another set of
/// weights) stays with the process, and whether more stays is what a siege asks.
const FIRST_ROUND: Duration = Duration::from_secs(15);
/// After the last attack: longer than any limit of time that the server has.
const REST: Duration = Duration::from_secs(45);
/// The allocator gives memory back when it is asked for some, not by the clock: after the rest there is this much time.
const GIVE_BACK: Duration = Duration::from_secs(60);
/// What may stay, over what was there after the first round.
const STAYS: f64 = 1.05;

/// What became of the attackers' requests.
#[derive(Default)]
pub(crate) struct Counts {
    answered: AtomicUsize,
    refused: AtomicUsize,
    /// The server ended the connection, or the attacker did.
    ended: AtomicUsize,
}

/// An attack: what it does once, where, and what is counted.
pub(crate) struct Siege {
    pub address: SocketAddr,
    pub until: Instant,
    pub counts: Arc<Counts>,
}

impl Siege {
    /// Whether there is time for one more.
    pub(crate) fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    /// Counts a status, or that none came.
    pub(crate) fn count(&self, status: Option<u16>) {
        let count = match status {
            Some(200) => &self.counts.answered,
            Some(_) => &self.counts.refused,
            None => &self.counts.ended,
        };
        count.fetch_add(1, Relaxed);
    }
}

pub(crate) async fn siege(seconds: u64) -> Result<(), Failure> {
    let mut run = Run::new("siege");
    let cage = Cage::new()?;
    let address = free()?;
    let mut server = cage.start(address).await?;
    run.note("memory limit, MiB", MEMORY_MIB as f64);
    attacks::warm_up(address).await?;
    let first = Arc::new(Siege { address, until: Instant::now() + FIRST_ROUND, counts: Arc::default() });
    let mut attackers = attacks::all(&first);
    server.signal_hangup()?;
    tokio::time::sleep(FIRST_ROUND).await;
    attackers.shutdown().await;
    rest(address).await;
    let before = server.resident_kib()?;
    run.note("resident memory before, MiB", before as f64 / 1024.0);

    let until = Instant::now() + Duration::from_secs(seconds);
    let siege = Arc::new(Siege { address, until, counts: Arc::default() });
    let mut attackers = attacks::all(&siege);
    let pairs = tokio::spawn(honest(address, until));
    let mut most = 0;
    while Instant::now() < until {
        // Reloading in the middle of it all, too.
        server.signal_hangup()?;
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            most = most.max(server.resident_kib()?);
        }
    }
    let (good, bad, waits) = pairs.await?;
    attackers.shutdown().await;
    let (_, failed_at_rest) = rest(address).await;
    let mut after = server.resident_kib()?;
    let limit = Instant::now() + GIVE_BACK;
    while after as f64 > STAYS * before as f64 && Instant::now() < limit {
        honest(address, Instant::now() + Duration::from_secs(5)).await;
        after = after.min(server.resident_kib()?);
    }

    let Counts { answered, refused, ended } = &*siege.counts;
    for (what, count) in [("answered", answered), ("refused", refused), ("ended", ended)] {
        run.note(&format!("attacks {what}"), count.load(Relaxed) as f64);
    }
    for (cause, count) in server.metrics("mirador_connections_ended_total").await? {
        run.note(&format!("connections that the server ended: {cause}"), count);
    }
    for (cause, count) in server.metrics("mirador_streams_ended_total").await? {
        run.note(&format!("streams that the server ended: {cause}"), count);
    }
    run.note("resident memory at most, MiB", most as f64 / 1024.0);
    run.note("resident memory after, MiB", after as f64 / 1024.0);
    run.note("memory after over memory before", after as f64 / before as f64);
    run.note("honest pairs answered", good as f64);
    run.note("honest pairs not answered", bad as f64);
    run.note("honest pairs, median ms", quantile(&waits, 0.5));
    run.note("honest pairs, 99th percentile ms", quantile(&waits, 0.99));
    run.note("honest pairs, longest ms", quantile(&waits, 1.0));
    let ended = server.stop()?;
    run.keep()?;
    let mut faults = Vec::new();
    if bad * 1000 > good {
        faults.push(format!("{bad} of {} honest pairs were not answered", good + bad));
    }
    if failed_at_rest > 0 {
        faults.push(format!("{failed_at_rest} pairs failed after the siege"));
    }
    if after as f64 > STAYS * before as f64 {
        faults.push(format!("{} MiB stay where {} were", after / 1024, before / 1024));
    }
    if ended != Some(0) {
        faults.push(format!("the server ended with {ended:?}"));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ").into()) }
}

/// No attack, then ten seconds of honest pairs: how many of them were answered, and how many not.
async fn rest(address: SocketAddr) -> (usize, usize) {
    tokio::time::sleep(REST).await;
    let (good, bad, _) = honest(address, Instant::now() + Duration::from_secs(10)).await;
    (good, bad)
}

/// Single pairs at a steady rate, each over a connection that was there or a new one: how many were answered, how many
/// not, and the milliseconds that they took.
async fn honest(address: SocketAddr, until: Instant) -> (usize, usize, Vec<f64>) {
    let mut asked = tokio::task::JoinSet::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / HONEST);
    let request: Arc<[u8]> = request(1).into();
    while Instant::now() < until {
        ticks.tick().await;
        let request = request.clone();
        asked.spawn(async move {
            let begun = Instant::now();
            let answer = async { Client::connect(address).await?.send(&request).await };
            let answer = tokio::time::timeout(Duration::from_secs(10), answer).await;
            (matches!(answer, Ok(Ok(_))), begun.elapsed().as_secs_f64() * 1e3)
        });
    }
    let done = asked.join_all().await;
    let good = done.iter().filter(|(good, _)| *good).count();
    (good, done.len() - good, done.into_iter().map(|(_, ms)| ms).collect())
}

fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * part) as usize]
}

/// A memory cgroup where there may be one, else a limit of the address space.
struct Cage {
    group: Option<std::path::PathBuf>,
}

impl Cage {
    fn new() -> Result<Self, Failure> {
        let group = std::path::PathBuf::from(format!("/sys/fs/cgroup/mirador-siege-{}", std::process::id()));
        let made = std::fs::create_dir(&group)
            .and_then(|()| std::fs::write(group.join("memory.max"), (MEMORY_MIB << 20).to_string()));
        match made {
            Ok(()) => Ok(Self { group: Some(group) }),
            Err(error) => {
                println!("no memory cgroup ({error}): the address space is limited instead");
                Ok(Self { group: None })
            }
        }
    }

    async fn start(&self, address: SocketAddr) -> Result<Server, Failure> {
        let confine = match &self.group {
            Some(group) => format!("echo $$ > {}/cgroup.procs", group.display()),
            // Address space is not memory: libtorch alone maps a gigabyte, each thread its stack.
            None => format!("ulimit -v {}", (MEMORY_MIB + 4096) << 10),
        };
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{confine} && exec \"$@\""), "sh", env!("CARGO_BIN_EXE_mirador")]);
        command.args(["serve", "--device", "cpu", "--weights-dir", WEIGHTS, "--bind", &address.to_string()]);
        Server::start(command.env("RUST_LOG", "error"), address).await
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        if let Some(group) = &self.group {
            let _ = std::fs::remove_dir(group);
        }
    }
}
