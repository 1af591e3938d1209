//! The network: how much each end looks like a splice site; all numbers in units of their deviation; a line through them,
//! and one more that counts the other way round in short hairpins than in long ones.

use tch::nn::{self, ModuleT, VarStore};
use tch::{Kind, Tensor};

use super::features::{END, END_VALUES, LETTERS, NAMES};
use crate::networks::layers::dense;
use crate::{Layers, LoadError, Network, Options};

/// Letters of a splice site.
const SITE: i64 = 8;
/// Numbers of splice sites: donor and acceptor, at the very end and wherever they score best.
const SITES: i64 = 4;
const NUMBERS: i64 = NAMES.len() as i64 + SITES;
/// The length's place among the numbers.
const LENGTH: i64 = 0;
/// Numbers beyond so many deviations are cut, so that no odd row shouts.
const MOST: f64 = 4.0;
/// Added to each count of a letter.
const PSEUDO_COUNT: f64 = 1.0;
const DONOR: &str = "donor";
const ACCEPTOR: &str = "acceptor";
const MEANS: &str = "numbers_mean";
const DEVIATIONS: &str = "numbers_sd";

#[derive(Debug)]
struct Hairpin {
    ends: Ends,
    means: Tensor,
    deviations: Tensor,
    line: nn::Linear,
    /// How the line turns with the length: mirtrons are short introns, and what tells a short hairpin differs.
    by_length: nn::Linear,
}

/// Log-odds of each letter at each place of a splice site, mirtron against canonical: (4, 8).
#[derive(Debug)]
struct Ends {
    donor: Tensor,
    acceptor: Tensor,
}

pub(super) fn build(path: &nn::Path, _: &Options) -> Result<Network, LoadError> {
    Ok(Box::new(Hairpin {
        ends: Ends {
            donor: path.zeros_no_train(DONOR, &[LETTERS as i64, SITE]),
            acceptor: path.zeros_no_train(ACCEPTOR, &[LETTERS as i64, SITE]),
        },
        means: path.zeros_no_train(MEANS, &[NUMBERS]),
        deviations: path.ones_no_train(DEVIATIONS, &[NUMBERS]),
        line: dense(path / "line", NUMBERS, 1),
        by_length: dense(path / "by_length", NUMBERS, 1),
    }))
}

/// The logit is not fitted once more on validation rows: a line that is fitted by cross-entropy says what the training rows
/// say, and a hundred hairpins would only add their chance.
impl Layers for Hairpin {}

impl ModuleT for Hairpin {
    fn forward_t(&self, input: &Tensor, _: bool) -> Tensor {
        let numbers = (self.ends.numbers(input) - &self.means) / &self.deviations;
        let numbers = numbers.clamp(-MOST, MOST); // (n, 38)
        let length = numbers.narrow(1, LENGTH, 1).tanh(); // (n, 1)
        numbers.apply(&self.line) + length * numbers.apply(&self.by_length)
    }
}

impl Ends {
    /// The numbers of the input, and those of its splice sites.
    fn numbers(&self, input: &Tensor) -> Tensor {
        let [first, last] = ends(input);
        // Sums of the log-odds for a site at each place of an end.
        let scores = |end: &Tensor, site: &Tensor| {
            let kernel = site.unsqueeze(0); // (1, 4, 8)
            end.conv1d::<Tensor>(&kernel, None, [1], [0], [1], 1).squeeze_dim(1) // (n, 17)
        };
        let (donors, acceptors) = (scores(&first, &self.donor), scores(&last, &self.acceptor));
        let best = |scores: &Tensor| scores.amax(1, true);
        Tensor::cat(
            &[
                input.narrow(1, 0, NAMES.len() as i64),
                donors.narrow(1, 0, 1),
                best(&donors),
                acceptors.narrow(1, END as i64 - SITE, 1),
                best(&acceptors),
            ],
            1,
        )
    }
}

/// Letters of the 5' end and of the 3' end: (n, 4, 24) each.
fn ends(input: &Tensor) -> [Tensor; 2] {
    [0, 1].map(|end| {
        let start = NAMES.len() as i64 + end * END_VALUES as i64;
        let letters = input.narrow(1, start, END_VALUES as i64);
        letters.view([-1, END as i64, LETTERS as i64]).transpose(1, 2)
    })
}

/// Sets the log-odds of splice sites and the scale of all numbers from training rows as they stand, ends uncut.
pub(super) fn adapt(store: &VarStore, inputs: &Tensor, targets: &Tensor) {
    let [first, last] = ends(inputs);
    let log_odds = |letters: Tensor| {
        let frequencies = |of: Tensor| {
            let counts =
                (&letters * of.view([-1, 1, 1])).sum_dim_intlist([0_i64].as_slice(), false, Kind::Float);
            let counts = counts + PSEUDO_COUNT; // (4, 8)
            &counts / counts.sum_dim_intlist([0_i64].as_slice(), true, Kind::Float)
        };
        (frequencies(targets.shallow_clone()) / frequencies(1.0 - targets)).log()
    };
    let ends = Ends {
        donor: log_odds(first.narrow(2, 0, SITE)),
        acceptor: log_odds(last.narrow(2, END as i64 - SITE, SITE)),
    };
    let numbers = ends.numbers(inputs);
    let mean = numbers.mean_dim([0_i64].as_slice(), false, Kind::Float);
    let deviation = (&numbers - &mean).square().mean_dim([0_i64].as_slice(), false, Kind::Float).sqrt();
    // A number that all rows have alike keeps its own scale.
    let deviation = deviation.where_self(&deviation.gt(0.0), &deviation.ones_like());
    let of = [(DONOR, &ends.donor), (ACCEPTOR, &ends.acceptor), (MEANS, &mean), (DEVIATIONS, &deviation)];
    let mut variables = store.variables();
    for (name, value) in of {
        if let Some(variable) = variables.get_mut(name) {
            tch::no_grad(|| variable.copy_(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::hairpin::MODEL;
    use crate::tasks::Input;
    use crate::tasks::pre_mirna::PreMirna;
    use crate::tensors::values;
    use crate::{Options, Replica};
    use tch::Device;

    #[test]
    fn splice_sites_are_learned_from_the_rows_and_found_inside_an_end() {
        let replica = Replica::new(&MODEL, &Options::new(), Device::Cpu).unwrap();
        let middle = "ACGGAUUCACGGAACUCUUCGGAGUUCCGUGAAUCCGU";
        let mirtron = format!("GUGAGUAC{middle}UUUUUCAG");
        let canonical = format!("ACACACCA{middle}GGAGGAGC");
        let encode = |letters: &str| {
            let input = Input::from(PreMirna { sequence: letters.parse().unwrap() });
            replica.encoder.encode(&input).values
        };
        let inputs = Tensor::from_slice(&[encode(&mirtron), encode(&canonical)].concat()).view([2, -1]);
        adapt(&replica.store, &inputs, &Tensor::from_slice(&[1.0_f32, 0.0]));
        let variables = replica.store.variables();
        let ends =
            Ends { donor: variables[DONOR].shallow_clone(), acceptor: variables[ACCEPTOR].shallow_clone() };
        let inside = encode(&format!("CC{mirtron}GGACG"));
        let numbers = |row: &[f32]| values(&ends.numbers(&Tensor::from_slice(row).view([1, -1])));
        let [whole, moved] = [encode(&mirtron), inside].map(|row| numbers(&row)[NAMES.len()..].to_vec());
        // Each of 8 letters is twice as likely in a mirtron, and none is the canonical one's.
        assert!((whole[0] - 8.0 * 2.0_f32.ln()).abs() < 1e-4, "{whole:?}");
        assert_eq!([whole[1], whole[3]], [moved[1], moved[3]], "the best is found where it stands");
        assert!(moved[0] < whole[0] && moved[2] < whole[2], "{moved:?}");
    }
}
