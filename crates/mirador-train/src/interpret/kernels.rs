//! DMISO's kernels as motifs: which of them are awake, and what they answer to (Talukder et al. 2022).

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use mirador_models::Replica;
use mirador_models::tasks::target_site::Pair;
use mirna::Base;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Kernels of each branch, and their letters.
const WIDTH: usize = 8;
/// Letters in the order of the network's rows, and of a motif's columns.
const NETWORK_LETTERS: [Base; 4] = [Base::A, Base::U, Base::C, Base::G];
const MOTIF_LETTERS: [Base; 4] = [Base::A, Base::C, Base::G, Base::U];
/// A kernel whose largest weight is below this was put to sleep by L1.
const LEAST_WEIGHT: f64 = 0.01;
/// Words whose activation is above this part of the kernel's largest make its motif.
const ANSWERS: f64 = 0.5;
const PSEUDO_COUNT: f64 = 0.25;
/// The softmax of the weights is stretched to this range: raw, it is flat. For show; it has no significance.
const SHOWN_RANGE: f64 = 3.0;

/// Columns of fractions of A, C, G and U.
pub type Motif = Vec<[f64; 4]>;

/// One kernel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kernel {
    /// `mirna` or `site`.
    pub branch: String,
    /// From 0.
    pub index: usize,
    /// Largest absolute weight.
    pub largest: f64,
    /// Whether it is large enough to say something.
    pub informative: bool,
    /// Words of the rows whose activation is over half the largest.
    pub words: usize,
    /// Out of those words; none where there are none.
    pub motif: Option<Motif>,
    /// Out of the weights, stretched.
    #[serde(skip)]
    pub weights: Motif,
}

/// Kernels of both branches, and the fractions of letters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kernels {
    /// The miRNA's, then the site's.
    pub kernels: Vec<Kernel>,
    /// Fractions of A, C, G and U in the miRNAs and in the sites.
    pub backgrounds: [[f64; 4]; 2],
}

/// The kernels of a DMISO; none where the network has no such layers.
pub fn kernels(replica: &Replica, pairs: &[Pair]) -> Option<Kernels> {
    let variables = replica.store.variables();
    let mut found = Vec::new();
    for branch in ["mirna", "site"] {
        let weight = numbers(variables.get(&format!("conv_{branch}.weight"))?); // (10, 4, 8)
        let bias = numbers(variables.get(&format!("conv_{branch}.bias"))?);
        let strands: Vec<&[Base]> = pairs.iter().map(|pair| strand(pair, branch)).collect();
        for (index, (weights, bias)) in weight.chunks(4 * WIDTH).zip(bias).enumerate() {
            found.push(kernel(branch, index, weights, bias, &strands));
        }
    }
    let background = |branch| background(pairs.iter().flat_map(|pair| strand(pair, branch)));
    Some(Kernels { kernels: found, backgrounds: ["mirna", "site"].map(background) })
}

fn strand<'a>(pair: &'a Pair, branch: &str) -> &'a [Base] {
    if branch == "mirna" { &pair.mirna } else { &pair.site }
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    let mut values = vec![0f32; tensor.numel()];
    tch::no_grad(|| tensor.contiguous().copy_data(&mut values, tensor.numel()));
    values.into_iter().map(f64::from).collect()
}

fn column(letter: Base, letters: [Base; 4]) -> Option<usize> {
    letters.iter().position(|other| *other == letter)
}

/// A kernel of weights (4 letters × 8).
fn kernel(branch: &str, index: usize, weights: &[f64], bias: f64, strands: &[&[Base]]) -> Kernel {
    let weight = |letter: Base, at: usize| -> Option<f64> {
        Some(weights[column(letter, NETWORK_LETTERS)? * WIDTH + at])
    };
    let activation = |word: &[Base]| -> Option<f64> {
        let sum = word.iter().enumerate().map(|(at, letter)| weight(*letter, at)).sum::<Option<f64>>()?;
        Some((sum + bias).max(0.0))
    };
    let words = || strands.iter().flat_map(|strand| strand.windows(WIDTH));
    let most = words().filter_map(activation).fold(0.0, f64::max);
    let answers: Vec<&[Base]> =
        words().filter(|word| most > 0.0 && activation(word).is_some_and(|a| a > ANSWERS * most)).collect();
    let largest = weights.iter().map(|weight| weight.abs()).fold(0.0, f64::max);
    let shown = (0..WIDTH).map(|at| MOTIF_LETTERS.map(|letter| weight(letter, at).unwrap_or_default()));
    Kernel {
        branch: branch.to_owned(),
        index,
        largest,
        informative: largest >= LEAST_WEIGHT,
        words: answers.len(),
        motif: (!answers.is_empty()).then(|| counted(&answers)),
        weights: stretched(&shown.collect::<Vec<_>>()),
    }
}

fn counted(words: &[&[Base]]) -> Motif {
    let mut counts = vec![[PSEUDO_COUNT; 4]; WIDTH];
    for word in words {
        for (counts, letter) in counts.iter_mut().zip(*word) {
            if let Some(column) = column(*letter, MOTIF_LETTERS) {
                counts[column] += 1.0;
            }
        }
    }
    let all = words.len() as f64 + 4.0 * PSEUDO_COUNT;
    counts.into_iter().map(|counts| counts.map(|count| count / all)).collect()
}

fn stretched(columns: &[[f64; 4]]) -> Motif {
    let range = |column: &[f64; 4]| {
        column.iter().copied().fold(f64::MIN, f64::max) - column.iter().copied().fold(f64::MAX, f64::min)
    };
    let scale = SHOWN_RANGE / columns.iter().map(range).fold(f64::MIN_POSITIVE, f64::max);
    let softmax = |column: &[f64; 4]| {
        let powers = column.map(|weight| (weight * scale).exp());
        powers.map(|power| power / powers.iter().sum::<f64>())
    };
    columns.iter().map(softmax).collect()
}

fn background<'a>(letters: impl Iterator<Item = &'a Base>) -> [f64; 4] {
    let mut counts = [0.0f64; 4];
    for letter in letters.filter_map(|letter| column(*letter, MOTIF_LETTERS)) {
        counts[letter] += 1.0;
    }
    let all = counts.iter().sum::<f64>().max(1.0);
    counts.map(|count| count / all)
}

impl Kernels {
    /// Writes the informative kernels of each branch as MEME files, by activation and by weights.
    pub fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        for (branch, background) in ["mirna", "site"].into_iter().zip(&self.backgrounds) {
            for (kind, by_weights) in [("activations", false), ("weights", true)] {
                let kept = self.kernels.iter().filter(|kernel| kernel.branch == branch && kernel.informative);
                let path = folder.join(format!("{branch}-{kind}.meme"));
                std::fs::write(&path, meme(kept, background, by_weights))
                    .with_context(|| path.display().to_string())?;
            }
        }
        Ok(())
    }
}

/// MEME's minimal format.
fn meme<'a>(kernels: impl Iterator<Item = &'a Kernel>, background: &[f64; 4], by_weights: bool) -> String {
    let [a, c, g, u] = background;
    let mut text = format!(
        "MEME version 4\n\nALPHABET= ACGU\n\nstrands: +\n\nBackground letter frequencies\nA {a:.4} C {c:.4} G {g:.4} U {u:.4}\n"
    );
    for kernel in kernels {
        let motif = if by_weights { Some(&kernel.weights) } else { kernel.motif.as_ref() };
        let Some(motif) = motif else { continue };
        // A String takes everything.
        let _ = write!(
            text,
            "\nMOTIF {0}_{1} {0}_kernel_{1}\nletter-probability matrix: alength= 4 w= {WIDTH} nsites= {2} E= 0\n",
            kernel.branch, kernel.index, kernel.words
        );
        for [a, c, g, u] in motif {
            let _ = writeln!(text, " {a:.6} {c:.6} {g:.6} {u:.6}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers to U at its first letter, and to nothing else.
    fn one_letter() -> Kernel {
        let mut weights = vec![0.0; 4 * WIDTH];
        weights[WIDTH] = 1.0;
        let strand: mirna::Rna = "UACGACGACGAAN".parse().unwrap();
        kernel("site", 3, &weights, 0.0, &[&strand])
    }

    #[test]
    fn a_motif_counts_the_words_that_a_kernel_answers_to() {
        let kernel = one_letter();
        assert!(kernel.informative);
        assert_eq!(kernel.words, 1);
        let motif = kernel.motif.unwrap();
        assert_eq!(motif[0], [0.125, 0.125, 0.125, 0.625], "A, C, G, U");
        assert_eq!(motif[1], [0.625, 0.125, 0.125, 0.125]);
        assert!(kernel.weights[0][3] > 0.8 && kernel.weights[1] == [0.25; 4]);
    }

    #[test]
    fn a_file_has_the_form_that_meme_reads() {
        let text = meme([one_letter()].iter(), &[0.25; 4], false);
        assert!(text.starts_with("MEME version 4\n\nALPHABET= ACGU\n\nstrands: +\n\nBackground"), "{text}");
        assert!(text.contains("w= 8 nsites= 1 E= 0\n 0.125000 0.125000 0.125000 0.625000\n"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with(' ')).count(), WIDTH);
    }
}
