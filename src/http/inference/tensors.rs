//! Tensors as the protocol writes them: JSON, or little-endian bytes behind it; BYTES have their lengths before them.

use serde::Serialize;
use serde_json::{Number, Value};
use strum::{EnumString, VariantNames};
use utoipa::ToSchema;

use crate::http::formats::{cell, field};
use crate::http::problem::shown;
use crate::http::rows::{Column, Kind};

/// The protocol's name of what a column holds.
pub(super) fn datatype(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "BYTES",
        Kind::Integer => "INT64",
        Kind::Number => "FP32",
        Kind::Flag => "BOOL",
    }
}

/// A column of rows.
#[derive(Debug, Default, ToSchema)]
pub(super) struct InputTensor {
    /// A field of a row.
    #[schema(example = "mirna")]
    pub name: String,
    /// BYTES for text; INT64, INT32, FP64 or FP32 for numbers; BOOL for true or false.
    #[schema(example = "BYTES")]
    pub(super) datatype: String,
    /// [n] or [n, 1].
    #[schema(value_type = Vec<usize>)]
    pub(super) shape: Shape,
    /// `binary_data_size`: it stands behind the JSON, in so many bytes.
    #[schema(value_type = Object, required = false)]
    pub(super) parameters: Parameters,
    /// The values, in lists inside lists or in one.
    #[schema(value_type = Vec<Value>, required = false)]
    pub(super) data: Vec<Datum>,
}

/// The lengths of a tensor: the first few, and how many there are.
#[derive(Debug, Default)]
pub struct Shape {
    pub(super) first: Vec<usize>,
    pub(super) all: usize,
}

/// What the protocol lets a request, a tensor and an output say beside their fields; others are for other servers.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    pub(super) binary_data_size: Option<u64>,
    pub(super) binary_data: Option<bool>,
    pub(super) binary_data_output: Option<bool>,
}

/// A column of results.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OutputTensor {
    name: &'static str,
    #[schema(example = "FP32")]
    datatype: &'static str,
    shape: [usize; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parameters: Option<BinarySize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Vec<Value>)]
    data: Option<Vec<Answer>>,
}

/// A value of a tensor that was sent.
#[derive(Clone, Debug)]
pub(super) enum Datum {
    Flag(bool),
    Number(Number),
    Text(String),
    /// NaN or null: a field left out.
    Nothing,
    /// Inf.
    Infinite,
}

/// A value of a result; a number keeps the digits of an f32.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    Flag(bool),
    Number(f32),
    Text(String),
}

/// Where the values stand.
#[derive(Debug, Serialize, ToSchema)]
struct BinarySize {
    /// Bytes behind the JSON.
    binary_data_size: usize,
}

/// Why a tensor cannot be read.
pub(super) enum Broken {
    /// In plain words.
    Tensor(String),
    /// More rows than one request may have.
    TooMany,
}

impl InputTensor {
    /// One value for each row, of `max_rows` at most; binary ones are taken off the front of `binary`.
    pub(super) fn values(&mut self, binary: &mut &[u8], max_rows: usize) -> Result<Vec<Datum>, Broken> {
        let rows = match (self.shape.first.as_slice(), self.shape.all) {
            ([rows], 1) | ([rows, 1], 2) => *rows,
            (shape @ [_, _], 2) => {
                return Err(Broken::Tensor(format!("shape {shape:?} is not [n] or [n, 1]")));
            }
            (_, all) => return Err(Broken::Tensor(format!("a shape of {all} numbers is not [n] or [n, 1]"))),
        };
        if rows > max_rows {
            return Err(Broken::TooMany);
        }
        let datatype = Datatype::of(&self.datatype).map_err(Broken::Tensor)?;
        let values = match self.parameters.binary_data_size {
            Some(_) if !self.data.is_empty() => {
                return Err(Broken::Tensor(
                    "data and binary_data_size: a tensor has its values in one place".into(),
                ));
            }
            Some(size) => {
                let size = usize::try_from(size).ok();
                let (own, rest) = size.and_then(|size| binary.split_at_checked(size)).ok_or_else(|| {
                    let left = binary.len();
                    Broken::Tensor(format!(
                        "binary_data_size is not the number of its bytes behind the JSON, {left}"
                    ))
                })?;
                *binary = rest;
                let values = datatype.decode(own, rows);
                values.ok_or_else(|| {
                    Broken::Tensor(format!("these bytes are not of datatype {}", self.datatype))
                })?
            }
            None => {
                if let Some(place) = self.data.iter().position(|value| !datatype.holds(value)) {
                    let value = place + 1;
                    return Err(Broken::Tensor(format!(
                        "value {value} is not of datatype {}",
                        self.datatype
                    )));
                }
                std::mem::take(&mut self.data)
            }
        };
        match values.len() == rows {
            true => Ok(values),
            false => Err(Broken::Tensor(format!("{} values for a shape of {rows} rows", values.len()))),
        }
    }
}

/// What a tensor says that its values are.
#[derive(Clone, Copy, EnumString, VariantNames)]
#[strum(serialize_all = "UPPERCASE")]
enum Datatype {
    Bytes,
    Int64,
    Int32,
    Fp64,
    Fp32,
    Bool,
}

impl Datatype {
    fn of(name: &str) -> Result<Self, String> {
        name.parse().map_err(|_| {
            let known = Self::VARIANTS.join(", ");
            match name {
                "" => format!("datatype is missing: one of {known}"),
                other => format!("datatype {} is none of {known}", shown(other)),
            }
        })
    }

    /// Whether a value of JSON may be one; whether a field may lack is the field's matter.
    fn holds(self, value: &Datum) -> bool {
        match (value, self) {
            (Datum::Nothing, _) | (Datum::Text(_), Self::Bytes) | (Datum::Flag(_), Self::Bool) => true,
            (Datum::Number(number), Self::Int64 | Self::Int32) => {
                number.as_f64().is_some_and(|number| number.fract() == 0.0)
            }
            (Datum::Number(_) | Datum::Infinite, Self::Fp64 | Self::Fp32) => true,
            _ => false,
        }
    }

    /// Values behind the JSON; those beyond `rows` only as one too many.
    fn decode(self, bytes: &[u8], rows: usize) -> Option<Vec<Datum>> {
        fn each<const N: usize>(bytes: &[u8], rows: usize, read: fn([u8; N]) -> Datum) -> Option<Vec<Datum>> {
            let (values, rest) = bytes.as_chunks::<N>();
            rest.is_empty().then(|| values.iter().take(rows + 1).map(|value| read(*value)).collect())
        }
        match self {
            Self::Bool => bytes.iter().take(rows + 1).map(|byte| flag(*byte)).collect(),
            Self::Bytes => texts(bytes, rows),
            Self::Int64 => each(bytes, rows, |value| Datum::Number(i64::from_le_bytes(value).into())),
            Self::Int32 => each(bytes, rows, |value| Datum::Number(i32::from_le_bytes(value).into())),
            Self::Fp64 => each(bytes, rows, |value| Datum::of(f64::from_le_bytes(value))),
            Self::Fp32 => each(bytes, rows, |value| Datum::of(f32::from_le_bytes(value).into())),
        }
    }
}

fn flag(byte: u8) -> Option<Datum> {
    match byte {
        0 => Some(Datum::Flag(false)),
        1 => Some(Datum::Flag(true)),
        _ => None,
    }
}

fn texts(mut bytes: &[u8], rows: usize) -> Option<Vec<Datum>> {
    let mut values = Vec::new();
    while !bytes.is_empty() && values.len() <= rows {
        let (length, rest) = bytes.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        values.push(Datum::Text(std::str::from_utf8(text).ok()?.to_owned()));
        bytes = rest;
    }
    Some(values)
}

impl Datum {
    pub(super) fn of(number: f64) -> Self {
        match Number::from_f64(number) {
            Some(number) => Self::Number(number),
            None if number.is_nan() => Self::Nothing,
            None => Self::Infinite,
        }
    }
}

impl OutputTensor {
    /// A field of the results; its values go to the end of `binary`, where there is one.
    pub(super) fn of(column: Column, results: &[Value], binary: Option<&mut Vec<u8>>) -> Self {
        let Column { name, kind } = column;
        let values = results.iter().map(|result| match field(result, name) {
            Value::Bool(flag) => Answer::Flag(*flag),
            Value::Number(number) => Answer::Number(number.as_f64().unwrap_or(f64::NAN) as f32),
            other => Answer::Text(cell(other)),
        });
        let (mut parameters, mut data) = (None, None);
        match binary {
            None => data = Some(values.collect()),
            Some(binary) => {
                let before = binary.len();
                values.for_each(|value| value.encode(binary));
                parameters = Some(BinarySize { binary_data_size: binary.len() - before });
            }
        }
        Self { name, datatype: datatype(kind), shape: [results.len()], parameters, data }
    }
}

impl Answer {
    fn encode(&self, binary: &mut Vec<u8>) {
        match self {
            Self::Flag(flag) => binary.push(u8::from(*flag)),
            Self::Number(number) => binary.extend(number.to_le_bytes()),
            Self::Text(text) => {
                binary.extend((text.len() as u32).to_le_bytes());
                binary.extend(text.as_bytes());
            }
        }
    }
}
