//! From a gene to the network's input: letter codes of the window, half-life features.

use mirna::Base;

use super::{DOWNSTREAM, LEAST, Switches, UPSTREAM, WINDOW};
use crate::encoding::{Encoded, tokens};
use crate::networks::genes::{feature_warnings, mirna_warnings, part, unseen_features, window_warnings};
use crate::tasks::expression::Gene;
use crate::{Encoder, LoadError, Options};

const ALPHABET: [Base; 4] = [Base::A, Base::C, Base::G, Base::U];
const READ: [usize; 2] = [UPSTREAM, DOWNSTREAM];

pub(super) fn encoder(options: &Options) -> Result<Encoder, LoadError> {
    let switches: Switches = LoadError::options(options)?;
    let width = WINDOW + switches.features.len();
    Ok(Encoder::expression([width, 1], move |gene| encode(gene, &switches)).reading(|gene| part(gene, READ)))
}

/// Codes 1 to 4, 0 for `N` and for what was not sent; then the features, NaN where unknown.
fn encode(gene: &Gene, switches: &Switches) -> Encoded {
    let part = part(gene, READ);
    let missing = UPSTREAM - (gene.tss - part.start);
    let mut values = vec![0.0; missing];
    values.extend(tokens(gene.promoter[part].iter(), WINDOW - missing, ALPHABET));
    values.extend(switches.features.iter().map(|feature| gene.half_life[*feature].unwrap_or(f32::NAN)));
    let mut warnings = window_warnings(&gene.promoter, gene.tss, READ);
    warnings.extend(short_warning(gene));
    warnings.extend(feature_warnings(gene, &switches.features));
    warnings.extend(mirna_warnings(gene, &[]));
    warnings.extend(unseen_features(gene, &switches.features));
    Encoded::whole(values, warnings)
}

/// Said where less was sent than of any training gene.
fn short_warning(gene: &Gene) -> Option<String> {
    let [before, after] = LEAST;
    let [sent_before, sent_after] = [gene.tss, gene.promoter.len() - gene.tss];
    let warning = || {
        let (first, last) = (before, after - 1);
        format!(
            "promoter: training saw positions -{first} to {last} of every gene at least; a level from fewer says little"
        )
    };
    (sent_before < before || sent_after < after).then(warning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::expression::{HalfLife, HalfLifeFeature};

    fn gene(letters: usize, tss: usize) -> Gene {
        let promoter = "ACGT".repeat(letters.div_ceil(4))[..letters].parse().unwrap();
        Gene { promoter, tss, half_life: HalfLife::default(), mirnas: [].into() }
    }

    fn encoded(gene: &Gene) -> Encoded {
        encode(gene, &Switches { features: vec![HalfLifeFeature::Measured], ..Switches::default() })
    }

    #[test]
    fn the_start_lies_at_249() {
        for (letters, tss) in [(1, 0), (86, 49), (300, 249), (10_500, 7_000), (51, 0), (250, 249)] {
            let gene = gene(letters, tss);
            let Encoded { values, .. } = encoded(&gene);
            assert_eq!(values.len(), 301);
            let code = ALPHABET.iter().position(|base| *base == gene.promoter[tss]).unwrap() + 1;
            assert_eq!(values[249], code as f32);
            let letters = values[..WINDOW].iter().filter(|code| **code > 0.0).count();
            assert_eq!(letters, tss.min(UPSTREAM) + (gene.promoter.len() - tss).min(DOWNSTREAM));
            assert!(values[WINDOW].is_nan());
        }
    }

    #[test]
    fn how_far_a_promoter_is_from_training_is_said() {
        let of = |letters, tss| {
            let mut gene = gene(letters, tss);
            gene.half_life[HalfLifeFeature::Measured] = Some(0.5);
            encoded(&gene).warnings
        };
        assert!(of(300, 249).is_empty());
        assert_eq!(of(10_500, 7_000), ["promoter: only positions -249 to 50 were read"]);
        let unsent = "promoter: positions -249 to -50 were not sent and read as N";
        assert_eq!(of(86, 49), [unsent, "promoter: positions 37 to 50 were not sent and read as N"]);
        assert_eq!(of(60, 49).len(), 2);
        assert_eq!(
            of(59, 49)[2],
            "promoter: training saw positions -49 to 10 of every gene at least; a level from fewer says little"
        );
    }
}
