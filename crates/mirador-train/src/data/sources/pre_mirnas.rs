//! The 1,124 hairpins of Zheng 2019 (miRBase 21, Wen 2015) and their mature arms (Rorbach 2018). Traps: the files of
//! Zheng have no header; the 201 putative mirtrons are written with T and nothing else is, so that the alphabet tells
//! the class; some sequences occur more than once, two of them under both labels.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mirador_models::tasks::pre_mirna::LENGTHS;
use mirna::Rna;
use serde::Deserialize;

use super::Tally;
use super::python_random::shuffle;

const ZHENG: &str = "pre_mirnas/zhengxueming+cnnMirtronPred";
const RORBACH: &str = "pre_mirnas/ror94+mirtrons";
/// Zheng's file, Rorbach's file with the same hairpins.
const FILES: [(&str, &str); 2] =
    [("miRBase_set.csv", "data.csv"), ("putative_mirtrons_set.csv", "testdata.csv")];
/// Seed of Python's generator in Zheng's code, and how many of each class are the test.
const SEED: u32 = 2;
const TEST_MIRTRONS: usize = 201;
const TEST_CANONICAL: usize = 200;

/// One published hairpin.
pub struct Hairpin {
    /// Name in miRBase, or of the transcript that holds the intron.
    pub id: String,
    /// Zheng's file.
    pub source: &'static str,
    /// Whether it belongs to the published test.
    pub test: bool,
    /// The hairpin.
    pub sequence: Rna,
    /// The mature miRNA on the 5' arm.
    pub mature5p: Rna,
    /// The one on the 3' arm.
    pub mature3p: Rna,
    /// Whether it is a mirtron.
    pub mirtron: bool,
}

#[derive(Deserialize)]
struct Arms {
    hairpin_name: String,
    mature5p_seq: String,
    mature3p_seq: String,
}

/// The hairpins in the order that Zheng's code gives them, with its split.
pub fn pre_mirnas(data: &Path, tally: &mut Tally) -> Result<Vec<Hairpin>> {
    let mut hairpins = Vec::new();
    let mut thymines = 0;
    for (zheng, rorbach) in FILES {
        let mut arms = arms(&data.join(RORBACH).join(rorbach))?;
        let path = data.join(ZHENG).join(zheng);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_path(&path)
            .with_context(|| format!("public file {}", path.display()))?;
        for record in reader.deserialize() {
            let (id, letters, class): (String, String, String) = record.with_context(|| zheng)?;
            thymines += usize::from(letters.contains('T'));
            let (mature5p, mature3p) = arms.remove(&id).with_context(|| format!("{id}: no mature arms"))?;
            let sequence = Rna::trusted(&letters, LENGTHS).with_context(|| id.clone())?;
            let mirtron = class == "TRUE";
            ensure!(mirtron || class == "FALSE", "{id}: class {class:?}");
            let source = zheng.trim_end_matches(".csv");
            hairpins.push(Hairpin { id, source, test: false, sequence, mature5p, mature3p, mirtron });
        }
    }
    tally.count(thymines, "hairpins written with T, all of them mirtrons: T read as U");
    split(&mut hairpins);
    count_repeats(&hairpins, tally);
    Ok(hairpins)
}

fn arms(path: &Path) -> Result<HashMap<String, (Rna, Rna)>> {
    let reader = csv::Reader::from_path(path).with_context(|| format!("public file {}", path.display()))?;
    let read = |record: Result<Arms, csv::Error>| {
        let Arms { hairpin_name, mature5p_seq, mature3p_seq } = record?;
        Ok((hairpin_name, (mature5p_seq.parse()?, mature3p_seq.parse()?)))
    };
    reader.into_deserialize().map(read).collect::<Result<_>>().with_context(|| path.display().to_string())
}

/// Zheng's: shuffled by Python, the first hairpins of each class are the test.
fn split(hairpins: &mut [Hairpin]) {
    shuffle(hairpins, SEED);
    for (mirtron, size) in [(true, TEST_MIRTRONS), (false, TEST_CANONICAL)] {
        let of_class = hairpins.iter_mut().filter(|hairpin| hairpin.mirtron == mirtron);
        of_class.take(size).for_each(|hairpin| hairpin.test = true);
    }
}

fn count_repeats(hairpins: &[Hairpin], tally: &mut Tally) {
    let mut rows_of: HashMap<&Rna, Vec<&Hairpin>> = HashMap::new();
    hairpins.iter().for_each(|hairpin| rows_of.entry(&hairpin.sequence).or_default().push(hairpin));
    let repeated: Vec<_> = rows_of.values().filter(|rows| rows.len() > 1).collect();
    let rows: usize = repeated.iter().map(|rows| rows.len()).sum();
    tally.count(
        repeated.len(),
        format!("sequences occur more than once ({rows} rows): kept, one family each"),
    );
    let labels = |rows: &&&Vec<&Hairpin>| rows.iter().map(|row| row.mirtron).collect::<HashSet<_>>().len();
    let both = repeated.iter().filter(|rows| labels(rows) > 1).count();
    tally.count(both, "sequences carry both labels: kept here, both rows dropped by grouped folds");
}
