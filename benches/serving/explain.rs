//! What an explanation costs: one row with every method, by each model that is served.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Client, get, post};
use super::{Failure, Run};

/// Asked again and again for so long, or once where that takes longer.
const MEASURED: Duration = Duration::from_secs(3);

const SITE: &str = "GCUAAGCUGGACCUUUGCAAGCACAGCCUAUUGAACUACCUCAGGAUCCAU";
const HAIRPIN: &str = "UGGGAUGAGGUAGUAGGUUGUAUAGUUUUAGGGUCACACCCACCACUGGGAGAUAACUAUACAAUCUACUGUCUUUCCUA";

/// Notes the median of each model, ms; the default of target sites has a time that is promised.
pub(crate) async fn explain(run: &mut Run, address: SocketAddr) -> Result<(), Failure> {
    let models: Value = serde_json::from_str(&get(address, "/v1/models").await?)?;
    for model in models["models"].as_array().into_iter().flatten() {
        let name = format!(
            "{}@{}",
            model["name"].as_str().unwrap_or_default(),
            model["version"].as_str().unwrap_or_default()
        );
        let (route, what, row) = match model["task"].as_str() {
            Some("target_site") => (
                "/v1/target-sites/explain",
                "22 x 50 nt",
                json!({"pairs": [{"mirna": "UGAGGUAGUAGGUUGUAUAGUU", "site": SITE}]}),
            ),
            // Summed over sites that the scan names: there is no more to explain.
            Some("repression") => continue,
            Some("pre_mirna") => {
                ("/v1/pre-mirnas/explain", "80 nt", json!({"pre_mirnas": [{"sequence": HAIRPIN}]}))
            }
            _ => {
                let promoter = "ACGGCGCCGT".repeat(12);
                ("/v1/expression/explain", "120 nt", json!({"genes": [{"promoter": promoter, "tss": 60}]}))
            }
        };
        let mut body = row;
        body["model"] = json!(name);
        let times = repeat(address, &post(route, &body.to_string())).await?;
        run.note(&format!("explain, one row ({what}), all methods, {name}: ms"), median(times));
    }
    Ok(())
}

async fn repeat(address: SocketAddr, request: &[u8]) -> io::Result<Vec<Duration>> {
    let mut client = Client::connect(address).await?;
    client.send(request).await?;
    let (begun, mut times) = (Instant::now(), Vec::new());
    while times.is_empty() || begun.elapsed() < MEASURED {
        let started = Instant::now();
        client.send(request).await?;
        times.push(started.elapsed());
    }
    Ok(times)
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}
