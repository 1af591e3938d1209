//! From the letters of a row to a network's input.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use mirna::Base;

use crate::LoadError;
use crate::encoding::{Encoded, windows};
use crate::tasks::expression::Gene;
use crate::tasks::pre_mirna::PreMirna;
use crate::tasks::repression::Targeted;
use crate::tasks::target_site::{Pair, SITE_LENGTHS};
use crate::tasks::{Input, Task};

/// How the rows of a task become inputs of one version of a model. Cannot fail for a parsed row.
pub struct Encoder {
    /// Values in one input.
    pub width: usize,
    /// Letters that one input has room for.
    pub positions: usize,
    /// Most inputs that one row can take: windows of the longest site; a hairpin as it is and without its last letters.
    pub most_inputs: usize,
    /// Whether a row is folded: that takes about a millisecond, other rows some microseconds.
    pub folds: bool,
    /// Letters of a site that fit into one input; a longer one is read in windows.
    window: usize,
    /// The part of a promoter that is read.
    promoter: Option<PartOf<Gene>>,
    encode: Encode,
}

/// Positions of an input, and values at each.
type Shape = [usize; 2];

type PartOf<T> = Box<dyn Fn(&T) -> Range<usize> + Send + Sync>;

type Of<T> = Box<dyn Fn(&T) -> Encoded + Send + Sync>;

enum Encode {
    TargetSite(Of<Pair>),
    PreMirna(Of<PreMirna>),
    Expression(Of<Gene>),
    Repression(Of<Targeted>),
}

impl Encoder {
    /// For a model of target sites.
    pub fn target_site(shape: Shape, encode: impl Fn(&Pair) -> Encoded + Send + Sync + 'static) -> Self {
        Self::of(shape, Encode::TargetSite(Box::new(encode)))
    }

    /// For a model of pre-miRNAs.
    pub fn pre_mirna(shape: Shape, encode: impl Fn(&PreMirna) -> Encoded + Send + Sync + 'static) -> Self {
        let most_inputs = Task::PreMirna.inputs_asked();
        Self { most_inputs, ..Self::of(shape, Encode::PreMirna(Box::new(encode))) }
    }

    /// For a model of expression.
    pub fn expression(shape: Shape, encode: impl Fn(&Gene) -> Encoded + Send + Sync + 'static) -> Self {
        Self::of(shape, Encode::Expression(Box::new(encode)))
    }

    /// For a model of repression.
    pub fn repression(shape: Shape, encode: impl Fn(&Targeted) -> Encoded + Send + Sync + 'static) -> Self {
        Self::of(shape, Encode::Repression(Box::new(encode)))
    }

    fn of([positions, values]: Shape, encode: Encode) -> Self {
        Self {
            width: positions * values,
            positions,
            most_inputs: 1,
            folds: false,
            window: usize::MAX,
            promoter: None,
            encode,
        }
    }

    /// Where a site of more than `window` letters takes several inputs.
    pub fn with_windows(self, window: usize) -> Self {
        let most_inputs = windows(*SITE_LENGTHS.end(), window).len().max(1);
        Self { most_inputs, window, ..self }
    }

    /// Where a row is folded.
    pub fn folding(self) -> Self {
        Self { folds: true, ..self }
    }

    /// Keeps from now on what it makes of a row that it has to fold: for a trainer that shows the same ones
    /// again and again.
    pub fn remembering(self) -> Self {
        let encode = match self.encode {
            Encode::PreMirna(encode) if self.folds => {
                let known = Mutex::new(HashMap::<PreMirna, Encoded>::new());
                Encode::PreMirna(Box::new(move |row: &PreMirna| {
                    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                    known.entry(row.clone()).or_insert_with(|| encode(row)).clone()
                }))
            }
            other => other,
        };
        Self { encode, ..self }
    }

    /// Where only a part of a promoter is read.
    pub fn reading(self, part: impl Fn(&Gene) -> Range<usize> + Send + Sync + 'static) -> Self {
        Self { promoter: Some(Box::new(part)), ..self }
    }

    /// The letters of a promoter that are read: a long one may be known everywhere but there.
    pub fn letters_read<'a>(&self, input: &'a Input) -> Option<&'a [Base]> {
        match input {
            Input::Gene(gene) => Some(&gene.promoter[self.part_read(gene)]),
            Input::Pair(_) | Input::PreMirna(_) | Input::Targeted(_) => None,
        }
    }

    /// Where those letters lie.
    pub fn part_read(&self, gene: &Gene) -> Range<usize> {
        self.promoter.as_ref().map_or(0..gene.promoter.len(), |part| part(gene))
    }

    /// How many inputs the row takes.
    pub fn inputs(&self, input: &Input) -> usize {
        match input {
            Input::Pair(pair) => windows(pair.site.len(), self.window).len().max(1),
            Input::PreMirna(_) | Input::Gene(_) | Input::Targeted(_) => 1,
        }
    }

    /// The question whose rows it reads.
    pub fn task(&self) -> Task {
        match self.encode {
            Encode::TargetSite(_) => Task::TargetSite,
            Encode::PreMirna(_) => Task::PreMirna,
            Encode::Expression(_) => Task::Expression,
            Encode::Repression(_) => Task::Repression,
        }
    }

    /// The row's inputs.
    ///
    /// # Panics
    /// When the row is of another task: whoever holds a row chooses the model by its task.
    pub fn encode(&self, input: &Input) -> Encoded {
        match (&self.encode, input) {
            (Encode::TargetSite(encode), Input::Pair(pair)) => encode(pair),
            (Encode::PreMirna(encode), Input::PreMirna(pre_mirna)) => encode(pre_mirna),
            (Encode::Expression(encode), Input::Gene(gene)) => encode(gene),
            (Encode::Repression(encode), Input::Targeted(targeted)) => encode(targeted),
            _ => unreachable!("a row goes to a model of its own task"),
        }
    }
}

/// Makes the encoder of one version, with the switches of its `config.json`.
pub(crate) type MakeEncoder = fn(&crate::Options) -> Result<Encoder, LoadError>;
