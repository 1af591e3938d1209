//! The network: align; let the score speak; correct it by the duplex in numbers; take the mean of several that do so.

use tch::Tensor;
use tch::nn::{self, ModuleT};

use super::Switches;
use super::alignment::{Alignment, Rows};
use super::member::{Aligned, Member, calibrated, calibration};
use crate::{Layers, LoadError, Network, Options};

#[derive(Debug)]
struct Pairmap {
    alignment: Alignment,
    members: Vec<Member>,
    /// Where there are several.
    mean: Option<Mean>,
}

/// The mean of members' logits, with a calibration of its own.
#[derive(Debug)]
struct Mean {
    shares: Tensor, // (members, 1), not trained
    calibration: Tensor,
}

pub(super) fn build(path: &nn::Path, options: &Options) -> Result<Network, LoadError> {
    let switches: Switches = LoadError::options(options)?;
    if switches.members.iter().any(|member| member.panel > 0 || !member.members.is_empty()) {
        return Err(LoadError::Options("a member of a mean has neither a panel nor members".to_owned()));
    }
    let alignment = Alignment::new(path / "alignment", switches.fixed_aligner);
    let several = switches.members.iter().enumerate();
    Ok(Box::new(match switches.members.len() {
        0 => Pairmap { alignment, members: vec![Member::new(path, &switches)], mean: None },
        count => Pairmap {
            alignment,
            members: several.map(|(at, each)| Member::new(&(path / "members" / at), each)).collect(),
            mean: Some(Mean {
                shares: path.zeros_no_train("shares", &[count as i64, 1]),
                calibration: calibration(path),
            }),
        },
    }))
}

impl Layers for Pairmap {
    fn calibration(&self) -> Option<Tensor> {
        let of_mean = self.mean.as_ref().map(|mean| &mean.calibration);
        of_mean.or(self.members.first().map(|member| &member.calibration)).map(Tensor::shallow_clone)
    }
}

impl ModuleT for Pairmap {
    fn forward_t(&self, input: &Tensor, train: bool) -> Tensor {
        let rows = Rows::of(input);
        let letters = rows.letters();
        let (score, alignments) = self.alignment.align(&letters, train);
        let aligner = self.alignment.aligner();
        let aligned = Aligned::read(&self.members, aligner, &rows, &letters, (score, &alignments));
        let logits: Vec<Tensor> = self.members.iter().map(|member| member.forward(&aligned, train)).collect();
        let logits = Tensor::cat(&logits, 1); // (n, members)
        match &self.mean {
            Some(Mean { shares, calibration }) => calibrated(&logits.matmul(shares), calibration),
            None => logits,
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::nn::VarStore;
    use tch::{Device, no_grad};

    use super::*;
    use crate::networks::pairmap::encode;
    use crate::tasks::target_site::Pair;
    use crate::tensors::values;

    fn network(options: &str) -> (VarStore, Network) {
        let store = VarStore::new(Device::Cpu);
        let network = build(&store.root(), &serde_json::from_str(options).unwrap()).unwrap();
        (store, network)
    }

    #[test]
    fn a_mean_says_the_sum_of_its_members_parts() {
        tch::manual_seed(3);
        let options = [r#"{"units": 8}"#, r#"{"units": 4, "letters": true}"#, r#"{"units": 0}"#];
        let alone = options.map(network);
        let (store, mean) =
            network(&format!(r#"{{"members": [{}], "fixed_aligner": true}}"#, options.join(", ")));
        let variables = store.variables();
        no_grad(|| {
            for (at, (single, _)) in alone.iter().enumerate() {
                single.variables().iter_mut().for_each(|(name, tensor)| {
                    if name.ends_with("calibration") {
                        tensor.copy_(&Tensor::from_slice(&[1.5f32, 0.25 * at as f32]));
                    }
                    if !name.starts_with("alignment") {
                        variables[&format!("members.{at}.{name}")].shallow_clone().copy_(tensor);
                    }
                });
            }
            variables["shares"].shallow_clone().copy_(&Tensor::from_slice(&[0.5f32, 0.3, 0.2]).unsqueeze(1));
        });
        assert!(
            variables.iter().all(|(name, tensor)| !name.starts_with("alignment") || !tensor.requires_grad())
        );
        let sites = ["ACUAUACAACCUACUACCUCAAUU", "GGGCAUCAUACAUCAAAGCACCC"];
        let inputs: Vec<f32> = sites
            .into_iter()
            .flat_map(|site| {
                let pair =
                    Pair { mirna: "UGAGGUAGUAGGUUGUAUAGUU".parse().unwrap(), site: site.parse().unwrap() };
                encode(&pair).values
            })
            .collect();
        let inputs = Tensor::from_slice(&inputs).view([2, -1]);
        let says = |network: &Network| values(&no_grad(|| network.forward_t(&inputs, false)));
        let parts = alone.each_ref().map(|(_, network)| says(network));
        for (row, logit) in says(&mean).into_iter().enumerate() {
            let expected = 0.5 * parts[0][row] + 0.3 * parts[1][row] + 0.2 * parts[2][row];
            assert!((logit - expected).abs() < 1e-5, "{logit} {expected}");
        }
    }
}
