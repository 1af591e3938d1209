//! What a model is to the rest of the house.

use mirna::sites::{Context, SeedSite};
use tch::{Tensor, nn};

use crate::encoder::MakeEncoder;
use crate::tasks::Task;
use crate::tasks::target_site::{Competitor, Pair};
use crate::{LoadError, Options, Tensors};

/// One kind of network: how its input is encoded and how it is built.
pub struct Model {
    /// The name in requests and of the folder under `weights/`.
    pub name: &'static str,
    /// The question it answers.
    pub task: Task,
    /// One sentence for `/v1/models`, with the paper.
    pub description: &'static str,
    /// What each answer depends on and does not show; said in every reply's `warnings` and in `/v1/models`.
    pub caution: Option<&'static str>,
    /// From letters to numbers, with the switches of its `config.json`.
    pub encoder: MakeEncoder,
    /// Builds the network under a path, initialised as the paper trains it, with the switches of its
    /// `config.json`.
    pub network: fn(&nn::Path, &Options) -> Result<Network, LoadError>,
    /// Sets variables that are not trained (scalers) from the training rows: inputs (n, width) and targets (n).
    pub adapt: Option<fn(&nn::VarStore, &Tensor, &Tensor)>,
    /// Whether that sets all variables, so that no epoch follows.
    pub adapt_is_all: bool,
    /// Variables whose absolute values the paper adds to the loss (L1).
    pub l1_variables: &'static [&'static str],
    /// Which letters pair, by the trained weights, where the model knows.
    pub pairing: Option<MakePairing>,
    /// Makes panels of callers, where the model compares a pair's miRNA with others.
    pub panels: Option<MakePanels>,
    /// What a site adds to its gene's output, where a gene's is their sum.
    pub site_effects: Option<MakeSiteEffects>,
    /// Turns the tensors of the authors' published file into ours, where there is one.
    pub from_published: Option<fn(Tensors) -> Result<Tensors, LoadError>>,
}

/// Layers that map (n, the encoder's `width`) to (n, 1): a logit, or the level of expression.
pub trait Layers: nn::ModuleT {
    /// Slope and offset of the logit, which are fitted on validation rows after training; at first 1 and 0. `None`
    /// where the logit stays as it was trained.
    fn calibration(&self) -> Option<Tensor> {
        None
    }

    /// From now on keeps what frozen layers make of each input, for a trainer that shows the same ones again and again.
    /// Frozen weights must be in place before, and a served network is never asked for it.
    fn remember_frozen(&self) {}

    /// Outputs of inner layers by name, for whoever reads what they have learned: each (n, …), as in a forward pass
    /// without dropout. Empty where a network shows none.
    fn stages(&self, _input: &Tensor) -> Vec<(&'static str, Tensor)> {
        Vec::new()
    }

    /// What each letter of the input stands for as numbers that may take any value between: (n, letters, values). `None`
    /// where a network reads whole letters only.
    fn embed(&self, _input: &Tensor) -> Option<Tensor> {
        None
    }

    /// The output for what [`Layers::embed`] gives, without dropout; `None` where that is `None`.
    fn forward_embedded(&self, _embedded: &Tensor) -> Option<Tensor> {
        None
    }
}

/// One network.
pub type Network = Box<dyn Layers>;

/// Reads what it needs from a network's variables.
pub type MakePairing = fn(&nn::VarStore) -> Result<Pairing, LoadError>;

/// The pairs of a duplex as dots and brackets, the miRNA 5'→3', `&`, the site 5'→3'.
pub type Pairing = Box<dyn Fn(&Pair) -> String + Send + Sync>;

/// Reads what it needs from a network's variables; none where this version reads no panel.
pub type MakePanels = fn(&nn::VarStore) -> Result<Option<Panels>, LoadError>;

/// Makes a caller's panel, which takes the place of the network's own.
pub type Panels = Box<dyn Fn(&[Competitor]) -> Competition + Send + Sync>;

/// Compares a pair's miRNA with those of a panel, and writes into the pair's encoded input how it stands to them: the
/// network reads that in place of what its own panel says. So a row's output depends on nothing but the row and its panel.
pub type Competition = Box<dyn Fn(&Pair, &mut [f32]) + Send + Sync>;

/// Reads what it needs from a network's variables.
pub type MakeSiteEffects = fn(&nn::VarStore) -> Result<SiteEffects, LoadError>;

/// What a site adds, in its surroundings on a 3'UTR of so many letters.
pub type SiteEffects = Box<dyn Fn(SeedSite, &Context, usize) -> f64 + Send + Sync>;
