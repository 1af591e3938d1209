//! A request of the protocol, read without ever holding more values than it may have rows.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_path_to_error::{Path, Track};

use super::tensors::{Datum, InputTensor, Parameters, Shape};
use super::{InferRequest, WantedOutput};
use crate::http::formats::{Fields, Fill, Limits, in_place_of_a_value, pointer_to, without_bom};
use crate::http::offload::Bounds;
use crate::http::problem::{ErrorCode, FieldError, Problem};

/// Most tensors of a request, and most outputs that it names.
const MOST_TENSORS: usize = 256;
/// Lengths that a shape keeps; of the rest only the number.
const MOST_LENGTHS: usize = 4;
/// Lists inside lists that are read.
const DEEPEST: usize = 8;

/// The JSON part of a request.
pub(super) fn read(json: &[u8], bounds: &Bounds) -> Result<InferRequest, Problem> {
    let (mut track, limits) = (Track::new(), Limits::new(bounds));
    let mut request = Reader { request: InferRequest::default(), limits: &limits };
    let mut deserializer = serde_json::Deserializer::from_slice(without_bom(json));
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let read = Fill(&mut request).deserialize(tracked).and_then(|()| deserializer.end());
    match (limits.stopped(), read) {
        (Some(problem), _) => Err(problem),
        (None, Ok(())) => Ok(request.request),
        (None, Err(error)) => Err(refusal(json, &track.path(), &error).into()),
    }
}

struct Reader<'l, 'b> {
    request: InferRequest,
    limits: &'l Limits<'b>,
}

impl<'de> Fields<'de> for Reader<'_, '_> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "id" if self.request.id.is_some() => return Err(A::Error::duplicate_field("id")),
            "id" => self.request.id = map.next_value()?,
            "parameters" => map.next_value_seed(OrNull(Fill(&mut self.request.parameters)))?,
            "inputs" if self.request.inputs.is_some() => return Err(A::Error::duplicate_field("inputs")),
            "inputs" => {
                let limits = self.limits;
                let make = || TensorReader { tensor: InputTensor::default(), limits };
                let inputs = map.next_value_seed(Items { make })?;
                self.request.inputs = Some(inputs.into_iter().map(|reader| reader.tensor).collect());
            }
            "outputs" if !self.request.outputs.is_empty() => {
                return Err(A::Error::duplicate_field("outputs"));
            }
            "outputs" => {
                let make = WantedOutput::default;
                self.request.outputs = map.next_value_seed(OrNull(Items { make }))?;
            }
            _ => map.next_value::<IgnoredAny>().map(|_| ())?,
        }
        Ok(())
    }
}

struct TensorReader<'l, 'b> {
    tensor: InputTensor,
    limits: &'l Limits<'b>,
}

impl<'de> Fields<'de> for TensorReader<'_, '_> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let tensor = &mut self.tensor;
        match name {
            "name" if !tensor.name.is_empty() => return Err(A::Error::duplicate_field("name")),
            "datatype" if !tensor.datatype.is_empty() => return Err(A::Error::duplicate_field("datatype")),
            "shape" if tensor.shape.all > 0 => return Err(A::Error::duplicate_field("shape")),
            "name" => tensor.name = map.next_value()?,
            "datatype" => tensor.datatype = map.next_value()?,
            "shape" => map.next_value_seed(&mut tensor.shape)?,
            "parameters" => map.next_value_seed(OrNull(Fill(&mut tensor.parameters)))?,
            "data" if !tensor.data.is_empty() => return Err(A::Error::duplicate_field("data")),
            "data" => {
                let (data, lists) = (&mut tensor.data, &mut 0);
                map.next_value_seed(OrNull(Data { data, lists, limits: self.limits, depth: 0 }))?;
            }
            _ => map.next_value::<IgnoredAny>().map(|_| ())?,
        }
        Ok(())
    }
}

impl<'de> Fields<'de> for WantedOutput {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "name" if !self.name.is_empty() => return Err(A::Error::duplicate_field("name")),
            "name" => self.name = map.next_value()?,
            "parameters" => map.next_value_seed(OrNull(Fill(&mut self.parameters)))?,
            _ => map.next_value::<IgnoredAny>().map(|_| ())?,
        }
        Ok(())
    }
}

impl<'de> Fields<'de> for Parameters {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "binary_data_size" => self.binary_data_size = Some(map.next_value()?),
            "binary_data" => self.binary_data = Some(map.next_value()?),
            "binary_data_output" => self.binary_data_output = Some(map.next_value()?),
            // Others' parameters may be passed over, as the protocol has it; this one would change every result.
            "panel" => return Err(A::Error::custom(NO_PANEL)),
            _ => map.next_value::<IgnoredAny>().map(|_| ())?,
        }
        Ok(())
    }
}

/// What may be left out, and is null where a client writes all of its fields.
struct OrNull<S>(S);

impl<'de, S: DeserializeSeed<'de, Value: Default>> DeserializeSeed<'de> for OrNull<S> {
    type Value = S::Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, S: DeserializeSeed<'de, Value: Default>> Visitor<'de> for OrNull<S> {
    type Value = S::Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }
    fn visit_none<E: Error>(self) -> Result<S::Value, E> {
        Ok(S::Value::default())
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(deserializer)
    }
}

/// A short list of objects, each made and then filled.
struct Items<M> {
    make: M,
}

impl<'de, F: Fields<'de>, M: Fn() -> F> DeserializeSeed<'de> for Items<M> {
    type Value = Vec<F>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<F>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: Fields<'de>, M: Fn() -> F> Visitor<'de> for Items<M> {
    type Value = Vec<F>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<F>, A::Error> {
        let mut items = Vec::new();
        loop {
            let mut item = (self.make)();
            if list.next_element_seed(Fill(&mut item))?.is_none() {
                return Ok(items);
            }
            if items.len() == MOST_TENSORS {
                return Err(A::Error::custom(TOO_MANY_TENSORS));
            }
            items.push(item);
        }
    }
}

const TOO_MANY_TENSORS: &str = "up to 256 tensors are read";
const NO_PANEL: &str = "tensors bring no panel: send it as JSON to POST /v1/target-sites/score";

impl<'de> DeserializeSeed<'de> for &mut Shape {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Shape {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        *self = Shape::default();
        while let Some(length) = list.next_element::<usize>()? {
            self.all += 1;
            if self.first.len() < MOST_LENGTHS {
                self.first.push(length);
            }
        }
        Ok(())
    }
}

/// Values, in lists inside lists or in one.
struct Data<'a, 'b> {
    data: &'a mut Vec<Datum>,
    /// Lists that were opened: empty ones cost time too.
    lists: &'a mut usize,
    limits: &'a Limits<'b>,
    depth: usize,
}

impl Data<'_, '_> {
    fn push<E: Error>(self, datum: Datum) -> Result<(), E> {
        self.limits.admit(self.data.len())?;
        self.data.push(datum);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Data<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.depth {
            0 => deserializer.deserialize_seq(self),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Data<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, numbers or lists of them")
    }
    fn visit_bool<E: Error>(self, flag: bool) -> Result<(), E> {
        self.push(Datum::Flag(flag))
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.push(Datum::Number(number.into()))
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.push(Datum::Number(number.into()))
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.push(Datum::of(number))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.push(Datum::Text(text.to_owned()))
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.push(Datum::Nothing)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { data, lists, limits, depth } = self;
        if depth == DEEPEST {
            return Err(A::Error::custom("lists inside lists"));
        }
        loop {
            let inner = Data { data: &mut *data, lists: &mut *lists, limits, depth: depth + 1 };
            if list.next_element_seed(inner)?.is_none() {
                // The outermost one is not counted.
                *lists += usize::from(depth > 0);
                return limits.admit((*lists).saturating_sub(1));
            }
        }
    }
}

/// What is wrong, in plain words.
fn refusal(bytes: &[u8], path: &Path, error: &serde_json::Error) -> FieldError {
    let pointer = pointer_to(path);
    if !error.is_data() {
        let (line, column) = (error.line(), error.column());
        let meant = in_place_of_a_value(bytes, error);
        let detail = format!("not JSON at line {line}, column {column}{meant}");
        return FieldError::whole(ErrorCode::Syntax, detail);
    }
    let words = error.to_string();
    if let Some(field) = words.strip_prefix("duplicate field `").and_then(|rest| rest.split('`').next()) {
        let detail = format!("{field} stands there twice");
        return FieldError::new(format!("{pointer}/{field}"), ErrorCode::DuplicateField, detail);
    }
    let detail = match pointer.rsplit('/').find(|step| step.parse::<usize>().is_err()) {
        _ if words.starts_with(TOO_MANY_TENSORS) => TOO_MANY_TENSORS,
        _ if words.starts_with(NO_PANEL) => NO_PANEL,
        Some("inputs" | "outputs") => "this has to be a list of objects",
        Some("shape") => "a shape has to be a list of whole numbers: [n] or [n, 1]",
        Some("data") => "data has to be a list of text, numbers, true or false, or of such lists",
        Some("parameters") => "parameters have to be an object",
        Some("binary_data_size") => "binary_data_size has to be a whole number, 0 or more",
        Some("binary_data" | "binary_data_output") => "this has to be true or false",
        Some("name" | "datatype" | "id") => "this has to be text in quotes",
        _ => "the request has to be an object: {\"inputs\": [...]}",
    };
    FieldError::new(pointer, ErrorCode::WrongType, detail.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_shape_only_the_number_is_kept() {
        let shape = vec!["1"; 10_000].join(",");
        let json = format!(r#"{{"inputs": [{{"name": "mirna", "shape": [{shape}]}}]}}"#);
        let Ok(request) = read(json.as_bytes(), &Bounds::new(3)) else { panic!("it is JSON") };
        let shape = &request.inputs.as_ref().unwrap()[0].shape;
        assert_eq!((shape.first.len(), shape.all), (MOST_LENGTHS, 10_000));
    }
}
