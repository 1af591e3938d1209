//! The baseline of pre-training: a chain that knows the three letters before each letter, asked the same hidden words.

use mirna::{Base, Rna};

const LETTERS: usize = 4;
const STATES: usize = 64;
const ALPHABET: [Base; LETTERS] = [Base::A, Base::C, Base::G, Base::U];

/// P(letter | three letters before).
#[derive(Debug)]
pub(super) struct Markov(Vec<[f64; LETTERS]>);

impl Markov {
    /// Counts in `texts`, one added to each.
    pub(super) fn fit(texts: &[Rna]) -> Self {
        let mut counts = vec![[1.0; LETTERS]; STATES];
        for word in texts.iter().flat_map(|text| text.windows(4)) {
            if let Some([a, b, c, d]) = digits(word) {
                counts[(a * LETTERS + b) * LETTERS + c][d] += 1.0;
            }
        }
        for row in &mut counts {
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|count| *count /= sum);
        }
        Self(counts)
    }

    /// For each hidden word of a text, the probability of each of the 256 words, given every letter that a visible
    /// word shows, on both sides (forward and backward sums over the chain).
    pub(super) fn posteriors(&self, text: &[Base], hidden: &[usize]) -> Vec<Vec<f64>> {
        let seen = self.seen(text, hidden);
        let allowed = |place: usize, letter: usize| seen[place].is_none_or(|known| known == letter);
        let last = text.len() - 1;
        // Chances of each state that ends at a letter, and of what follows it.
        let mut before = vec![[0.0; STATES]; text.len()];
        let mut after = vec![[1.0; STATES]; text.len()];
        for (state, chance) in before[2].iter_mut().enumerate() {
            let fits = [(0, state / 16), (1, state / 4 % 4), (2, state % 4)];
            *chance = f64::from(u8::from(fits.into_iter().all(|(place, letter)| allowed(place, letter))));
        }
        for place in 3..=last {
            let mut next = [0.0; STATES];
            for (state, letter) in steps().filter(|&(_, letter)| allowed(place, letter)) {
                next[follow(state, letter)] += before[place - 1][state] * self.0[state][letter];
            }
            before[place] = scaled(next);
        }
        for place in (3..=last).rev() {
            let mut next = [0.0; STATES];
            for (state, letter) in steps().filter(|&(_, letter)| allowed(place, letter)) {
                next[state] += self.0[state][letter] * after[place][follow(state, letter)];
            }
            after[place - 1] = scaled(next);
        }
        let of_word = |&start: &usize| {
            let end = start + 3;
            let chance = |(state, letter): (usize, usize)| match allowed(end, letter) {
                true => before[end - 1][state] * self.0[state][letter] * after[end][follow(state, letter)],
                false => 0.0,
            };
            let chances: Vec<f64> = steps().map(chance).collect();
            let sum: f64 = chances.iter().sum();
            chances.into_iter().map(|chance| chance / sum).collect()
        };
        hidden.iter().map(of_word).collect()
    }

    /// Letters that a visible word shows.
    fn seen(&self, text: &[Base], hidden: &[usize]) -> Vec<Option<usize>> {
        let mut seen = vec![None; text.len()];
        for start in (0..text.len() - 3).filter(|start| !hidden.contains(start)) {
            for place in start..start + 4 {
                seen[place] = ALPHABET.iter().position(|letter| *letter == text[place]);
            }
        }
        seen
    }
}

/// Every state and the letter after it, in the order of the words.
fn steps() -> impl Iterator<Item = (usize, usize)> {
    (0..STATES * LETTERS).map(|word| (word / LETTERS, word % LETTERS))
}

fn follow(state: usize, letter: usize) -> usize {
    (state * LETTERS + letter) % STATES
}

fn scaled(mut chances: [f64; STATES]) -> [f64; STATES] {
    let sum: f64 = chances.iter().sum();
    chances.iter_mut().for_each(|chance| *chance /= sum);
    chances
}

fn digits(word: &[Base]) -> Option<[usize; 4]> {
    let mut digits = [0; 4];
    for (digit, base) in digits.iter_mut().zip(word) {
        *digit = ALPHABET.iter().position(|letter| letter == base)?;
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_words_leave_one_letter_open() {
        let text: Rna = "ACGUACGUACGUACGUACGU".parse().unwrap();
        let markov = Markov::fit(std::slice::from_ref(&text));
        // Four hidden words in a row share one letter that no visible word shows: the U at place 7.
        let posteriors = markov.posteriors(&text, &[4, 5, 6, 7]);
        for (start, posterior) in (4..8).zip(posteriors) {
            let possible = posterior.iter().filter(|chance| **chance > 0.0).count();
            let [a, b, c, d] = digits(&text[start..start + 4]).unwrap();
            let truth = ((a * 4 + b) * 4 + c) * 4 + d;
            assert_eq!(possible, 4);
            assert!(posterior[truth] > 0.9 && (posterior.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
        assert_eq!(markov.posteriors(&text, &[4, 5])[0].iter().filter(|chance| **chance > 0.0).count(), 1);
    }
}
