//! `POST …/explain`: which letters decide a score. What the endpoints share: what may be asked, and how effects are told.
//!
//! A row is scored as it is and with each change of [`mirador_models::interpret`]; all go through the model's queue like
//! the rows of a request, so its rooms and limits hold here too.

pub(super) mod expression;
pub(super) mod pre_mirnas;
pub(super) mod target_sites;

use mirador_models::interpret::{Effects, Method, Scale, StrandEffects};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::ToSchema;

use super::rows::{Column, Kind, Settings};

/// Columns of what methods tell, strand by strand.
const COLUMNS: [&str; 9] = [
    "n_mask.mirna",
    "n_mask.site",
    "n_mask.sequence",
    "substitution.mirna",
    "substitution.site",
    "substitution.sequence",
    "shuffle.mirna",
    "shuffle.site",
    "shuffle.sequence",
];
/// Most rows of a request.
const MOST_ROWS: usize = 100;
/// Lines that are answered together: each is the work of thousands of rows.
const MOST_LINES: usize = 1;

/// The names of methods in the contract.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the body, which `Explaining` reads")]
#[schema(rename_all = "snake_case")]
pub(super) enum MethodName {
    /// Runs of 1 to 6 letters become `N`.
    NMask,
    /// Each letter becomes each of the three others.
    Substitution,
    /// Each window of 7 letters is shuffled 20 times.
    Shuffle,
    /// Each base pair is broken on either strand and restored by both.
    DoubleMutant,
}

/// What effects are differences of.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the body, which `Explaining` reads")]
#[schema(rename_all = "snake_case")]
pub(super) enum ScaleName {
    /// Probabilities.
    Probability,
    /// Logits: saturated probabilities hide effects.
    Logit,
}

/// What is asked of each row.
#[derive(Clone, Debug)]
pub(super) struct Explaining<M: Methods> {
    methods: Vec<Method>,
    scale: Scale,
    of: std::marker::PhantomData<M>,
}

/// The methods that an endpoint has.
pub(super) trait Methods: Clone + Send + Sync + 'static {
    /// All of them.
    const ALL: &'static [Method];
}

impl<M: Methods> Default for Explaining<M> {
    fn default() -> Self {
        Self { methods: M::ALL.to_vec(), scale: Scale::default(), of: std::marker::PhantomData }
    }
}

impl<M: Methods> Settings for Explaining<M> {
    const NAMES: &'static [&'static str] = &["methods", "scale"];

    fn take(&mut self, name: &str, value: &Value) -> Result<(), String> {
        if name == "scale" {
            self.scale = serde_json::from_value(value.clone())
                .map_err(|_| "scale has to be probability or logit".to_owned())?;
            return Ok(());
        }
        // From a URL: names between commas.
        let names = match value.as_str() {
            Some(text) => text.split(',').map(|name| Value::from(name.trim())).collect(),
            None => value.clone(),
        };
        let methods: Vec<Method> = serde_json::from_value(names).unwrap_or_default();
        if methods.is_empty() || methods.iter().any(|method| !M::ALL.contains(method)) {
            let known: Vec<String> = M::ALL.iter().map(plain).collect();
            let sent: String = value.to_string().chars().take(100).collect();
            return Err(format!("methods has to be a list out of {}; this is {sent}", known.join(", ")));
        }
        self.methods = methods;
        Ok(())
    }
}

/// The name of a method in JSON.
fn plain(method: &Method) -> String {
    serde_json::to_value(method).ok().and_then(|name| Some(name.as_str()?.to_owned())).unwrap_or_default()
}

/// Values strand by strand: an object with a field for each.
#[derive(Debug)]
pub(super) struct ByStrand<T>(Vec<(&'static str, T)>);

impl<T: Serialize> Serialize for ByStrand<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Effects of each letter in a letter's place; null for itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(super) struct Substituted {
    a: Option<f32>,
    c: Option<f32>,
    g: Option<f32>,
    u: Option<f32>,
}

/// What the letters of each strand do, by the methods that were asked for. An effect is the score of the row less that of
/// the changed row: positive where the letters support binding, or a mirtron, whatever the row is called. All rows and
/// positions go 5'→3'.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LetterEffects {
    /// For each strand, for masks of 1 to 6 letters (`N`), the effect by the letter at which the mask stops. A mask is cut
    /// at both ends, so the row of k letters has length + k − 1 values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashMap<String, Vec<Vec<f32>>>, nullable = false)]
    n_mask: Option<ByStrand<Vec<Vec<f32>>>>,
    /// For each strand a value for each letter, out of all masks: the mean of its own effect and of what it adds to those
    /// of 1 to 5 neighbours on either side.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashMap<String, Vec<f32>>, nullable = false)]
    importance: Option<ByStrand<Vec<f32>>>,
    /// For each strand and letter the effect of each other letter in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashMap<String, Vec<Substituted>>, nullable = false)]
    substitution: Option<ByStrand<Vec<Substituted>>>,
    /// For each strand the mean effect of 20 shuffles of each window of 7 letters; they keep pairs of neighbours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::HashMap<String, Vec<f32>>, nullable = false)]
    shuffle: Option<ByStrand<Vec<f32>>>,
}

impl LetterEffects {
    /// Columns of a table for what was asked for beside the importance, each cell JSON.
    fn columns(&self, strands: &[&str], has_mutants: bool) -> Vec<Column> {
        let asked = |column: &str| match column.split('.').next() {
            Some("n_mask") => self.n_mask.is_some(),
            Some("substitution") => self.substitution.is_some(),
            _ => self.shuffle.is_some(),
        };
        let of_strand = |column: &str| strands.iter().any(|strand| column.ends_with(strand));
        let told = COLUMNS.into_iter().filter(|column| asked(column) && of_strand(column));
        let mutants = has_mutants.then_some("double_mutants");
        told.chain(mutants).map(|name| Kind::Text.column(name)).collect()
    }

    /// The importance of each letter of a strand, where it is known.
    fn importance_of(&self, strand: &str) -> Option<&[f32]> {
        let ByStrand(all) = self.importance.as_ref()?;
        all.iter().find(|(name, _)| *name == strand).map(|(_, values)| values.as_slice())
    }

    fn new(effects: Effects) -> Self {
        let mut all = Self { n_mask: None, importance: None, substitution: None, shuffle: None };
        for StrandEffects { name, n_mask, importance, substitution, shuffle } in effects.strands {
            put(&mut all.n_mask, name, n_mask);
            put(&mut all.importance, name, importance);
            let substituted = |[a, c, g, u]: [Option<f32>; 4]| Substituted { a, c, g, u };
            put(&mut all.substitution, name, substitution.into_iter().map(substituted).collect());
            put(&mut all.shuffle, name, shuffle);
        }
        all
    }
}

/// What a picture shows.
fn caption(has_bars: bool, what: &str, probability: f32) -> String {
    match has_bars {
        true => format!(
            "probability of {what} {probability:.4}; bars: importance, blue supports it, orange opposes it"
        ),
        false => format!("probability of {what} {probability:.4}; no bars: n_mask was not asked for"),
    }
}

/// What was not asked for is empty.
fn put<T>(all: &mut Option<ByStrand<Vec<T>>>, name: &'static str, values: Vec<T>) {
    if !values.is_empty() {
        all.get_or_insert_with(|| ByStrand(Vec::new())).0.push((name, values));
    }
}
