//! What a task adds to the loop: the rows of an epoch, the rows that choose and that measure, and the baselines.

use anyhow::Result;
use mirador_models::Replica;
use mirador_models::tasks::expression::Gene;
use mirador_models::tasks::pre_mirna::PreMirna;
use mirador_models::tasks::target_site::Pair;
use mirador_models::tasks::{Input, probability};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::recipe::Stage;

/// A row and what the network should say of it; a class may be soft.
pub type Labelled = (Input, f32);

/// A row that is measured, not trained on.
#[derive(Clone, Debug)]
pub struct Row {
    /// Tells the row from others: the gene's accession, the hairpin's name, or both sequences of a pair.
    pub id: String,
    /// What the network reads.
    pub input: Input,
    /// 1 or 0, or the measured level.
    pub target: f32,
    /// Rows of one group (site cluster, hairpin family, chromosome) are not independent.
    pub group: usize,
    /// Validation metrics are means over strata, since the largest would decide alone otherwise.
    pub stratum: String,
}

/// What can be had without the network, by what it reads; cards, reports and `metrics.json` print these names.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Baseline {
    /// Share of positives among training rows with this miRNA.
    #[strum(serialize = "miRNA only")]
    Mirna,
    /// Share of positives among training rows with this very site.
    #[strum(serialize = "exact site only")]
    ExactSite,
    /// Words of five letters in the site.
    #[strum(serialize = "site 5-mers (naive Bayes)")]
    SiteWords,
    /// Share of positives among training rows with a site of this length.
    #[strum(serialize = "site length")]
    SiteLength,
    /// Share of positives among training rows with a miRNA of this length.
    #[strum(serialize = "miRNA length")]
    MirnaLength,
    /// The best canonical seed match.
    #[strum(serialize = "seed class")]
    SeedClass,
    /// The miRNA's share of positives and the seed class: the label without the pairing beyond the seed.
    #[strum(serialize = "miRNA share and seed class")]
    MirnaAndSeed,
    /// The best local duplex, by weights that no training chose.
    #[strum(serialize = "aligner, no training")]
    Aligner,
    /// The least free energy of any duplex of both, as RNAduplex computes it; the lower, the higher the score.
    #[strum(serialize = "duplex energy (Turner 2004)")]
    DuplexEnergy,
    /// The splice acceptor UAG or CAG at the 3' end.
    #[strum(serialize = "ends in YAG")]
    EndsInYag,
    /// AG at the 3' end.
    #[strum(serialize = "ends in AG")]
    EndsInAg,
    /// Mirtrons are short introns.
    #[strum(serialize = "length < 70")]
    Short,
    /// Length, letters and ends.
    #[strum(serialize = "logistic regression, 7 features of the sequence")]
    HairpinFeatures,
    /// Length, letters and ends, fitted on ends cut as well.
    #[strum(serialize = "logistic regression, 7 features, ends cut at random")]
    HairpinFeaturesMoved,
    /// Composition, ends and the structure of least free energy.
    #[strum(serialize = "logistic regression, with structure")]
    HairpinNumbers,
    /// These, fitted on ends cut as well.
    #[strum(serialize = "logistic regression, with structure, ends cut at random")]
    HairpinNumbersMoved,
    /// Numbers of the hairpin and of both its mature miRNAs, by the classifiers of Rorbach 2018.
    #[strum(serialize = "Rorbach's 21 numbers, support vectors")]
    RorbachSvm,
    /// These, in trees.
    #[strum(serialize = "Rorbach's 21 numbers, random forest")]
    RorbachForest,
    /// These, along one line.
    #[strum(serialize = "Rorbach's 21 numbers, linear discriminant")]
    RorbachDiscriminant,
    /// These, weighed one by one.
    #[strum(serialize = "Rorbach's 21 numbers, logistic regression")]
    RorbachLogistic,
    /// These, in one tree.
    #[strum(serialize = "Rorbach's 21 numbers, decision tree")]
    RorbachTree,
    /// These, as if independent.
    #[strum(serialize = "Rorbach's 21 numbers, naive Bayes")]
    RorbachBayes,
    /// Short words of the promoter.
    #[strum(serialize = "promoter: 1- to 4-mers, ridge")]
    PromoterWords,
    /// Words of up to six letters of the promoter, weighed one by one.
    #[strum(serialize = "promoter: 1- to 6-mers, ridge")]
    PromoterLongWords,
    /// Words of up to four letters of the promoter, in trees.
    #[strum(serialize = "promoter: 1- to 4-mers, boosting")]
    PromoterWordTrees,
    /// Words of up to six letters of the promoter, in trees.
    #[strum(serialize = "promoter: 1- to 6-mers, boosting")]
    PromoterLongWordTrees,
    /// Composition of the promoter.
    #[strum(serialize = "promoter: GC content and CpG")]
    PromoterGc,
    /// The half-life.
    #[strum(serialize = "half-life, its value")]
    HalfLife,
    /// Half-lives were measured of expressed genes.
    #[strum(serialize = "half-life, whether it is known")]
    HalfLifeKnown,
    /// Short words of the promoter, and the half-life.
    #[strum(serialize = "1- to 4-mers and half-life, ridge")]
    PromoterWordsAndHalfLife,
    /// Targets of miRNAs are recorded of genes that are studied.
    #[strum(serialize = "any record of a miRNA")]
    AnyRecord,
    /// The authors' network on the promoter that they read.
    #[strum(serialize = "published Xpresso, 10.5 kb, no half-life")]
    PublishedXpresso,
    /// Mean log2 fold changes by class, without what surrounds a site.
    #[strum(serialize = "seed sum (8mer .31, 7mer-m8 .161, 7mer-A1 .099, 6mer .03)")]
    SeedSum,
    /// The strongest canonical site.
    #[strum(serialize = "best site class")]
    BestSite,
    /// Canonical sites but the 6mers.
    #[strum(serialize = "7mers and 8mers, counted")]
    SitesCounted,
    /// Long 3'UTRs have more of everything.
    #[strum(serialize = "3'UTR length")]
    UtrLength,
    /// Share of A and U among the known letters.
    #[strum(serialize = "AU content of the 3'UTR")]
    UtrAu,
    /// Some genes go down whatever is transfected.
    #[strum(serialize = "gene's mean under other groups' miRNAs")]
    GeneMean,
    /// That mean where no series was centred.
    #[strum(serialize = "gene's mean under other groups' miRNAs, not centred")]
    GeneMeanRaw,
}

impl Baseline {
    /// Whether it reads what the network beside it does not: another promoter, or where the mature miRNAs lie.
    pub fn reads_more(self) -> bool {
        matches!(
            self,
            Self::PublishedXpresso
                | Self::RorbachSvm
                | Self::RorbachForest
                | Self::RorbachDiscriminant
                | Self::RorbachLogistic
                | Self::RorbachTree
                | Self::RorbachBayes
        )
    }
}

impl TryFrom<String> for Baseline {
    type Error = strum::ParseError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

/// A baseline's scores for some rows.
#[derive(Clone, Debug)]
pub struct Scored {
    /// Whose.
    pub baseline: Baseline,
    /// One score for each row. Classes are ranked by it; where calls are counted, one half is the threshold.
    pub scores: Vec<f64>,
}

/// A baseline, fitted on training rows.
pub struct FittedBaseline<'a> {
    /// What it reads.
    pub baseline: Baseline,
    /// What it says of a row.
    pub score: Box<dyn Fn(&Row) -> f64 + 'a>,
}

impl<'a> FittedBaseline<'a> {
    /// A baseline and its score.
    pub fn new(baseline: Baseline, score: impl Fn(&Row) -> f64 + 'a) -> Self {
        Self { baseline, score: Box::new(score) }
    }

    /// What it says of the rows.
    pub fn score(&self, rows: &[Row]) -> Scored {
        Scored { baseline: self.baseline, scores: rows.iter().map(&self.score).collect() }
    }
}

/// One split of the rows.
#[derive(Debug, Default)]
pub struct Fold {
    /// Rows of every class: what the optimiser sees, and what the baselines are fitted on.
    pub train: Vec<Row>,
    /// Chooses the epoch and the seed.
    pub validation: Vec<Row>,
    /// By name; measured once, after everything was chosen.
    pub tests: Vec<(String, Vec<Row>)>,
}

/// The data of one recipe.
pub trait Experiment {
    /// Most recipes have one.
    fn folds(&self) -> &[Fold];
    /// The rows of one epoch of a stage; the same for the same `rng`.
    fn draw(&self, fold: usize, stage: &Stage, rng: &mut ChaCha8Rng) -> Result<Vec<Labelled>>;
    /// What can be had without the network.
    fn baselines<'a>(&'a self, train: &'a [Row]) -> Vec<FittedBaseline<'a>>;
    /// The fold whose network is shipped; where there is none, validation chooses.
    fn shipped_fold(&self) -> Option<usize> {
        None
    }
    /// The card's paragraph on the data.
    fn description(&self) -> String;
}

impl Row {
    /// Whether a class is the positive one.
    pub fn label(&self) -> bool {
        self.target >= 0.5
    }

    /// The pair of a target-site row.
    pub fn pair(&self) -> &Pair {
        match &self.input {
            Input::Pair(pair) => pair,
            _ => unreachable!("an experiment holds rows of its own task"),
        }
    }

    /// The hairpin of a pre-miRNA row.
    pub fn pre_mirna(&self) -> &PreMirna {
        match &self.input {
            Input::PreMirna(pre_mirna) => pre_mirna,
            _ => unreachable!("an experiment holds rows of its own task"),
        }
    }

    /// The gene of an expression row.
    pub fn gene(&self) -> &Gene {
        match &self.input {
            Input::Gene(gene) => gene,
            _ => unreachable!("an experiment holds rows of its own task"),
        }
    }
}

/// The rows as the optimiser takes them.
pub fn labelled(rows: &[Row]) -> Vec<Labelled> {
    rows.iter().map(|row| (row.input.clone(), row.target)).collect()
}

/// The rows' targets.
pub fn targets(rows: &[Row]) -> Vec<f64> {
    rows.iter().map(|row| f64::from(row.target)).collect()
}

/// The rows' groups.
pub fn groups(rows: &[Row]) -> Vec<usize> {
    rows.iter().map(|row| row.group).collect()
}

/// What a network says of the rows: probabilities, or levels.
pub fn scores(replica: &Replica, rows: &[Row]) -> Vec<f64> {
    let inputs: Vec<Input> = rows.iter().map(|row| row.input.clone()).collect();
    let two_classes = replica.encoder.task().has_two_classes();
    let of = |output: f32| f64::from(if two_classes { probability(output) } else { output });
    replica.score(&inputs).into_iter().map(of).collect()
}

/// Whether these say nothing of the rows.
pub fn is_constant(scores: &[f64]) -> bool {
    scores.windows(2).all(|pair| pair[0] == pair[1])
}
