//! JSON objects, and only objects: serde's derived readers take a list in an object's place, field by field in the order
//! of the code.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};

use crate::http::offload::Bounds;
use crate::http::problem::Problem;

/// A value whose reader is derived, out of an object.
pub(crate) struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer).map(Self)
    }
}

/// The same, for `#[serde(deserialize_with)]`.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Whole<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Whole<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }
    deserializer.deserialize_map(Whole(PhantomData))
}

/// What is filled from an object's fields, in whatever order they come.
pub(crate) trait Fields<'de> {
    /// Takes the value of the field `name` from `map`, exactly once.
    ///
    /// # Errors
    /// The value's own, or that there is no such field.
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;
}

/// Fills a value from an object.
pub(crate) struct Fill<'a, F>(pub &'a mut F);

impl<'de, F: Fields<'de>> DeserializeSeed<'de> for Fill<'_, F> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: Fields<'de>> Visitor<'de> for Fill<'_, F> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            self.0.field(&name, &mut map)?;
        }
        Ok(())
    }
}

/// A list, counted while it is read: the reading ends at the first item too many, before memory is spent on the rest.
pub(crate) struct List<'a, T> {
    /// How far the reading may go.
    pub limits: &'a Limits<'a>,
    /// What its items are.
    pub items: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for List<'_, T> {
    type Value = Vec<T>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<'_, T> {
    type Value = Vec<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            // Before it is kept: one too many is read, none is kept.
            self.limits.admit(items.len())?;
            items.push(item);
        }
        Ok(items)
    }
}

/// How far one reading may go, and why it went no further.
pub(crate) struct Limits<'a> {
    bounds: &'a Bounds,
    stopped: RefCell<Option<Problem>>,
}

impl<'a> Limits<'a> {
    pub(crate) fn new(bounds: &'a Bounds) -> Self {
        Self { bounds, stopped: RefCell::default() }
    }

    /// Before item `index` is read.
    pub(crate) fn admit<E: de::Error>(&self, index: usize) -> Result<(), E> {
        self.bounds.admit(index).map_err(|problem| {
            *self.stopped.borrow_mut() = Some(problem);
            E::custom("stopped")
        })
    }

    /// Why the reading was stopped, if it was.
    pub(crate) fn stopped(&self) -> Option<Problem> {
        self.stopped.borrow_mut().take()
    }
}

/// Most fields of an object whose fields are not listed: miRBase knows 48,885 mature miRNAs, a gene's are fewer.
const MOST_FIELDS: usize = 50_000;

/// That an object has more fields than are looked at.
pub(super) fn too_many_fields<E: de::Error>(fields: usize) -> Result<(), E> {
    if fields < MOST_FIELDS {
        Ok(())
    } else {
        Err(E::custom(format!("an object may have up to {MOST_FIELDS} fields")))
    }
}

/// An object's fields in their order, unread: repeated ones too.
pub(crate) struct Entries<'a>(pub Vec<(String, &'a RawValue)>);

impl<'de> Fields<'de> for Entries<'de> {
    fn field<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        too_many_fields(self.0.len())?;
        self.0.push((name.to_owned(), map.next_value()?));
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut entries = Entries(Vec::new());
        Fill(&mut entries).deserialize(deserializer)?;
        Ok(entries)
    }
}

/// The JSON pointer to where a reading stopped.
pub(crate) fn pointer_to(path: &Path) -> String {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(step).collect()
}
