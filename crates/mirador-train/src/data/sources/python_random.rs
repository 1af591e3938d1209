//! Python's `random.seed(n); random.shuffle(list)`, by which a published split was made: Mersenne Twister (Matsumoto
//! & Nishimura 1998) and CPython's way from its numbers to indices.

const SIZE: usize = 624;
const MIDDLE: usize = 397;

struct Twister {
    state: [u32; SIZE],
    next: usize,
}

/// Shuffles as Python 3 does after `random.seed(seed)`.
pub(super) fn shuffle<T>(items: &mut [T], seed: u32) {
    let mut twister = Twister::new(seed);
    for last in (1..items.len()).rev() {
        items.swap(last, twister.below(last + 1));
    }
}

impl Twister {
    /// The generator's initialisation by an array of one number.
    fn new(seed: u32) -> Self {
        let mut state = [0; SIZE];
        state[0] = 19_650_218;
        let mixed = |state: &[u32; SIZE], at: usize, factor: u32| {
            let before = state[at - 1];
            (before ^ (before >> 30)).wrapping_mul(factor)
        };
        for at in 1..SIZE {
            state[at] = mixed(&state, at, 1_812_433_253).wrapping_add(at as u32);
        }
        let mut at = 1;
        let mut step = |state: &mut [u32; SIZE], value: &dyn Fn(&[u32; SIZE], usize) -> u32| {
            state[at] = value(state, at);
            at += 1;
            if at == SIZE {
                state[0] = state[SIZE - 1];
                at = 1;
            }
        };
        for _ in 0..SIZE {
            step(&mut state, &|state, at| (state[at] ^ mixed(state, at, 1_664_525)).wrapping_add(seed));
        }
        for _ in 1..SIZE {
            step(&mut state, &|state, at| {
                (state[at] ^ mixed(state, at, 1_566_083_941)).wrapping_sub(at as u32)
            });
        }
        state[0] = 1 << 31;
        Self { state, next: SIZE }
    }

    fn number(&mut self) -> u32 {
        if self.next == SIZE {
            self.turn();
        }
        let mut number = self.state[self.next];
        self.next += 1;
        number ^= number >> 11;
        number ^= (number << 7) & 0x9d2c_5680;
        number ^= (number << 15) & 0xefc6_0000;
        number ^ (number >> 18)
    }

    fn turn(&mut self) {
        for at in 0..SIZE {
            let both = (self.state[at] & (1 << 31)) | (self.state[(at + 1) % SIZE] & !(1 << 31));
            let odd = if both & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[at] = self.state[(at + MIDDLE) % SIZE] ^ (both >> 1) ^ odd;
        }
        self.next = 0;
    }

    /// A number below `limit`: as many bits as the limit has, drawn until it is.
    fn below(&mut self, limit: usize) -> usize {
        let bits = usize::BITS - limit.leading_zeros();
        loop {
            let drawn = (self.number() >> (32 - bits)) as usize;
            if drawn < limit {
                return drawn;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_python() {
        let mut items: Vec<u32> = (0..12).collect();
        shuffle(&mut items, 2);
        assert_eq!(items, [9, 11, 3, 4, 7, 6, 8, 2, 5, 10, 1, 0]);
    }
}
