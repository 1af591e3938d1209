//! Integrated gradients of a network that reads its input as it is (one-hot), against an input of N alone.

use mirador_models::Replica;
use mirador_models::tasks::Input;
use mirador_models::tasks::target_site::Pair;
use mirna::{Base, Rna};
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::curves::StrandCurves;
use super::moments::{Moments, Point};

/// Steps on the way from N to the letters.
const STEPS: i64 = 64;
/// Values of one letter.
const VALUES: usize = 4;
/// Values of the miRNA's map of DMISO: thirty letters.
const MIRNA_VALUES: usize = 30 * VALUES;

/// What the letters add to the logit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gradients {
    /// Steps of the integral.
    pub steps: i64,
    /// Rows.
    pub rows: usize,
    /// Mean attribution by position of the miRNA, from its 5' end.
    pub mirna: Vec<Point>,
    /// Mean attribution by position of the part of the site that is read, likewise.
    pub site: Vec<Point>,
    /// Mean absolute difference of the attributions' sum to the logit less that of N alone: 0 were the integral exact.
    pub completeness_error: f64,
    /// Mean absolute logit less that of N alone, to compare with.
    pub mean_difference: f64,
}

/// Integrates along a straight line, on the logit. For DMISO.
pub fn gradients(replica: &Replica, pairs: &[Pair]) -> Gradients {
    let values = |pair: Pair| replica.encoder.encode(&Input::Pair(pair)).values;
    let hidden = |rna: &Rna| rna.iter().map(|_| Base::N).collect::<Rna>();
    let [mut mirna, mut site]: [Vec<Moments>; 2] = Default::default();
    let (mut error, mut difference) = (Moments::default(), Moments::default());
    for pair in pairs {
        let letters = Tensor::from_slice(&values(pair.clone()));
        let unknown =
            Tensor::from_slice(&values(Pair { mirna: hidden(&pair.mirna), site: hidden(&pair.site) }));
        let way = (Tensor::arange(STEPS, (tch::Kind::Float, tch::Device::Cpu)) + 0.5) / STEPS as f64;
        let step = (&letters - &unknown).unsqueeze(0);
        let device = replica.store.device();
        let inputs =
            (unknown.unsqueeze(0) + way.unsqueeze(1) * &step).to_device(device).set_requires_grad(true);
        let output = replica.network.forward_t(&inputs, false).sum(tch::Kind::Float);
        let slope = &Tensor::run_backward(&[output], &[&inputs], false, false)[0];
        let added = slope.to_device(tch::Device::Cpu).mean_dim(0, false, tch::Kind::Float) * step.squeeze();
        let added: Vec<f32> = (0..added.numel() as i64).map(|at| added.double_value(&[at]) as f32).collect();
        let ends = replica.forward(&[values(pair.clone()), copied(&unknown)].concat());
        let whole = f64::from(ends[0] - ends[1]);
        error.push((whole - added.iter().map(|value| f64::from(*value)).sum::<f64>()).abs());
        difference.push(whole.abs());
        let (of_mirna, of_site) = added.split_at(MIRNA_VALUES);
        add(&mut mirna, of_mirna, pair.mirna.len());
        add(&mut site, of_site, pair.site.len());
    }
    let least = pairs.len() / 10;
    let points = |sums: Vec<Moments>| -> Vec<Point> {
        let points = sums.iter().zip(1..).map(|(sums, position)| sums.at(position));
        points.filter(|point| point.rows >= least).collect()
    };
    Gradients {
        steps: STEPS,
        rows: pairs.len(),
        mirna: points(mirna),
        site: points(site),
        completeness_error: error.mean(),
        mean_difference: difference.mean(),
    }
}

impl Gradients {
    /// The attributions in place of the importance of letters, for a picture.
    pub fn curves(&self) -> Vec<StrandCurves> {
        let of_strand = |(strand, points): (&str, &Vec<Point>)| StrandCurves {
            strand: strand.to_owned(),
            masks: Vec::new(),
            importance: points.clone(),
            perturbation: Vec::new(),
        };
        [("mirna", &self.mirna), ("site", &self.site)].into_iter().map(of_strand).collect()
    }
}

fn copied(tensor: &Tensor) -> Vec<f32> {
    let mut values = vec![0.0; tensor.numel()];
    tensor.copy_data(&mut values, tensor.numel());
    values
}

fn add(sums: &mut Vec<Moments>, values: &[f32], letters: usize) {
    let letters = letters.min(values.len() / VALUES);
    sums.resize(sums.len().max(letters), Moments::default());
    for (sums, values) in sums.iter_mut().zip(values.chunks(VALUES)).take(letters) {
        sums.push(values.iter().map(|value| f64::from(*value)).sum());
    }
}
