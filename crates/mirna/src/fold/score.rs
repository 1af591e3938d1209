//! What loops are scored in: energies, of which the least counts, or Boltzmann weights, which add up.

use super::parameters::NEVER;

/// Gas constant (kcal/mol/K) times 37 °C.
pub(super) const KT: f64 = 1.98717e-3 * 310.15;

/// A semiring: `then` joins the parts of a structure, `or` its alternatives.
pub(super) trait Score: Copy + PartialEq + 'static {
    /// Score of no loop at all.
    const ONE: Self;
    /// Score of what cannot be.
    const ZERO: Self;
    /// Score of an energy in hundredths of kcal/mol; fractions are dropped where energies are whole numbers.
    fn of(energy: f64) -> Self;
    /// Score of a letter that lies against a helix from outside, by its energy; it never costs energy.
    fn of_neighbour(energy: f64) -> Self;
    /// Both, one beside the other.
    fn then(self, other: Self) -> Self;
    /// Either.
    fn or(self, other: Self) -> Self;
    /// Any of the pairs, each joined.
    fn dot(one: &[Self], other: &[Self]) -> Self;
}

impl Score for i32 {
    const ONE: Self = 0;
    const ZERO: Self = NEVER;

    fn of(energy: f64) -> Self {
        energy as i32
    }

    fn of_neighbour(energy: f64) -> Self {
        energy.min(0.0) as i32
    }

    // Wrapping: checks would keep loops from being vectorised; sums of a few `NEVER` do not come near.
    #[inline]
    fn then(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    #[inline]
    fn or(self, other: Self) -> Self {
        self.min(other)
    }

    fn dot(one: &[Self], other: &[Self]) -> Self {
        one.iter().zip(other).fold(NEVER, |least, (one, other)| least.min(one.wrapping_add(*other)))
    }
}

/// In tenths of kcal/mol, which is as fine as the tables are: eight of them fit where four of the others do.
impl Score for i16 {
    const ONE: Self = 0;
    // Three of them can be added up.
    const ZERO: Self = i16::MAX / 4;

    fn of(energy: f64) -> Self {
        (energy / 10.0).min(f64::from(Self::ZERO)) as i16
    }

    fn of_neighbour(energy: f64) -> Self {
        Self::of(energy.min(0.0))
    }

    #[inline]
    fn then(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    #[inline]
    fn or(self, other: Self) -> Self {
        self.min(other)
    }

    fn dot(one: &[Self], other: &[Self]) -> Self {
        one.iter().zip(other).fold(Self::ZERO, |least, (one, other)| least.or(one.then(*other)))
    }
}

impl Score for f64 {
    const ONE: Self = 1.0;
    const ZERO: Self = 0.0;

    fn of(energy: f64) -> Self {
        (-energy / 100.0 / KT).exp()
    }

    fn of_neighbour(energy: f64) -> Self {
        Self::of(-smooth(-energy))
    }

    #[inline]
    fn then(self, other: Self) -> Self {
        self * other
    }

    #[inline]
    fn or(self, other: Self) -> Self {
        self + other
    }

    fn dot(one: &[Self], other: &[Self]) -> Self {
        // Eight sums at once: the order of one sum would forbid vectors.
        const LANES: usize = 8;
        let (ones, others) = (one.chunks_exact(LANES), other.chunks_exact(LANES));
        let rest: f64 = ones.remainder().iter().zip(others.remainder()).map(|(a, b)| a * b).sum();
        let mut sums = [0.0; LANES];
        for (one, other) in ones.zip(others) {
            for lane in 0..LANES {
                sums[lane] += one[lane] * other[lane];
            }
        }
        sums.iter().sum::<f64>() + rest
    }
}

/// A gain of a neighbour that reaches 0 without a kink, as ViennaRNA's partition functions have it, so that weights are
/// differentiable in temperature: 0 below -12.3, the gain itself above 8.7 hundredths of kcal/mol.
fn smooth(gain: f64) -> f64 {
    let x = gain / 10.0;
    if x < -1.228_369_7 {
        0.0
    } else if x > 0.866_025_4 {
        gain
    } else {
        10.0 * 0.384_900_18 * ((x - 0.342_426_63).sin() + 1.0).powi(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_rows() {
        let row: Vec<f64> = (0..21).map(f64::from).collect();
        assert_eq!(f64::dot(&row, &row), 2870.0);
        assert_eq!(i32::dot(&[5, 3, 9], &[1, 4, NEVER]), 6);
        assert_eq!(i32::dot(&[], &[]), NEVER);
        assert_eq!((i16::dot(&[5, -3], &[1, 4]), i16::of(-240.0)), (1, -24));
    }

    #[test]
    fn a_neighbour_never_costs_energy() {
        assert_eq!((i32::of_neighbour(30.0), i32::of_neighbour(-30.0)), (0, -30));
        assert!((f64::of_neighbour(-30.0) - f64::of(-30.0)).abs() < 1e-12);
        assert!((smooth(-12.3)).abs() < 0.1 && (smooth(8.66) - 8.66).abs() < 0.1);
    }
}
