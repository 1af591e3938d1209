//! How alike a promoter and each of some training promoters are, by their words.

use std::cell::RefCell;

use tch::nn::{self, VarStore};
use tch::{Kind, Tensor};

use super::words::Words;
use super::{CORE, UPSTREAM, WINDOW};

/// Names of the two.
const NAMES: [&str; 2] = ["core", "whole"];
/// Shares of the three groups in the squared distance: words of the whole range, those with a gap, all parts together.
const SHARES: [f64; 3] = [0.4, 0.2, 0.4];

/// Rows that are counted at once.
const CHUNK: i64 = 1_024;
/// Variance of a group of words where all rows are alike.
const LEAST_VARIANCE: f64 = 1e-3;

/// exp(−d²), where d is the distance of two promoters by their words (n, m).
#[derive(Debug)]
pub(super) struct Likeness {
    words: Words,
    /// Letter codes of the training promoters (m, 300).
    pub(super) landmarks: Tensor,
    /// Factor of each group of words.
    scale: Tensor,
    /// What a training promoter adds to the level.
    pub(super) weights: Tensor,
    /// The level where none is alike.
    pub(super) offset: Tensor,
    /// The landmarks' codes and what came of them.
    kept: RefCell<Option<(Tensor, Points)>>,
}

/// Points of some promoters, and their squared lengths.
#[derive(Debug)]
pub(super) struct Points {
    places: Tensor,
    squares: Tensor,
}

/// The words that each of the two reads.
fn words(which: usize) -> Words {
    let core = UPSTREAM - CORE[0]..UPSTREAM + CORE[1];
    match which {
        0 => Words::new(core, &[200..235, 225..260, 250..286]),
        _ => Words::new(0..WINDOW, &[0..120, 80..190, 160..235, 215..265, 245..300]),
    }
}

impl Likeness {
    /// An empty one under a path.
    pub(super) fn new(path: &nn::Path, which: usize, landmarks: i64) -> Self {
        let (path, words) = (path / NAMES[which], words(which));
        let codes = path.zeros_no_train("landmarks", &[landmarks, WINDOW as i64]);
        let scale = path.ones_no_train("scale", &[words.sizes().len() as i64]);
        let weights = path.zeros("weights", &[landmarks]);
        let offset = path.zeros("offset", &[1]);
        Self { words, landmarks: codes, scale, weights, offset, kept: RefCell::new(None) }
    }

    /// That of a network, by its variables.
    pub(super) fn of(store: &VarStore, which: usize) -> Option<Self> {
        let variables = store.variables();
        let variable = |name: &str| Some(variables.get(&format!("{}.{name}", NAMES[which]))?.shallow_clone());
        Some(Self {
            words: words(which),
            landmarks: variable("landmarks")?,
            scale: variable("scale")?,
            weights: variable("weights")?,
            offset: variable("offset")?,
            kept: RefCell::new(None),
        })
    }

    /// How many promoters it compares with.
    pub(super) fn size(&self) -> i64 {
        self.landmarks.size()[0]
    }

    /// Sets the scale by these promoters, so that each group of words has its share in the squared distance of two of
    /// them, and draws the landmarks among them.
    pub(super) fn adapt(&self, codes: &Tensor) {
        let sizes = self.words.sizes();
        let rows = codes.size()[0];
        let zeros = || Tensor::zeros([sizes.iter().sum::<i64>()], (Kind::Double, codes.device()));
        let (mut sums, mut squares) = (zeros(), zeros());
        for codes in codes.split(CHUNK, 0) {
            let roots = self.words.roots(&codes);
            sums += roots.sum_dim_intlist(0, false, Kind::Double);
            squares += roots.square().sum_dim_intlist(0, false, Kind::Double);
        }
        let variances = squares / rows as f64 - (sums / rows as f64).square();
        let parts = sizes.len() - SHARES.len() + 1;
        let scale =
            variances.split_with_sizes(&sizes[..], 0).into_iter().enumerate().map(|(group, variances)| {
                let share =
                    SHARES.get(group).filter(|_| group < 2).copied().unwrap_or(SHARES[2] / parts as f64);
                // No word of a group differs where there are few rows.
                (share / variances.sum(Kind::Double).double_value(&[]).max(LEAST_VARIANCE)).sqrt()
            });
        let scale: Vec<f64> = scale.collect();
        self.scale.shallow_clone().copy_(&Tensor::from_slice(&scale));
        let order = Tensor::randperm(rows, (Kind::Int64, codes.device()));
        let draws = Tensor::arange(self.size(), (Kind::Int64, codes.device())).remainder(rows);
        self.landmarks.shallow_clone().copy_(&codes.index_select(0, &order.index_select(0, &draws)));
    }

    /// Codes (n, 300) to (n, m).
    pub(super) fn to_landmarks(&self, codes: &Tensor) -> Tensor {
        let points = self.points(codes);
        let mut kept = self.kept.borrow_mut();
        // Weights may be loaded at any time, and the points of a thousand promoters cost more than those of a batch.
        let stale = kept.as_ref().is_none_or(|(codes, _)| *codes != self.landmarks);
        if stale {
            *kept = Some((self.landmarks.detach().copy(), self.points(&self.landmarks)));
        }
        let (_, landmarks) = kept.as_ref().expect("it was filled just now");
        let products = points.places.matmul(&landmarks.places.tr()) * 2.0;
        let distance = &points.squares.unsqueeze(1) + &landmarks.squares.unsqueeze(0) - products;
        (-distance.clamp_min(0.0)).exp()
    }

    /// The level that it implies (n, 1).
    pub(super) fn level(&self, codes: &Tensor) -> Tensor {
        self.to_landmarks(codes).mv(&self.weights).unsqueeze(1) + &self.offset
    }

    fn points(&self, codes: &Tensor) -> Points {
        let sizes = Tensor::from_slice(&self.words.sizes()).to_device(self.scale.device());
        let factors = self.scale.repeat_interleave_self_tensor(&sizes, 0, None);
        let places = self.words.roots(codes) * factors;
        let squares = places.square().sum_dim_intlist(1, false, Kind::Float);
        Points { places, squares }
    }
}
