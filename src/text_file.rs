//! A text file of any machine: unpacked where gzip or bgzip compressed it, UTF-8 where its mark says UTF-16, and LF at the
//! ends of lines where they were CR or CRLF.

use std::fs::File;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result};
use std::path::Path;

use encoding_rs::{Decoder, Encoding, UTF_8};
use flate2::bufread::MultiGzDecoder;

/// Opens a file, which is read through once.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead + Send>> {
    let mut file = buffered(File::open(path)?);
    let is_gzip = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(match is_gzip {
        true => Box::new(buffered(Text::of(buffered(Unpacked(MultiGzDecoder::new(file))))?)),
        false => Box::new(buffered(Text::of(file)?)),
    })
}

/// All of a file.
pub(crate) fn read(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|&byte| byte == b'\n').count();
        Error::new(ErrorKind::InvalidData, format!("line {line} is not UTF-8: save the file so"))
    })
}

fn buffered<R: Read>(file: R) -> BufReader<R> {
    BufReader::with_capacity(1 << 16, file)
}

/// What gzip compressed.
struct Unpacked<R>(MultiGzDecoder<R>);

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.0.read(buffer).map_err(|error| {
            let broken = "the gzip data end early, are damaged, or have other bytes behind them";
            Error::new(error.kind(), broken)
        })
    }
}

/// Bytes that are looked at together.
const STEP: usize = 1 << 14;

/// Letters of a file.
struct Text<R> {
    file: R,
    /// That of a file in UTF-16.
    decoder: Option<Decoder>,
    /// Whether the last byte was the CR of what may be CRLF.
    after_cr: bool,
    ready: Vec<u8>,
    given: usize,
}

impl<R: BufRead> Text<R> {
    /// Looks at the mark, if there is one.
    fn of(mut file: R) -> Result<Self> {
        let marked = Encoding::for_bom(file.fill_buf()?).map(|(encoding, _)| encoding);
        let decoder =
            marked.filter(|encoding| *encoding != UTF_8).map(Encoding::new_decoder_with_bom_removal);
        Ok(Self { file, decoder, after_cr: false, ready: Vec::new(), given: 0 })
    }

    /// Reads some bytes more; none at the end.
    fn fill(&mut self) -> Result<()> {
        self.ready.clear();
        self.given = 0;
        while self.ready.is_empty() {
            let bytes = self.file.fill_buf()?;
            let (bytes, is_last) = (&bytes[..bytes.len().min(STEP)], bytes.is_empty());
            let read = bytes.len();
            let decoded = match &mut self.decoder {
                None => bytes.to_vec(),
                Some(decoder) => {
                    let most = decoder.max_utf8_buffer_length(read).unwrap_or(4 * STEP);
                    let mut text = String::with_capacity(most);
                    let (_, _, is_broken) = decoder.decode_to_string(bytes, &mut text, is_last);
                    if is_broken {
                        return Err(Error::new(ErrorKind::InvalidData, "it is not UTF-16, as its mark says"));
                    }
                    text.into_bytes()
                }
            };
            self.file.consume(read);
            for byte in decoded {
                let ends_crlf = self.after_cr && byte == b'\n';
                self.after_cr = byte == b'\r';
                if !ends_crlf {
                    self.ready.push(if self.after_cr { b'\n' } else { byte });
                }
            }
            if is_last {
                // A decoder takes its end once.
                self.decoder = None;
                return Ok(());
            }
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.given == self.ready.len() {
            self.fill()?;
        }
        let count = (&self.ready[self.given..]).read(buffer)?;
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_file_is_read_whole_or_its_fault_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mature.fa");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            super::read(&path).map_err(|error| error.to_string())
        };
        let gzip = |bytes: &[u8]| {
            let mut file = GzEncoder::new(Vec::new(), Compression::fast());
            file.write_all(bytes).unwrap();
            file.finish().unwrap()
        };
        assert_eq!(read(b">a\r\nACGU\r\n").unwrap(), ">a\nACGU\n");
        let packed = gzip(b"\xFF\xFE>\0a\0\r\0");
        assert_eq!(read(&packed).unwrap(), ">a\n");
        assert!(read(&packed[..packed.len() - 4]).unwrap_err().contains("gzip data end early"));
        assert_eq!(read(b">a\nAC\n>\xB5\n").unwrap_err(), "line 3 is not UTF-8: save the file so");
    }

    #[test]
    fn every_end_of_a_line_is_one() {
        let text = ">a\r\nAC\r>b\nGU\r\n\r\r";
        let units = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        let little = [&[0xFF, 0xFE], &units(u16::to_le_bytes)[..]].concat();
        let big = [&[0xFE, 0xFF], &units(u16::to_be_bytes)[..]].concat();
        for bytes in [text.as_bytes(), &little, &big] {
            // Ends of lines and letters are cut anywhere.
            for capacity in [1, 2, 3, 64] {
                let mut found = String::new();
                let mut file = Text::of(BufReader::with_capacity(capacity.max(3), bytes)).unwrap();
                file.read_to_string(&mut found).unwrap();
                assert_eq!(found, ">a\nAC\n>b\nGU\n\n\n");
            }
        }
        let odd = BufReader::new(&[0xFF, 0xFE, b'>'][..]);
        assert!(Text::of(odd).unwrap().read_to_string(&mut String::new()).is_err());
    }
}
