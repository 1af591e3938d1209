//! Words of a promoter, counted.

use mirna::Base;

/// Counts of all words of 1 to `longest` letters; a word with N is none.
pub(super) fn words(promoter: &[Base], longest: usize) -> Vec<f64> {
    let mut counts = Vec::new();
    for length in 1..=longest {
        let mut of_length = vec![0.0; 4_usize.pow(length as u32)];
        for word in promoter.windows(length) {
            let index = word.iter().try_fold(0, |index, base| Some(index * 4 + digit(*base)?));
            if let Some(index) = index {
                of_length[index] += 1.0;
            }
        }
        counts.extend(of_length);
    }
    counts
}

fn digit(base: Base) -> Option<usize> {
    [Base::A, Base::C, Base::G, Base::U].iter().position(|letter| *letter == base)
}
