//! Canonical seed matches: which class of site, after Bartel (Cell 2009, 2018), a target site holds.

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

    proptest! {
        #[test]
        fn the_full_complement_followed_by_a_is_an_8mer(text in "[ACGU]{15,30}") {
            let mirna: Rna = text.parse().unwrap();
            let mut site: Vec<Base> = mirna.reverse_complement().to_vec();
            *site.last_mut().unwrap() = Base::A;
            prop_assert_eq!(SiteType::best(&mirna, &site.into_iter().collect()), SiteType::EightMer);
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
