//! Cuts an upload into lines.

use std::io;

use bytes::{Buf, BytesMut};
use tokio_util::codec::Decoder;

use super::json::without_bom;

/// Most bytes of a line: a promoter of 20,000 nt fits twice.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// Cuts bytes into lines. A line that is too long is skipped, not kept: its length is the caller's choice.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Bytes without an end of line that were looked at before.
    seen: usize,
    skipping: bool,
}

/// A line of an upload.
pub(super) enum Line {
    /// The line's bytes, without the end of line.
    Text(BytesMut),
    /// It had more than [`MAX_LINE`].
    TooLong,
}

impl Line {
    /// Whether nothing stands there that would be answered.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if without_bom(text).iter().all(u8::is_ascii_whitespace))
    }

    /// Bytes that it holds.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::TooLong => 0,
        }
    }
}

impl Decoder for Lines {
    type Item = Line;
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Line>> {
        let end = memchr::memchr(b'\n', &bytes[self.seen..]).map(|end| self.seen + end);
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
