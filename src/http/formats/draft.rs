//! A row in the making: fields that were read, and everything that is wrong with its shape, in plain words.

use std::collections::HashSet;
use std::marker::PhantomData;

use mirna::Rna;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::asked::Asked;
use super::object::{Entries, Object};
use crate::http::problem::{ErrorCode, Errors, FieldError};
use crate::http::rows::{Kind, ScoringEndpoint};

/// A row in the making. Pointers start at the row.
pub(crate) struct Draft<S> {
    row: Map<String, Value>,
    errors: Errors,
    /// Fields that were there, good or bad.
    there: HashSet<String>,
    /// Fields that every row needs, and that were there and bad.
    bad: Vec<&'static str>,
    endpoint: PhantomData<S>,
}

/// A field that is not read, only handed back: its name, and its value as JSON.
pub(super) type Other = (String, String);

impl<S: ScoringEndpoint> Draft<S> {
    /// An empty one; of what is wrong with it so much is kept as there is room for.
    pub(crate) fn new(room: usize) -> Self {
        let (row, there, bad) = (Map::new(), HashSet::new(), Vec::new());
        Self { row, errors: Errors::with_room(room), there, bad, endpoint: PhantomData }
    }

    /// A row out of a JSON object. `text` is JSON.
    pub(crate) fn of_json(text: &RawValue, asked: &Asked, room: usize) -> Result<(S, Vec<Other>), Errors> {
        let entries =
            entries(text, "a row").map_err(|detail| FieldError::whole(ErrorCode::WrongType, detail))?;
        let (mut draft, mut others) = (Self::new(room), Vec::new());
        for (name, value) in entries {
            match asked.field(&name) {
                Some(field) if S::kind(field).is_some() => draft.json(field, value),
                Some(field) if holds_fields::<S>(field) => draft.inner(field, value),
                _ if !asked.keep_columns => {
                    draft.error(&name, ErrorCode::UnknownField, || unknown::<S>("field", &name));
                }
                _ if draft.there.insert(name.clone()) => others.push((name, value.get().to_owned())),
                _ => draft.twice(&name),
            }
        }
        draft.finish().map(|row| (row, others))
    }

    /// An object inside the row.
    fn inner(&mut self, outer: &str, value: &RawValue) {
        let entries = match entries(value, outer) {
            Ok(entries) => entries,
            Err(detail) => return self.error(outer, ErrorCode::WrongType, || detail),
        };
        if !self.there.insert(outer.to_owned()) {
            return self.twice(outer);
        }
        for (name, value) in entries {
            let field = format!("{outer}.{name}");
            match S::kind(&field) {
                Some(_) => self.json(&field, value),
                None => self.error(&field, ErrorCode::UnknownField, || unknown::<S>("field", &field)),
            }
        }
    }

    /// A field's value, in JSON.
    fn json(&mut self, field: &str, text: &RawValue) {
        let Some(kind) = S::kind(field) else { return };
        let expected = match kind {
            Kind::Text => "text in quotes",
            Kind::Integer => "a whole number, 0 or more",
            Kind::Number => "a number",
            Kind::Flag => "true or false",
        };
        let needed = S::FIELDS.iter().any(|column| column.name == field);
        let wrong = || format!("{field} has to be {expected}; this is {}", what(text));
        let value = match (kind, serde_json::from_str(text.get())) {
            (Kind::Text, Err(_)) if text.get().starts_with('"') => Err((
                ErrorCode::WrongType,
                format!("{field} is not text: it has half of a pair of \\u escapes"),
            )),
            // A number that no machine can hold.
            (_, Err(_)) => Err((ErrorCode::OutOfRange, format!("{field} is out of range"))),
            (_, Ok(Value::Null)) if needed => {
                Err((ErrorCode::MissingField, format!("{field} is missing: it is null")))
            }
            (Kind::Text | Kind::Number, Ok(Value::Null)) if !field.starts_with("mirnas") => Ok(Value::Null),
            (Kind::Text, Ok(value @ Value::String(_))) | (Kind::Flag, Ok(value @ Value::Bool(_))) => {
                Ok(value)
            }
            (Kind::Number, Ok(Value::Number(number))) => Ok(Value::Number(number)),
            (Kind::Integer, Ok(Value::Number(number))) => {
                whole_number(number.as_f64()).map(Value::from).ok_or((ErrorCode::WrongType, wrong()))
            }
            _ => Err((ErrorCode::WrongType, wrong())),
        };
        match value {
            Ok(value) => self.put(field, value),
            Err((code, detail)) => self.error(field, code, || detail),
        }
    }

    /// A field's value, of the field's kind; null is a field left out.
    pub(crate) fn put(&mut self, field: &str, value: Value) {
        if !self.there.insert(field.to_owned()) {
            return self.twice(field);
        }
        if value.is_null() {
            return;
        }
        match field.split_once('.') {
            None => {
                self.row.insert(field.to_owned(), value);
            }
            Some((outer, name)) => {
                if let Value::Object(inner) = self.row.entry(outer).or_insert_with(|| Map::new().into()) {
                    inner.insert(name.to_owned(), value);
                }
            }
        }
    }

    /// Notes what is wrong with a field.
    pub(crate) fn error(&mut self, field: &str, code: ErrorCode, detail: impl FnOnce() -> String) {
        self.there.insert(field.to_owned());
        self.bad.extend(S::FIELDS.iter().map(|column| column.name).filter(|name| *name == field));
        self.errors.note(code, || FieldError::new(pointer(field), code, detail()));
    }

    fn twice(&mut self, field: &str) {
        self.error(field, ErrorCode::DuplicateField, || format!("{field} stands there twice"));
    }

    /// The row, or everything that is wrong with it: where its shape is, the letters that can be told are named too.
    pub(crate) fn finish(mut self) -> Result<S, Errors> {
        for column in S::FIELDS {
            if !self.row.contains_key(column.name) && !self.bad.contains(&column.name) {
                let detail = format!("{} is missing", column.name);
                self.errors.push(FieldError::whole(ErrorCode::MissingField, detail));
            }
        }
        if self.errors.is_empty() {
            return Object::<S>::deserialize(Value::Object(self.row)).map(|row| row.0).map_err(|_| {
                FieldError::whole(ErrorCode::WrongType, "a value of this row cannot be read".into()).into()
            });
        }
        for (name, lengths) in S::lengths() {
            // As `/v1/models` names them: the field's name, and the unit.
            let field = S::FIELDS.iter().find(|column| {
                name.trim_end_matches("_nt").ends_with(column.name) || S::FASTA == Some(column.name)
            });
            if let Some((field, Value::String(text))) =
                field.and_then(|column| Some((column.name, self.row.get(column.name)?)))
                && let Err(error) = Rna::parse(text, lengths)
            {
                self.errors.push(FieldError::sequence(pointer(field), &error));
            }
        }
        Err(self.errors)
    }
}

fn entries<'a>(text: &'a RawValue, name: &str) -> Result<Vec<(String, &'a RawValue)>, String> {
    let read: Result<Entries<'a>, _> = serde_json::from_str(text.get());
    read.map(|entries| entries.0).map_err(|error| match text.get().starts_with('{') {
        true if error.is_data() => format!("{name} has too many fields"),
        true => format!("{name} has a field whose name cannot be read: half of a pair of \\u escapes"),
        false => format!("{name} has to be an object; this is {}", what(text)),
    })
}

/// A whole number, 0 or more, that a float holds exactly; as JSON Schema has it, 5.0 is one.
pub(crate) fn whole_number(number: Option<f64>) -> Option<u64> {
    number.filter(|number| number.fract() == 0.0 && (0.0..=9e15).contains(number)).map(|number| number as u64)
}

/// That there is no such field, and what helps; the list, which may be long, last.
pub(super) fn unknown<S: ScoringEndpoint>(what: &str, name: &str) -> String {
    let meant = meant::<S>(name);
    let name: String = name.chars().take(100).collect();
    let suggestion = meant.map(|field| format!(", did you mean {field}?")).unwrap_or_default();
    let field = meant.unwrap_or("FIELD");
    format!(
        "no {what} {name:?}{suggestion}; ?column.{field}={name} says which field it is, ?keep_columns=true lets others pass; there is: {}",
        S::names()
    )
}

/// The field that somebody may have meant: of the same letters, or the last part of its name.
pub(crate) fn meant<S: ScoringEndpoint>(name: &str) -> Option<&'static str> {
    let letters = |text: &str| {
        let letters = text.chars().filter(|letter| letter.is_alphanumeric());
        letters.collect::<String>().to_lowercase()
    };
    let wanted = letters(name);
    let fields = || S::FIELDS.iter().chain(S::OPTIONAL).map(|column| column.name);
    let last = |field: &'static str| field.rsplit('.').next().unwrap_or(field);
    fields()
        .filter(|field| !field.ends_with('*'))
        .find(|&field| letters(field) == wanted || letters(last(field)) == wanted)
}

/// Whether fields stand inside this one.
fn holds_fields<S: ScoringEndpoint>(field: &str) -> bool {
    S::OPTIONAL.iter().any(|column| column.name.split_once('.').is_some_and(|(outer, _)| outer == field))
}

/// Pointer to a field: a dot leads inside.
pub(crate) fn pointer(field: &str) -> String {
    let step = |name: &str| format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    match field.split_once('.') {
        Some((outer, name)) => step(outer) + &step(name),
        None => step(field),
    }
}

/// What JSON this is, for people.
pub(crate) fn what(text: &RawValue) -> String {
    let text = text.get();
    match text.as_bytes().first() {
        Some(b'"') => "text".into(),
        Some(b'{') => "an object".into(),
        Some(b'[') => "a list".into(),
        Some(b'n') => "null".into(),
        Some(b't' | b'f') => text.into(),
        _ => format!("the number {}", text.chars().take(100).collect::<String>()),
    }
}
