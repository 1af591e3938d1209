//! A genome in memory, and windows of it on either strand.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use mirna::{Base, Rna};

use crate::data::tsv::open;

/// Letters of each contig, by its name without `chr`.
#[derive(Debug, Default)]
pub(super) struct Genome {
    contigs: HashMap<String, Vec<u8>>,
}

impl Genome {
    /// Reads a FASTA file, packed where its name ends in `.gz`; a contig's name ends at the first blank.
    pub(super) fn read(fasta: &Path) -> Result<Self> {
        let file = open(fasta).context("genome")?;
        let mut genome = Self::default();
        let mut name = String::new();
        for line in BufReader::new(file).lines() {
            let line = line?;
            match line.strip_prefix('>') {
                Some(header) => {
                    let word = header.split_whitespace().next().unwrap_or_default();
                    name = word.trim_start_matches("chr").to_owned();
                    genome.contigs.insert(name.clone(), Vec::new());
                }
                None => {
                    let letters = genome.contigs.get_mut(&name);
                    letters.context("letters before the first header")?.extend(line.trim().bytes());
                }
            }
        }
        Ok(genome)
    }

    /// `before` letters up to `start` and `after` letters from it on, 5'→3' of the strand; N beyond the contig's ends.
    /// `None` where there is no such contig.
    pub(super) fn window(
        &self,
        contig: &str,
        start: usize,
        reverse: bool,
        before: usize,
        after: usize,
    ) -> Option<Rna> {
        let letters = self.contigs.get(contig)?;
        let base = |position: i64| {
            let letter = usize::try_from(position).ok().and_then(|position| letters.get(position));
            letter.map_or(Base::N, |letter| base(*letter))
        };
        let (start, before, after) = (start as i64, before as i64, after as i64);
        Some(match reverse {
            false => (start - before..start + after).map(base).collect(),
            true => (start - after + 1..start + before + 1).rev().map(|at| base(at).complement()).collect(),
        })
    }

    /// Share of G and C among the letters of these ranges; `None` where there is none.
    pub(super) fn gc(&self, contig: &str, ranges: &[Range<usize>]) -> Option<f32> {
        let letters = self.contigs.get(contig)?;
        let bases = || {
            ranges.iter().filter_map(|range| letters.get(range.clone())).flatten().map(|letter| base(*letter))
        };
        let known = bases().filter(|base| *base != Base::N).count();
        let gc = bases().filter(|base| matches!(base, Base::G | Base::C)).count();
        (known > 0).then(|| gc as f32 / known as f32)
    }
}

fn base(letter: u8) -> Base {
    match letter.to_ascii_uppercase() {
        b'A' => Base::A,
        b'C' => Base::C,
        b'G' => Base::G,
        b'T' | b'U' => Base::U,
        _ => Base::N,
    }
}
