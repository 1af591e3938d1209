//! `prepare expression --genome` on a made-up genome of several contigs, with windows as long as Xpresso's: every letter
//! of every window against a second way to cut it.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use mirador_models::tasks::expression::HalfLifeFeature;
use mirador_train::data::expression::dataset::{Example, Split, read};
use mirador_train::data::expression::own;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

const UPSTREAM: i64 = 7_000;
const DOWNSTREAM: i64 = 3_500;
/// Name and letters of each contig: one that is longer than a window, one that is shorter, one of its last letters only.
const CONTIGS: [(&str, usize); 4] = [("chr1", 40_000), ("2", 6_000), ("chrX", 12_000), ("scaffold_7", 150)];
/// Gene, contig, first and last letter (from 1), strand: in the middle, at both ends, on both strands.
const GENES: [(&str, &str, usize, usize, char); 9] = [
    ("ENSG01.4", "chr1", 20_001, 22_000, '+'),
    ("ENSG02", "chr1", 18_000, 20_001, '-'),
    ("ENSG03", "chr1", 1, 900, '+'),
    ("ENSG04", "chr1", 1, 900, '-'),
    ("ENSG05", "chr1", 39_500, 40_000, '-'),
    ("ENSG06", "chr1", 39_500, 40_000, '+'),
    ("ENSG07", "2", 3_000, 3_400, '-'),
    ("ENSG08", "chrX", 7_001, 9_000, '+'),
    ("ENSG09", "scaffold_7", 20, 120, '-'),
];

fn contigs() -> Vec<(&'static str, String)> {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut letters =
        |length: usize| (0..length).map(|_| char::from(b"ACGTacgtN"[rng.random_range(0..9)])).collect();
    CONTIGS.map(|(name, length)| (name, letters(length))).into()
}

/// A FASTA file in lines of 61 letters, with descriptions.
fn fasta() -> String {
    let mut text = String::new();
    for (name, letters) in contigs() {
        text += &format!(">{name} made up, of {} letters\n", letters.len());
        for line in letters.as_bytes().chunks(61) {
            text += &format!("{}\n", std::str::from_utf8(line).unwrap());
        }
    }
    text
}

/// Each gene with one transcript of two exons that code in part, and a shorter one that starts elsewhere.
fn gtf() -> String {
    let mut text = "#!made up\n".to_owned();
    for (gene, contig, first, last, strand) in GENES {
        let middle = (first + last) / 2;
        let line = |kind: &str, from: usize, to: usize, transcript: usize| {
            let names =
                format!("gene_id \"{gene}\"; transcript_id \"{gene}.{transcript}\"; gene_name \"g{gene}\";");
            format!("{contig}\tmade up\t{kind}\t{from}\t{to}\t.\t{strand}\t0\t{names}\n")
        };
        text += &line("gene", first, last, 0);
        text += &line("exon", first, middle - 10, 1);
        text += &line("exon", middle + 1, last, 1);
        text += &line("CDS", first + 20, middle - 10, 1);
        text += &line("CDS", middle + 1, last - 30, 1);
        text += &line("exon", first + 5, first + 9, 2);
    }
    text
}

fn levels() -> String {
    let mut text = "gene\tlevel\tsplit\n".to_owned();
    for (place, (gene, ..)) in GENES.into_iter().enumerate() {
        let split = ["train", "validation", "test"][place % 3];
        text += &format!("{gene}\t{}\t{split}\n", place as f64 / 4.0 - 1.0);
    }
    text + "ENSG99\t0.5\ttrain\n"
}

fn packed(path: &Path, text: &str) {
    let mut file = GzEncoder::new(File::create(path).unwrap(), Compression::fast());
    file.write_all(text.as_bytes()).unwrap();
    file.finish().unwrap();
}

/// The window, letter by letter from the contig, in RNA.
fn expected(contig: &str, first: usize, last: usize, strand: char) -> String {
    let contigs = contigs();
    let letters =
        contigs.iter().find(|(name, _)| *name == contig).unwrap().1.to_ascii_uppercase().into_bytes();
    let at = |place: i64| {
        usize::try_from(place).ok().and_then(|place| letters.get(place)).copied().unwrap_or(b'N')
    };
    (-UPSTREAM..DOWNSTREAM)
        .map(|step| match strand {
            '+' => at(first as i64 - 1 + step),
            _ => match at(last as i64 - 1 - step) {
                b'A' => b'T',
                b'C' => b'G',
                b'G' => b'C',
                b'T' => b'A',
                other => other,
            },
        })
        .map(|letter| if letter == b'T' { 'U' } else { char::from(letter) })
        .collect()
}

fn rows(folder: &TempDir, is_packed: bool) -> (Vec<String>, Vec<Example>) {
    let end = if is_packed { ".gz" } else { "" };
    let path = |name: &str| folder.path().join(name);
    let [genome, genes] = [format!("genome.fa{end}"), format!("genes.gtf{end}")].map(|name| path(&name));
    for (path, text) in [(&genome, fasta()), (&genes, gtf())] {
        if is_packed {
            packed(path, &text);
        } else {
            fs::write(path, text).unwrap();
        }
    }
    fs::write(path("levels.tsv"), levels()).unwrap();
    let said = own(&genome, &genes, &path("levels.tsv"), &path("out.tsv")).unwrap();
    (said, read(&path("out.tsv")).unwrap())
}

#[test]
fn every_letter_of_every_window_is_that_of_the_strand() {
    let (said, rows) = rows(&TempDir::new().unwrap(), false);
    assert_eq!(said[0], "10 genes in the table of levels");
    assert!(said[1].starts_with("1 of them are not annotated"), "{said:?}");
    assert_eq!(rows.len(), GENES.len());
    for (row, (gene, contig, first, last, strand)) in rows.iter().zip(GENES) {
        assert_eq!(row.ensg, gene.split('.').next().unwrap());
        assert_eq!((row.gene.promoter.len(), row.gene.tss), (10_500, 7_000));
        assert_eq!(row.gene.promoter.to_string(), expected(contig, first, last, strand), "{gene}");
        assert_eq!(row.chromosome, contig.trim_start_matches("chr"));
    }
    assert_eq!([rows[0].split, rows[1].split, rows[2].split], [Split::Train, Split::Validation, Split::Test]);
}

#[test]
fn the_features_are_those_of_the_longest_transcript() {
    let (_, rows) = rows(&TempDir::new().unwrap(), false);
    let log = |nt: usize| Some((nt as f64 + 0.1).log10() as f32);
    for (row, (gene, _, first, last, strand)) in rows.iter().zip(GENES) {
        let features = row.gene.half_life;
        let (utr5, utr3) = if strand == '+' { (20, 30) } else { (30, 20) };
        assert_eq!(features[HalfLifeFeature::Utr5Length], log(utr5), "{gene}");
        assert_eq!(features[HalfLifeFeature::Utr3Length], log(utr3), "{gene}");
        assert_eq!(features[HalfLifeFeature::IntronLength], log(10), "{gene}");
        let coding = last - first + 1 - utr5 - utr3 - 10;
        assert_eq!(features[HalfLifeFeature::CdsLength], log(coding), "{gene}");
        assert_eq!(features[HalfLifeFeature::Measured], None);
    }
}

#[test]
fn packed_files_give_the_same() {
    let (folder, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    assert_eq!(rows(&folder, true).1, rows(&other, false).1);
}
