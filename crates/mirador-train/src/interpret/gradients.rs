//! Integrated gradients (Sundararajan et al. 2017) along a straight line from a row of N alone: what each letter adds to
//! the logit. For networks whose letters are vectors, as values (DMISO) or by an embedding (miTAR).

use mirador_models::Replica;
use mirador_models::interpret::{Change, variants};
use mirador_models::tasks::Input;
use mirador_models::tasks::target_site::Pair;
use mirna::{Base, Rna};
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::curves::StrandCurves;
use super::moments::{Moments, Point};

/// Steps on the way from N to the letters.
const STEPS: i64 = 64;

/// What the letters add to the logit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gradients {
    /// Steps of the integral.
    pub steps: i64,
    /// Rows.
    pub rows: usize,
    /// Mean attribution by position of the miRNA, from its 5' end.
    pub mirna: Vec<Point>,
    /// Mean attribution by position of the site, likewise.
    pub site: Vec<Point>,
    /// Mean absolute difference of the attributions' sum to the logit less that of N alone: 0 were the integral exact.
    pub completeness_error: f64,
    /// Mean absolute logit less that of N alone, to compare with.
    pub mean_difference: f64,
}

/// One row's attributions.
struct Attribution {
    /// By place in what the network reads.
    by_place: Vec<f64>,
    /// The logit less that of N alone.
    difference: f64,
}

/// The mean over rows; none where the network reads whole letters only, or of no rows. Rows whose site takes several
/// windows are left out.
pub fn gradients(replica: &Replica, pairs: &[Pair]) -> Option<Gradients> {
    let mut strands: [Vec<Moments>; 2] = Default::default();
    let (mut error, mut difference, mut rows) = (Moments::default(), Moments::default(), 0);
    for pair in pairs {
        let Some(letters) = whole(replica, pair) else { continue };
        let found = attribute(replica, pair, &letters)?;
        error.push((found.difference - found.by_place.iter().sum::<f64>()).abs());
        difference.push(found.difference.abs());
        rows += 1;
        for (strand, length) in [pair.mirna.len(), pair.site.len()].into_iter().enumerate() {
            let hide = (0..length).map(|at| Change::hide(strand, at..at + 1)).collect::<Vec<_>>();
            let sums = &mut strands[strand];
            sums.resize(sums.len().max(length), Moments::default());
            let row = Input::Pair(pair.clone());
            for (sums, hidden) in sums.iter_mut().zip(variants(&row, &hide).skip(1)) {
                sums.push(of_letter(&found, &letters, &replica.encoder.encode(&hidden).values));
            }
        }
    }
    let least = (rows / 10).max(1);
    let [mirna, site] = strands.map(|sums| {
        let points = sums.iter().zip(1..).map(|(sums, position)| sums.at(position));
        points.filter(|point| point.rows >= least).collect::<Vec<Point>>()
    });
    let [completeness_error, mean_difference] = [error.mean(), difference.mean()];
    (rows > 0).then_some(Gradients { steps: STEPS, rows, mirna, site, completeness_error, mean_difference })
}

/// What the network reads of a row that is one input.
fn whole(replica: &Replica, pair: &Pair) -> Option<Vec<f32>> {
    let encoded = replica.encoder.encode(&Input::Pair(pair.clone()));
    (encoded.inputs() == 1).then_some(encoded.values)
}

fn attribute(replica: &Replica, pair: &Pair, letters: &[f32]) -> Option<Attribution> {
    let hidden = |rna: &Rna| rna.iter().map(|_| Base::N).collect::<Rna>();
    let unknown = whole(replica, &Pair { mirna: hidden(&pair.mirna), site: hidden(&pair.site) })?;
    let device = replica.store.device();
    let both = Tensor::from_slice(&[unknown, letters.to_vec()].concat()).view([2, -1]).to_device(device);
    let ends = tch::no_grad(|| replica.network.embed(&both))?; // (2, letters, values)
    let step = ends.get(1) - ends.get(0);
    let way = (Tensor::arange(STEPS, (Kind::Float, device)) + 0.5) / STEPS as f64;
    let inputs = (ends.narrow(0, 0, 1) + way.view([-1, 1, 1]) * step.unsqueeze(0)).set_requires_grad(true);
    let output = replica.network.forward_embedded(&inputs)?.sum(Kind::Float);
    let slope = &Tensor::run_backward(&[output], &[&inputs], false, false)[0];
    let added = (slope.mean_dim(0, false, Kind::Float) * step).sum_dim_intlist(1, false, Kind::Double);
    let logits = tch::no_grad(|| replica.network.forward_embedded(&ends))?;
    let mut by_place = vec![0.0; added.numel()];
    let numbers = by_place.len();
    added.to_device(Device::Cpu).copy_data(&mut by_place, numbers);
    Some(Attribution { by_place, difference: logits.double_value(&[1, 0]) - logits.double_value(&[0, 0]) })
}

/// A letter stands at the places that change when it is hidden.
fn of_letter(found: &Attribution, letters: &[f32], hidden: &[f32]) -> f64 {
    let values = letters.len() / found.by_place.len();
    let places = found.by_place.iter().zip(letters.chunks(values).zip(hidden.chunks(values)));
    places.filter(|(_, (before, after))| before != after).map(|(added, _)| added).sum()
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

#[cfg(test)]
mod tests {
    use mirador_models::{Options, find};

    use super::*;

    fn pair() -> Pair {
        let rna = |letters: &str| letters.parse::<Rna>().unwrap();
        Pair { mirna: rna("UAAAGUGCUUAUAGUGCAGGUAG"), site: rna("GACCUGCAAAAGUAAGCACUUUAGG") }
    }

    fn replica(model: &str) -> Replica {
        tch::manual_seed(7);
        Replica::new(find(model).unwrap(), &Options::new(), Device::Cpu).unwrap()
    }

    /// Also of a network that reads the miRNA from its 3' end.
    #[test]
    fn attributions_sum_to_the_difference_and_stand_at_their_letters() {
        for model in ["dmiso", "mitar"] {
            let replica = replica(model);
            let found = gradients(&replica, &[pair()]).unwrap();
            assert_eq!((found.mirna.len(), found.site.len()), (23, 25), "{}", model);
            assert!(found.completeness_error < 0.02 * found.mean_difference + 1e-4, "{}: {found:?}", model);
            let letters = whole(&replica, &pair()).unwrap();
            let all = attribute(&replica, &pair(), &letters).unwrap().by_place;
            let sum = |points: &[Point]| points.iter().map(|point| point.mean).sum::<f64>();
            assert!(
                (sum(&found.mirna) + sum(&found.site) - all.iter().sum::<f64>()).abs() < 1e-6,
                "{}",
                model
            );
            let first = if model == "mitar" { 22 } else { 0 };
            assert!((found.mirna[0].mean - all[first]).abs() < 1e-6, "{}", model);
        }
        assert!(gradients(&replica("pairmap"), &[pair()]).is_none());
    }
}
