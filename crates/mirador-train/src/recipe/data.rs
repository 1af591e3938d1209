//! A recipe's rows, by task.

use mirador_models::tasks::Task;
use serde::{Deserialize, Serialize};

use super::is_default;

/// The rows, by task. A dataset is a file of `prepare`, without its ending.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// Pairs of a miRNA and a site.
    TargetSites(TargetSites),
    /// Pairs of a miRNA as it was read and its site.
    IsomirReads(IsomirReads),
    /// Pairs with a teacher's opinion.
    TaughtPairs(TaughtPairs),
    /// Hairpins.
    PreMirnas(PreMirnas),
    /// Genes with their levels.
    Expression(Genes),
    /// Genes with their 3'UTRs, and what became of them in experiments.
    Repression(Experiments),
}

/// Pairs of a miRNA and a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetSites {
    /// The file.
    pub dataset: String,
    /// Which rows are trained on, choose and measure.
    pub split: SiteSplit,
    /// Sources that are not trained on: their rows are the validation, which then tells how the network does on an
    /// experiment that it never saw.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unseen_sources: Vec<String>,
    /// Negatives for each positive, where fewer are wanted than `prepare` made; of a random split only.
    #[serde(default, skip_serializing_if = "is_default")]
    pub negatives: Option<f64>,
    /// Share of the site clusters whose rows take part, training, validation and tests alike, always the same ones; left
    /// out, all of them. For comparisons that all rows would make too long.
    #[serde(default, skip_serializing_if = "is_default")]
    pub part: Option<f64>,
}

/// What a stage trains on, each epoch drawn anew.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteRows {
    /// Whether the split's training rows take part.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub examples: bool,
    /// Synthetic pairs labelled by the aligner: see `teacher`.
    #[serde(skip_serializing_if = "is_default")]
    pub synthetic: usize,
    /// Pairs with a site of random letters, which bind nothing: see `teacher::unrelated`.
    #[serde(skip_serializing_if = "is_default")]
    pub random: usize,
    /// Share of the aligner's opinion in the label of a training row.
    #[serde(skip_serializing_if = "is_default")]
    pub teacher: f32,
    /// Share of training sites that are moved along their transcript: see `augment`.
    #[serde(skip_serializing_if = "is_default")]
    pub shifted: f64,
    /// Share of training sites cut to a random 26 nt or more.
    #[serde(skip_serializing_if = "is_default")]
    pub cropped: f64,
    /// Share of training sites cut to 20 to 50 nt that hold the duplex.
    #[serde(skip_serializing_if = "is_default")]
    pub cut: f64,
    /// Share of the predicted sites among the training rows that takes part, see `dataset::PREDICTED`.
    #[serde(skip_serializing_if = "is_default")]
    pub predicted: f64,
    /// Share of the training rows that takes part, always the same ones; left out, all of them.
    #[serde(skip_serializing_if = "is_default")]
    pub only: Option<f64>,
}

impl Default for SiteRows {
    fn default() -> Self {
        Self {
            examples: true,
            synthetic: 0,
            random: 0,
            teacher: 0.0,
            shifted: 0.0,
            cropped: 0.0,
            cut: 0.0,
            predicted: 0.0,
            only: None,
        }
    }
}

/// How target sites are split, and what their negatives are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteSplit {
    /// Positives split by site cluster and miRNA family as `prepare` did; negatives by partner permutation, fresh
    /// each epoch, so that neither sequence alone tells the label.
    BiasFree,
    /// The same, and every validation row and test stands there once more with its site cut to 20 to 50 nt. Predicted
    /// sites neither choose nor measure.
    BiasFreeLengths,
    /// DMISO's: a random split of pairs, 80 : 20; of the 80, a tenth is validation. A negative is the same
    /// miRNA with a window of a 3'UTR.
    Paper,
    /// That split; a negative is the same miRNA with a window of the very 3'UTR that the site lies in.
    PaperTranscripts,
    /// A random split, 80 : 20; of the 80, a fifth is validation (miTAR).
    RandomFifths,
    /// The split that the data were published with.
    Published,
    /// The same, with miRNA families held out of the training rows: some choose, some measure.
    PublishedFamilies,
}

/// Pairs with a teacher's opinion: one split, and nothing to choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaughtPairs {}

/// Pairs of a miRNA as it was read and its site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsomirReads {
    /// Which rows are trained on, choose and measure.
    pub split: ReadSplit,
}

/// How reads are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadSplit {
    /// Ten folds of pairs; a tenth of the other nine is validation.
    TenFolds,
    /// Half of the miRNAs, with their isomiRs, are held out; a tenth of the other half's rows is validation.
    UnseenMirnas,
}

/// Hairpins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreMirnas {
    /// Which rows are trained on, choose and measure.
    pub split: HairpinSplit,
    /// Letters that either end may lose. Above 0 an epoch holds each hairpin six times: twice whole, twice with ends cut at
    /// random, drawn anew, and twice cut at the ends of its mature arms; validation rows stand once in each form.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ends_moved: usize,
    /// Whether the validation rows are trained on as well, so that they choose nothing: the last stage keeps its last epoch.
    #[serde(default, skip_serializing_if = "is_default")]
    pub validation_trained: bool,
}

/// How hairpins are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HairpinSplit {
    /// The split of Zheng 2019.
    Published,
    /// Five stratified folds; a tenth of the other four is validation.
    Folds,
    /// The same, but whole families stand in one fold.
    GroupedFolds,
    /// Five grouped folds, which measure, and a last one that holds nothing out but a validation tenth: its network is shipped.
    GroupedFoldsAndAll,
}

/// Genes with their levels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genes {
    /// The file.
    pub dataset: String,
    /// Which genes are trained on, choose and measure.
    #[serde(default, skip_serializing_if = "is_default")]
    pub split: GeneSplit,
}

/// How genes are split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GeneSplit {
    /// The dataset's: Xpresso's, or the user's own.
    #[default]
    Published,
    /// A fixed tenth of the training genes chooses; validation and test genes together measure, in each window of 60, 86
    /// and 300 nt, with the promoter alone and with what is known of the half-life.
    Windows,
}

/// Experiments that over-expressed a miRNA; one seed group after the other is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiments {
    /// The file.
    pub dataset: String,
}

impl Data {
    /// The dataset's name.
    pub fn dataset(&self) -> &str {
        match self {
            Self::TargetSites(TargetSites { dataset, .. })
            | Self::Expression(Genes { dataset, .. })
            | Self::Repression(Experiments { dataset }) => dataset,
            Self::IsomirReads(_) => "isomir_reads",
            Self::TaughtPairs(_) => "taught_pairs",
            Self::PreMirnas(_) => "pre_mirnas",
        }
    }

    /// The share of the rows that takes part, where that is not all of them.
    pub fn part(&self) -> Option<f64> {
        match self {
            Self::TargetSites(TargetSites { part, .. }) => *part,
            _ => None,
        }
    }

    /// Whose rows they are.
    pub fn task(&self) -> Task {
        match self {
            Self::TargetSites(_) | Self::IsomirReads(_) | Self::TaughtPairs(_) => Task::TargetSite,
            Self::PreMirnas(_) => Task::PreMirna,
            Self::Expression(_) => Task::Expression,
            Self::Repression(_) => Task::Repression,
        }
    }
}
