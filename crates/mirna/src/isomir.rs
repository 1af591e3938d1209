//! What distinguishes a read from its reference miRNA: DMISO's eight types (Talukder et al. 2022, Methods) and mirGFF3's
//! `Variant` and `Changes` (1.2: `+` is letters more, `-` is letters fewer).

use crate::{Base, Rna};

/// Ends of a read lie at most so many letters from those of its miRNA.
const MOST_SHIFT: isize = 6;
/// Letters that differ in an isomiR, and letters that agree.
const MOST_MISMATCHES: usize = 3;
const LEAST_MATCHES: usize = 12;

/// A kind of difference; an isomiR may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IsomirType {
    /// Letters before the miRNA's first.
    Addition5p,
    /// The miRNA's first letters are missing.
    Deletion5p,
    /// The miRNA's first letters are others.
    Replacement5p,
    /// Letters behind the miRNA's last.
    Addition3p,
    /// The miRNA's last letters are missing.
    Deletion3p,
    /// The miRNA's last letters are others.
    Replacement3p,
    /// One letter within is another.
    Snp,
    /// Several letters within are others.
    Mnp,
}

impl IsomirType {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Addition5p,
        Self::Deletion5p,
        Self::Replacement5p,
        Self::Addition3p,
        Self::Deletion3p,
        Self::Replacement3p,
        Self::Snp,
        Self::Mnp,
    ];

    /// The name in requests and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Addition5p => "5p_addition",
            Self::Deletion5p => "5p_deletion",
            Self::Replacement5p => "5p_replacement",
            Self::Addition3p => "3p_addition",
            Self::Deletion3p => "3p_deletion",
            Self::Replacement3p => "3p_replacement",
            Self::Snp => "snp",
            Self::Mnp => "mnp",
        }
    }
}

/// A read beside its reference miRNA, without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Isomir {
    read: Rna,
    reference: Rna,
    /// Where the read begins on the reference: below 0 before its first letter.
    start: isize,
    /// Positions of the reference, from 0, whose letters differ.
    mismatches: Vec<usize>,
}

impl Isomir {
    /// The difference between a read and a miRNA, both 5'→3'; `None` where the read is no isomiR of it: their ends lie more
    /// than 6 nt apart, more than 3 letters differ, or fewer than 12 agree.
    ///
    /// ```
    /// use mirna::{Rna, isomir::Isomir};
    /// let (read, reference): (Rna, Rna) = ("GAGGUAGUAGGUUGUAUAGUUA".parse()?, "UGAGGUAGUAGGUUGUAUAGUU".parse()?);
    /// let isomir = Isomir::of(&read, &reference).unwrap();
    /// assert_eq!(isomir.types().map(|kind| kind.name()).collect::<Vec<_>>(), ["5p_deletion", "3p_addition"]);
    /// assert_eq!((isomir.variant().as_str(), isomir.changes().as_str()), ("iso_5p:-1,iso_3p:+1", "iso_5p:u,iso_3p:A"));
    /// # Ok::<(), mirna::ParseError>(())
    /// ```
    pub fn of(read: &Rna, reference: &Rna) -> Option<Self> {
        let at = |start: isize| {
            let overlap = start.max(0)..(start + read.len() as isize).min(reference.len() as isize);
            let (mut matches, mut mismatches) = (0, Vec::new());
            for place in overlap.map(|place| place as usize) {
                let [ours, theirs] = [read[(place as isize - start) as usize], reference[place]];
                // An unknown letter neither agrees nor differs.
                if ours == theirs && ours != Base::N {
                    matches += 1;
                } else if ours != Base::N && theirs != Base::N {
                    mismatches.push(place);
                }
            }
            (matches, mismatches)
        };
        let shifts = (-MOST_SHIFT..=MOST_SHIFT)
            .filter(|start| (start + read.len() as isize - reference.len() as isize).abs() <= MOST_SHIFT);
        let best = shifts.map(|start| (start, at(start))).max_by_key(|(start, (matches, mismatches))| {
            // A letter that differs costs two that agree; of equals the smallest shift.
            (*matches as isize - 2 * mismatches.len() as isize, -start.abs())
        });
        let (start, (matches, mismatches)) = best?;
        (matches >= LEAST_MATCHES && mismatches.len() <= MOST_MISMATCHES).then(|| Self {
            read: read.clone(),
            reference: reference.clone(),
            start,
            mismatches,
        })
    }

    /// Letters that are added, missing or others: 0 for the miRNA itself.
    pub fn distance(&self) -> usize {
        self.more_at_5p().unsigned_abs() + self.more_at_3p().unsigned_abs() + self.mismatches.len()
    }

    /// How many letters more the read has at its 5' end; fewer below 0.
    fn more_at_5p(&self) -> isize {
        -self.start
    }

    fn more_at_3p(&self) -> isize {
        self.start + self.read.len() as isize - self.reference.len() as isize
    }

    /// Differing letters at an end that is where the miRNA's is; the rest lies within.
    fn replaced(&self) -> (usize, usize) {
        let run = |places: &mut dyn Iterator<Item = usize>| {
            places.take_while(|place| self.mismatches.contains(place)).count()
        };
        let length = self.reference.len();
        let first = if self.more_at_5p() == 0 { run(&mut (0..length)) } else { 0 };
        let last = if self.more_at_3p() == 0 { run(&mut (0..length).rev()) } else { 0 };
        (first, last)
    }

    /// The kinds of difference, in the order of [`IsomirType::ALL`]; none for the miRNA itself.
    pub fn types(&self) -> impl Iterator<Item = IsomirType> {
        let (five, three) = (self.more_at_5p(), self.more_at_3p());
        let (first, last) = self.replaced();
        let within = self.mismatches.len() - first - last;
        let has = [five > 0, five < 0, first > 0, three > 0, three < 0, last > 0, within == 1, within > 1];
        IsomirType::ALL.into_iter().zip(has).filter_map(|(kind, has)| has.then_some(kind))
    }

    /// mirGFF3's `Variant`; `NA` for the miRNA itself. Without the precursor an added letter cannot be told from a templated
    /// one, so both are `iso_5p` or `iso_3p`.
    pub fn variant(&self) -> String {
        let ends = [("iso_5p", self.more_at_5p()), ("iso_3p", self.more_at_3p())];
        let ends =
            ends.into_iter().filter(|(_, more)| *more != 0).map(|(name, more)| format!("{name}:{more:+}"));
        let mut names: Vec<String> = ends.collect();
        for place in &self.mismatches {
            let name = region(place + 1).to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() { "NA".to_owned() } else { names.join(",") }
    }

    /// mirGFF3's `Changes`: letters that were added in capitals, that are missing in small letters, and those that differ as
    /// position, old and new letter; `NA` for the miRNA itself.
    pub fn changes(&self) -> String {
        let (read, reference) = (&self.read, &self.reference);
        let end = |more: isize, at_5p: bool| {
            let count = more.unsigned_abs();
            let of = if more > 0 { read } else { reference };
            let letters = if at_5p { &of[..count] } else { &of[of.len() - count..] };
            let text: String = letters.iter().map(|base| base.letter()).collect();
            if more > 0 { text } else { text.to_ascii_lowercase() }
        };
        let mut changes = Vec::new();
        for (name, more, at_5p) in [("iso_5p", self.more_at_5p(), true), ("iso_3p", self.more_at_3p(), false)]
        {
            if more != 0 {
                changes.push(format!("{name}:{}", end(more, at_5p)));
            }
        }
        for place in &self.mismatches {
            let [old, new]: [Base; 2] = [reference[*place], read[(*place as isize - self.start) as usize]];
            changes.push(format!("{}:{}{}>{}", region(place + 1), place + 1, old.letter(), new.letter()));
        }
        if changes.is_empty() { "NA".to_owned() } else { changes.join(",") }
    }
}

/// mirGFF3's name for a differing letter at a position of the miRNA, from 1.
fn region(position: usize) -> &'static str {
    match position {
        2..=7 => "iso_snv_seed",
        8 => "iso_snv_central_offset",
        9..=12 => "iso_snv_central",
        13..=17 => "iso_snv_central_supp",
        _ => "iso_snv",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LET_7: &str = "UGAGGUAGUAGGUUGUAUAGUU";

    fn isomir(read: &str) -> Option<(Vec<&'static str>, String, String)> {
        let isomir = Isomir::of(&read.parse().unwrap(), &LET_7.parse().unwrap())?;
        Some((isomir.types().map(IsomirType::name).collect(), isomir.variant(), isomir.changes()))
    }

    #[test]
    fn every_type_is_told() {
        let told = |types: &[&'static str], variant: &str, changes: &str| {
            Some((types.to_vec(), variant.to_owned(), changes.to_owned()))
        };
        for (read, expected) in [
            (LET_7, told(&[], "NA", "NA")),
            ("ACUGAGGUAGUAGGUUGUAUAGUU", told(&["5p_addition"], "iso_5p:+2", "iso_5p:AC")),
            ("AGGUAGUAGGUUGUAUAGUU", told(&["5p_deletion"], "iso_5p:-2", "iso_5p:ug")),
            ("AGAGGUAGUAGGUUGUAUAGUU", told(&["5p_replacement"], "iso_snv", "iso_snv:1U>A")),
            ("UGAGGUAGUAGGUUGUAUAGUUAA", told(&["3p_addition"], "iso_3p:+2", "iso_3p:AA")),
            ("UGAGGUAGUAGGUUGUAUAG", told(&["3p_deletion"], "iso_3p:-2", "iso_3p:uu")),
            ("UGAGGUAGUAGGUUGUAUAGUA", told(&["3p_replacement"], "iso_snv", "iso_snv:22U>A")),
            ("UGAGCUAGUAGGUUGUAUAGUU", told(&["snp"], "iso_snv_seed", "iso_snv_seed:5G>C")),
            (
                "UGAGGUAAUAGGAUGUAUAGUU",
                told(
                    &["mnp"],
                    "iso_snv_central_offset,iso_snv_central_supp",
                    "iso_snv_central_offset:8G>A,iso_snv_central_supp:13U>A",
                ),
            ),
            (
                "GAGGUAGUACGUUGUAUAGUUA",
                told(
                    &["5p_deletion", "3p_addition", "snp"],
                    "iso_5p:-1,iso_3p:+1,iso_snv_central",
                    "iso_5p:u,iso_3p:A,iso_snv_central:11G>C",
                ),
            ),
            ("UGAGGUAGUNGGUUGUAUAGUU", told(&[], "NA", "NA")),
            ("UUGAUAUGUUGGAUGAUGGAGU", None),
            ("UGAGGUAGU", None),
        ] {
            assert_eq!(isomir(read), expected, "{read}");
        }
    }
}
