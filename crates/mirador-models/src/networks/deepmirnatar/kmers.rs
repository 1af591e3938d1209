//! Overlapping words of four letters, stride 1: the tokens of both sequences.

use mirna::Base;

/// Letters in a word.
pub const WORD: usize = 4;
/// Past a sequence's end.
pub const PAD: i64 = 0;
/// A word with an `N`.
pub const UNKNOWN: i64 = 1;
/// Before the first word.
pub const FIRST: i64 = 2;
/// After the last word.
pub const LAST: i64 = 3;
/// A hidden word, in pre-training.
pub const MASK: i64 = 4;
/// Words of known letters start here: this + Σ digit · 4^(3−i), digits in the order A, C, G, U.
pub const WORDS: i64 = 5;
/// Words of known letters.
pub const DISTINCT: i64 = 256;
/// All tokens.
pub const VOCABULARY: i64 = WORDS + DISTINCT;

const ALPHABET: [Base; 4] = [Base::A, Base::C, Base::G, Base::U];

/// The tokens of n letters: n − 3 of them, none where there are fewer than four letters.
pub fn kmers(bases: &[Base]) -> Vec<i64> {
    bases
        .windows(WORD)
        .map(|word| word.iter().try_fold(0, append).map_or(UNKNOWN, |word| WORDS + word))
        .collect()
}

fn append(word: i64, base: &Base) -> Option<i64> {
    let digit = ALPHABET.iter().position(|letter| letter == base)?;
    Some(word * 4 + digit as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_numbered_in_the_order_of_their_letters() {
        let read = |text: &str| kmers(&text.parse::<mirna::Rna>().unwrap());
        assert_eq!(read("AAAACU"), [5, 6, 12]);
        assert_eq!(read("UUUU"), [VOCABULARY - 1]);
        assert_eq!(read("GAANAAAA"), [UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, WORDS]);
        assert!(read("AAA").is_empty());
    }
}
