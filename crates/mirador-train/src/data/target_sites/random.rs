//! Letters by chance.

use mirna::Base;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// What is drawn from.
pub const LETTERS: [Base; 4] = [Base::A, Base::C, Base::G, Base::U];

/// So many letters, each as probable as the others.
pub fn random_letters(length: usize, rng: &mut ChaCha8Rng) -> Vec<Base> {
    (0..length).map(|_| LETTERS[rng.random_range(0..LETTERS.len())]).collect()
}
