//! Stacking energies of RNA duplexes: Turner 2004 (Mathews et al., PNAS 2004; NNDB), kcal/mol at 37 °C.

use super::aligner::KINDS;

/// Rows: the first pair, 5' letter first. Columns: the second, read from the other strand.
const STACKS: [[f32; KINDS]; KINDS] = [
    [-2.4, -3.3, -2.1, -1.4, -2.1, -2.1],
    [-3.3, -3.4, -2.5, -1.5, -2.2, -2.4],
    [-2.1, -2.5, 1.3, -0.5, -1.4, -1.3],
    [-1.4, -1.5, -0.5, 0.3, -0.6, -1.0],
    [-2.1, -2.2, -1.4, -0.6, -1.1, -0.9],
    [-2.1, -2.4, -1.3, -1.0, -0.9, -1.3],
];

/// Energy of two neighbouring pairs by kind: a letter of the miRNA (5'→3') and the letter of the site that it faces.
pub(super) fn stack(first: usize, second: usize) -> f32 {
    // Read from the other strand C:G is G:C, and so on.
    STACKS[first][second ^ 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_strands_read_the_same() {
        for (first, second) in (0..KINDS).flat_map(|first| (0..KINDS).map(move |second| (first, second))) {
            assert_eq!(stack(first, second), stack(second ^ 1, first ^ 1), "{first} {second}");
        }
        // 5'-CG-3' on 3'-GC-5', 5'-GC-3' on 3'-CG-5', 5'-AU-3' on 3'-UA-5': NNDB's -2.36, -3.42, -1.10.
        assert_eq!([stack(0, 1), stack(1, 0), stack(4, 5)], [-2.4, -3.4, -1.1]);
    }
}
