//! A FASTA file in blocks of so many records, none of it kept longer than it is needed.

use std::io::{BufRead, Read};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;

use crate::text_file;

/// Records of a block. The numbers of a transcript depend on who stands in its block, by the last bits: a file is cut into
/// the same blocks whatever the shards.
pub(super) const RECORDS: usize = 64;
/// Most bytes of a record: the longest transcript and its header, several times over.
const MOST_BYTES: usize = 4 << 20;

/// The file's blocks, one after the other.
pub(super) struct Blocks {
    name: String,
    file: Box<dyn BufRead + Send>,
    /// The header that begins the next block, if it was read already.
    header: Vec<u8>,
    line: u64,
}

/// Some records.
pub(super) struct Block {
    /// The line that it starts with, from 1.
    pub line: u64,
    /// As they stand in the file.
    pub text: Bytes,
}

impl Blocks {
    /// Opens a plain file, or one that gzip or bgzip compressed.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let file = text_file::open(path).with_context(|| name.clone())?;
        Ok(Self { name, file, header: Vec::new(), line: 0 })
    }

    fn block(&mut self) -> Result<Option<Block>> {
        let mut text = std::mem::take(&mut self.header);
        let mut records = usize::from(!text.is_empty());
        let mut line = if records == 0 { self.line + 1 } else { self.line };
        let mut since_header = text.len();
        loop {
            let start = text.len();
            // A line without an end is read no further than a record may reach.
            let read = (&mut self.file).take(MOST_BYTES as u64).read_until(b'\n', &mut text);
            let read = read.with_context(|| format!("{}, behind line {}", self.name, self.line))?;
            if read == 0 {
                break;
            }
            self.line += 1;
            since_header += read;
            if is_header(&text[start..]) {
                if records == 0 {
                    line = if text[..start].trim_ascii().is_empty() { self.line } else { line };
                }
                if records == RECORDS {
                    self.header = text.split_off(start);
                    break;
                }
                records += 1;
                since_header = read;
            }
            ensure!(
                since_header < MOST_BYTES,
                "{}, line {}: the record is longer than {MOST_BYTES} bytes",
                self.name,
                self.line
            );
        }
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        Ok(Some(Block { line, text: text.into() }))
    }
}

/// Files that were joined have their marks in the middle.
fn is_header(line: &[u8]) -> bool {
    line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).starts_with(b">")
}

impl Iterator for Blocks {
    type Item = Result<Block>;
    fn next(&mut self) -> Option<Result<Block>> {
        self.block().transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_is_cut_after_so_many_records() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.fa.gz");
        let mut file =
            flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
        for record in 0..RECORDS * 2 + 3 {
            write!(file, ">r{record} x\nACGU\n\nAC\n").unwrap();
        }
        file.finish().unwrap();
        let blocks: Vec<Block> = Blocks::open(&path).unwrap().collect::<Result<_>>().unwrap();
        let starts: Vec<u64> = blocks.iter().map(|block| block.line).collect();
        assert_eq!(starts, [1, RECORDS as u64 * 4 + 1, RECORDS as u64 * 8 + 1]);
        assert!(blocks[1].text.starts_with(format!(">r{RECORDS} x\n").as_bytes()));
        let headers = |block: &Block| block.text.iter().filter(|byte| **byte == b'>').count();
        assert_eq!(blocks.iter().map(headers).collect::<Vec<_>>(), [RECORDS, RECORDS, 3]);
    }

    #[test]
    fn marks_and_ends_of_lines_hide_no_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.fa");
        let some = |end: &str| -> String { (0..RECORDS).map(|_| format!(">r{end}ACGU{end}")).collect() };
        let whole = ["\n", "\r", "\r\n", "\n"].map(|end| format!("\u{feff}{}", some(end))).concat();
        std::fs::write(&path, whole).unwrap();
        let starts = Blocks::open(&path).unwrap().map(|block| block.unwrap().line);
        assert_eq!(starts.collect::<Vec<u64>>(), [0, 1, 2, 3].map(|block| block * 2 * RECORDS as u64 + 1));
    }

    #[test]
    fn a_gzip_file_that_is_broken_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.fa.gz");
        let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        file.write_all(b">r\nACGU\n").unwrap();
        let whole = file.finish().unwrap();
        for bytes in [&whole[..whole.len() - 6], &[&whole[..], b"GARBAGE"].concat()] {
            std::fs::write(&path, bytes).unwrap();
            let error = format!("{:#}", Blocks::open(&path).unwrap().find_map(Result::err).unwrap());
            assert!(error.contains("records.fa.gz, behind line 2: the gzip data end early"), "{error}");
        }
    }
}
