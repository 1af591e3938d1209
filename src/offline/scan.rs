//! `mirador scan`: a file of miRNAs against a file of transcripts.

use std::collections::HashSet;
use std::io::IsTerminal;
use std::ops::Range;
use std::path::Path;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use mirador_models::{sha256, sha256_of};
use mirna::mirbase::Mirbase;

use super::blocks::{Block, Blocks, RECORDS};
use super::engine::{Engine, Scorer};
use super::genes::{Gene, Genes, MirnaName};
use super::parallel;
use super::part::{Part, check_name};
use crate::config::{ScanConfig, ScanFormat, Shard};
use crate::http::scan_names::{Entry, probes, transcripts};
use crate::http::{Answerer, Errors, FastaRecords};
use crate::scan::{
    Line, Look, Probe, Scanned, SiteTable, TableFormat, Transcript, transcript_header, transcript_row,
};
use crate::text_file;

/// Scans, and writes the result under its name when all of it is there.
pub fn scan(config: &ScanConfig) -> Result<()> {
    check_name(&config.out)?;
    let format = config.format();
    for path in [&config.mirnas, &config.transcripts].into_iter().chain(&config.mirbase) {
        let file = std::fs::metadata(path).with_context(|| path.display().to_string())?;
        ensure!(
            file.is_file(),
            "{} is no file of its own: it is read more than once, so save it first",
            path.display()
        );
    }
    ensure!(
        format != ScanFormat::Funmirbench || config.shard.of == 1,
        "a table of genes is made of the whole file: leave --shard out"
    );
    ensure!(
        !config.scores_only || matches!(format, ScanFormat::Tsv | ScanFormat::Csv | ScanFormat::Ndjson),
        "this format is not of scores and sites: leave --scores-only out"
    );
    let look = Look {
        seedless: config.seedless,
        min_probability: config.min_probability,
        sites: !config.scores_only && format != ScanFormat::Funmirbench,
    };
    let device = config.network.open_one()?;
    mirador_models::device::set_threads(1);
    let answerer = Answerer {
        served: None,
        mirbase: config.mirbase.as_deref().map(mirbase).transpose()?.map(Into::into),
    };
    let (mirnas, names) = read_mirnas(&config.mirnas, &answerer)?;
    let mut warnings = Warnings::default();
    mirnas.iter().for_each(|mirna| warnings.add(&mirna.id, &mirna.warnings));
    let threads = config.threads();
    let named = [config.model.as_deref(), config.repression_model.as_deref()];
    // The models are loaded meanwhile: each of the two takes half a second of a short scan.
    let (checked, engine) = thread::scope(|scope| {
        let checking = scope.spawn(|| check_transcripts(&config.transcripts, threads, &answerer));
        let engine = Engine::load(&config.network, device, named);
        (checking.join().unwrap_or_else(|_| bail!("the check of the transcripts broke off")), engine)
    });
    let ((records, of_transcripts), engine) = (checked?, engine?);
    warnings.merge(of_transcripts);
    if !config.scores_only && format != ScanFormat::Ndjson {
        // A table of sites or of genes has no place for them.
        warnings.tell();
    }
    let blocks = records.div_ceil(RECORDS);
    let range = config.shard.of(blocks);
    let mut part = Part::open(&config.out, fingerprint(config, &engine)?)?;
    let first = range.start + part.done();
    let bar = progress(range.len(), part.done());
    let items = Blocks::open(&config.transcripts)?.take(range.end).skip(first);
    let scan = |scorer: &Scorer<'_>, block: Block| {
        let (genes, transcripts) = read_block(&block, &answerer)?;
        Ok((genes, scorer.scan(&mirnas, &transcripts, look)?))
    };
    if format == ScanFormat::Funmirbench && part.is_empty() {
        // Genes have transcripts anywhere in the file: the table is written at the end.
        let mut all = Genes::default();
        parallel::run(engine.scorers(threads)?, items, scan, |(genes, found)| {
            all.add(&genes, mirnas.len(), &found);
            bar.inc(1);
            Ok(())
        })?;
        part.block(&all.table(&names)?)?;
    } else if format != ScanFormat::Funmirbench {
        if part.is_empty() && config.shard.index == 1 {
            part.head(head(format, look.sites).as_bytes())?;
        }
        parallel::run(engine.scorers(threads)?, items, scan, |(_, found)| {
            part.block(&lines(format, look.sites, &found)?)?;
            bar.inc(1);
            Ok(())
        })?;
    }
    bar.finish_and_clear();
    let whole = range.len() == part.done() || format == ScanFormat::Funmirbench;
    ensure!(whole, "{} has changed while it was scanned", config.transcripts.display());
    part.finish()
}

fn mirbase(path: &Path) -> Result<Mirbase> {
    let name = || path.display().to_string();
    let text = text_file::read(path).with_context(name)?;
    Mirbase::parse(&text).with_context(name)
}

/// What tells this scan from others: settings, and the digests of files and weights.
fn fingerprint(config: &ScanConfig, engine: &Engine) -> Result<String> {
    let Shard { index, of } = config.shard;
    let settings = format!(
        "{:?} {} {} {} {index}/{of}",
        config.format(),
        config.seedless,
        config.min_probability,
        config.scores_only
    );
    let mirbase = config.mirbase.as_deref().map(sha256).transpose()?.unwrap_or_default();
    let settings = settings + env!("CARGO_PKG_VERSION") + &mirbase;
    let weights = [&engine.binding, &engine.repression].map(|dir| dir.config.sha256.clone()).concat();
    Ok(sha256_of((settings + &weights + &sha256(&config.mirnas)? + &sha256(&config.transcripts)?).as_bytes()))
}

/// Everything that is wrong, each with its line; a command without a server has nobody to ask again.
fn refuse(path: &Path, errors: Errors) -> Result<()> {
    if errors.is_empty() {
        return Ok(());
    }
    let each = errors.first.iter().map(|error| {
        let line = error.line.map_or_else(String::new, |line| format!("line {line}: "));
        format!("\n  {line}{}", error.detail)
    });
    let more = errors.all - errors.first.len();
    let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    bail!("{}:{}{more}", path.display(), each.collect::<String>())
}

fn read_mirnas(path: &Path, answerer: &Answerer) -> Result<(Vec<Probe>, Vec<MirnaName>)> {
    let (mut entries, mut names) = (Vec::new(), Vec::new());
    for block in Blocks::open(path)? {
        for (header, entry) in entries_of(&block?).with_context(|| path.display().to_string())? {
            names.push(MirnaName::of(&header));
            entries.push(entry);
        }
    }
    let mut errors = Errors::default();
    let probes = probes(entries, answerer, &mut errors);
    refuse(path, errors)?;
    Ok((probes, names))
}

/// Reads all transcripts once before the first is scanned, so that a wrong one ends no run of hours; tells their number,
/// and what was assumed in reading them.
fn check_transcripts(path: &Path, threads: usize, answerer: &Answerer) -> Result<(usize, Warnings)> {
    let (mut errors, mut seen, mut records) = (Errors::default(), HashSet::new(), 0);
    let mut warnings = Warnings::default();
    let read = |(): &(), block: Block| {
        let entries = entries_of(&block).with_context(|| path.display().to_string())?;
        let (_, entries): (Vec<String>, Vec<Entry>) = entries.into_iter().unzip();
        let ids: Vec<(Option<u64>, u128)> =
            entries.iter().map(|entry| (entry.line, digest(&entry.id))).collect();
        let (mut of_block, mut assumed) = (Errors::default(), Warnings::default());
        for Transcript { id, warnings, .. } in transcripts(entries, answerer, &mut of_block) {
            assumed.add(&id, &warnings);
        }
        Ok((ids, of_block, assumed))
    };
    let blocks = Blocks::open(path)?;
    parallel::run(vec![(); threads], blocks, read, |(ids, of_block, assumed)| {
        records += ids.len();
        // Those that are twice in this block are among its errors.
        let mut here = HashSet::new();
        let firsts = ids.into_iter().filter(|(_, id)| here.insert(*id));
        let twice = firsts.filter(|(_, id)| !seen.insert(*id));
        errors.extend(twice.map(|(line, _)| Entry::same_id(line)));
        errors.merge(of_block);
        warnings.merge(assumed);
        Ok(())
    })?;
    refuse(path, errors)?;
    ensure!(records > 0, "{} has no record", path.display());
    Ok((records, warnings))
}

/// What was assumed in reading miRNAs and transcripts: the first of them, and how many there are.
#[derive(Default)]
struct Warnings {
    first: Vec<String>,
    all: usize,
}

impl Warnings {
    /// So many are told; a terminal holds no more.
    const MOST: usize = 20;

    fn add(&mut self, id: &str, of: &[String]) {
        self.all += of.len();
        self.first.extend(of.iter().map(|warning| format!("{id}: {warning}")));
        self.first.truncate(Self::MOST);
    }

    fn merge(&mut self, other: Self) {
        self.all += other.all;
        self.first.extend(other.first);
        self.first.truncate(Self::MOST);
    }

    fn tell(&self) {
        self.first.iter().for_each(|warning| eprintln!("mirador: {warning}"));
        let more = self.all - self.first.len();
        if more > 0 {
            eprintln!(
                "mirador: and {more} more warnings; --format ndjson and --scores-only have them beside the scores"
            );
        }
    }
}

/// Half of its SHA-256: names of a million transcripts are kept as that.
fn digest(id: &str) -> u128 {
    u128::from_str_radix(&sha256_of(id.as_bytes())[..32], 16).unwrap_or_default()
}

fn read_block(block: &Block, answerer: &Answerer) -> Result<(Vec<Gene>, Vec<Transcript>)> {
    let (headers, entries): (Vec<String>, Vec<Entry>) = entries_of(block)?.into_iter().unzip();
    let mut errors = Errors::default();
    let transcripts = transcripts(entries, answerer, &mut errors);
    refuse(Path::new("transcripts"), errors)?;
    Ok((headers.iter().map(|header| Gene::of(header)).collect(), transcripts))
}

/// Headers, and what stands below them.
fn entries_of(block: &Block) -> Result<Vec<(String, Entry)>> {
    let records = FastaRecords::of(block.text.clone(), None);
    let records = records.map_err(|error| anyhow::anyhow!("line {}: {}", block.line, error.detail))?;
    Ok(records.map(|record| (record.header.clone(), Entry::of_record(record, block.line - 1))).collect())
}

/// What stands before all sites or scores.
fn head(format: ScanFormat, sites: bool) -> String {
    match (format.table(), sites) {
        (Some(TableFormat::Delimited(delimiter)), false) => transcript_header(delimiter),
        (Some(table), _) => SiteTable(table).header(),
        (None, _) => String::new(),
    }
}

fn lines(format: ScanFormat, sites: bool, found: &[Scanned]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for Scanned { score, sites: of_item } in found {
        match (format.table(), sites) {
            (Some(TableFormat::Delimited(delimiter)), false) => {
                text.extend(transcript_row(delimiter, score).into_bytes());
            }
            (Some(table), _) => {
                of_item.iter().for_each(|site| text.extend(SiteTable(table).row(site).into_bytes()))
            }
            (None, _) => {
                let line = Line { transcript: score, sites: sites.then_some(of_item), done: None, of: None };
                serde_json::to_writer(&mut text, &line)?;
                text.push(b'\n');
            }
        }
    }
    Ok(text)
}

impl Shard {
    /// Which of so many blocks it has.
    fn of(self, blocks: usize) -> Range<usize> {
        (self.index - 1) * blocks / self.of..self.index * blocks / self.of
    }
}

/// On a terminal only.
fn progress(blocks: usize, done: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} blocks of transcripts, {eta} left");
    let bar = ProgressBar::new(blocks as u64).with_style(style.expect("the template is a constant"));
    bar.inc(done as u64);
    bar
}
