//! A user's own genome, annotation and table of levels → a dataset file with the whole window of 10,500 nt.

use std::path::Path;

use anyhow::{Context, Result};
use mirador_models::tasks::expression::Gene;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use super::annotation::{Transcript, genes, without_version};
use super::dataset::{Example, Split, parse_targets};
use super::genome::Genome;
use super::prepare::finish;
use crate::data::sources::Tally;
use crate::data::tsv;

/// What Xpresso reads before and from the start of transcription on, nt.
const UPSTREAM: usize = 7_000;
const DOWNSTREAM: usize = 3_500;
/// One gene in so many of those without a split is for validation and one for the test, as in Xpresso.
const ONE_IN: usize = 18;
const SEED: u64 = 1;

/// One line of the table: only the first two columns are needed.
#[derive(Deserialize)]
struct Level {
    gene: String,
    level: f32,
    split: Option<Split>,
    target_mirnas: Option<String>,
}

/// Writes `out`: for each gene of the table (columns `gene`, `level`, and, if wanted, `split` and `target_mirnas`) the
/// window around the start of its longest transcript and the eight features. Returns what was done, in words.
pub fn own(fasta: &Path, gtf: &Path, table: &Path, out: &Path) -> Result<Vec<String>> {
    let mut tally = Tally::default();
    let genome = Genome::read(fasta)?;
    let annotation = genes(gtf)?;
    let levels = tsv::read(table, |row: Level| Ok(row))?;
    tally.count(levels.len(), "genes in the table of levels");
    let splits = splits(levels.len());
    let mut rows = Vec::new();
    let mut unknown = 0;
    for (row, split) in levels.into_iter().zip(splits) {
        let ensg = without_version(&row.gene);
        let found = annotation.get(ensg).and_then(|transcript| {
            let Transcript { contig, reverse, .. } = transcript;
            Some((transcript, genome.window(contig, transcript.start(), *reverse, UPSTREAM, DOWNSTREAM)?))
        });
        let Some((transcript, promoter)) = found else {
            unknown += 1;
            continue;
        };
        let targets =
            parse_targets(row.target_mirnas.as_deref().unwrap_or_default()).context(row.gene.clone())?;
        rows.push(Example {
            ensg: ensg.to_owned(),
            symbol: transcript.symbol.clone(),
            chromosome: transcript.contig.clone(),
            split: row.split.unwrap_or(split),
            gene: Gene {
                promoter,
                tss: UPSTREAM,
                half_life: transcript.half_life(&genome),
                mirnas: targets.iter().map(|(name, (_, level))| (name.clone(), *level)).collect(),
            },
            target_scores: targets.into_iter().map(|(name, (score, _))| (name, score)).collect(),
            published: None,
            level: row.level,
        });
    }
    tally.count(unknown, "of them are not annotated, or on a contig that the genome lacks: dropped");
    finish(out, &rows, tally)
}

/// A fixed random split.
fn splits(genes: usize) -> Vec<Split> {
    let mut splits: Vec<Split> = (0..genes)
        .map(|index| match index % ONE_IN {
            0 => Split::Validation,
            1 => Split::Test,
            _ => Split::Train,
        })
        .collect();
    splits.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
    splits
}

#[cfg(test)]
mod tests {
    use mirador_models::tasks::expression::HalfLifeFeature;
    use mirna::Rna;

    use super::*;
    use crate::data::expression::dataset::read;
    use std::fs;

    /// Two genes, one on each strand of a contig of 90 nt.
    const GTF: &str = "#made up
chr7\tx\texon\t21\t30\t.\t+\t.\tgene_id \"G1.3\"; transcript_id \"T1\"; gene_name \"ONE\";
chr7\tx\texon\t41\t60\t.\t+\t.\tgene_id \"G1.3\"; transcript_id \"T1\"; gene_name \"ONE\";
chr7\tx\tCDS\t26\t30\t.\t+\t0\tgene_id \"G1.3\"; transcript_id \"T1\"; gene_name \"ONE\";
chr7\tx\tCDS\t41\t50\t.\t+\t0\tgene_id \"G1.3\"; transcript_id \"T1\"; gene_name \"ONE\";
chr7\tx\texon\t1\t5\t.\t+\t.\tgene_id \"G1.3\"; transcript_id \"T0\"; gene_name \"ONE\";
chr7\tx\texon\t71\t80\t.\t-\t.\tgene_id \"G2\"; transcript_id \"T2\";
chr7\tx\tCDS\t73\t76\t.\t-\t0\tgene_id \"G2\"; transcript_id \"T2\";
";

    #[test]
    fn windows_are_cut_on_both_strands_and_filled_with_n() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let contig: String = (0..90).map(|at| char::from(b"ACGGTTTA"[at * at % 8])).collect();
        fs::write(path("genome.fa"), format!(">chr7 made up\n{}\n{}\n", &contig[..50], &contig[50..]))
            .unwrap();
        fs::write(path("genes.gtf"), GTF).unwrap();
        fs::write(
            path("levels.tsv"),
            "gene\tlevel\tsplit\tsomething\nG1\t1.5\ttrain\tx\nG2.1\t-1\ttest\tx\nG3\t0\ttest\tx\n",
        )
        .unwrap();
        let lines =
            own(&path("genome.fa"), &path("genes.gtf"), &path("levels.tsv"), &path("out.tsv")).unwrap();
        assert_eq!(
            lines[..2],
            [
                "3 genes in the table of levels",
                "1 of them are not annotated, or on a contig that the genome lacks: dropped"
            ]
        );

        let rows = read(&path("out.tsv")).unwrap();
        let [one, two] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(
            (one.ensg.as_str(), one.symbol.as_str(), one.level, one.split),
            ("G1", "ONE", 1.5, Split::Train)
        );
        let window = |row: &Example, from: usize, to: usize| {
            row.gene.promoter[from..to].iter().map(|base| base.letter()).collect::<String>()
        };
        let rna = contig.replace('T', "U");
        // The base at index 20 of the contig stands at 7,000.
        assert_eq!(one.gene.promoter.len(), 10_500);
        assert_eq!(window(one, 6_978, 6_980), "NN");
        assert_eq!(window(one, 6_980, 7_070), rna);
        assert_eq!(window(one, 7_070, 7_072), "NN");
        // The reverse strand starts at index 79.
        let opposite: Rna = contig.parse::<Rna>().unwrap().reverse_complement();
        assert_eq!(window(two, 6_990, 7_080), opposite.to_string());
        assert_eq!(window(two, 6_989, 6_990), "N");

        let log = |value: f64| Some((value + 0.1).log10() as f32);
        let features = one.gene.half_life;
        assert_eq!(features[HalfLifeFeature::Utr5Length], log(5.0));
        assert_eq!(features[HalfLifeFeature::CdsLength], log(15.0));
        assert_eq!(features[HalfLifeFeature::IntronLength], log(10.0));
        assert_eq!(features[HalfLifeFeature::Utr3Length], log(10.0));
        assert_eq!(features[HalfLifeFeature::OrfExonDensity], log(2000.0 / 15.0));
        let gc = contig[20..25].matches(['G', 'C']).count() as f32 / 5.0;
        assert_eq!(features[HalfLifeFeature::Utr5Gc], Some(gc));
        assert_eq!(
            two.gene.half_life[HalfLifeFeature::Utr5Length],
            log(4.0),
            "on the reverse strand it lies behind"
        );
        assert_eq!(two.gene.half_life[HalfLifeFeature::Utr3Length], log(2.0));
    }
}
