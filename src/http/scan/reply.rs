//! The reply to a scan: whole, or line by line while it is made.

use std::pin::pin;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::future::OptionFuture;
use futures_util::{Stream, StreamExt, TryStreamExt};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::sleep_until;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::MOST_WINDOWS;
use super::asked::Wanted;
use super::work::{Plan, Scan};
use crate::http::callers::{BodyPermit, SharePermit};
use crate::http::deadline::Deadline;
use crate::http::formats::{Ending, driven, to_json};
use crate::http::model_ref::ModelRef;
use crate::http::problem::Problem;
use crate::http::rate::Caller;
use crate::http::state::AppState;
use crate::scan::{Line, Scanned, SiteTable, TableFormat, transcript_header, transcript_row};

/// Lines may be of more: nothing waits for all of them.
const LINES: usize = 10;
/// A reply that is made whole takes so much at most of the room for bodies.
const WHOLE: usize = 4;

/// The last line of a scan that was not done.
#[derive(Serialize)]
struct Stopped {
    error: String,
    done: usize,
    of: usize,
}

/// Scans, and writes what was found.
pub(super) async fn answer(
    scan: Scan,
    wanted: Wanted,
    state: &AppState,
    caller: Caller,
    deadline: Option<Deadline>,
    (body, length): (&mut BodyPermit, usize),
) -> Result<Response, Problem> {
    let permit = state.callers().stream(&caller)?;
    let scan = Arc::new(scan);
    let lines = wanted == Wanted::Lines;
    let most = if lines { LINES * MOST_WINDOWS } else { MOST_WINDOWS };
    let plan = scan.plan(most, lines, &permit.share).await?;
    if lines {
        return Ok(in_lines(scan, &plan, state, permit, deadline));
    }
    let (bytes, most) = (scan.bytes(&plan), state.config().max_bodies_bytes.get() / WHOLE);
    if bytes > most {
        return Err(Problem::reply_too_long(most));
    }
    body.grow(length + bytes).await?;
    let (sites_wanted, models) =
        (scan.look.sites, [&scan.binding, &scan.repression].map(|served| ModelRef::of(served)));
    let found: Vec<Vec<Scanned>> = scan.run(&plan, permit.share.clone()).try_collect().await?;
    let found: Vec<Scanned> = found.into_iter().flatten().collect();
    let text = match wanted {
        Wanted::Table(format) => table(format, sites_wanted, &found),
        Wanted::Json | Wanted::Lines => json(models, sites_wanted, &found),
    };
    Ok(text.into_response())
}

fn table(format: TableFormat, sites: bool, found: &[Scanned]) -> Vec<u8> {
    if let (TableFormat::Delimited(delimiter), false) = (format, sites) {
        let rows = found.iter().map(|found| transcript_row(delimiter, &found.score));
        return std::iter::once(transcript_header(delimiter)).chain(rows).collect::<String>().into_bytes();
    }
    let table = SiteTable(format);
    let rows = found.iter().flat_map(|found| &found.sites).map(|site| table.row(site));
    std::iter::once(table.header()).chain(rows).collect::<String>().into_bytes()
}

fn json([model, repression_model]: [ModelRef; 2], sites: bool, found: &[Scanned]) -> Vec<u8> {
    let mut text = Vec::new();
    text.extend(br#"{"model":"#);
    to_json(&mut text, &model);
    text.extend(br#","repression_model":"#);
    to_json(&mut text, &repression_model);
    text.extend(br#","transcripts":"#);
    list(&mut text, found.iter().map(|found| &found.score));
    if sites {
        text.extend(br#","sites":"#);
        list(&mut text, found.iter().flat_map(|found| &found.sites));
    }
    text.push(b'}');
    text
}

fn list<T: Serialize>(text: &mut Vec<u8>, items: impl Iterator<Item = T>) {
    text.push(b'[');
    for (place, item) in items.enumerate() {
        if place > 0 {
            text.push(b',');
        }
        to_json(text, &item);
    }
    text.push(b']');
}

/// A task of its own drives the scan, so that what holds places in the queue goes on whether or not the caller reads.
fn in_lines(
    scan: Arc<Scan>,
    plan: &Plan,
    state: &AppState,
    permit: SharePermit,
    deadline: Option<Deadline>,
) -> Response {
    let (lines, replies) = mpsc::channel(1);
    let (of, sites) = (scan.len(), scan.look.sites);
    let found = scan.clone().run(plan, permit.share.clone());
    let driving = drive(found, (scan.told, of, sites), state.clone(), permit, deadline, lines);
    let driver = AbortOnDropHandle::new(tokio::spawn(driving.in_current_span()));
    driven(replies, driver)
}

/// Scans to the end, or says in a last line why it stops.
async fn drive(
    found: impl Stream<Item = Result<Vec<Scanned>, Problem>>,
    (mut done, of, sites): (usize, usize, bool),
    state: AppState,
    _permit: SharePermit,
    deadline: Option<Deadline>,
    lines: mpsc::Sender<Bytes>,
) {
    let mut found = pin!(found);
    let mut late = pin!(OptionFuture::from(deadline.map(|Deadline(end)| sleep_until(end.into()))));
    let mut drained = pin!(state.drained());
    let ending = loop {
        let part = tokio::select! {
            biased;
            Some(()) = &mut late => break Ending::DeadlineExceeded,
            () = &mut drained => break Ending::Draining,
            part = found.next() => part,
        };
        let part = match part {
            None => return,
            Some(Ok(part)) => part,
            Some(Err(Problem::Draining)) => break Ending::Draining,
            Some(Err(_)) => break Ending::ModelFault,
        };
        let mut text = Vec::new();
        for Scanned { score, sites: of_item } in &part {
            done += 1;
            to_json(
                &mut text,
                &Line { transcript: score, sites: sites.then_some(of_item), done: Some(done), of: Some(of) },
            );
            text.push(b'\n');
        }
        if lines.send(text.into()).await.is_err() {
            return;
        }
    };
    tracing::warn!(%ending, done, "a scan ends before its last transcript");
    let mut text = Vec::new();
    to_json(&mut text, &Stopped { error: ending.to_string(), done, of });
    text.push(b'\n');
    // Who does not read learns nothing.
    let _ = lines.send(text.into()).await;
}
