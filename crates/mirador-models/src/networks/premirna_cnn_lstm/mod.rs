//! Pre-miRNA CNN-LSTM: mirtron or canonical (Tasdelen & Sen, Sci Rep 2021).

mod network;

use std::borrow::Cow;
use std::num::NonZeroU16;

use mirna::{Base, Rna};
use serde::Deserialize;

use crate::encoding::{Encoded, one_hot};
use crate::tasks::Task;
use crate::{Encoder, LoadError, Model, Options};

/// Rows of the hairpin's map: the longest hairpin of the paper.
const ROWS: usize = 164;
const ALPHABET: [Base; 4] = [Base::A, Base::U, Base::G, Base::C];
/// Letters at the 3' end that `end_masked` hides: the splice acceptor of a mirtron.
const MASKED: usize = 5;

/// Canonical hairpins are called mirtrons more often when they are cut elsewhere: 3.5 % of 707 (all training rows) as
/// miRBase cuts them, 23.6 % when cut at the ends of their mature arms, as Drosha does.
pub const CAUTION: &str =
    "the ends decide: cut otherwise than in miRBase, a canonical hairpin looks like a mirtron";

/// The model.
pub const MODEL: Model = Model {
    name: "premirna_cnn_lstm",
    task: Task::PreMirna,
    description: "CNN-LSTM: three convolutions and a gated layer over a hairpin (164 nt are read); mirtron or \
                  canonical. Tasdelen & Sen, Sci Rep 2021.",
    caution: Some(CAUTION),
    encoder,
    network: network::build,
    l1_variables: &[],
    pairing: None,
    panels: None,
    site_effects: None,
    from_published: None,
    adapt: None,
    adapt_is_all: false,
};

/// What the paper leaves open or says that it tried, and what its data give away.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Switches {
    downsample: Downsample,
    lstm_over: LstmOver,
    /// Whether the last five letters are read as N.
    end_masked: bool,
    /// Letters that a kernel covers.
    kernel: NonZeroU16,
    /// Filters of each convolution.
    filters: NonZeroU16,
    /// Units of the LSTM.
    units: NonZeroU16,
}

/// The paper's.
impl Default for Switches {
    fn default() -> Self {
        Self {
            downsample: Downsample::Stride,
            lstm_over: LstmOver::Frame,
            end_masked: false,
            kernel: const { NonZeroU16::new(6).expect("above 0") },
            filters: const { NonZeroU16::new(128).expect("above 0") },
            units: const { NonZeroU16::new(100).expect("above 0") },
        }
    }
}

/// How a convolution halves its map; the paper's table shows that it does, not how.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Downsample {
    #[default]
    Stride,
    Maxpool,
}

/// The steps of the LSTM.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LstmOver {
    /// One step with the whole map: the paper's "time distributed" frames are one. Its forget gate and recurrent
    /// kernel never learn.
    #[default]
    Frame,
    /// The 21 rows of the last map, 5'→3'.
    Positions,
}

fn encoder(options: &Options) -> Result<Encoder, LoadError> {
    let Switches { end_masked, .. } = LoadError::options(options)?;
    Ok(Encoder::pre_mirna([ROWS, 4], move |hairpin| encode(&hairpin.sequence, end_masked)))
}

/// Letters A, U, G, C; N, and what is missing at the 3' end, is 0 four times.
fn encode(sequence: &Rna, end_masked: bool) -> Encoded {
    let (letters, warnings) = both_ends(sequence, ROWS);
    let read = if end_masked { letters.len().saturating_sub(MASKED) } else { letters.len() };
    Encoded::whole(one_hot(&letters[..read], ROWS, ALPHABET, 0.0), warnings)
}

/// As many letters as there is room for: of a longer hairpin those of both ends, since they tell more than its loop does.
pub(super) fn both_ends(sequence: &Rna, room: usize) -> (Cow<'_, [Base]>, Vec<String>) {
    let Some(surplus) = sequence.len().checked_sub(room).filter(|&surplus| surplus > 0) else {
        return (Cow::Borrowed(sequence), Vec::new());
    };
    let first = room / 2;
    let ends = [&sequence[..first], &sequence[first + surplus..]].concat();
    let warning = format!(
        "sequence: this model reads {room} letters; positions {} to {} were left out",
        first + 1,
        first + surplus
    );
    (Cow::Owned(ends), vec![warning])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_end_reads_as_n() {
        let hairpin = |end: &str| -> Rna { ("ACGU".repeat(12) + end).parse().unwrap() };
        let [whole, cut] = ["GUCAG", "NNNNN"].map(hairpin);
        assert_eq!(encode(&whole, true), encode(&cut, false));
        assert_ne!(encode(&whole, false), encode(&cut, false));
    }

    #[test]
    fn a_long_hairpin_keeps_its_ends() {
        let long: Rna = ("GU".repeat(41) + "AAA" + &"AG".repeat(41)).parse().unwrap();
        let whole: Rna = ("GU".repeat(41) + &"AG".repeat(41)).parse().unwrap();
        let [read, expected] = [&long, &whole].map(|rna| encode(rna, false));
        assert_eq!(read.values, expected.values);
        assert_eq!(
            read.warnings,
            ["sequence: this model reads 164 letters; positions 83 to 85 were left out"]
        );
        assert!(expected.warnings.is_empty());
    }
}
