//! A row in numbers, once it is aligned: what pairs where, how firmly, and what lies round it.

use mirna::seed::SiteType;

use super::aligner::{Alignment, KINDS, LETTERS, Letters, POSITIONS, kind};
use super::energy::stack;

/// What faces a letter: its partner by three bonds, by two, a wobble, or no partner.
const FACING: usize = 4;
/// Last positions of the parts of a miRNA whose energy is summed: seed, centre, 3' end.
const PARTS: [usize; 3] = [8, 13, POSITIONS];
/// Letters on either side of the duplex whose A and U are counted.
const FLANK: usize = 15;
/// Pairs that are rarer add no energy.
const LEAST: f32 = 1e-3;
/// Numbers of a row.
pub(super) const FEATURES: usize =
    POSITIONS * FACING + PARTS.len() + 4 + 2 * LETTERS + 2 + 2 + SiteType::ALL.len();

/// In order: for each position of the miRNA the probability of each kind of pair; stacking energies (kcal/mol) of three
/// parts; gaps; letters of either sequence; their lengths; the flanks; the seed match.
pub(super) fn features(row: Letters<'_>, site_type: usize, alignment: &Alignment) -> Vec<f32> {
    let (m, n) = (row.mirna.len(), row.site.len());
    let mut numbers = vec![0.0; POSITIONS * FACING];
    let mut energies = [0.0; PARTS.len()];
    let mut of_site = vec![0.0; n];
    let cells = alignment.posterior.chunks(n).zip(alignment.stacked.chunks(n));
    for (i, (&mirna, (posterior, stacked))) in row.mirna.iter().zip(cells).enumerate() {
        let part = PARTS.iter().position(|&last| i < last).unwrap_or(PARTS.len() - 1);
        let place: [usize; LETTERS] = std::array::from_fn(|site| facing(mirna, site as u8));
        let faced = &mut numbers[i * FACING..(i + 1) * FACING];
        for (j, ((&site, &paired), &stacked)) in row.site.iter().zip(posterior).zip(stacked).enumerate() {
            faced[place[usize::from(site)]] += paired;
            of_site[j] += paired;
            if stacked > LEAST
                && let Some((first, second)) = row.stack(i, j)
            {
                energies[part] += stacked * stack(first, second);
            }
        }
    }
    numbers.extend(energies);
    numbers.extend((0..4).map(|gap| alignment.moves.iter().map(|moves| moves[gap]).sum::<f32>()));
    for letters in [row.mirna, row.site] {
        let count = |letter: u8| letters.iter().filter(|&&other| other == letter).count() as f32;
        numbers.extend((0..LETTERS as u8).map(|letter| count(letter) / letters.len() as f32));
    }
    numbers.extend([m as f32 / POSITIONS as f32, (n as f32).ln()]);
    numbers.extend(flanks(row.site, &of_site));
    numbers.extend((0..SiteType::ALL.len()).map(|class| f32::from(u8::from(class == site_type))));
    numbers
}

fn facing(mirna: u8, site: u8) -> usize {
    /// By kind, as [`kind`] tells them.
    const OF_KIND: [usize; KINDS] = [0, 0, 2, 2, 1, 1];
    kind(mirna, site).map_or(3, |kind| OF_KIND[kind])
}

/// For either side of the duplex: the share of A and U in the site's next letters. How many letters there are is not
/// told: where reads have their duplex is a mark of the experiment.
fn flanks(site: &[u8], paired: &[f32]) -> [f32; 2] {
    let total: f32 = paired.iter().sum();
    let place = |share: f32| {
        let sums = paired.iter().scan(0.0, |sum, value| {
            *sum += value;
            Some(*sum)
        });
        sums.take_while(|&sum| sum < share * total).count()
    };
    let (first, last) = (place(0.05), (place(0.95) + 1).min(site.len()));
    let of = |letters: &[u8]| {
        let weak = letters.iter().filter(|&&letter| letter == 0 || letter == 3).count() as f32;
        (weak + 1.0) / (letters.len() as f32 + 2.0)
    };
    [of(&site[first.saturating_sub(FLANK)..first]), of(&site[last..(last + FLANK).min(site.len())])]
}
