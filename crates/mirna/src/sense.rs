//! Is a pair written in the sense that it should be? Both strands are 5'→3', and letters alone often tell when one is not.

use std::fmt;

use crate::seed::SiteType;
use crate::{Base, Rna, duplex, words};

/// How a pair would have to be turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The miRNA is written 3'→5'.
    MirnaReversed,
    /// The site is written 3'→5'.
    SiteReversed,
    /// The site is that of the other strand.
    SiteReverseComplement,
    /// The site's letters are those that pair with it, in its own order.
    SiteComplement,
    /// What pairs with the miRNA stands in its place, 5'→3'.
    MirnaReverseComplement,
    /// The same, 3'→5'.
    MirnaComplement,
    /// The miRNA stands in the site's place, and the site in the miRNA's.
    Swapped,
}

/// A pair that makes sense only when it is turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turned {
    /// How.
    pub turn: Turn,
    /// The seed match that it then has, a 7mer or 8mer.
    pub site_type: SiteType,
}

impl Turn {
    /// In the order of [`words::found`].
    pub(super) const ALL: [Self; 7] = [
        Self::MirnaReversed,
        Self::SiteReversed,
        Self::SiteReverseComplement,
        Self::SiteComplement,
        Self::MirnaReverseComplement,
        Self::MirnaComplement,
        Self::Swapped,
    ];

    /// The pair, turned.
    pub fn apply(self, mirna: &Rna, site: &Rna) -> (Rna, Rna) {
        let reversed = |rna: &Rna| rna.iter().rev().copied().collect();
        let complement = |rna: &Rna| rna.iter().map(|base| base.complement()).collect();
        match self {
            Self::MirnaReversed => (reversed(mirna), site.clone()),
            Self::SiteReversed => (mirna.clone(), reversed(site)),
            Self::SiteReverseComplement => (mirna.clone(), site.reverse_complement()),
            Self::SiteComplement => (mirna.clone(), complement(site)),
            Self::MirnaReverseComplement => (mirna.reverse_complement(), site.clone()),
            Self::MirnaComplement => (complement(mirna), site.clone()),
            Self::Swapped => (site.clone(), mirna.clone()),
        }
    }

    /// What twice the turned duplex's score has to pass the written one's by, see [`Turned::of`].
    fn least(self) -> i32 {
        match self {
            // Whole public files are written so.
            Self::MirnaReversed => 52,
            Self::Swapped => 64,
            _ => 72,
        }
    }
}

impl Turned {
    /// The turn that a pair with this seed match needs, if it needs one.
    ///
    /// As written it has no 7mer or 8mer, turned it has one, and the turned duplex's score by the aligner, plus 10 for an
    /// 8mer and minus 1 for every ten letters of the site beyond 50, is by 26 (the miRNA reversed), 32 (swapped) or 36
    /// above half the written one's. Seeds of two letters in turn (`CACACA`) are alike in every sense and tell nothing.
    ///
    /// Measured on public pairs, 5'→3' as they should be. Warned of though right: 0.7 % of 8,193 chimeras of Hejret 2023
    /// and 0.9 % of its test's 965, 1.0 % of Klimentova's 954, 0.4 % of miRAW's 13,932, 0.7 % of DeepMirTar's 7,758,
    /// positives and negatives; 0.8 % of random pairs with 50 nt, 0.6 % with 100 nt. Found among the positives with a 7mer
    /// or 8mer whose miRNA was then written backwards: 92 to 98 %, and all 15 of the 48 PAR-CLIP pairs; turned otherwise,
    /// half to four fifths, a complement often as another turn. Where both strands are written backwards nothing tells.
    /// A pair costs .3 to .8 µs on the average, since few hold one of the words that are looked for.
    pub fn of(mirna: &Rna, site: &Rna, written: SiteType) -> Option<Self> {
        if written >= SiteType::SevenMerA1 {
            return Self::swapped(mirna, site, written);
        }
        let found = words::found(mirna, site);
        let mut candidates =
            Turn::ALL.into_iter().zip(found).filter_map(|(turn, found)| found.then_some(turn)).peekable();
        candidates.peek()?;
        let (score, longer) = (duplex::align(mirna, site), site.len().saturating_sub(50) as i32);
        let evidence = |turn: Turn| {
            let (mirna, site) = turn.apply(mirna, site);
            if repeats(&mirna) {
                return None;
            }
            let site_type = SiteType::best(&mirna, &site);
            let bonus = if site_type == SiteType::EightMer { 20 } else { 0 };
            let passed = 2 * duplex::align(&mirna, &site) - score + bonus - longer / 5 - turn.least();
            (passed >= 0).then_some((passed, Self { turn, site_type }))
        };
        candidates.filter_map(evidence).max_by_key(|(passed, _)| *passed).map(|(_, turned)| turned)
    }
}

impl Turned {
    /// Where a pair matches throughout, each strand has a seed match on the other. Then the first letters tell: most
    /// miRNAs begin with U, and opposite it an 8mer has A.
    fn swapped(mirna: &Rna, site: &Rna, written: SiteType) -> Option<Self> {
        let begins_with_u = |rna: &Rna| rna.first() == Some(&Base::U);
        let swapped = written < SiteType::EightMer
            && words::MIRNA_LENGTHS.contains(&site.len())
            && begins_with_u(site)
            && !begins_with_u(mirna)
            && SiteType::best(site, mirna) == SiteType::EightMer;
        swapped.then_some(Self { turn: Turn::Swapped, site_type: SiteType::EightMer })
    }
}

impl fmt::Display for Turned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let article = if self.site_type == SiteType::EightMer { "an" } else { "a" };
        let pair = format!("this pair would have {article} {}", self.site_type.name());
        match self.turn {
            Turn::MirnaReversed => {
                write!(f, "mirna: read 3'→5' {pair}; sequences are 5'→3' (in a table: ?mirna_direction=3to5)")
            }
            Turn::SiteReversed => write!(f, "site: read 3'→5' {pair}; sequences are 5'→3'"),
            Turn::SiteReverseComplement => write!(
                f,
                "site: with its reverse complement {pair}; a site is of the transcript's strand, 5'→3'"
            ),
            Turn::SiteComplement => {
                write!(f, "site: with its complement {pair}; a site is of the transcript's strand, 5'→3'")
            }
            Turn::MirnaReverseComplement => {
                write!(f, "mirna: with its reverse complement {pair}; send the miRNA itself, 5'→3'")
            }
            Turn::MirnaComplement => {
                write!(f, "mirna: with its complement {pair}; send the miRNA itself, 5'→3'")
            }
            Turn::Swapped => write!(f, "mirna and site: swapped, {pair}"),
        }
    }
}

/// Whether positions 2 to 7 are two letters in turn.
fn repeats(mirna: &Rna) -> bool {
    mirna.get(1..7).is_some_and(|seed| seed.windows(3).all(|three| three[0] == three[2]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn turned(mirna: &Rna, site: &Rna) -> Option<Turned> {
        Turned::of(mirna, site, SiteType::best(mirna, site))
    }

    #[test]
    fn a_published_pair_in_the_wrong_sense_is_seen() {
        let (mirna, site) =
            ("AUGUAUGAAGAAAUGUAAGGU".parse().unwrap(), "ACAUACUUCUUUACAUUCCA".parse().unwrap());
        let seen = turned(&mirna, &site).unwrap();
        assert_eq!(seen.turn, Turn::MirnaReversed);
        let said = seen.to_string();
        assert!(said.starts_with("mirna: read 3'→5' this pair would have an 8mer; "), "{said}");
        assert_eq!(turned(&Turn::MirnaReversed.apply(&mirna, &site).0, &site), None);
    }

    #[test]
    fn repeats_tell_nothing() {
        let (mirna, site) =
            ("CACACACACACACACACGUAU".parse().unwrap(), "CACACACACACACACACACACA".parse().unwrap());
        assert_eq!(turned(&mirna, &site), None);
    }

    /// Pairs that just pass, and pairs that fail by half a point of the aligner's, the only turn in question both times.
    #[test]
    fn a_turn_is_named_from_its_threshold_on() {
        let long = "UAACCCUUAGCGAGCCGAAAAU UCGUUAGAGCCCGGCCUACGGUUGGACGUCAGCAACAGUUUCUGACUCUCUGAAGGUUCCACUCCUCAUUAGCAGGCUUUUAUGUCG";
        let too_long = "CCUUCAGCAAGAGUGUUUAACU UAAGCUGAAAACCGUUAGAUGUUUUAGCUGAACCUAUAUUGUAUACAGGAGACGUGGGCCCGUAUUGGGAAUCCCAAAUUGACCUAC";
        for (turn, passes, fails) in [
            (
                Turn::MirnaReversed,
                "UCCGCACAUUGUUCGCGCUGGA AAGCCCGGAUUCCGCGCGACCUGUGGCG",
                "GUGGCGGUCACGGAUGACCUAC CAGCUGGACCGACCACUGGAUGGGA",
            ),
            (Turn::MirnaReversed, long, too_long),
            (
                Turn::SiteReversed,
                "UAGUGAGUGCCGUGAAACGAUC UUGUUAUCACUCAACCAUCGGUUCCCG",
                "UCGCUAGACGAUUAAUAACCGU AUCGAGCGAUCUAGACCCUGUGGCGA",
            ),
            (
                Turn::SiteReverseComplement,
                "CGUUGCGCUUUGCCUCUCUAUG CGUUGCGCAUCCCCGUGAACGG",
                "CAUUCUGCAAAAGUACGGCCAA GUGGUUACAUUCUGCGAAACGGCUCCCCA",
            ),
            (
                Turn::Swapped,
                "GACGUGAGCACUAACCUAUAGCCC GCUAUAGGUGAUGGCUACAUGC",
                "GGAUUAUCGGGGAAGAUGACUUA AAGUCAUCGCACUCGACAUCCA",
            ),
        ] {
            let seen = |pair: &str| {
                let (mirna, site) = pair.split_once(' ').unwrap();
                turned(&mirna.parse().unwrap(), &site.parse().unwrap()).map(|turned| turned.turn)
            };
            assert_eq!((seen(passes), seen(fails)), (Some(turn), None));
        }
    }

    /// Each strand of these has a seed match on the other: only an 8mer that is not there as written, on a strand that may
    /// be a miRNA and begins with U where the other does not, tells that they are swapped.
    #[test]
    fn first_letters_tell_a_swapped_pair_that_matches_throughout() {
        for (mirna, site, swapped) in [
            ("AACUAUACAACCUACUACCUCA", "UGAGGUAGUAGGUUGUAUAGUU", true),
            ("AACUAUACAACCUACUACCUCA", "GGAGGUAGUAGGUUGUAUAGUU", false),
            ("UACUAUACAACCUACUACCUCA", "UGAGGUAGUAGGUUGUAUAGUU", false),
            ("AACUAUACAACCUACUACCUCG", "UGAGGUAGUAGGUUGUAUAGUU", false),
            ("CACUAUACAACCUACUACCUCA", "UGAGGUAGUAGGUUGUAUAGUA", false),
            ("AACUAUACAACCUACUACCUCA", "UGAGGUAGUAGGUUGUAUAGUUCCCCCCCCCC", false),
        ] {
            let (mirna, site) = (mirna.parse().unwrap(), site.parse().unwrap());
            assert!(SiteType::best(&mirna, &site) >= SiteType::SevenMerM8);
            let expected = swapped.then_some(Turned { turn: Turn::Swapped, site_type: SiteType::EightMer });
            assert_eq!(turned(&mirna, &site), expected, "{mirna} {site}");
        }
    }

    proptest! {
        #[test]
        fn each_turn_of_a_perfect_pair_is_seen(text in "[ACGU]{22}", which in 0..7_usize) {
            let mirna: Rna = text.parse().unwrap();
            let site = mirna.reverse_complement();
            prop_assume!(!repeats(&mirna));
            let turn = Turn::ALL[which];
            let (mirna, site) = turn.apply(&mirna, &site);
            prop_assume!(SiteType::best(&mirna, &site) < SiteType::SevenMerA1);
            prop_assert!(turned(&mirna, &site).is_some(), "{turn:?}");
        }

        #[test]
        fn whatever_is_said_is_so(mirna in "[ACGUN]{15,30}", site in "[ACGUN]{6,100}") {
            let (mirna, site): (Rna, Rna) = (mirna.parse().unwrap(), site.parse().unwrap());
            if let Some(seen) = turned(&mirna, &site) {
                let (mirna, site) = seen.turn.apply(&mirna, &site);
                prop_assert_eq!(SiteType::best(&mirna, &site), seen.site_type);
                prop_assert!(seen.site_type >= SiteType::SevenMerA1);
            }
        }
    }
}
