//! What the default of each question costs over HTTP, beside its network without a server on the same rows.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mirador_models::WeightsDir;
use mirador_models::device::Device;
use mirador_models::tasks::Input;
use mirador_models::tasks::expression::{Gene, HalfLife};
use mirador_models::tasks::pre_mirna::PreMirna;
use mirador_models::tasks::target_site::Pair;
use serde_json::{Value, json};

use super::client::post;
use super::load::asked;
use super::made_up::MadeUp;
use super::{Failure, MEASURED, Run, WEIGHTS};

const ROWS: usize = 1000;
const ALONE: Duration = Duration::from_secs(3);

/// A question and rows for it, of lengths as users have them.
struct Question {
    task: &'static str,
    route: &'static str,
    field: &'static str,
    rows: Vec<(Value, Input)>,
}

/// Notes each default's median of one row, its rows a second in requests of a thousand, and the network's own on one
/// thread.
pub(crate) async fn defaults(run: &mut Run, address: SocketAddr) -> Result<(), Failure> {
    for Question { task, route, field, rows } in questions()? {
        let request = |rows: &[(Value, Input)]| {
            let rows: Vec<&Value> = rows.iter().map(|(row, _)| row).collect();
            post(route, &json!({ field: rows }).to_string())
        };
        let one = asked(address, 1, (&request(&rows[..1]), 1), MEASURED).await?;
        run.add(&format!("{task}: 1 client, 1 row"), one);
        let many = asked(address, 1, (&request(&rows), ROWS), MEASURED).await?;
        run.add(&format!("{task}: 1 client, {ROWS} rows"), many);
        // By the median: of requests that take seconds, too few end to be counted.
        let rate = ROWS as f64 / many.p50_ms * 1e3;
        run.note(&format!("{task}: rows/s of that"), rate);
        let inputs: Vec<Input> = rows.into_iter().map(|(_, input)| input).collect();
        let alone = alone(task, &inputs)?;
        run.note(&format!("{task}: the network alone, one thread: rows/s"), alone);
        run.note(&format!("{task}: {ROWS} rows, times the network alone"), rate / alone);
    }
    Ok(())
}

fn questions() -> Result<[Question; 3], Failure> {
    let mut random = MadeUp(7);
    let pairs = (0..ROWS).map(|_| {
        let (mirna, site) = (random.letters(22), random.letters(50));
        Ok((
            json!({"mirna": mirna, "site": site}),
            Pair { mirna: mirna.parse()?, site: site.parse()? }.into(),
        ))
    });
    let pairs = pairs.collect::<Result<_, Failure>>()?;
    let hairpins = (0..ROWS).map(|_| {
        let sequence = random.letters(80);
        Ok((json!({"sequence": sequence}), PreMirna { sequence: sequence.parse()? }.into()))
    });
    let hairpins = hairpins.collect::<Result<_, Failure>>()?;
    let genes = (0..ROWS).map(|_| {
        let (promoter, tss) = (random.letters(300), 249);
        let gene = Gene {
            promoter: promoter.parse()?,
            tss,
            half_life: HalfLife::default(),
            mirnas: Default::default(),
        };
        Ok((json!({"promoter": promoter, "tss": tss}), gene.into()))
    });
    let genes = genes.collect::<Result<_, Failure>>()?;
    Ok([
        Question { task: "target_site", route: "/v1/target-sites/score", field: "pairs", rows: pairs },
        Question { task: "pre_mirna", route: "/v1/pre-mirnas/classify", field: "pre_mirnas", rows: hairpins },
        Question { task: "expression", route: "/v1/expression/predict", field: "genes", rows: genes },
    ])
}

/// Rows a second of a task's default without a server, letters to outputs, on this thread.
fn alone(task: &str, inputs: &[Input]) -> Result<f64, Failure> {
    for folder in WeightsDir::scan(WEIGHTS.as_ref())? {
        if folder.config.default && folder.model()?.task.name() == task {
            let replica = folder.load(Device::Cpu)?;
            replica.score(inputs);
            let (begun, mut done) = (Instant::now(), 0);
            while begun.elapsed() < ALONE {
                done += replica.score(inputs).len();
            }
            return Ok(done as f64 / begun.elapsed().as_secs_f64());
        }
    }
    Err(format!("no default of {task} below {WEIGHTS}").into())
}
