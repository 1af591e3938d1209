//! What the networks of expression share: the part of a promoter that is read, and what a caller should know of how a
//! gene was read.

use std::collections::BTreeSet;
use std::ops::Range;

use mirna::Rna;

use crate::tasks::expression::{Gene, HalfLifeFeature};
use crate::tasks::scale::Scale;

/// Names that a warning spells out.
const NAMED: usize = 10;
/// Letters of a caller's name that a warning repeats.
const REPEATED: usize = 40;

/// The part of the promoter that lies in the window.
pub(super) fn part(gene: &Gene, [before, after]: [usize; 2]) -> Range<usize> {
    gene.tss.saturating_sub(before)..(gene.tss + after).min(gene.promoter.len())
}

/// Positions count from the start of transcription, which is 0.
pub(super) fn window_warnings(promoter: &Rna, tss: usize, [upstream, downstream]: [usize; 2]) -> Vec<String> {
    let (before, after) = (tss, promoter.len() - tss);
    let mut warnings = Vec::new();
    if before < upstream {
        warnings
            .push(format!("promoter: positions -{upstream} to -{} were not sent and read as N", before + 1));
    }
    if after < downstream {
        let last = downstream - 1;
        warnings.push(format!("promoter: positions {after} to {last} were not sent and read as N"));
    }
    if before > upstream || after > downstream {
        let last = downstream - 1;
        warnings.push(format!("promoter: only positions -{upstream} to {last} were read"));
    }
    warnings
}

/// Features that were assumed, and those that are not read.
pub(super) fn feature_warnings(gene: &Gene, features: &[HalfLifeFeature]) -> Vec<String> {
    let known = |feature: &HalfLifeFeature| gene.half_life[*feature].is_some();
    let unknown = features.iter().filter(|feature| !known(feature)).map(|feature| feature.name());
    let unread =
        HalfLifeFeature::ALL.into_iter().filter(|feature| known(feature) && !features.contains(feature));
    let unread: Vec<&str> = unread.map(HalfLifeFeature::name).collect();
    let unknown: Vec<&str> = unknown.collect();
    let mut warnings = Vec::new();
    if !unknown.is_empty() {
        let names = list(&unknown);
        warnings.push(format!(
            "half_life_features: not given, the mean of the training genes was assumed: {names}"
        ));
    }
    if !unread.is_empty() {
        warnings.push(format!("half_life_features: not read by this version: {}", list(&unread)));
    }
    warnings
}

/// What was assumed of miRNAs.
pub(super) fn mirna_warnings(gene: &Gene, mirnas: &[String]) -> Vec<String> {
    let read: BTreeSet<&str> = mirnas.iter().map(String::as_str).collect();
    let unread: Vec<&str> =
        gene.mirnas.keys().map(String::as_str).filter(|name| !read.contains(name)).collect();
    let mut warnings = Vec::new();
    if !mirnas.is_empty() && unread.len() == gene.mirnas.len() {
        let names = list(&mirnas.iter().map(String::as_str).collect::<Vec<_>>());
        warnings.push(format!("mirnas: it was assumed that none of these targets the gene: {names}"));
    }
    if !unread.is_empty() {
        warnings.push(format!("mirnas: not read by this version: {}", list(&unread)));
    }
    warnings
}

/// Features that can be, but that no training gene had.
pub(super) fn unseen_features(gene: &Gene, features: &[HalfLifeFeature]) -> Vec<String> {
    let mut warnings = Vec::new();
    for feature in features {
        if let (Some(value), Some(seen)) = (gene.half_life[*feature], Scale::of(*feature).trained)
            && !seen.contains(&f64::from(value))
        {
            let (name, least, most) = (feature.name(), seen.start(), seen.end());
            warnings.push(format!(
                "half_life_features.{name}: {value} lies outside what training saw, {least} to {most}"
            ));
        }
    }
    warnings
}

/// The first few names.
pub(super) fn list(names: &[&str]) -> String {
    let named: Vec<String> = names.iter().take(NAMED).map(|name| shortened(name)).collect();
    match names.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(REPEATED) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}
