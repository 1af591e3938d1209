//! Tensors as the protocol writes them: JSON, or little-endian bytes behind it; BYTES have their lengths before them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::formats::cell;
use crate::http::rows::{Column, Kind};

/// The protocol's name of what a column holds.
pub fn datatype(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "BYTES",
        Kind::Integer => "INT64",
        Kind::Number => "FP32",
        Kind::Flag => "BOOL",
    }
}

/// A column of rows.
#[derive(Debug, Deserialize, ToSchema)]
pub struct InputTensor {
    /// A field of a row.
    #[schema(example = "mirna")]
    pub name: String,
    /// BYTES for text; INT64, INT32, FP64 or FP32 for numbers.
    #[schema(example = "BYTES")]
    datatype: String,
    /// [n] or [n, 1].
    shape: Vec<usize>,
    /// `binary_data_size`: it stands behind the JSON, in so many bytes.
    #[serde(default)]
    parameters: Map<String, Value>,
    /// The values, in lists inside lists or in one.
    #[serde(default)]
    #[schema(value_type = Vec<Value>)]
    data: Vec<Value>,
}

/// A column of results.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutputTensor {
    name: &'static str,
    #[schema(example = "FP32")]
    datatype: &'static str,
    shape: [usize; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parameters: Option<BinarySize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Vec<Value>)]
    data: Option<Vec<Datum>>,
}

/// A value of a result; a number keeps the digits of an f32.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Datum {
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

impl InputTensor {
    /// One value for each row; binary ones are taken off the front of `binary`. NaN is a field left out.
    pub fn values(&self, binary: &mut &[u8]) -> Result<Vec<Value>, String> {
        let rows = match self.shape[..] {
            [rows] | [rows, 1] => rows,
            _ => return Err(format!("shape {:?} is not [n] or [n, 1]", self.shape)),
        };
        let values = match self.parameters.get("binary_data_size") {
            Some(size) => {
                let size = size.as_u64().and_then(|size| usize::try_from(size).ok());
                let (own, rest) = size.and_then(|size| binary.split_at_checked(size)).ok_or_else(|| {
                    format!(
                        "binary_data_size is not the number of its bytes behind the JSON, {}",
                        binary.len()
                    )
                })?;
                *binary = rest;
                self.decode(own)?
            }
            None => self.data.iter().flat_map(flat).cloned().collect(),
        };
        match values.len() == rows {
            true => Ok(values),
            false => Err(format!("{} values for shape {:?}", values.len(), self.shape)),
        }
    }

    fn decode(&self, bytes: &[u8]) -> Result<Vec<Value>, String> {
        fn each<const N: usize>(bytes: &[u8], read: fn([u8; N]) -> Value) -> Option<Vec<Value>> {
            let (values, rest) = bytes.as_chunks::<N>();
            rest.is_empty().then(|| values.iter().map(|value| read(*value)).collect())
        }
        let values = match self.datatype.as_str() {
            "BYTES" => texts(bytes),
            "INT64" => each(bytes, |value| i64::from_le_bytes(value).into()),
            "INT32" => each(bytes, |value| i32::from_le_bytes(value).into()),
            "FP64" => each(bytes, |value| f64::from_le_bytes(value).into()),
            "FP32" => each(bytes, |value| f64::from(f32::from_le_bytes(value)).into()),
            other => {
                return Err(format!("datatype {other:?} is none of BYTES, INT64, INT32, FP64, FP32"));
            }
        };
        values.ok_or_else(|| format!("these bytes are not of datatype {}", self.datatype))
    }
}

/// A value, or those inside its lists.
fn flat(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(values) => Box::new(values.iter().flat_map(flat)),
        one => Box::new(std::iter::once(one)),
    }
}

fn texts(mut bytes: &[u8]) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        values.push(std::str::from_utf8(text).ok()?.into());
        bytes = rest;
    }
    Some(values)
}

impl OutputTensor {
    /// A field of the results; its values go to the end of `binary`, where there is one.
    pub fn of(column: Column, results: &[Value], binary: Option<&mut Vec<u8>>) -> Self {
        let Column { name, kind } = column;
        let values = results.iter().map(|result| match &result[name] {
            Value::Bool(flag) => Datum::Flag(*flag),
            Value::Number(number) => Datum::Number(number.as_f64().unwrap_or(f64::NAN) as f32),
            other => Datum::Text(cell(other)),
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

impl Datum {
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
