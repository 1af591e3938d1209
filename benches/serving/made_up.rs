//! Made-up sequences, the same on every machine.

/// Random numbers by a linear congruence: speed is all that they are for.
pub(crate) struct MadeUp(pub u64);

impl MadeUp {
    /// Even between 0 and 1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 31)
    }

    /// RNA.
    pub(crate) fn letters(&mut self, length: usize) -> String {
        (0..length).map(|_| ['A', 'C', 'G', 'U'][(self.next() * 4.0) as usize % 4]).collect()
    }
}
