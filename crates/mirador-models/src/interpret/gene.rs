//! Which parts of a promoter, which features of the transcript and which miRNAs decide a predicted level.

use std::collections::BTreeMap;
use std::ops::Range;

use super::shuffle::{SHUFFLES, shuffled};
use super::{Change, Method};
use crate::tasks::expression::{Gene, HalfLifeFeature};

/// Most parts of a promoter.
const PARTS: usize = 50;
/// Least letters of a part.
const LEAST_LETTERS: usize = 5;

/// What the changes of one gene belong to.
#[derive(Clone, Debug)]
pub struct GeneChanges {
    parts: Vec<Range<usize>>,
    methods: Vec<Method>,
    features: Vec<HalfLifeFeature>,
    mirnas: Vec<String>,
}

/// What a part of the promoter does to the level.
#[derive(Clone, Debug, PartialEq)]
pub struct PartEffect {
    /// Letters of the promoter, from 0.
    pub letters: Range<usize>,
    /// Effect of hiding the part.
    pub n_mask: Option<f32>,
    /// Mean effect of 20 shuffles that keep pairs of neighbours.
    pub shuffle: Option<f32>,
}

/// What the parts of a gene do to the level: the level of the gene less that without the part.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneEffects {
    /// Parts of the promoter, 5'→3'.
    pub parts: Vec<PartEffect>,
    /// The effect of knowing each feature.
    pub features: BTreeMap<&'static str, f32>,
    /// The effect of each miRNA.
    pub mirnas: BTreeMap<String, f32>,
}

impl GeneChanges {
    /// The changes of a gene, and what they belong to; the part of the promoter that the network reads is cut into at most 50 parts.
    pub fn new(gene: &Gene, read: Range<usize>, methods: &[Method]) -> (Self, Vec<Change>) {
        let length = read.len().div_ceil(PARTS).max(LEAST_LETTERS);
        let mut parts: Vec<Range<usize>> =
            read.clone().step_by(length).map(|start| start..(start + length).min(read.end)).collect();
        // What is left over belongs to the part before it.
        if let [.., before, last] = &mut parts[..]
            && last.len() < LEAST_LETTERS
        {
            before.end = last.end;
            parts.pop();
        }
        let has = |method: &Method| methods.contains(method);
        let methods: Vec<Method> = [Method::NMask, Method::Shuffle].into_iter().filter(has).collect();
        let features: Vec<HalfLifeFeature> =
            HalfLifeFeature::ALL.into_iter().filter(|feature| gene.half_life[*feature].is_some()).collect();
        let mirnas: Vec<String> = gene.mirnas.keys().cloned().collect();
        let mut changes = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            for method in &methods {
                if *method == Method::NMask {
                    changes.push(Change::hide(0, part.clone()));
                } else {
                    let shuffled = shuffled(&gene.promoter[part.clone()], place);
                    changes
                        .extend(shuffled.into_iter().map(|letters| Change::replace(0, part.start, letters)));
                }
            }
        }
        changes.extend(features.iter().map(|feature| Change::Feature(*feature)));
        changes.extend(mirnas.iter().map(|name| Change::Mirna(name.clone())));
        (Self { parts, methods, features, mirnas }, changes)
    }

    /// The effects, from the levels of the gene as it is and with each change, in their order.
    ///
    /// # Panics
    /// When there are not as many levels.
    pub fn effects(&self, levels: &[f32]) -> GeneEffects {
        let mut rest = levels[1..].iter();
        let mut effect = || levels[0] - rest.next().expect("a level for each change");
        let mut part = |letters: &Range<usize>| {
            let mut effects = PartEffect { letters: letters.clone(), n_mask: None, shuffle: None };
            for method in &self.methods {
                if *method == Method::NMask {
                    effects.n_mask = Some(effect());
                } else {
                    let all: f32 = (0..SHUFFLES).map(|_| effect()).sum();
                    effects.shuffle = Some(all / SHUFFLES as f32);
                }
            }
            effects
        };
        let parts = self.parts.iter().map(&mut part).collect();
        let features = self.features.iter().map(|feature| (feature.name(), effect())).collect();
        let mirnas = self.mirnas.iter().map(|name| (name.clone(), effect())).collect();
        GeneEffects { parts, features, mirnas }
    }
}
