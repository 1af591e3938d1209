//! One change of a row, and the row with it.

use std::ops::Range;

use mirna::{Base, Rna};

use crate::tasks::Input;
use crate::tasks::expression::HalfLifeFeature;

/// What is changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Letters from a position of a strand on are replaced; several places at once.
    Letters(Vec<(usize, usize, Vec<Base>)>),
    /// A half-life feature becomes unknown.
    Feature(HalfLifeFeature),
    /// A miRNA no longer targets the gene.
    Mirna(String),
}

impl Change {
    /// A part of a strand becomes `N`.
    pub fn hide(strand: usize, part: Range<usize>) -> Self {
        Self::replace(strand, part.start, vec![Base::N; part.len()])
    }

    /// Letters of a strand are replaced.
    pub fn replace(strand: usize, position: usize, letters: Vec<Base>) -> Self {
        Self::Letters(vec![(strand, position, letters)])
    }

    /// The row with this change.
    pub fn apply(&self, input: &Input) -> Input {
        let mut changed = input.clone();
        match (self, &mut changed) {
            (Self::Letters(places), changed) => {
                for (strand, position, letters) in places {
                    let rna = strand_mut(changed, *strand);
                    let mut bases = rna.to_vec();
                    bases[*position..position + letters.len()].copy_from_slice(letters);
                    *rna = bases.into_iter().collect();
                }
            }
            (Self::Feature(feature), Input::Gene(gene)) => gene.half_life[*feature] = None,
            (Self::Mirna(name), Input::Gene(gene)) => {
                gene.mirnas.remove(name);
            }
            (Self::Feature(_) | Self::Mirna(_), _) => {}
        }
        changed
    }
}

/// The row as it is, then with each change.
pub fn variants<'a>(input: &'a Input, changes: &'a [Change]) -> impl Iterator<Item = Input> + 'a {
    std::iter::once(input.clone()).chain(changes.iter().map(|change| change.apply(input)))
}

/// The strands of a row, by name.
pub(super) fn strands(input: &Input) -> Vec<(&'static str, &Rna)> {
    match input {
        Input::Pair(pair) => vec![("mirna", &pair.mirna), ("site", &pair.site)],
        Input::PreMirna(pre_mirna) => vec![("sequence", &pre_mirna.sequence)],
        Input::Gene(gene) => vec![("promoter", &gene.promoter)],
        Input::Targeted(targeted) => vec![("mirna", &targeted.mirna), ("utr", &targeted.utr)],
    }
}

fn strand_mut(input: &mut Input, strand: usize) -> &mut Rna {
    match input {
        Input::Pair(pair) => {
            [&mut pair.mirna, &mut pair.site].into_iter().nth(strand).expect("a pair has two")
        }
        Input::PreMirna(pre_mirna) => &mut pre_mirna.sequence,
        Input::Gene(gene) => &mut gene.promoter,
        Input::Targeted(targeted) => {
            [&mut targeted.mirna, &mut targeted.utr].into_iter().nth(strand).expect("a targeted gene has two")
        }
    }
}
