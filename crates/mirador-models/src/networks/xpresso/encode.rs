//! From a gene to the network's input: letter codes of the window, half-life features, levels of miRNAs.

use mirna::Base;

use super::{DOWNSTREAM, Switches, UPSTREAM, WINDOW};
use crate::encoding::{Encoded, tokens};
use crate::networks::genes::{
    feature_warnings, list, mirna_warnings, part, unseen_features, window_warnings,
};
use crate::tasks::expression::Gene;
use crate::{Encoder, LoadError, Options};

/// Xpresso's order; a promoter's thymine is written as uracil here.
const ALPHABET: [Base; 4] = [Base::A, Base::C, Base::G, Base::U];

pub(super) fn encoder(options: &Options) -> Result<Encoder, LoadError> {
    let switches: Switches = LoadError::options(options)?;
    let [before, after] = switches.window;
    if before > UPSTREAM || after > DOWNSTREAM {
        let most = format!("window: at most [{UPSTREAM}, {DOWNSTREAM}]");
        return Err(LoadError::Options(most));
    }
    let width = WINDOW + switches.features.len() + switches.mirnas.len();
    let window = switches.window;
    Ok(Encoder::expression([width, 1], move |gene| encode(gene, &switches))
        .reading(move |gene| part(gene, window)))
}

/// Codes 1 to 4, 0 for `N` and for what was not sent; then the features, NaN where unknown; then for each miRNA of
/// the version its level where it targets the gene, else 0.
fn encode(gene: &Gene, switches: &Switches) -> Encoded {
    let part = part(gene, switches.window);
    let sent = part.len();
    let missing = UPSTREAM - (gene.tss - part.start);
    let mut values = vec![0.0; missing];
    values.extend(tokens(gene.promoter[part].iter(), WINDOW - missing, ALPHABET));
    values.extend(switches.features.iter().map(|feature| gene.half_life[*feature].unwrap_or(f32::NAN)));
    values.extend(switches.mirnas.iter().map(|name| gene.mirnas.get(name).copied().unwrap_or(0.0)));
    let mut warnings = window_warnings(&gene.promoter, gene.tss, switches.window);
    warnings.extend(short_warning(sent, switches.window));
    warnings.extend(feature_warnings(gene, &switches.features));
    warnings.extend(mirna_warnings(gene, &switches.mirnas));
    warnings.extend(unseen_features(gene, &switches.features));
    warnings.extend(unseen_levels(gene, switches));
    Encoded::whole(values, warnings)
}

/// Said where less than half of the window was sent, which training saw whole.
fn short_warning(sent: usize, [before, after]: [usize; 2]) -> Option<String> {
    let last = after - 1;
    (2 * sent < before + after).then(|| {
        format!("promoter: training saw positions -{before} to {last} of every gene; a level from less than half of them says little")
    })
}

/// Levels that can be, but that no training gene had.
fn unseen_levels(gene: &Gene, switches: &Switches) -> Option<String> {
    let [least, most] = switches.levels?;
    let unseen = |level: &f32| *level != 0.0 && !(least..=most).contains(level);
    let level = |name: &String| gene.mirnas.get(name).filter(|level| unseen(level));
    let named = switches.mirnas.iter().filter_map(|name| Some(format!("{name} ({})", level(name)?)));
    let named: Vec<String> = named.collect();
    if named.is_empty() {
        return None;
    }
    let seen = if least == most { least.to_string() } else { format!("{least} to {most}") };
    let names = list(&named.iter().map(String::as_str).collect::<Vec<_>>());
    Some(format!("mirnas: training saw a level of {seen} where a miRNA targets the gene, not: {names}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::expression::{HalfLife, HalfLifeFeature};

    fn gene(letters: usize, tss: usize) -> Gene {
        let promoter = "ACGT".repeat(letters.div_ceil(4))[..letters].parse().unwrap();
        Gene { promoter, tss, half_life: HalfLife::default(), mirnas: [("mir-1".to_owned(), 2.0)].into() }
    }

    fn switches(mirnas: &[&str]) -> Switches {
        let features = vec![HalfLifeFeature::Measured];
        Switches {
            features,
            mirnas: mirnas.iter().map(|name| (*name).to_owned()).collect(),
            ..Switches::default()
        }
    }

    #[test]
    fn the_start_lies_at_7000() {
        for (letters, tss) in
            [(1, 0), (86, 49), (10_500, 7_000), (20_000, 10_000), (3_500, 0), (7_001, 7_000)]
        {
            let gene = gene(letters, tss);
            let Encoded { values, .. } = encode(&gene, &switches(&["mir-1", "mir-2"]));
            assert_eq!(values.len(), 10_503);
            let code = ALPHABET.iter().position(|base| *base == gene.promoter[tss]).unwrap() + 1;
            assert_eq!(values[7_000], code as f32);
            let letters = values[..WINDOW].iter().filter(|code| **code > 0.0).count();
            assert_eq!(letters, tss.min(UPSTREAM) + (gene.promoter.len() - tss).min(DOWNSTREAM));
            assert!(values[WINDOW].is_nan());
            assert_eq!(values[WINDOW + 1..], [2.0, 0.0]);
        }
    }

    #[test]
    fn what_no_training_gene_had_is_said() {
        let mut gene = gene(10_500, 7_000);
        gene.half_life[HalfLifeFeature::Measured] = Some(5.5);
        let seen = Switches { levels: Some([1.0, 1.0]), ..switches(&["mir-1", "mir-2"]) };
        assert_eq!(
            encode(&gene, &seen).warnings,
            [
                "half_life_features.measured: 5.5 lies outside what training saw, -3.6 to 3.8",
                "mirnas: training saw a level of 1 where a miRNA targets the gene, not: mir-1 (2)",
            ]
        );
        gene.half_life[HalfLifeFeature::Measured] = Some(-3.5);
        gene.mirnas = [("mir-1".to_owned(), 1.0), ("mir-2".to_owned(), 0.0)].into();
        assert!(encode(&gene, &seen).warnings.is_empty());
    }

    #[test]
    fn a_warning_repeats_little_of_what_was_sent() {
        let mut gene = gene(10_500, 7_000);
        gene.mirnas = (0..1_000).map(|index| (format!("{index}{}", "x".repeat(10_000)), 1.0)).collect();
        let warnings = encode(&gene, &switches(&[])).warnings;
        assert!(warnings.iter().map(String::len).sum::<usize>() < 1_000);
        assert!(warnings.last().unwrap().ends_with(" and 990 more"));
    }

    #[test]
    fn what_was_assumed_is_said() {
        assert_eq!(
            encode(&gene(86, 49), &switches(&["mir-2"])).warnings,
            [
                "promoter: positions -7000 to -50 were not sent and read as N",
                "promoter: positions 37 to 3499 were not sent and read as N",
                "promoter: training saw positions -7000 to 3499 of every gene; a level from less than half of them says little",
                "half_life_features: not given, the mean of the training genes was assumed: measured",
                "mirnas: it was assumed that none of these targets the gene: mir-2",
                "mirnas: not read by this version: mir-1",
            ]
        );
        let mut whole = gene(10_500, 7_000);
        whole.half_life[HalfLifeFeature::Measured] = Some(0.1);
        assert!(encode(&whole, &switches(&["mir-1"])).warnings.is_empty());
        whole.tss = 6_999;
        assert_eq!(encode(&whole, &switches(&["mir-1"])).warnings.len(), 2);
        let short = Switches { window: [49, 37], ..switches(&["mir-1"]) };
        let Encoded { values, warnings, .. } = encode(&whole, &short);
        assert_eq!(values[..WINDOW].iter().filter(|code| **code > 0.0).count(), 86);
        assert_eq!(values[6_951], encode(&whole, &switches(&[])).values[6_951]);
        assert_eq!(warnings, ["promoter: only positions -49 to 36 were read"]);
    }
}
