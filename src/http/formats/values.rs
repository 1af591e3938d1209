//! Values that serde's own readers take more of, or less, than the contract does.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::draft::whole_number;
use super::object::too_many_fields;

/// A whole number; 5.0 is one, as JSON Schema has it and as R writes it.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    struct Whole;
    impl Visitor<'_> for Whole {
        type Value = usize;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number, 0 or more")
        }
        fn visit_u64<E: Error>(self, number: u64) -> Result<usize, E> {
            usize::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
        }
        fn visit_f64<E: Error>(self, number: f64) -> Result<usize, E> {
            let whole = whole_number(Some(number)).and_then(|number| usize::try_from(number).ok());
            whole.ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
        }
    }
    deserializer.deserialize_any(Whole)
}

/// A whole number, or null.
pub(crate) fn optional_whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    #[derive(Deserialize)]
    struct Number(#[serde(deserialize_with = "whole")] usize);
    Ok(Option::<Number>::deserialize(deserializer)?.map(|Number(number)| number))
}

/// A level for each name; a name that stands there twice is an error, so that none is lost.
pub(crate) fn levels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, f64>, D::Error> {
    struct Levels;
    impl<'de> Visitor<'de> for Levels {
        type Value = BTreeMap<String, f64>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of numbers")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut levels = BTreeMap::new();
            while let Some((name, level)) = map.next_entry()? {
                too_many_fields(levels.len())?;
                if levels.insert(name, level).is_some() {
                    return Err(A::Error::custom("a name stands there twice"));
                }
            }
            Ok(levels)
        }
    }
    deserializer.deserialize_map(Levels)
}
