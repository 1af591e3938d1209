//! NDJSON: each line is a row, answered by a line, in order, while the upload still runs. Memory stays flat: lines are
//! read no faster than answers are taken.
//!
//! A task of its own drives each stream, and one each chunk of it: what holds places in the queue goes on whether or not
//! the caller reads. A stream that ends before its upload says so in a last line, `{"error": …, "next_line": n}`.

use std::borrow::BorrowMut;
use std::collections::VecDeque;
use std::io;
use std::pin::pin;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::{FutureExt, OptionFuture};
use futures_util::stream;
use futures_util::{StreamExt, TryStreamExt};
use metrics::counter;
use tokio::sync::mpsc;
use tokio::time::sleep_until;
use tokio_util::codec::FramedRead;
use tokio_util::io::StreamReader;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::codec::{Line, Lines, MAX_LINE};
use super::draft::Other;
use super::ending::{Ending, LastLine};
use super::line::{self, BadLine, Reading};
use super::others::to_json;
use super::upload::{Numbered, Upload};
use super::whole::pool;
use crate::http::callers::{CallerShare, SharePermit};
use crate::http::deadline::Deadline;
use crate::http::offload::{Bounds, offload, offload_to};
use crate::http::problem::{ErrorCode, FieldError, Problem};
use crate::http::rate::Caller;
use crate::http::rows::{Answerer, HEAVY_ROWS, ScoringEndpoint, Settings, settings};
use crate::http::scoring::{Answered, PARTS_AT_ONCE, Row, predict_part};
use crate::http::state::AppState;
use crate::jobs::Resume;
use crate::serving::{PredictError, ServedModel};

/// Who asks for lines to be scored, and how long.
pub(super) struct Asking {
    /// Whose share of streams and places it takes.
    pub caller: Caller,
    /// When the answer is worth nothing any more.
    pub deadline: Option<Deadline>,
    /// What of a job was answered before.
    pub resume: Option<Resume>,
}

/// The reply starts at once and lasts as long as the upload.
pub(super) async fn answer<S: ScoringEndpoint>(
    answerer: Answerer,
    state: &AppState,
    asking: Asking,
    reading: Reading,
    body: Body,
) -> Result<Response, Problem> {
    let permit = state.callers().stream(&asking.caller)?;
    let upload = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
    let mut lines = FramedRead::new(upload, Lines::default());
    // A caller who waits for "100 Continue" gets it when the body is asked for, before the reply begins.
    let first = lines.next().now_or_never();
    tokio::task::yield_now().await;
    let lines = match first {
        None => lines.boxed(),
        Some(None) => stream::empty().boxed(),
        Some(Some(line)) => stream::iter([line]).chain(lines).boxed(),
    };
    let (answers, replies) = mpsc::channel(1);
    let settings = settings(&reading.asked.settings, &answerer)?;
    let upload = Upload::new(
        lines,
        most_lines::<S>(answerer.served.as_deref()),
        state.clone(),
        asking.caller,
        asking.resume,
    );
    let scorer = Scorer { answerer, settings, reading: Arc::new(reading), share: permit.share.clone() };
    let driving = drive::<S>(upload, scorer, asking.deadline, permit, answers);
    let driver = AbortOnDropHandle::new(tokio::spawn(driving.in_current_span()));
    Ok(driven(replies, driver))
}

/// The reply that a task of its own makes; whoever drops it ends the task. One that panics leaves a reply that breaks off,
/// so that nobody takes it for whole.
pub(crate) fn driven(replies: mpsc::Receiver<Bytes>, driver: AbortOnDropHandle<()>) -> Response {
    let replies = stream::unfold(Some((replies, driver)), async |making| {
        let (mut replies, driver) = making?;
        match replies.recv().await {
            Some(text) => Some((Ok(text), Some((replies, driver)))),
            None => driver.await.err().map(|panic| (Err(io::Error::other(panic)), None)),
        }
    });
    // What reads on the upload asks once more after the end.
    Response::new(Body::from_stream(replies.fuse()))
}

/// Answers an upload to its end, or says in a last line where and why it stops.
async fn drive<S: ScoringEndpoint>(
    mut upload: Upload,
    scorer: Scorer<S::Settings>,
    deadline: Option<Deadline>,
    _permit: SharePermit,
    answers: mpsc::Sender<Bytes>,
) {
    let ending = answer_all::<S>(&mut upload, &scorer, deadline, &answers).await;
    let detail = upload.broken.take();
    // What still comes of the upload is nobody's any more.
    drop(upload);
    let Some((ending, next_line)) = ending else { return };
    tracing::warn!(%ending, next_line, "a stream of lines ends before its upload");
    counter!("mirador_streams_ended_total", "cause" => ending.to_string()).increment(1);
    let mut text = Vec::new();
    to_json(&mut text, &LastLine { error: ending.to_string(), next_line, detail });
    text.push(b'\n');
    // Who does not read learns nothing.
    let _ = answers.send(text.into()).await;
}

/// `None` when the whole upload was answered, or nobody takes the answers.
async fn answer_all<S: ScoringEndpoint>(
    upload: &mut Upload,
    scorer: &Scorer<S::Settings>,
    deadline: Option<Deadline>,
    answers: &mpsc::Sender<Bytes>,
) -> Option<(Ending, usize)> {
    // Under way, in order; each begins with the line of this number.
    let mut chunks: VecDeque<(usize, AbortOnDropHandle<Done>)> = VecDeque::new();
    let mut late = pin!(OptionFuture::from(deadline.map(|Deadline(end)| sleep_until(end.into()))));
    let state = upload.state.clone();
    let mut drained = pin!(state.drained());
    let (mut ended, mut bad, useless) = (None, 0, upload.useless());
    loop {
        if chunks.is_empty()
            && let Some(ending) = ended
        {
            return Option::map(ending, |ending| (ending, upload.next_line()));
        }
        tokio::select! {
            biased;
            Some(()) = &mut late => {
                return Some((Ending::DeadlineExceeded, chunks.front().map_or_else(|| upload.next_line(), |chunk| chunk.0)));
            }
            () = &mut drained, if ended.is_none() => ended = Some(Some(Ending::Draining)),
            done = async { chunks.front_mut().expect("there is one").1.borrow_mut().await }, if !chunks.is_empty() => {
                let (first, _) = chunks.pop_front().expect("there is one");
                let (text, good, lines) = match done {
                    Ok(Ok(done)) => done,
                    Ok(Err(PredictError::Closed)) => return Some((Ending::Draining, first)),
                    // A panic has told its reason already.
                    Ok(Err(_)) | Err(_) => return Some((Ending::ModelFault, first)),
                };
                bad = if good > 0 { 0 } else { bad + lines };
                if bad > useless && ended.is_none() {
                    ended = Some(Some(Ending::NoRows));
                }
                if !text.is_empty() {
                    answers.send(text).await.ok()?;
                }
            }
            chunk = upload.chunk(), if ended.is_none() && chunks.len() < PARTS_AT_ONCE => match chunk {
                Ok(chunk) if chunk.is_empty() => {}
                Ok(chunk) => {
                    let first = chunk[0].0;
                    let score = scorer.clone().score::<S>(chunk);
                    chunks.push_back((first, AbortOnDropHandle::new(tokio::spawn(score.in_current_span()))));
                }
                Err(ending) => ended = Some(ending),
            },
        }
    }
}

/// How many lines are scored together.
fn most_lines<S: ScoringEndpoint>(served: Option<&ServedModel>) -> usize {
    let most = |served: &ServedModel| served.predictor.most_inputs_at_once() / served.encoder.most_inputs;
    served.map_or(HEAVY_ROWS, most).clamp(1, S::MOST_LINES)
}

/// What answers lines.
#[derive(Clone)]
struct Scorer<T> {
    answerer: Answerer,
    settings: T,
    reading: Arc<Reading>,
    share: Arc<CallerShare>,
}

/// For each line that is not blank: what goes back with its result, or what is wrong with it.
type Outcomes = Vec<(usize, Result<Vec<Other>, BadLine>)>;

impl<T: Settings> Scorer<T> {
    /// The answers to some lines.
    async fn score<S: ScoringEndpoint<Settings = T>>(self, lines: Vec<Numbered>) -> Done {
        let (count, folds) = (lines.len(), S::TASK.is_none());
        // By the lines' lengths: what is folded is not read yet.
        let work = if folds { lines.iter().map(|(_, line)| (line.len() as u64).pow(3)).sum() } else { 0 };
        let Self { answerer, settings, reading, share } = self;
        let (pool, heavy) = (pool(work, count, &share), count >= HEAVY_ROWS);
        let reader = answerer.clone();
        let read = move |_: &Bounds| read_lines::<S>(lines, &settings, &reader, &reading);
        let (outcomes, rows) = offload_to(pool, Bounds::new(usize::MAX), read).await;
        let good = rows.len();
        let threshold = answerer.threshold();
        let answers = match rows.iter().map(|row| row.inputs).sum() {
            0 => rows.into_iter().map(Row::unasked).collect(),
            inputs => {
                let served = answerer.served.expect("only a model has inputs");
                let _chunk = share.chunks.acquire().await;
                let mut places = served.predictor.reserve(share.room, inputs, None).await?;
                predict_part(rows, places.split(inputs), (served, share.clone()), None).await?.0
            }
        };
        let write = move |_: &Bounds| write_lines::<S>(outcomes, answers, threshold);
        Ok((offload(heavy, Bounds::new(usize::MAX), write).await, good, count))
    }
}

fn read_lines<S: ScoringEndpoint>(
    lines: Vec<Numbered>,
    settings: &S::Settings,
    answerer: &Answerer,
    reading: &Reading,
) -> (Outcomes, Vec<Row<S::Echo>>) {
    let (mut outcomes, mut rows) = (Vec::with_capacity(lines.len()), Vec::with_capacity(lines.len()));
    for (number, line) in lines {
        let text = match &line {
            Line::Text(text) => &text[..],
            Line::TooLong => b"",
        };
        let row = match line {
            Line::Text(_) => line::read::<S>(text, reading),
            Line::TooLong => {
                let detail = format!("a line may have up to {MAX_LINE} bytes");
                Err(FieldError::whole(ErrorCode::InvalidLength, detail).into())
            }
        };
        let row = row.and_then(|(row, others)| {
            let row = Row::parse(row, settings, String::new(), answerer)?;
            fits(row.inputs, answerer.served.as_deref())?;
            Ok((row, others))
        });
        let outcome = row.map(|(row, others)| {
            rows.push(row);
            others
        });
        outcomes.push((number, outcome.map_err(|errors| BadLine::new(number, text, errors))));
    }
    (outcomes, rows)
}

/// A line that takes more places than lines have would wait for ever.
fn fits(inputs: usize, served: Option<&ServedModel>) -> Result<(), FieldError> {
    let Some(served) = served.filter(|served| inputs > served.predictor.most_inputs_of_lines()) else {
        return Ok(());
    };
    let detail = format!(
        "the row is more than {} can do for a line; ask for fewer methods, or another model",
        served.full_name()
    );
    Err(FieldError::whole(ErrorCode::TooMuchWork, detail))
}

fn write_lines<S: ScoringEndpoint>(
    outcomes: Outcomes,
    answers: Vec<Answered<S::Echo>>,
    threshold: f32,
) -> Bytes {
    let (mut text, mut answers) = (Vec::new(), answers.into_iter());
    for (number, outcome) in outcomes {
        let bad = match outcome {
            Ok(others) => match answers.next().flatten() {
                Some(answer) => {
                    line::write(&mut text, &S::decode_row(answer, threshold), &others);
                    continue;
                }
                None => {
                    let detail = "the network failed on this row".into();
                    BadLine::new(number, b"", FieldError::whole(ErrorCode::Failed, detail).into())
                }
            },
            Err(bad) => bad,
        };
        to_json(&mut text, &bad);
        text.push(b'\n');
    }
    text.into()
}

/// What became of a chunk: its text, how many of its lines were good, and how many it had.
type Done = Result<(Bytes, usize, usize), PredictError>;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reply_whose_task_panics_does_not_look_whole() {
        for panics in [false, true] {
            let (answers, replies) = mpsc::channel(1);
            let driver = tokio::spawn(async move {
                answers.send(Bytes::from_static(b"{}\n")).await.unwrap();
                assert!(!panics, "a fault of ours");
            });
            let body = driven(replies, AbortOnDropHandle::new(driver)).into_body();
            assert_eq!(axum::body::to_bytes(body, 100).await.is_err(), panics);
        }
    }
}
