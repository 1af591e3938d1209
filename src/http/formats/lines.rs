//! NDJSON: each line is a row, answered by a line, in order, while the upload still runs. Memory stays flat: lines are
//! read no faster than answers are taken.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt};
use serde::Serialize;
use tokio_util::codec::{Decoder, FramedRead};
use tokio_util::io::StreamReader;

use super::json::{parse, to_json};
use crate::http::offload::{Bounds, offload};
use crate::http::problem::{ErrorCode, FieldError};
use crate::http::rows::{HEAVY_ROWS, Question, Read, read};
use crate::serving::ServedModel;

/// Lines that are scored together, if so many have come.
const CHUNK: usize = 512;
/// Chunks that are read, scored or written at once.
const CHUNKS_IN_FLIGHT: usize = 4;
/// Most bytes of a line: a promoter of 20,000 nt fits twice.
const MAX_LINE: usize = 64 * 1024;

/// The reply starts at once and lasts as long as the upload.
pub fn answer<Q: Question>(served: Arc<ServedModel>, body: Body) -> Response {
    let upload = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
    let lines = FramedRead::new(upload, Lines::default()).enumerate();
    let chunks = lines.ready_chunks(CHUNK).map(move |lines| score::<Q>(lines, served.clone()));
    Response::new(Body::from_stream(chunks.buffered(CHUNKS_IN_FLIGHT)))
}

/// A line with its number, from 0.
type Numbered = (usize, io::Result<Line>);

/// What became of a line.
enum Outcome<K> {
    Row(Read<K>),
    Bad(Vec<FieldError>),
    Blank,
}

/// In place of a result.
#[derive(Serialize)]
struct BadLine {
    /// From 1.
    line: usize,
    errors: Vec<FieldError>,
}

/// The answers to some lines. An upload or a server that breaks off breaks off the reply.
async fn score<Q: Question>(lines: Vec<Numbered>, served: Arc<ServedModel>) -> io::Result<Bytes> {
    let (model, heavy) = (served.clone(), lines.len() >= HEAVY_ROWS);
    let (outcomes, inputs) =
        offload(heavy, Bounds::new(usize::MAX), move |_| read_lines::<Q>(lines, &model)).await?;
    let outputs = served.predictor.predict_when_room(inputs).await.map_err(io::Error::other)?.outputs;
    let threshold = served.config.threshold();
    let write = move |_: &Bounds| {
        let (mut text, mut outputs) = (Vec::new(), outputs.as_slice());
        for (line, outcome) in outcomes {
            let errors = match outcome {
                Outcome::Blank => continue,
                Outcome::Bad(errors) => errors,
                Outcome::Row(row) => match row.answer(&mut outputs) {
                    Some(answer) => {
                        to_json(&mut text, &Q::result(answer, threshold));
                        text.push(b'\n');
                        continue;
                    }
                    None => {
                        vec![FieldError::whole(ErrorCode::Failed, "the network failed on this row".into())]
                    }
                },
            };
            to_json(&mut text, &BadLine { line: line + 1, errors });
            text.push(b'\n');
        }
        Bytes::from(text)
    };
    Ok(offload(heavy, Bounds::new(usize::MAX), write).await)
}

type Outcomes<K> = (Vec<(usize, Outcome<K>)>, Vec<f32>);

fn read_lines<Q: Question>(lines: Vec<Numbered>, served: &ServedModel) -> io::Result<Outcomes<Q::Kept>> {
    let started = Instant::now();
    let (mut outcomes, mut inputs) = (Vec::with_capacity(lines.len()), Vec::new());
    for (number, line) in lines {
        let row = match line? {
            Line::Text(text) if text.iter().all(u8::is_ascii_whitespace) => None,
            Line::Text(text) => Some(parse::<Q>(&text)),
            Line::TooLong => {
                let detail = format!("a line may have up to {MAX_LINE} bytes");
                Some(Err(FieldError::whole(ErrorCode::InvalidLength, detail)))
            }
        };
        let outcome = match row {
            None => Outcome::Blank,
            Some(Err(error)) => Outcome::Bad(vec![error]),
            Some(Ok(row)) => match read(row, String::new(), served, &mut inputs) {
                Ok(row) => Outcome::Row(row),
                Err(errors) => Outcome::Bad(errors),
            },
        };
        outcomes.push((number, outcome));
    }
    served.predictor.meters().encode.record(started.elapsed());
    Ok((outcomes, inputs))
}

/// Cuts bytes into lines. A line that is too long is skipped, not kept: its length is the caller's choice.
#[derive(Debug, Default)]
struct Lines {
    /// Bytes without an end of line that were looked at before.
    seen: usize,
    skipping: bool,
}

enum Line {
    Text(BytesMut),
    TooLong,
}

impl Decoder for Lines {
    type Item = Line;
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Line>> {
        let end = bytes[self.seen..].iter().position(|&byte| byte == b'\n').map(|end| self.seen + end);
        self.seen = bytes.len();
        match end {
            Some(end) => {
                self.seen = 0;
                let mut line = bytes.split_to(end + 1);
                line.truncate(end);
                let too_long = std::mem::take(&mut self.skipping) || end > MAX_LINE;
                Ok(Some(if too_long { Line::TooLong } else { Line::Text(line) }))
            }
            None => {
                if bytes.len() > MAX_LINE {
                    bytes.advance(bytes.len());
                    (self.seen, self.skipping) = (0, true);
                }
                Ok(None)
            }
        }
    }

    /// The last line may lack its end.
    fn decode_eof(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Line>> {
        if let Some(line) = self.decode(bytes)? {
            return Ok(Some(line));
        }
        self.seen = 0;
        let rest = bytes.split();
        match std::mem::take(&mut self.skipping) {
            true => Ok(Some(Line::TooLong)),
            false => Ok((!rest.is_empty()).then_some(Line::Text(rest))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(parts: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
        let (mut lines, mut bytes, mut found) = (Lines::default(), BytesMut::new(), Vec::new());
        let mut take = |line| match line {
            Line::Text(text) => found.push(Some(text.to_vec())),
            Line::TooLong => found.push(None),
        };
        for part in parts {
            bytes.extend_from_slice(part);
            while let Some(line) = lines.decode(&mut bytes).unwrap() {
                take(line);
            }
        }
        while let Some(line) = lines.decode_eof(&mut bytes).unwrap() {
            take(line);
        }
        found
    }

    #[test]
    fn lines_are_cut_wherever_the_bytes_come_apart() {
        let text = b"one\n\ntwo\r\nthree";
        let expected: Vec<_> = [&b"one"[..], b"", b"two\r", b"three"].map(|line| Some(line.to_vec())).into();
        for size in 1..text.len() {
            assert_eq!(lines(&text.chunks(size).collect::<Vec<_>>()), expected, "in parts of {size}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        let long = vec![b'x'; 3 * MAX_LINE];
        for size in [1000, MAX_LINE, 4 * MAX_LINE] {
            let text = [b"a\n", &long[..], b"\nb\n", &long[..]].concat();
            let found = lines(&text.chunks(size).collect::<Vec<_>>());
            assert_eq!(found, [Some(b"a".to_vec()), None, Some(b"b".to_vec()), None]);
        }
    }
}
