//! Words of a promoter, counted by place.

use std::ops::{Range, RangeInclusive};

use tch::{Kind, Tensor};

/// Letters of the shortest word to the longest in the whole range, and in a part of it.
const WHOLE: RangeInclusive<usize> = 2..=5;
const IN_PART: RangeInclusive<usize> = 1..=4;
/// Letters on either side of a gap, and letters that a gap may have.
const BESIDE_GAP: usize = 2;
const GAPS: RangeInclusive<usize> = 1..=3;

/// Which words are counted, and where.
#[derive(Debug)]
pub(super) struct Words {
    range: Range<i64>,
    /// Overlapping parts of the range.
    parts: Vec<Range<i64>>,
}

/// Words of a row as numbers, −1 where a letter is unknown: (n, starts).
struct Found {
    words: Tensor,
    letters: i64,
}

impl Words {
    /// In a range of positions and its parts.
    pub(super) fn new(range: Range<usize>, parts: &[Range<usize>]) -> Self {
        let of = |range: &Range<usize>| range.start as i64..range.end as i64;
        Self { range: of(&range), parts: parts.iter().map(of).collect() }
    }

    /// Numbers that each group of words takes: whole range, with a gap, each part.
    pub(super) fn sizes(&self) -> Vec<i64> {
        let words = |lengths: RangeInclusive<usize>| lengths.map(|length| 4_i64.pow(length as u32)).sum();
        let mut sizes = vec![words(WHOLE), words(2 * BESIDE_GAP..=2 * BESIDE_GAP)];
        sizes.resize(sizes.len() + self.parts.len(), words(IN_PART));
        sizes
    }

    /// Square roots of the counts: (n, positions) codes, 0 for `N`, to (n, numbers). One more of a word that is there
    /// already says less than the first.
    pub(super) fn roots(&self, codes: &Tensor) -> Tensor {
        let rows = codes.size()[0];
        let size: i64 = self.sizes().iter().sum();
        let codes = codes.to_kind(Kind::Int64) - 1_i64;
        let found: Vec<Found> =
            (1..=*WHOLE.end()).map(|length| words(&codes, &(0..length).collect::<Vec<_>>())).collect();
        let gaps: Vec<Found> = GAPS
            .map(|gap| {
                let second = BESIDE_GAP + gap..2 * BESIDE_GAP + gap;
                words(&codes, &(0..BESIDE_GAP).chain(second).collect::<Vec<_>>())
            })
            .collect();
        let mut places = Places { offset: 0, trash: size, found: Vec::new() };
        for length in WHOLE {
            places.add([&found[length - 1]], &self.range, length);
        }
        places.add(&gaps, &self.range, 2 * BESIDE_GAP);
        for part in &self.parts {
            for length in IN_PART {
                places.add([&found[length - 1]], part, length);
            }
        }
        let places = Tensor::cat(&places.found, 1);
        let counts = Tensor::zeros([rows, size + 1], (Kind::Float, codes.device()));
        let counts = counts.scatter_add(1, &places, &places.ones_like().to_kind(Kind::Float));
        counts.narrow(1, 0, size).sqrt()
    }
}

/// Where each word of a row is counted.
struct Places {
    offset: i64,
    /// Where words with an unknown letter go.
    trash: i64,
    found: Vec<Tensor>,
}

impl Places {
    /// Counts words of `length` known letters that lie in `range` as a whole.
    fn add<'a>(&mut self, found: impl IntoIterator<Item = &'a Found>, range: &Range<i64>, length: usize) {
        for Found { words, letters } in found {
            let words = words.narrow(1, range.start, range.end - range.start - letters + 1);
            self.found.push((&words + self.offset).where_scalarother(&words.ge(0), self.trash));
        }
        self.offset += 4_i64.pow(length as u32);
    }
}

/// Words of the letters at these distances from each start.
fn words(codes: &Tensor, letters: &[usize]) -> Found {
    let reach = letters.last().map_or(0, |last| last + 1) as i64;
    let starts = codes.size()[1] - reach + 1;
    let (mut words, mut least) = (None::<Tensor>, None::<Tensor>);
    for &letter in letters {
        let at = codes.narrow(1, letter as i64, starts);
        words = Some(words.map_or_else(|| at.shallow_clone(), |words| words * 4_i64 + &at));
        least = Some(least.map_or_else(|| at.shallow_clone(), |least| least.minimum(&at)));
    }
    let (words, least) = words.zip(least).expect("a word has a letter");
    Found { words: words.where_scalarother(&least.ge(0), -1_i64), letters: reach }
}
