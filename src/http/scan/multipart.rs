//! A scan as a form: FASTA files as the parts `mirnas` and `transcripts`, in any order, plain or gzip.

use std::convert::Infallible;
use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use futures_util::stream;

use super::asked::Asked;
use super::names::{Entry, Found};
use super::{MOST_MIRNAS, MOST_TRANSCRIPTS};
use crate::http::formats::Records;
use crate::http::problem::{ErrorCode, FieldError, Problem, shown};

/// The bytes of both files: miRNAs, transcripts.
pub(super) async fn parts(bytes: Bytes, boundary: String) -> Result<[Bytes; 2], Problem> {
    let stream = stream::once(async move { Ok::<_, Infallible>(bytes) });
    let mut form = multer::Multipart::new(stream, boundary);
    let (mut mirnas, mut transcripts) = (None, None);
    let broken = |error: multer::Error| {
        FieldError::whole(ErrorCode::Syntax, format!("the form cannot be read: {error}"))
    };
    while let Some(part) = form.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        let place = match name.as_str() {
            "mirnas" => &mut mirnas,
            "transcripts" => &mut transcripts,
            _ => {
                let name = shown(&name);
                let detail = format!(
                    "no part {name}; there is: mirnas, transcripts (FASTA files); settings stand in the URL"
                );
                return Err(FieldError::whole(ErrorCode::UnknownField, detail).into());
            }
        };
        if place.is_some() {
            let detail = format!("the part {name} stands there twice");
            return Err(FieldError::new(format!("/{name}"), ErrorCode::DuplicateField, detail).into());
        }
        *place = Some(part.bytes().await.map_err(broken)?);
    }
    let missing = |name: &str| {
        let detail = format!("the part {name} is missing: a FASTA file");
        FieldError::whole(ErrorCode::MissingField, detail)
    };
    Ok([mirnas.ok_or_else(|| missing("mirnas"))?, transcripts.ok_or_else(|| missing("transcripts"))?])
}

/// The records of both files; of compressed ones no more than `most` bytes.
pub(super) fn read([mirnas, transcripts]: [Bytes; 2], asked: Asked, most: usize) -> Result<Found, Problem> {
    Ok(Found {
        asked,
        mirnas: records(mirnas, "mirnas", most, (MOST_MIRNAS, "miRNAs"))?,
        transcripts: records(transcripts, "transcripts", most, (MOST_TRANSCRIPTS, "transcripts"))?,
    })
}

fn records(
    bytes: Bytes,
    part: &str,
    most: usize,
    (records, what): (usize, &'static str),
) -> Result<Vec<Entry>, Problem> {
    let place = format!("/{part}");
    let bytes = match bytes.starts_with(&[0x1f, 0x8b]) {
        false => bytes,
        true => {
            let mut plain = Vec::new();
            // One more than it may have, to know.
            let read = MultiGzDecoder::new(&bytes[..]).take(most as u64 + 1).read_to_end(&mut plain);
            read.map_err(|_| {
                FieldError::new(place.clone(), ErrorCode::Syntax, "the gzip file is broken".into())
            })?;
            if plain.len() > most {
                return Err(Problem::BodyTooLarge(most));
            }
            plain.into()
        }
    };
    let mut entries = Vec::new();
    for record in Records::of(bytes, None).map_err(|error| error.below(&place))? {
        if entries.len() == records {
            return Err(Problem::too_many_to_scan(records, what));
        }
        entries.push(Entry::of_record(record, 0));
    }
    Ok(entries)
}
