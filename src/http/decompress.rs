//! Bodies that come compressed: gzip of any number of members (bgzip, `cat a.gz b.gz`, appended logs) and zstd of any
//! number of frames. What stands behind the last one is an error, never a silent end.

use std::io::{self, Write};

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::{Buf, Bytes};
use flate2::write::GzDecoder;
use futures_util::{StreamExt, stream};
use zstd::stream::raw::{self, DParameter, InBuffer, Operation, OutBuffer};

use super::body::Broken;
use super::callers::{Callers, SharePermit};
use super::problem::Problem;
use super::rate::Caller;

/// Compressed bytes that are looked at in one step: they become a few MB at most.
const STEP: usize = 4 * 1024;
/// Room for what one call of zstd gives.
const ROOM: usize = 64 * 1024;
/// The window of zstd that RFC 9659 asks of a server: 8 MiB. It is the caller who says how much the decoder keeps.
const WINDOW_LOG: u32 = 23;
/// Members or frames of one body that hold nothing. Each costs more than the few bytes that it has.
const EMPTY: usize = 10_000;
/// Compressed bytes that may come without giving any: more than one block of zstd.
const NOTHING: usize = 256 * 1024;

/// From here on the request's body is plain.
pub(super) fn decompress(mut request: Request, callers: &Callers) -> Result<Request, Problem> {
    let window = || callers.window(&Caller::of(&request));
    let Some(decoder) = Decoder::named_in(request.headers(), window)? else { return Ok(request) };
    let headers = request.headers_mut();
    headers.remove(header::CONTENT_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    Ok(request.map(|body| plain(body, decoder)))
}

/// The body as `decoder` reads it; each part comes out as soon as it came in.
fn plain(body: Body, decoder: Decoder) -> Body {
    let start = Some((body.into_data_stream(), Bytes::new(), decoder));
    let parts = stream::try_unfold(start, |state| async move {
        let Some((mut body, mut waiting, mut decoder)) = state else { return Ok::<_, io::Error>(None) };
        let mut nothing = 0;
        loop {
            // A part may be empty itself; fed to zstd, it would look like the beginning of a frame.
            while waiting.is_empty() {
                waiting = match next_part(&mut body).await? {
                    Some(part) => part,
                    None => {
                        let last = decoder.end()?;
                        return Ok(Some((Bytes::from(last), None)));
                    }
                };
            }
            let step = waiting.split_to(waiting.len().min(STEP));
            let out = decoder.feed(&step)?;
            if !out.is_empty() {
                return Ok(Some((Bytes::from(out), Some((body, waiting, decoder)))));
            }
            nothing += step.len();
            if nothing > NOTHING {
                return Err(broken("the compressed body goes on and holds nothing"));
            }
        }
    });
    Body::from_stream(parts)
}

async fn next_part(body: &mut BodyDataStream) -> io::Result<Option<Bytes>> {
    body.next().await.transpose().map_err(io::Error::other)
}

/// Bytes in, bytes out.
enum Decoder {
    /// And its members that held nothing.
    Gzip(Gzip, usize),
    Zstd(Zstd),
}

impl Decoder {
    /// The coding that `Content-Encoding` names, in either case and on any number of lines; `None` where nothing is to do.
    fn named_in(
        headers: &HeaderMap,
        window: impl Fn() -> Result<SharePermit, Problem>,
    ) -> Result<Option<Self>, Problem> {
        let mut found = None;
        for line in headers.get_all(header::CONTENT_ENCODING) {
            let line = line.to_str().map_err(|_| Problem::ContentEncoding)?;
            for name in line.split(',').map(|name| name.trim().to_ascii_lowercase()) {
                let decoder = match name.as_str() {
                    "" | "identity" => continue,
                    "gzip" | "x-gzip" => Self::Gzip(Gzip::default(), 0),
                    "zstd" => Self::Zstd(Zstd::new(window()?)?),
                    _ => return Err(Problem::ContentEncoding),
                };
                // Compressed twice is a mistake, and a way to make much out of little.
                if found.replace(decoder).is_some() {
                    return Err(Problem::ContentEncoding);
                }
            }
        }
        Ok(found)
    }

    fn feed(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(gzip, empty) => gzip.feed(bytes, empty),
            Self::Zstd(zstd) => zstd.feed(bytes),
        }
    }

    /// Whatever is left, once all bytes have come.
    fn end(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(gzip, _) => gzip.end(),
            Self::Zstd(Zstd { between: true, .. }) => Ok(Vec::new()),
            Self::Zstd(_) => Err(cut_off()),
        }
    }
}

/// RFC 1952: members one after the other. Zeros behind the last are padding, as for `gzip -d`.
#[derive(Default)]
enum Gzip {
    /// Nothing has come.
    #[default]
    Start,
    /// Within a member.
    Member(Box<GzDecoder<Vec<u8>>>),
    /// A member has ended.
    Between {
        /// Zeros came: no further member may.
        padding: bool,
    },
}

impl Gzip {
    fn feed(&mut self, mut bytes: &[u8], empty: &mut usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        while let [first, ..] = bytes {
            match self {
                Self::Start => *self = Self::member(),
                Self::Between { padding } if *first == 0 => {
                    *padding = true;
                    bytes.advance(1);
                }
                Self::Between { padding: false } => *self = Self::member(),
                Self::Between { padding: true } => {
                    return Err(broken("bytes stand behind the last gzip member"));
                }
                Self::Member(member) => match member.write(bytes).map_err(not_gzip)? {
                    // It is complete, its checksum included, and takes no more.
                    0 => {
                        member.try_finish().map_err(not_gzip)?;
                        *empty += usize::from(member.get_ref().is_empty());
                        if *empty > EMPTY {
                            return Err(too_many_empty());
                        }
                        out.append(member.get_mut());
                        *self = Self::Between { padding: false };
                    }
                    taken => bytes.advance(taken),
                },
            }
        }
        if let Self::Member(member) = self {
            // A line is to be read as soon as it came.
            member.flush().map_err(not_gzip)?;
            out.append(member.get_mut());
        }
        Ok(out)
    }

    fn member() -> Self {
        Self::Member(Box::new(GzDecoder::new(Vec::new())))
    }

    fn end(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Start => Err(cut_off()),
            Self::Between { .. } => Ok(Vec::new()),
            Self::Member(member) => {
                member.try_finish().map_err(|_| {
                    broken("the gzip member ended early, or is damaged: its checksum does not agree")
                })?;
                Ok(std::mem::take(member.get_mut()))
            }
        }
    }
}

/// RFC 8878: frames one after the other.
struct Zstd {
    decoder: raw::Decoder<'static>,
    /// A frame has ended, and no other has begun.
    between: bool,
    /// Frames that held nothing.
    empty: usize,
    /// The first bytes were those of a frame.
    began: bool,
    /// A place for what it keeps.
    _window: SharePermit,
}

impl Zstd {
    fn new(window: SharePermit) -> Result<Self, Problem> {
        let decoder = raw::Decoder::new().and_then(|mut decoder| {
            decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
            Ok(decoder)
        });
        let decoder = decoder.map_err(|_| Problem::Internal)?;
        Ok(Self { decoder, between: false, empty: 0, began: false, _window: window })
    }

    fn feed(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut room = vec![0; ROOM];
        let (mut out, mut input) = (Vec::new(), InBuffer::around(bytes));
        loop {
            let mut output = OutBuffer::around(&mut room[..]);
            // 0: a frame is complete, and all of it was given.
            let hint = self.decoder.run(&mut input, &mut output).map_err(|error| match self.began {
                _ if error.to_string().contains("too much memory") => {
                    broken("the window of the zstd frame is larger than 8 MiB: compress it without --long and --ultra")
                }
                false => broken("the body is not zstd, as Content-Encoding says"),
                true => broken("the zstd frame is damaged, or other bytes stand behind it"),
            })?;
            self.began = true;
            let given = output.as_slice();
            out.extend_from_slice(given);
            self.between = hint == 0;
            self.empty += usize::from(self.between && given.is_empty());
            if self.empty > EMPTY {
                return Err(too_many_empty());
            }
            if input.pos() == bytes.len() && (self.between || given.len() < ROOM) {
                return Ok(out);
            }
        }
    }
}

fn too_many_empty() -> io::Error {
    broken(&format!("more than {EMPTY} members of the compressed body hold nothing"))
}

fn cut_off() -> io::Error {
    broken("the compressed body ended early")
}

fn broken(detail: &str) -> io::Error {
    io::Error::other(Broken(detail.to_owned()))
}

/// The decoder's error, in our words.
fn not_gzip(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::InvalidInput if error.to_string().contains("header") => broken(
            "the body, or what stands behind its first gzip member, is not gzip, as Content-Encoding says",
        ),
        _ => broken("the gzip member is damaged: its bytes do not agree with its checksum or its code"),
    }
}
