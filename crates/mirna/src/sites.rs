//! Seed matches along a 3'UTR, and what surrounds each: after Bartel (Cell 2018), with the two offset 6mers.

use std::ops::Range;

use crate::Base;

/// The class of a site, strongest first. One place of a transcript has one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SiteClass {
    /// Positions 2–8 and an A opposite position 1.
    EightMer,
    /// Positions 2–8.
    SevenMerM8,
    /// Positions 2–7 and an A opposite position 1.
    SevenMerA1,
    /// Positions 2–7.
    SixMer,
    /// Positions 3–8: an offset 6mer.
    SixMerM8,
    /// Positions 2–6 and an A opposite position 1: an offset 6mer.
    SixMerA1,
}

impl SiteClass {
    /// All classes.
    pub const ALL: [Self; 6] =
        [Self::EightMer, Self::SevenMerM8, Self::SevenMerA1, Self::SixMer, Self::SixMerM8, Self::SixMerA1];

    /// The name used on the wire and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::EightMer => "8mer",
            Self::SevenMerM8 => "7mer-m8",
            Self::SevenMerA1 => "7mer-A1",
            Self::SixMer => "6mer",
            Self::SixMerM8 => "6mer-m8",
            Self::SixMerA1 => "6mer-A1",
        }
    }

    /// Whether positions 2–7 pair; the offset 6mers are weak.
    pub fn is_canonical(self) -> bool {
        self <= Self::SixMer
    }

    fn pairs_with_8(self) -> bool {
        matches!(self, Self::EightMer | Self::SevenMerM8 | Self::SixMerM8)
    }

    fn has_a1(self) -> bool {
        matches!(self, Self::EightMer | Self::SevenMerA1 | Self::SixMerA1)
    }
}

/// A seed match on a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeedSite {
    /// miRNA position p faces the letter `end - p`.
    end: usize,
    /// The class.
    pub class: SiteClass,
}

impl SeedSite {
    /// The six letters that face positions 2 to 7; of an offset 6mer those that pair, or face position 1.
    pub fn core(self) -> Range<usize> {
        match self.class {
            SiteClass::SixMerM8 => self.end - 8..self.end - 2,
            SiteClass::SixMerA1 => self.end - 6..self.end,
            _ => self.end - 7..self.end - 1,
        }
    }
}

/// All seed matches of a miRNA on a transcript, in its order; overlapping ones too. Watson–Crick pairs only; `N` pairs
/// with nothing.
///
/// ```
/// use mirna::{Rna, sites::{SiteClass, seed_sites}};
/// let (let7, utr): (Rna, Rna) = ("UGAGGUAGUAGGUUGUAUAGUU".parse()?, "GGCUACCUCAGGUACCUGG".parse()?);
/// let found: Vec<_> = seed_sites(&let7, &utr).map(|site| (site.core(), site.class)).collect();
/// assert_eq!(found, [(3..9, SiteClass::EightMer)]);
/// # Ok::<(), mirna::ParseError>(())
/// ```
pub fn seed_sites<'a>(mirna: &'a [Base], transcript: &'a [Base]) -> impl Iterator<Item = SeedSite> + 'a {
    // Positions 3 to 6 pair in every class: their letters are looked for, and the rest only where they stand.
    let inner: Vec<Base> =
        mirna.get(2..6).unwrap_or_default().iter().rev().map(|base| base.complement()).collect();
    let known = inner.len() == INNER && !inner.contains(&Base::N);
    let places = transcript.windows(INNER).enumerate().filter(move |(_, letters)| known && *letters == inner);
    places.filter_map(move |(first, _)| {
        let end = first + INNER + 2;
        Some(SeedSite { end, class: class_at(mirna, transcript, end)? })
    })
}

/// Letters that pair in every class.
const INNER: usize = 4;

fn class_at(mirna: &[Base], transcript: &[Base], end: usize) -> Option<SiteClass> {
    let facing = |position: usize| end.checked_sub(position).and_then(|index| transcript.get(index)).copied();
    let pairs = |position: usize| match (mirna.get(position - 1), facing(position)) {
        (Some(letter), Some(other)) => letter.pairs_with(other),
        _ => false,
    };
    match (pairs(2), pairs(7), pairs(8), facing(1) == Some(Base::A)) {
        (true, true, true, true) => Some(SiteClass::EightMer),
        (true, true, true, false) => Some(SiteClass::SevenMerM8),
        (true, true, false, true) => Some(SiteClass::SevenMerA1),
        (true, true, false, false) => Some(SiteClass::SixMer),
        (false, true, true, _) => Some(SiteClass::SixMerM8),
        (true, false, _, true) => Some(SiteClass::SixMerA1),
        _ => None,
    }
}

/// What surrounds a site on its 3'UTR.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Context {
    /// Share of A and U among 30 letters on either side of what pairs, the nearest letters weighing most (Grimson 2007);
    /// [`NO_NEIGHBOURS`] where no letter is known.
    pub local_au: f64,
    /// Letters from the six letters to the nearer end of the 3'UTR.
    pub to_end: usize,
    /// Signals of polyadenylation (AAUAAA, AUUAAA) before the site, of which a shorter 3'UTR may make use; three at most.
    pub signals: usize,
}

/// Local AU where no letter is known.
pub const NO_NEIGHBOURS: f64 = 0.6;

/// Letters on either side.
const FLANK: usize = 30;
const MOST_SIGNALS: usize = 3;

/// A 3'UTR, looked through once for what its sites need.
pub struct Utr<'a> {
    letters: &'a [Base],
    /// Where signals of polyadenylation begin.
    signals: Vec<usize>,
}

impl<'a> Utr<'a> {
    /// Looks through these letters.
    pub fn new(letters: &'a [Base]) -> Self {
        use Base::{A, U};
        let is_signal = |word: &[Base]| matches!(word, [A, A | U, U, A, A, A]);
        let words = letters.windows(6).enumerate();
        Self { letters, signals: words.filter_map(|(at, word)| is_signal(word).then_some(at)).collect() }
    }

    /// All letters, unknown ones too.
    pub fn length(&self) -> usize {
        self.letters.len()
    }

    /// The miRNA's sites with what surrounds each.
    pub fn sites<'s>(&'s self, mirna: &'s [Base]) -> impl Iterator<Item = (SeedSite, Context)> + 's {
        seed_sites(mirna, self.letters).map(|site| (site, self.context(site)))
    }

    fn context(&self, site: SeedSite) -> Context {
        // The letter that faces position 7; it may lie one before the first.
        let core = site.end as isize - 7;
        let to_end = core.min(self.letters.len() as isize - core - 6).max(0) as usize;
        let before = self.signals.partition_point(|&signal| (signal as isize) < core);
        Context { local_au: self.local_au(site), to_end, signals: before.min(MOST_SIGNALS) }
    }

    /// A letter counts by one over its distance from the six letters; where position 8 pairs, or an A faces position 1, that
    /// letter is passed over.
    fn local_au(&self, site: SeedSite) -> f64 {
        let core = site.end as isize - 7;
        let (up, down) = (usize::from(site.class.pairs_with_8()), usize::from(site.class.has_a1()));
        let upstream = (up..up + FLANK).map(|away| (core - 1 - away as isize, away));
        let downstream = (down..down + FLANK).map(|away| (core + 6 + away as isize, away));
        let (mut au, mut all) = (0.0, 0.0);
        for (index, away) in upstream.chain(downstream) {
            let letter = usize::try_from(index).ok().and_then(|index| self.letters.get(index));
            let weight = 1.0 / (away + 1) as f64;
            match letter {
                Some(Base::A | Base::U) => (au, all) = (au + weight, all + weight),
                Some(Base::C | Base::G) => all += weight,
                Some(Base::N) | None => {}
            }
        }
        if all > 0.0 { au / all } else { NO_NEIGHBOURS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rna;
    use crate::seed::SiteType;
    use proptest::prelude::*;

    const LET7: &str = "UGAGGUAGUAGGUUGUAUAGUU"; // seed GAGGUAG, positions 2-8

    fn found(transcript: &str) -> Vec<(usize, &'static str, String)> {
        let (mirna, transcript): (Rna, Rna) = (LET7.parse().unwrap(), transcript.parse().unwrap());
        let told = |site: SeedSite| {
            let core = site.core();
            (core.start, site.class.name(), Rna::from(&transcript[core]).to_string())
        };
        seed_sites(&mirna, &transcript).map(told).collect()
    }

    #[test]
    fn a_match_is_told_by_its_six_letters() {
        for (transcript, expected) in [
            ("GGCUACCUCAGG", (3, "8mer", "UACCUC")),
            ("GGCUACCUCGGG", (3, "7mer-m8", "UACCUC")),
            ("GGGUACCUCAGG", (3, "7mer-A1", "UACCUC")),
            ("GGGUACCUCGGG", (3, "6mer", "UACCUC")),
            ("GGCUACCUGGGG", (2, "6mer-m8", "CUACCU")),
            ("GGCUACCUGAGG", (2, "6mer-m8", "CUACCU")),
            ("GGGGACCUCAGG", (4, "6mer-A1", "ACCUCA")),
            // At either end.
            ("UACCUC", (0, "6mer", "UACCUC")),
            ("CUACCU", (0, "6mer-m8", "CUACCU")),
            ("ACCUCA", (0, "6mer-A1", "ACCUCA")),
            ("GGCUACCUCA", (3, "8mer", "UACCUC")),
        ] {
            let (start, class, letters) = expected;
            assert_eq!(found(transcript), [(start, class, letters.to_owned())], "{transcript}");
        }
        for nothing in ["GGG", "GGGGACCUCGGG", "GGGUACCUGGGG", "GGGUACNUCAGG", "GCUACGUCAGG"] {
            assert_eq!(found(nothing), [], "{nothing}");
        }
        assert_eq!(found("GGGUACCUCGGGGCUACCUGG").len(), 2);
    }

    #[test]
    fn what_surrounds_a_site_is_seen_up_to_the_ends() {
        let context = |utr: &str| {
            let (mirna, utr): (Rna, Rna) = (LET7.parse().unwrap(), utr.parse().unwrap());
            Utr::new(&utr).sites(&mirna).next().unwrap().1
        };
        // Nothing but the site, and nothing known beside it.
        for alone in ["CUACCUCA", "NNNCUACCUCANNN"] {
            assert_eq!(context(alone).local_au, NO_NEIGHBOURS);
        }
        // The 8mer's own letters do not count: 1/2 before, 1/2 and 1/3 behind.
        let beside = context("ACUACCUCACU");
        assert!((beside.local_au - (0.5 + 1.0 / 3.0) / (0.5 + 0.5 + 1.0 / 3.0)).abs() < 1e-12);
        assert_eq!((context("ACUACCUCACU").to_end, context("CUACCUCA").to_end), (2, 1));
        assert_eq!(context("ACCUCA").to_end, 0);
        let signals = |before: &str| context(&format!("{before}CUACCUCACU")).signals;
        assert_eq!((signals("CCAAUAAACC"), signals("AUUAAACCAAUAAA"), signals("AAUUAA")), (1, 2, 0));
        assert_eq!(signals("AAUAAAUAAAUAAAUAAAGG"), 3);
    }

    proptest! {
        #[test]
        fn the_best_of_all_is_the_best_of_the_whole(mirna in "[ACGU]{15,30}", transcript in "[ACGUN]{0,80}", at in 0..60_usize) {
            let mirna: Rna = mirna.parse().unwrap();
            // A match is put in, since chance makes few.
            let mut letters: Vec<Base> = transcript.parse::<Rna>().map_or_else(|_| Vec::new(), |rna| rna.to_vec());
            let seed: Vec<Base> = Rna::from(&mirna[1..8]).reverse_complement().to_vec();
            letters.splice(at.min(letters.len())..at.min(letters.len()), seed);
            let strength = |class: SiteClass| match class {
                SiteClass::EightMer => SiteType::EightMer,
                SiteClass::SevenMerM8 => SiteType::SevenMerM8,
                SiteClass::SevenMerA1 => SiteType::SevenMerA1,
                SiteClass::SixMer => SiteType::SixMer,
                SiteClass::SixMerM8 => SiteType::OffsetSixMer,
                SiteClass::SixMerA1 => SiteType::None,
            };
            let best = seed_sites(&mirna, &letters).map(|site| strength(site.class)).max();
            let whole: Rna = letters.iter().copied().collect();
            prop_assert_eq!(best.unwrap_or(SiteType::None), SiteType::best(&mirna, &whole));
        }

        #[test]
        fn a_site_stays_itself_in_longer_surroundings(transcript in "[ACGUN]{0,60}", before in "[ACGU]{40}", after in "[ACGU]{40}") {
            let mirna: Rna = LET7.parse().unwrap();
            let letters = |text: String| text.parse::<Rna>().map_or_else(|_| Vec::new(), |rna| rna.to_vec());
            let alone = letters(format!("{transcript}CUACCUCA"));
            let within = letters(format!("{before}{transcript}CUACCUCA{after}"));
            let starts = |letters: &[Base], shift: usize| -> Vec<usize> {
                seed_sites(&mirna, letters).filter(|site| site.class == SiteClass::EightMer).map(|site| site.core().start + shift).collect()
            };
            let within = starts(&within, 0);
            prop_assert!(starts(&alone, 40).iter().all(|start| within.contains(start)));
        }
    }
}
