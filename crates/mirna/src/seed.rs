//! Canonical seed matches: which class of site, after Bartel (Cell 2009, 2018), a target site holds.

use std::ops::Range;

use crate::{Base, Rna};

/// The class of a seed match, weakest first, so that the best match is the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SiteType {
    /// No canonical match.
    None,
    /// Positions 3–8.
    OffsetSixMer,
    /// Positions 2–7.
    SixMer,
    /// Positions 2–7 and an A opposite position 1.
    SevenMerA1,
    /// Positions 2–8.
    SevenMerM8,
    /// Positions 2–8 and an A opposite position 1.
    EightMer,
}

impl SiteType {
    /// All classes, weakest first.
    pub const ALL: [Self; 6] =
        [Self::None, Self::OffsetSixMer, Self::SixMer, Self::SevenMerA1, Self::SevenMerM8, Self::EightMer];

    /// The name used on the wire and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::OffsetSixMer => "offset-6mer",
            Self::SixMer => "6mer",
            Self::SevenMerA1 => "7mer-A1",
            Self::SevenMerM8 => "7mer-m8",
            Self::EightMer => "8mer",
        }
    }

    /// The best canonical match of `mirna` that `site` holds; Watson-Crick pairs only, `N` pairs with nothing.
    ///
    /// ```
    /// use mirna::{seed::SiteType, Rna};
    /// let let7: Rna = "UGAGGUAGUAGGUUGUAUAGUU".parse()?;
    /// assert_eq!(SiteType::best(&let7, &"GGCUACCUCAGG".parse::<Rna>()?), SiteType::EightMer);
    /// # Ok::<(), mirna::ParseError>(())
    /// ```
    pub fn best(mirna: &Rna, site: &Rna) -> Self {
        // `end` is the site index opposite a position 0: matches at either edge of the site are seen too.
        (7..=site.len() + 2).map(|end| Self::ending_at(mirna, site, end)).max().unwrap_or(Self::None)
    }

    /// All matches on a transcript, in its order; a match is told once, with its best class. See [`SiteType::best`].
    ///
    /// ```
    /// use mirna::{seed::SiteType, Rna};
    /// let (let7, utr): (Rna, Rna) = ("UGAGGUAGUAGGUUGUAUAGUU".parse()?, "GGCUACCUCAGGUACCUGG".parse()?);
    /// let sites: Vec<_> = SiteType::all_on(&let7, &utr).map(|site| (site.start, site.kind)).collect();
    /// assert_eq!(sites, [(3, SiteType::EightMer)]);
    /// # Ok::<(), mirna::ParseError>(())
    /// ```
    pub fn all_on<'a>(mirna: &'a [Base], transcript: &'a [Base]) -> impl Iterator<Item = SeedSite> + 'a {
        // Positions 3 to 7 pair in every class: their five letters are looked for, and the rest only where they stand.
        let core: Vec<Base> =
            mirna.get(2..7).unwrap_or_default().iter().rev().map(|base| base.complement()).collect();
        let ends =
            transcript.windows(CORE).enumerate().filter(move |(_, letters)| *letters == core.as_slice());
        ends.filter_map(move |(first, _)| {
            let end = first + CORE + 2;
            match Self::ending_at(mirna, transcript, end) {
                Self::None => None,
                Self::OffsetSixMer => Some(SeedSite { start: end - 8, kind: Self::OffsetSixMer }),
                kind => Some(SeedSite { start: end - 7, kind }),
            }
        })
    }

    /// The class of the match that puts miRNA position p opposite `site[end - p]`.
    fn ending_at(mirna: &[Base], site: &[Base], end: usize) -> Self {
        let facing = |position: usize| end.checked_sub(position).and_then(|i| site.get(i)).copied();
        let pairs = |position: usize| match (mirna.get(position - 1), facing(position)) {
            (Some(letter), Some(other)) => letter.pairs_with(other),
            _ => false,
        };
        if !(3..=7).all(pairs) {
            return Self::None;
        }
        let a1 = facing(1) == Some(Base::A);
        match (pairs(2), pairs(8), a1) {
            (true, true, true) => Self::EightMer,
            (true, true, false) => Self::SevenMerM8,
            (true, false, true) => Self::SevenMerA1,
            (true, false, false) => Self::SixMer,
            (false, true, _) => Self::OffsetSixMer,
            (false, false, _) => Self::None,
        }
    }
}

/// Letters that pair in every class.
const CORE: usize = 5;

/// A seed match on a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeedSite {
    /// Index of the first of the six letters that pair with positions 2 to 7, or 3 to 8 of an offset 6mer.
    pub start: usize,
    /// The class.
    pub kind: SiteType,
}

impl SeedSite {
    /// The six letters.
    pub fn core(self) -> Range<usize> {
        self.start..self.start + CORE + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LET7: &str = "UGAGGUAGUAGGUUGUAUAGUU"; // seed GAGGUAG, positions 2-8

    fn class(site: &str) -> &'static str {
        SiteType::best(&LET7.parse().unwrap(), &site.parse().unwrap()).name()
    }

    #[test]
    fn tells_the_classes_apart() {
        assert_eq!(class("GGCUACCUCAGG"), "8mer");
        assert_eq!(class("GGCUACCUCGGG"), "7mer-m8");
        assert_eq!(class("GGGUACCUCAGG"), "7mer-A1");
        assert_eq!(class("GGGUACCUCGGG"), "6mer");
        assert_eq!(class("GGCUACCUGGGG"), "offset-6mer");
        assert_eq!(class("GGCUACGUCAGG"), "none");
        assert_eq!(class("GGCUACNUCAGG"), "none");
    }

    #[test]
    fn sees_matches_at_both_edges() {
        assert_eq!(class("UACCUC"), "6mer");
        assert_eq!(class("CUACCU"), "offset-6mer");
        assert_eq!(class("GGGGUACCUC"), "6mer");
        assert_eq!(class("CUACCUCA"), "8mer");
    }

    #[test]
    fn a_match_on_a_transcript_is_told_by_its_six_letters() {
        let (mirna, found) = (LET7.parse::<Rna>().unwrap(), |text: &str| -> Vec<(usize, &str, String)> {
            let (mirna, transcript): (Rna, Rna) = (LET7.parse().unwrap(), text.parse().unwrap());
            let of = |site: SeedSite| {
                (site.start, site.kind.name(), Rna::from(&transcript[site.core()]).to_string())
            };
            SiteType::all_on(&mirna, &transcript).map(of).collect()
        });
        assert_eq!(
            found("GGGUACCUCGGGGCUACCUGG"),
            [(3, "6mer", "UACCUC".into()), (13, "offset-6mer", "CUACCU".into())]
        );
        assert_eq!(found("CUACCU"), [(0, "offset-6mer", "CUACCU".into())]);
        assert!(
            SiteType::all_on(&mirna, &[]).next().is_none()
                && SiteType::all_on(&mirna[..6], &mirna).next().is_none()
        );
    }

    proptest! {
        #[test]
        fn the_full_complement_followed_by_a_is_an_8mer(text in "[ACGU]{15,30}") {
            let mirna: Rna = text.parse().unwrap();
            let mut site: Vec<Base> = mirna.reverse_complement().to_vec();
            *site.last_mut().unwrap() = Base::A;
            prop_assert_eq!(SiteType::best(&mirna, &site.into_iter().collect()), SiteType::EightMer);
        }

        #[test]
        fn matches_on_a_transcript_are_those_of_its_parts(mirna in "[ACGU]{15,30}", transcript in "[ACGUN]{0,80}", at in 0..60usize) {
            let mirna: Rna = mirna.parse().unwrap();
            // A match is put in, since chance makes few.
            let mut letters: Vec<Base> = transcript.parse::<Rna>().map_or_else(|_| Vec::new(), |rna| rna.to_vec());
            let seed: Vec<Base> = Rna::from(&mirna[1..8]).reverse_complement().to_vec();
            letters.splice(at.min(letters.len())..at.min(letters.len()), seed);
            let found: Vec<SeedSite> = SiteType::all_on(&mirna, &letters).collect();
            let by_hand: Vec<SeedSite> = (0..=letters.len() + 2)
                .filter(|end| *end >= 7)
                .filter_map(|end| match SiteType::ending_at(&mirna, &letters, end) {
                    SiteType::None => None,
                    SiteType::OffsetSixMer => Some(SeedSite { start: end - 8, kind: SiteType::OffsetSixMer }),
                    kind => Some(SeedSite { start: end - 7, kind }),
                })
                .collect();
            prop_assert_eq!(&found, &by_hand);
            let best = found.iter().map(|site| site.kind).max().unwrap_or(SiteType::None);
            prop_assert_eq!(best, SiteType::best(&mirna, &letters.into_iter().collect()));
        }

        #[test]
        fn more_site_never_weakens_the_match(mirna in "[ACGU]{15,30}", site in "[ACGU]{6,40}", more in "[ACGU]{1,9}") {
            let mirna: Rna = mirna.parse().unwrap();
            let best = |site: &str| SiteType::best(&mirna, &site.parse().unwrap());
            let longer = more + &site;
            prop_assert!(best(&longer) >= best(&site));
        }
    }
}
