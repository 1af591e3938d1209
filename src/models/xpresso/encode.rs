//! From a gene to the network's input: letter codes of the window, half-life features, levels of miRNAs.

use std::collections::BTreeSet;

use super::{DOWNSTREAM, Switches, UPSTREAM, WINDOW};
use crate::encoding::{Encoded, tokens};
use crate::models::{Encoder, LoadError, Options};
use crate::rna::{Base, Rna};
use crate::tasks::expression::{Gene, HalfLifeFeature};

/// Xpresso's order; a promoter's thymine is written as uracil here.
const ALPHABET: [Base; 4] = [Base::A, Base::C, Base::G, Base::U];
/// Names that a warning spells out.
const NAMED: usize = 10;

pub fn encoder(options: &Options) -> Result<Encoder, LoadError> {
    let switches: Switches = LoadError::options(options)?;
    let [before, after] = switches.window;
    if before > UPSTREAM || after > DOWNSTREAM {
        let most = format!("window: at most [{UPSTREAM}, {DOWNSTREAM}]");
        return Err(LoadError::Options(most));
    }
    let width = WINDOW + switches.features.len() + switches.mirnas.len();
    Ok(Encoder::expression([width, 1], move |gene| encode(gene, &switches)))
}

/// Codes 1 to 4, 0 for `N` and for what was not sent; then the features, NaN where unknown; then for each miRNA of
/// the version its level where it targets the gene, else 0.
fn encode(gene: &Gene, switches: &Switches) -> Encoded {
    let [before, after] = switches.window;
    let first = gene.tss.saturating_sub(before);
    let end = (gene.tss + after).min(gene.promoter.len());
    let missing = UPSTREAM - (gene.tss - first);
    let mut values = vec![0.0; missing];
    values.extend(tokens(gene.promoter[first..end].iter(), WINDOW - missing, ALPHABET));
    values.extend(switches.features.iter().map(|feature| feature.of(&gene.half_life).unwrap_or(f32::NAN)));
    values.extend(switches.mirnas.iter().map(|name| gene.mirnas.get(name).copied().unwrap_or(0.0)));
    let mut warnings = window_warnings(&gene.promoter, gene.tss, switches.window);
    warnings.extend(feature_warnings(gene, &switches.features));
    warnings.extend(mirna_warnings(gene, &switches.mirnas));
    Encoded::whole(values, warnings)
}

/// Positions count from the start of transcription, which is 0.
fn window_warnings(promoter: &Rna, tss: usize, [upstream, downstream]: [usize; 2]) -> Vec<String> {
    let (before, after) = (tss, promoter.len() - tss);
    let mut warnings = Vec::new();
    if before < upstream {
        warnings
            .push(format!("promoter: positions -{upstream} to -{} were not sent and read as N", before + 1));
    }
    if after < downstream {
        let last = downstream - 1;
        warnings.push(format!("promoter: positions {after} to {last} were not sent and read as N"));
    }
    if before > upstream || after > downstream {
        let last = downstream - 1;
        warnings.push(format!("promoter: only positions -{upstream} to {last} were read"));
    }
    warnings
}

fn feature_warnings(gene: &Gene, features: &[HalfLifeFeature]) -> Vec<String> {
    let known = |feature: &HalfLifeFeature| feature.of(&gene.half_life).is_some();
    let unknown = features.iter().filter(|feature| !known(feature)).map(|feature| feature.name());
    let all = HalfLifeFeature::XPRESSO.into_iter().chain([HalfLifeFeature::Measured]);
    let unread = all.filter(|feature| known(feature) && !features.contains(feature));
    let unread: Vec<&str> = unread.map(HalfLifeFeature::name).collect();
    let unknown: Vec<&str> = unknown.collect();
    let mut warnings = Vec::new();
    if !unknown.is_empty() {
        let names = list(&unknown);
        warnings.push(format!(
            "half_life_features: not given, the mean of the training genes was assumed: {names}"
        ));
    }
    if !unread.is_empty() {
        warnings.push(format!("half_life_features: not read by this version: {}", list(&unread)));
    }
    warnings
}

fn mirna_warnings(gene: &Gene, mirnas: &[String]) -> Vec<String> {
    let read: BTreeSet<&str> = mirnas.iter().map(String::as_str).collect();
    let unread: Vec<&str> =
        gene.mirnas.keys().map(String::as_str).filter(|name| !read.contains(name)).collect();
    let mut warnings = Vec::new();
    if !mirnas.is_empty() && unread.len() == gene.mirnas.len() {
        let names = list(&mirnas.iter().map(String::as_str).collect::<Vec<_>>());
        warnings.push(format!("mirnas: it was assumed that none of these targets the gene: {names}"));
    }
    if !unread.is_empty() {
        warnings.push(format!("mirnas: not read by this version: {}", list(&unread)));
    }
    warnings
}

fn list(names: &[&str]) -> String {
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::expression::HalfLife;

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
    fn what_was_assumed_is_said() {
        assert_eq!(
            encode(&gene(86, 49), &switches(&["mir-2"])).warnings,
            [
                "promoter: positions -7000 to -50 were not sent and read as N",
                "promoter: positions 37 to 3499 were not sent and read as N",
                "half_life_features: not given, the mean of the training genes was assumed: measured",
                "mirnas: it was assumed that none of these targets the gene: mir-2",
                "mirnas: not read by this version: mir-1",
            ]
        );
        let mut whole = gene(10_500, 7_000);
        whole.half_life.measured = Some(0.1);
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
