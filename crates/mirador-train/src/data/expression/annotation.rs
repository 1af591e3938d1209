//! A GTF file's genes: where transcription starts, and the features of the transcript that half-life depends on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, bail};
use mirador_models::tasks::expression::{HalfLife, HalfLifeFeature};

use super::genome::Genome;
use crate::data::tsv::open;

/// A transcript. Ranges are 0-based and half-open on the forward strand, in ascending order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Transcript {
    /// Name of the contig, without `chr`.
    pub contig: String,
    /// On the strand that the contig's letters do not show.
    pub reverse: bool,
    /// `gene_name`, where there is one.
    pub symbol: String,
    exons: Vec<Range<usize>>,
    coding: Vec<Range<usize>>,
}

/// For each gene id, without its version, the longest transcript; one that codes is preferred. A file whose name ends in
/// `.gz` is packed.
pub(super) fn genes(gtf: &Path) -> Result<BTreeMap<String, Transcript>> {
    let file = open(gtf).context("annotation")?;
    let mut transcripts: BTreeMap<(String, String), Transcript> = BTreeMap::new();
    for (index, line) in BufReader::new(file).lines().enumerate() {
        let line = line?;
        if !line.starts_with('#') && !line.trim().is_empty() {
            read_line(&line, &mut transcripts)
                .with_context(|| format!("{}, line {}", gtf.display(), index + 1))?;
        }
    }
    let mut genes: BTreeMap<String, Transcript> = BTreeMap::new();
    for ((gene, _), mut transcript) in transcripts {
        transcript.exons.sort_by_key(|exon| exon.start);
        transcript.coding.sort_by_key(|part| part.start);
        let better = genes.get(&gene).is_none_or(|other| transcript.rank() > other.rank());
        if better && !transcript.exons.is_empty() {
            genes.insert(gene, transcript);
        }
    }
    Ok(genes)
}

fn read_line(line: &str, transcripts: &mut BTreeMap<(String, String), Transcript>) -> Result<()> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [contig, _, kind, start, end, _, strand, _, attributes] = fields[..] else {
        bail!("{} columns, not 9", fields.len());
    };
    if !matches!(kind, "exon" | "CDS" | "stop_codon") {
        return Ok(());
    }
    let (start, end): (usize, usize) = (start.parse().context("start")?, end.parse().context("end")?);
    let range = start.checked_sub(1).context("positions start at 1")?..end;
    let gene = attribute(attributes, "gene_id").context("no gene_id")?;
    let name = attribute(attributes, "transcript_id").context("no transcript_id")?;
    let transcript = transcripts.entry((without_version(gene).to_owned(), name.to_owned())).or_default();
    transcript.contig = contig.trim_start_matches("chr").to_owned();
    transcript.reverse = strand == "-";
    transcript.symbol = attribute(attributes, "gene_name").unwrap_or_default().to_owned();
    match kind {
        "exon" => transcript.exons.push(range),
        _ => transcript.coding.push(range),
    }
    Ok(())
}

fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let pairs = attributes.split(';').filter_map(|pair| pair.trim().split_once(' '));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.trim().trim_matches('"'))
}

/// `ENSG00000141510.17` is `ENSG00000141510`.
pub(super) fn without_version(gene: &str) -> &str {
    gene.split('.').next().unwrap_or(gene)
}

fn length(ranges: &[Range<usize>]) -> usize {
    ranges.iter().map(Range::len).sum()
}

/// What of `ranges` lies inside `within`.
fn overlap(ranges: &[Range<usize>], within: Range<usize>) -> Vec<Range<usize>> {
    let cut = |range: &Range<usize>| range.start.max(within.start)..range.end.min(within.end);
    ranges.iter().map(cut).filter(|range| range.start < range.end).collect()
}

impl Transcript {
    fn rank(&self) -> (bool, usize) {
        (!self.coding.is_empty(), length(&self.exons))
    }

    fn span(&self) -> Range<usize> {
        let end = self.exons.iter().map(|exon| exon.end).max().unwrap_or(0);
        self.exons.first().map_or(0, |exon| exon.start)..end
    }

    /// Index of the first transcribed base on its contig.
    pub(super) fn start(&self) -> usize {
        if self.reverse { self.span().end - 1 } else { self.span().start }
    }

    /// Xpresso's eight features; those of a part that the transcript does not have are unknown.
    pub(super) fn half_life(&self, genome: &Genome) -> HalfLife {
        let span = self.span();
        let (Some(first), Some(last)) = (self.coding.first(), self.coding.last()) else {
            return HalfLife::default();
        };
        let before = overlap(&self.exons, span.start..first.start);
        let after = overlap(&self.exons, last.end..span.end);
        let coding = overlap(&self.exons, first.start..last.end);
        let (utr5, utr3) = if self.reverse { (after, before) } else { (before, after) };
        let log = |value: f64| Some((value + 0.1).log10() as f32);
        let log_length = |ranges: &[Range<usize>]| log(length(ranges) as f64);
        let gc = |ranges: &[Range<usize>]| genome.gc(&self.contig, ranges);
        let features = [
            (HalfLifeFeature::Utr5Length, log_length(&utr5)),
            (HalfLifeFeature::CdsLength, log_length(&coding)),
            (HalfLifeFeature::IntronLength, log((span.len() - length(&self.exons)) as f64)),
            (HalfLifeFeature::Utr3Length, log_length(&utr3)),
            (HalfLifeFeature::Utr5Gc, gc(&utr5)),
            (HalfLifeFeature::CdsGc, gc(&coding)),
            (HalfLifeFeature::Utr3Gc, gc(&utr3)),
            (HalfLifeFeature::OrfExonDensity, log(1000.0 * coding.len() as f64 / length(&coding) as f64)),
        ];
        features.into_iter().filter_map(|(feature, value)| Some((feature, value?))).collect()
    }
}
