//! JSON: a request's rows, read at once where all is well, and one by one where anything is not.

use std::marker::PhantomData;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess};
use serde_json::Value;
use serde_json::value::RawValue;

use super::asked::Asked;
use super::draft::Draft;
use super::hints;
use super::object::{Fields, Fill, Limits, List, Object};
use super::others::Gathered;
use crate::http::offload::{Bounds, offload};
use crate::http::problem::{ErrorCode, Errors, FieldError, Problem, shown};
use crate::http::rows::{Found, FoundRow, FoundRows, ScoringEndpoint, Settings};

/// From here on a body is parsed away from the connections' threads.
const HEAVY_BODY_BYTES: usize = 64 * 1024;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A request.
pub(super) async fn read<S: ScoringEndpoint>(
    bytes: Bytes,
    asked: &Asked,
    bounds: Bounds,
) -> Result<Found<S>, Problem> {
    let (heavy, asked) = (bytes.len() >= HEAVY_BODY_BYTES, asked.clone());
    offload(heavy, bounds, move |bounds| read_rows(without_bom(&bytes), &asked, bounds)).await
}

/// Windows writes a byte order mark first; a file that was joined of such ones may have several.
pub(crate) fn without_bom(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(BOM) {
        bytes = rest;
    }
    bytes
}

fn read_rows<S: ScoringEndpoint>(bytes: &[u8], asked: &Asked, bounds: &Bounds) -> Result<Found<S>, Problem> {
    if asked.is_plain() {
        let mut request = Request::<Object<S>>::new::<S>(bounds);
        let read = fill(bytes, &mut request);
        if let Some(problem) = request.limits.stopped() {
            return Err(problem);
        }
        if let (Ok(()), true, Ok(model), Some(rows)) =
            (read, request.errors.is_empty(), request.model(), request.rows)
        {
            let rows = rows.into_iter().map(|Object(mut row)| {
                if asked.three_to_five {
                    row.turn();
                }
                row
            });
            return Ok(Found { model, settings: request.settings, ..rows.collect() });
        }
    }
    read_each(bytes, asked, bounds)
}

/// A request whose rows are answered line by line.
pub(super) struct Texts {
    /// The model that it names.
    pub model: Option<String>,
    /// What it says of all rows.
    pub settings: Vec<(&'static str, Value)>,
    /// The text of each row.
    pub rows: Vec<Bytes>,
}

/// The texts of a request's rows. What is wrong outside them is refused here.
pub(super) fn texts<S: ScoringEndpoint>(bytes: &Bytes, bounds: &Bounds) -> Result<Texts, Problem> {
    let (request, model, wrong) = outline::<S>(without_bom(bytes), bounds)?;
    let mut errors = Errors::default();
    errors.extend(wrong);
    errors.into_result()?;
    let rows = request.rows.unwrap_or_default().into_iter();
    let rows = rows.map(|row| bytes.slice_ref(row.get().as_bytes())).collect();
    Ok(Texts { model, settings: request.settings, rows })
}

/// What stands round the rows, the rows unread, and what is wrong outside them.
type Outline<'a, 'b> = (Request<'a, 'b, &'a RawValue>, Option<String>, Vec<FieldError>);

fn outline<'a, 'b, S: ScoringEndpoint>(
    bytes: &'a [u8],
    bounds: &'b Bounds,
) -> Result<Outline<'a, 'b>, Problem> {
    let mut request = Request::<&RawValue>::new::<S>(bounds);
    let read = fill(bytes, &mut request);
    if let Some(problem) = request.limits.stopped() {
        return Err(problem);
    }
    if let Some(hint) = hints::in_place_of_json::<S>(bytes, read.is_ok() && request.errors.is_empty()) {
        return Err(hint.into());
    }
    let mut errors = std::mem::take(&mut request.errors);
    if let Err(error) = read {
        let list = request.in_list.then(|| format!("/{}", S::LIST));
        errors.push(refusal(bytes, &error, list.unwrap_or_default(), S::LIST));
    } else if request.rows.is_none() && !request.in_list {
        let detail = format!("{} is missing: the list of rows", S::LIST);
        errors.push(FieldError::whole(ErrorCode::MissingField, detail));
    }
    let model = request.model().unwrap_or_else(|error| {
        errors.push(error);
        None
    });
    Ok((request, model, errors))
}

/// Reads row by row, so that every row that is wrong is told.
fn read_each<S: ScoringEndpoint>(bytes: &[u8], asked: &Asked, bounds: &Bounds) -> Result<Found<S>, Problem> {
    let (request, model, errors) = outline::<S>(bytes, bounds)?;
    let mut gathered = Gathered::default();
    let mut rows = FoundRows::default();
    for (index, text) in request.rows.unwrap_or_default().into_iter().enumerate() {
        bounds.admit(index)?;
        let row = Draft::<S>::of_json(text, asked, rows.room()).and_then(|(mut row, others)| {
            gathered.add(others)?;
            if asked.three_to_five {
                row.turn();
            }
            Ok(row)
        });
        rows.push(None, row);
    }
    let mut rows = rows.into_rows();
    let mut outside = Errors::default();
    outside.extend(errors);
    if rows.is_empty() {
        outside.into_result()?;
    } else if !outside.is_empty() {
        rows.push(FoundRow { line: None, row: Err(outside) });
    }
    Ok(Found { model, settings: request.settings, rows, passed: gathered.passed() })
}

fn fill<'de, F: Fields<'de>>(bytes: &'de [u8], fields: &mut F) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    Fill(fields).deserialize(&mut json)?;
    json.end()
}

/// What ends the reading of a body, in plain words.
fn refusal(bytes: &[u8], error: &serde_json::Error, pointer: String, list: &str) -> FieldError {
    match error.is_data() {
        true if pointer.is_empty() => FieldError::whole(
            ErrorCode::WrongType,
            format!("the body has to be an object: {{\"{list}\": [...]}}"),
        ),
        true => FieldError::new(pointer, ErrorCode::WrongType, format!("{list} has to be a list of rows")),
        false => hints::broken_json(bytes, error),
    }
}

/// `{"model": …, LIST: […]}`.
struct Request<'a, 'b, T> {
    list: &'static str,
    /// Whether a model answers, so that one may be named.
    asks_model: bool,
    /// What may stand beside the list.
    names: &'static [&'static str],
    settings: Vec<(&'static str, Value)>,
    limits: Limits<'b>,
    model: Option<&'a RawValue>,
    rows: Option<Vec<T>>,
    /// Whether the list is what was being read.
    in_list: bool,
    errors: Vec<FieldError>,
}

impl<'b, T> Request<'_, 'b, T> {
    fn new<S: ScoringEndpoint>(bounds: &'b Bounds) -> Self {
        Self {
            list: S::LIST,
            asks_model: S::TASK.is_some(),
            names: S::Settings::NAMES,
            settings: Vec::new(),
            limits: Limits::new(bounds),
            model: None,
            rows: None,
            in_list: false,
            errors: Vec::new(),
        }
    }

    fn model(&self) -> Result<Option<String>, FieldError> {
        let Some(text) = self.model else { return Ok(None) };
        serde_json::from_str(text.get()).map_err(|_| {
            let detail = "model has to be text in quotes: name or name@version".into();
            FieldError::new("/model".into(), ErrorCode::WrongType, detail)
        })
    }

    fn error(&mut self, name: &str, code: ErrorCode, detail: String) {
        // Of a body of nothing else, the first few are enough.
        if self.errors.len() < 1000 {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            self.errors.push(FieldError::new(pointer, code, detail));
        }
    }
}

impl<'de, T: Deserialize<'de>> Fields<'de> for Request<'de, '_, T> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let again = (name == "model" && self.model.is_some())
            || (name == self.list && self.rows.is_some())
            || self.settings.iter().any(|(known, _)| *known == name);
        if again {
            self.error(name, ErrorCode::DuplicateField, format!("{name} stands there twice"));
            map.next_value::<IgnoredAny>()?;
        } else if name == "model" && self.asks_model {
            self.model = Some(map.next_value()?);
        } else if name == self.list {
            self.in_list = true;
            let list = List { limits: &self.limits, items: PhantomData };
            self.rows = Some(map.next_value_seed(list)?);
            self.in_list = false;
        } else if let Some(known) = self.names.iter().find(|known| **known == name) {
            self.settings.push((known, map.next_value()?));
        } else {
            let model = if self.asks_model { &["model"][..] } else { &[] };
            let known = [model, &[self.list], self.names].concat().join(", ");
            let detail = format!("no field {} here; there is: {known}", shown(name));
            self.error(name, ErrorCode::UnknownField, detail);
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}
