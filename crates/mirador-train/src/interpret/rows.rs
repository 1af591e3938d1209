//! The rows that are interpreted: a seeded sample of each class of a labelled file.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mirador_models::tasks::target_site::Pair;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::data::tsv::{self, parse_label, parse_pair};

/// Fixed, so that everybody reads the same rows.
const SEED: u64 = 1;

/// Rows of one label, in an order drawn by lot: the first n are a sample.
pub struct Class {
    /// `positives` or `negatives`.
    pub name: &'static str,
    /// Rows of this label in the file.
    pub available: usize,
    /// Those that are read.
    pub pairs: Vec<Pair>,
}

/// Rows of a TSV with columns `mirna`, `site` and `label`; `keep` is a column and a value. Of each class at most `most`.
pub fn read(path: &Path, keep: Option<&(String, String)>, most: Option<usize>) -> Result<Vec<Class>> {
    let kept = tsv::read(path, |record: HashMap<String, String>| {
        let field = |name: &str| record.get(name).with_context(|| format!("no column {name:?}"));
        if let Some((column, value)) = keep
            && field(column)? != value
        {
            return Ok(None);
        }
        let label = parse_label(field("label")?.trim().parse().context("label")?)?;
        Ok(Some((parse_pair(field("mirna")?, field("site")?)?, label)))
    })?;
    let rows: Vec<(Pair, bool)> = kept.into_iter().flatten().collect();
    ensure!(!rows.is_empty(), "{} has no such rows", path.display());
    let class = |(name, label): (&'static str, bool)| {
        let mut pairs: Vec<Pair> =
            rows.iter().filter(|row| row.1 == label).map(|row| row.0.clone()).collect();
        let available = pairs.len();
        pairs.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
        pairs.truncate(most.unwrap_or(available));
        Class { name, available, pairs }
    };
    let classes = [("positives", true), ("negatives", false)].into_iter().map(class);
    Ok(classes.filter(|class| !class.pairs.is_empty()).collect())
}
