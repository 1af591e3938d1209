//! Versions that were trained apart on one aligner, as one network: the mean of their logits.

use anyhow::{Result, ensure};
use mirador_models::{Array, Tensors};

/// What all members have in common, to the last bit: it is computed once for all.
const COMMON: &str = "alignment.";

/// The tensors of a network whose `members` these are, each with its factor.
pub fn join(members: Vec<Tensors>, shares: Vec<f32>) -> Result<Tensors> {
    let mut joined = Tensors::default();
    let mut common: Option<Tensors> = None;
    joined.insert("shares".to_owned(), Array::column(shares));
    for (index, mut member) in members.into_iter().enumerate() {
        let own = member.split_off(COMMON);
        ensure!(
            common.as_ref().is_none_or(|common| *common == own),
            "member {index} of the mean has an aligner of its own: train it with \"fixed_aligner\" from the first one"
        );
        common = Some(own);
        joined.extend_with(&format!("members.{index}."), member);
    }
    joined.extend_with(COMMON, common.unwrap_or_default());
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(aligner: f32, score: f32) -> Tensors {
        [("alignment.pairs", aligner), ("score.weight", score)]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Array::column(vec![value])))
            .collect()
    }

    #[test]
    fn members_share_an_aligner() {
        let joined = join(vec![version(1.0, 2.0), version(1.0, 3.0)], vec![0.4, 0.6]).unwrap();
        let expected = [
            ("alignment.pairs", vec![1.0]),
            ("members.0.score.weight", vec![2.0]),
            ("members.1.score.weight", vec![3.0]),
            ("shares", vec![0.4, 0.6]),
        ];
        let expected: Tensors =
            expected.into_iter().map(|(name, values)| (name.to_owned(), Array::column(values))).collect();
        assert_eq!(joined, expected);
        let refused =
            join(vec![version(1.0, 2.0), version(1.5, 3.0)], vec![0.4, 0.6]).unwrap_err().to_string();
        assert!(refused.starts_with("member 1 of the mean has an aligner of its own"), "{refused}");
    }
}
