//! A scan as JSON: `{"mirnas": […], "transcripts": […]}`, read no further than a request may reach.

use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error, MapAccess};
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Track};

use super::asked::{Asked, PROBABILITY};
use super::names::{Entry, Found};
use super::{MOST_MIRNAS, MOST_TRANSCRIPTS, MirnaEntry, TranscriptEntry};
use crate::http::formats::{
    Entries, Fields, Fill, Limits, List, Object, broken_json, pointer, pointer_to, what, whole_number,
    without_bom,
};
use crate::http::offload::Bounds;
use crate::http::problem::{ErrorCode, Errors, FieldError, Problem, shown};

/// Reads a body; what the URL said already may not stand there again.
pub(super) fn read(bytes: &[u8], asked: Asked, bounds: &Bounds) -> Result<Found, Problem> {
    let most = [MOST_MIRNAS, MOST_TRANSCRIPTS].map(Bounds::new);
    let limits = most.each_ref().map(Limits::new);
    let mut reader =
        Reader { asked, mirnas: None, transcripts: None, limits: &limits, taken: vec![], twice: None };
    let mut track = Track::new();
    let mut deserializer = serde_json::Deserializer::from_slice(without_bom(bytes));
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let read = Fill(&mut reader).deserialize(tracked).and_then(|()| deserializer.end());
    let Reader { asked, mirnas, transcripts, twice, .. } = reader;
    for (limit, (most, what)) in
        limits.iter().zip([(MOST_MIRNAS, "miRNAs"), (MOST_TRANSCRIPTS, "transcripts")])
    {
        if limit.stopped().is_some() {
            return Err(Problem::too_many_to_scan(most, what));
        }
    }
    if let Some(name) = twice {
        let detail = format!("{name} is in the URL and in the body; leave one of them out");
        return Err(Problem::BadHeader(detail));
    }
    if let Err(error) = read {
        every_fault(bytes, refusal(bytes, &track.path(), &error), bounds)?.into_result()?;
    }
    let missing = |name: &str| {
        FieldError::whole(
            ErrorCode::MissingField,
            format!("{name} is missing: a list of {{\"id\", \"sequence\"}}"),
        )
    };
    let mirnas = mirnas.ok_or_else(|| missing("mirnas"))?;
    let transcripts = transcripts.ok_or_else(|| missing("transcripts"))?;
    let mirna =
        |Object(MirnaEntry { id, sequence })| Entry { line: None, id, letters: sequence, cds_end: None };
    let transcript = |Object(TranscriptEntry { id, sequence, cds_end })| Entry {
        line: None,
        id,
        letters: sequence,
        cds_end,
    };
    Ok(Found {
        asked,
        mirnas: mirnas.into_iter().map(mirna).collect(),
        transcripts: transcripts.into_iter().map(transcript).collect(),
    })
}

struct Reader<'l, 'b> {
    asked: Asked,
    mirnas: Option<Vec<Object<MirnaEntry>>>,
    transcripts: Option<Vec<Object<TranscriptEntry>>>,
    limits: &'l [Limits<'b>; 2],
    /// Settings that were read.
    taken: Vec<&'static str>,
    /// What stands in the URL too.
    twice: Option<&'static str>,
}

impl<'de> Fields<'de> for Reader<'_, '_> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let [mirnas, transcripts] = self.limits;
        match name {
            "mirnas" if self.mirnas.is_some() => return Err(A::Error::duplicate_field("mirnas")),
            "transcripts" if self.transcripts.is_some() => {
                return Err(A::Error::duplicate_field("transcripts"));
            }
            "mirnas" => {
                self.mirnas = Some(map.next_value_seed(List { limits: mirnas, items: PhantomData })?);
            }
            "transcripts" => {
                self.transcripts =
                    Some(map.next_value_seed(List { limits: transcripts, items: PhantomData })?);
            }
            "model" => self.take("model", |asked| &mut asked.model, map)?,
            "repression_model" => self.take("repression_model", |asked| &mut asked.repression_model, map)?,
            "seedless" => self.take("seedless", |asked| &mut asked.seedless, map)?,
            "sites" => self.take("sites", |asked| &mut asked.sites, map)?,
            "min_probability" => {
                self.take("min_probability", |asked| &mut asked.min_probability, map)?;
                if !self.asked.min_probability.is_none_or(|number| (0.0..=1.0).contains(&number)) {
                    return Err(A::Error::custom(PROBABILITY));
                }
            }
            _ => {
                const KNOWN: &[&str] = &[
                    "mirnas",
                    "transcripts",
                    "seedless",
                    "min_probability",
                    "sites",
                    "model",
                    "repression_model",
                ];
                return Err(A::Error::unknown_field(name, KNOWN));
            }
        }
        Ok(())
    }
}

impl Reader<'_, '_> {
    /// A setting, once.
    fn take<'de, T: serde::Deserialize<'de>, A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        place: impl Fn(&mut Asked) -> &mut Option<T>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        if self.taken.contains(&name) {
            return Err(A::Error::duplicate_field(name));
        }
        self.taken.push(name);
        let value: Option<T> = map.next_value()?;
        match (place(&mut self.asked), value) {
            (_, None) => {}
            (Some(_), Some(_)) => self.twice = Some(name),
            (empty, value) => *empty = value,
        }
        Ok(())
    }
}

/// What ended the reading, and what else is wrong with the shape of the entries: they are read again, each field by itself.
fn every_fault(bytes: &[u8], first: FieldError, bounds: &Bounds) -> Result<Errors, Problem> {
    let mut errors = Errors::default();
    let mut is_among = false;
    let body: Result<Entries<'_>, _> = serde_json::from_slice(without_bom(bytes));
    for (list, value) in body.map(|body| body.0).unwrap_or_default() {
        let most = match list.as_str() {
            "mirnas" => MOST_MIRNAS,
            "transcripts" => MOST_TRANSCRIPTS,
            _ => continue,
        };
        let (limited, mut index) = (Bounds::new(most), 0);
        let limits = Limits::new(&limited);
        let items = List::<&RawValue> { limits: &limits, items: PhantomData };
        let mut json = serde_json::Deserializer::from_str(value.get());
        for item in items.deserialize(&mut json).unwrap_or_default() {
            bounds.look()?;
            let place = format!("/{list}/{index}");
            index += 1;
            faults(item, list == "transcripts", |error| {
                let error = error.below(&place);
                is_among |= error.pointer == first.pointer;
                errors.push(error);
            });
        }
    }
    if !is_among {
        let mut with_first = Errors::default();
        with_first.push(first);
        with_first.merge(errors);
        errors = with_first;
    }
    Ok(errors)
}

/// Everything that is wrong with the shape of an entry.
fn faults(item: &RawValue, of_transcript: bool, mut tell: impl FnMut(FieldError)) {
    let Ok(Entries(fields)) = serde_json::from_str(item.get()) else {
        let detail = format!("this has to be an object; it is {}", what(item));
        return tell(FieldError::whole(ErrorCode::WrongType, detail));
    };
    let known = if of_transcript { &["id", "sequence", "cds_end"][..] } else { &["id", "sequence"] };
    let mut there = [false; 3];
    for (name, value) in &fields {
        let Some(place) = known.iter().position(|known| known == name) else {
            let detail = format!("no field {}; there is: {}", shown(name), known.join(", "));
            tell(FieldError::new(pointer(name), ErrorCode::UnknownField, detail));
            continue;
        };
        let expected = match known[place] {
            "cds_end" => {
                let number = serde_json::from_str::<Option<f64>>(value.get());
                let whole = |number: Option<f64>| number.is_none() || whole_number(number).is_some();
                (!number.is_ok_and(whole)).then_some("a whole number, 0 or more")
            }
            _ => (!value.get().starts_with('"')).then_some("text in quotes"),
        };
        if std::mem::replace(&mut there[place], true) {
            tell(FieldError::new(
                pointer(name),
                ErrorCode::DuplicateField,
                format!("{name} stands there twice"),
            ));
        } else if let Some(expected) = expected {
            let detail = format!("{name} has to be {expected}; this is {}", what(value));
            tell(FieldError::new(pointer(name), ErrorCode::WrongType, detail));
        }
    }
    // The first two are needed.
    for (name, _) in known.iter().zip(there).take(2).filter(|(_, there)| !there) {
        tell(FieldError::whole(ErrorCode::MissingField, format!("{name} is missing")));
    }
}

/// What is wrong, in plain words.
fn refusal(bytes: &[u8], path: &Path, error: &serde_json::Error) -> FieldError {
    let pointer = pointer_to(path);
    let words = error.to_string();
    if !error.is_data() {
        return broken_json(bytes, error);
    }
    // serde names the place in the text behind the words.
    let words = words.rsplit_once(" at line ").map_or(words.as_str(), |(words, _)| words);
    if words == PROBABILITY {
        return FieldError::new("/min_probability".into(), ErrorCode::OutOfRange, words.to_owned());
    }
    let named = words.split('`').nth(1).unwrap_or_default();
    let (code, detail) = match words.split_whitespace().next() {
        Some("unknown") => (
            ErrorCode::UnknownField,
            words.replacen("unknown field", "no field", 1).replacen("expected one of", "there is:", 1),
        ),
        Some("missing") => (ErrorCode::MissingField, format!("{named} is missing")),
        Some("duplicate") => (ErrorCode::DuplicateField, format!("{named} stands there twice")),
        _ => {
            let expected = match words.rsplit_once("expected ").map(|(_, expected)| expected) {
                Some("f32") => "a number",
                Some("a string") => "text in quotes",
                Some("a boolean") => "true or false",
                Some(expected) => expected,
                None => "something else",
            };
            (ErrorCode::WrongType, format!("this has to be {expected}"))
        }
    };
    // A field of the body itself has not been entered yet.
    let own = pointer.is_empty() && matches!(code, ErrorCode::UnknownField | ErrorCode::DuplicateField);
    FieldError::new(if own { format!("/{named}") } else { pointer }, code, detail)
}
