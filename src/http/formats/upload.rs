//! An upload of lines, a few at a time: numbered, counted against the caller's rate, without blank ones.

use std::io;
use std::num::NonZeroUsize;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::FutureExt;
use futures_util::stream::BoxStream;
use tokio::time::sleep;

use super::codec::Line;
use super::ending::Ending;
use crate::http::body;
use crate::http::rate::Caller;
use crate::http::state::AppState;
use crate::jobs::Resume;

/// Most bytes of the lines that are scored together.
const CHUNK_BYTES: usize = 128 * 1024;
/// Lines that are looked at between two turns of other streams.
const LOOKED_AT: usize = 4096;
/// So many lines cost a caller as much as one request, where requests are counted.
const LINES_OF_REQUEST: usize = 512;
/// A stream that brings so many bad or blank lines, and no good one, is no stream of rows.
const USELESS: usize = 100_000;

/// A line of the upload, with its number from 1.
pub(super) type Numbered = (usize, Line);

/// A stream of lines, a few at a time.
pub(super) struct Upload {
    lines: BoxStream<'static, io::Result<Line>>,
    /// Most lines of a chunk.
    most: usize,
    pub state: AppState,
    caller: Caller,
    resume: Resume,
    /// Lines that were read.
    read: usize,
    /// Those that are not blank.
    rows: usize,
    /// Those that the limiter has not counted yet.
    unpaid: usize,
    /// Blank lines since the last other one.
    blank: usize,
    /// No more is read; `None`: the upload is whole.
    ended: Option<Option<Ending>>,
    /// What is wrong with its bytes, where that is known.
    pub broken: Option<String>,
}

impl Upload {
    pub(super) fn new(
        lines: BoxStream<'static, io::Result<Line>>,
        most: usize,
        state: AppState,
        caller: Caller,
        resume: Option<Resume>,
    ) -> Self {
        let resume = resume.unwrap_or_default();
        Self {
            lines,
            most,
            state,
            caller,
            resume,
            read: 0,
            rows: 0,
            unpaid: 0,
            blank: 0,
            ended: None,
            broken: None,
        }
    }

    /// The lines that have come, none of them blank, as many as are scored together; perhaps none. Dropping the future
    /// loses no line.
    ///
    /// # Errors
    /// At the end, with the reason where there is one.
    pub(super) async fn chunk(&mut self) -> Result<Vec<Numbered>, Option<Ending>> {
        self.pay().await;
        let (mut chunk, mut bytes) = (Vec::new(), 0);
        if let Some(ended) = self.ended {
            return Err(ended);
        }
        let mut next = self.lines.next().await;
        // A key may have been taken away while nothing came.
        if !self.state.still_admits(&self.caller) {
            return Err(Some(Ending::Unauthorized));
        }
        for looked in 1.. {
            self.take(next, &mut chunk, &mut bytes);
            // Before the next line is taken off: nobody else would have it.
            if self.ended.is_some() || chunk.len() >= self.most || bytes >= CHUNK_BYTES || looked >= LOOKED_AT
            {
                break;
            }
            match self.lines.next().now_or_never() {
                Some(line) => next = line,
                None => break,
            }
        }
        Ok(chunk)
    }

    fn take(&mut self, line: Option<io::Result<Line>>, chunk: &mut Vec<Numbered>, bytes: &mut usize) {
        let max_lines = match self.caller {
            Caller::Jobs => usize::MAX,
            _ => self.state.config().max_lines.map_or(usize::MAX, NonZeroUsize::get),
        };
        let line = match line {
            None => return self.ended = Some(None),
            Some(Err(error)) => {
                self.broken = body::reason(&error);
                return self.ended = Some(Some(Ending::BrokenBody));
            }
            Some(Ok(line)) if self.rows >= max_lines && !line.is_blank() => {
                return self.ended = Some(Some(Ending::TooManyLines));
            }
            Some(Ok(line)) => line,
        };
        self.read += 1;
        self.unpaid += 1;
        if line.is_blank() {
            self.blank += 1;
            if self.blank > self.useless() {
                self.ended = Some(Some(Ending::NoRows));
            }
            return;
        }
        self.rows += 1;
        self.blank = 0;
        if self.resume.is_new() {
            *bytes += line.len();
            chunk.push((self.read, line));
        }
    }

    /// The first line that was not read and is, as far as it has come, not blank: from there on all goes on.
    pub(super) fn next_line(&mut self) -> usize {
        while self.ended.is_none()
            && let Some(Some(Ok(line))) = self.lines.next().now_or_never()
            && line.is_blank()
        {
            self.read += 1;
        }
        self.read + 1
    }

    /// So many bad or blank lines in a row end it: nobody knows how long it goes on. A job's body has an end.
    pub(super) fn useless(&self) -> usize {
        if self.caller == Caller::Jobs { usize::MAX } else { USELESS }
    }

    /// Waits where the caller has had more lines than the rate allows.
    async fn pay(&mut self) {
        let Some(limiter) = self.state.limiter().filter(|_| self.caller != Caller::Jobs) else { return };
        while self.unpaid >= LINES_OF_REQUEST {
            match limiter.count(&self.caller) {
                Ok(_) => self.unpaid -= LINES_OF_REQUEST,
                Err(rate) => sleep(Duration::from_secs(rate.retry_after())).await,
            }
        }
    }
}
