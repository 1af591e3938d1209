//! A text file on its way: UTF-8 where its mark says UTF-16, and LF at the ends of lines where they were CR or CRLF.

use std::io::{BufRead, Error, ErrorKind, Read, Result};

use encoding_rs::{Decoder, Encoding, UTF_8};

/// Bytes that are looked at together.
const STEP: usize = 1 << 14;

/// The file, read through.
pub(super) struct Text<R> {
    file: R,
    /// Of a file in UTF-16.
    decoder: Option<Decoder>,
    /// Whether the last byte was the CR of what may be CRLF.
    after_cr: bool,
    ready: Vec<u8>,
    given: usize,
}

impl<R: BufRead> Text<R> {
    /// Looks at the mark, if there is one.
    pub(super) fn of(mut file: R) -> Result<Self> {
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
    use std::io::BufReader;

    use super::*;

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
