//! The two convolutions over the promoter's window. Where no row of a batch has a letter their outputs are known
//! beforehand, so only the part around the letters is computed.

use std::ops::Range;

use tch::nn::{self, Init};
use tch::{Kind, Tensor};

use super::WINDOW;

const LETTERS: i64 = 4;
const FIRST: Layer = Layer { kernels: 128, width: 6, left: 2, pool: 30 };
const SECOND: Layer = Layer { kernels: 32, width: 9, left: 4, pool: 10 };
/// Positions of the window, and of the maps after each pooling: 350 and 35.
const POSITIONS: [i64; 3] =
    [WINDOW as i64, WINDOW as i64 / FIRST.pool, WINDOW as i64 / (FIRST.pool * SECOND.pool)];
/// Values of the last map.
pub(super) const OUTPUTS: i64 = POSITIONS[2] * SECOND.kernels;

/// A convolution with "same" padding, ReLU and the pooling behind it.
struct Layer {
    kernels: i64,
    width: i64,
    /// Positions before the output's own that it reads.
    left: i64,
    pool: i64,
}

impl Layer {
    /// Positions after the output's own that it reads.
    const fn right(&self) -> i64 {
        self.width - 1 - self.left
    }

    /// Pooled outputs that inputs in `range` reach, of `positions` in all.
    fn reached(&self, range: &Range<i64>, positions: i64) -> Range<i64> {
        let first = (range.start - self.right()).max(0) / self.pool;
        let last = ((range.end - 1 + self.left) / self.pool).min(positions - 1);
        first..last + 1
    }

    /// Inputs that the pooled outputs in `range` read; may stand over the ends.
    fn read_by(&self, range: &Range<i64>) -> Range<i64> {
        range.start * self.pool - self.left..range.end * self.pool + self.right()
    }

    /// Valid convolution: (n, t, c) to (n, t − width + 1, kernels). As a product of matrices: libtorch's own convolution is
    /// slow where there are few channels.
    fn convolve(&self, map: &Tensor, weights: &nn::Conv1D) -> Tensor {
        map.unfold(1, self.width, 1) // (n, t − width + 1, c, width)
            .flatten(2, 3)
            .linear(&weights.ws.flatten(1, 2), weights.bs.as_ref())
    }

    /// Pooling and ReLU: (n, t, kernels) to (n, t / pool, kernels).
    fn pooled(&self, map: &Tensor) -> Tensor {
        // ReLU behind the pooling is the same, and cheaper.
        map.unflatten(1, [-1, self.pool]).amax(2, false).relu()
    }

    /// What a map that is 0 but for positions in `range` adds to the outputs that read it: (n, t, c) to (n, t + width − 1,
    /// kernels), the first of which stands [`Layer::right`] before the range.
    fn spread(&self, map: &Tensor, weights: &nn::Conv1D) -> Tensor {
        let [rows, positions] = [map.size()[0], map.size()[1]];
        let by_place = map
            .flatten(0, 1) // linear is slow on more than two axes
            .linear::<&Tensor>(&weights.ws.permute([2, 0, 1]).flatten(0, 1), None)
            .view([rows, positions, self.width, self.kernels]);
        let outputs = (0..self.width)
            .map(|place| by_place.select(2, place).constant_pad_nd([0, 0, self.width - 1 - place, place]));
        outputs.reduce(|sum, part| sum + part).unwrap_or_else(|| map.shallow_clone())
    }

    /// Started as Keras' "glorot_normal" with zero biases.
    fn weights(&self, path: nn::Path, channels: i64) -> nn::Conv1D {
        let stdev = (2.0 / ((channels + self.kernels) * self.width) as f64).sqrt();
        let config = nn::ConvConfig {
            ws_init: Init::Randn { mean: 0.0, stdev },
            bs_init: Init::Const(0.0),
            ..Default::default()
        };
        nn::conv1d(path, channels, self.kernels, self.width, config)
    }
}

/// The weights of both.
#[derive(Debug)]
pub(super) struct Promoter {
    first: nn::Conv1D,
    second: nn::Conv1D,
}

impl Promoter {
    /// Under a path.
    pub(super) fn new(path: &nn::Path) -> Self {
        Self {
            first: FIRST.weights(path / "conv1", LETTERS),
            second: SECOND.weights(path / "conv2", FIRST.kernels),
        }
    }

    /// Letter codes (n, 10,500) to (n, 1,120), time-major.
    pub(super) fn forward(&self, codes: &Tensor) -> Tensor {
        self.computed_in(codes, &letters(codes))
    }

    /// [`Promoter::forward`] where only the letters in `range` of the window may differ from N.
    fn computed_in(&self, codes: &Tensor, range: &Range<i64>) -> Tensor {
        let rows = codes.size()[0];
        let reached = FIRST.reached(range, POSITIONS[1]);
        let blocks = SECOND.reached(&reached, POSITIONS[2]);
        let map = FIRST.convolve(&one_hot(&slice(codes, &FIRST.read_by(&reached))), &self.first);
        let map = FIRST.pooled(&map); // (n, t, 128)

        // Elsewhere the first map has the value of N: what it has more here is all that the second sees of letters.
        let background = self.background();
        let more = SECOND.spread(&(map - self.of_n()), &self.second);
        let outputs = blocks.start * SECOND.pool..blocks.end * SECOND.pool;
        let (first, end) = (reached.start - SECOND.right(), reached.end + SECOND.left);
        let more = more.constant_pad_nd([0, 0, first - outputs.start, outputs.end - end]);
        let here = background.narrow(1, outputs.start, outputs.end - outputs.start);
        let map = SECOND.pooled(&(here + more)); // (n, blocks, 32)

        let background = SECOND.pooled(&background).expand([rows, -1, -1], false); // (n, 35, 32)
        let before = background.narrow(1, 0, blocks.start);
        let after = background.narrow(1, blocks.end, POSITIONS[2] - blocks.end);
        Tensor::cat(&[before, map, after], 1).flatten(1, 2)
    }

    /// The first map at a position where there is no letter: (1, 1, 128).
    fn of_n(&self) -> Tensor {
        let values = self.first.bs.as_ref().map(Tensor::relu);
        let values = values.unwrap_or_else(|| {
            self.first.ws.new_zeros([FIRST.kernels], (Kind::Float, self.first.ws.device()))
        });
        values.view([1, 1, FIRST.kernels])
    }

    /// The second convolution over a window without a letter, (1, 350, 32): only its ends differ, where padding is read.
    fn background(&self) -> Tensor {
        let map = self.of_n().expand([1, 3 * SECOND.pool, FIRST.kernels], false);
        let map = SECOND.convolve(&map.constant_pad_nd([0, 0, SECOND.left, SECOND.right()]), &self.second);
        let part = |block: i64| map.narrow(1, block * SECOND.pool, SECOND.pool);
        let middle = part(1).repeat([1, POSITIONS[2] - 2, 1]);
        Tensor::cat(&[part(0), middle, part(2)], 1)
    }
}

/// From the first to the last position at which some row has a letter; one position where none has.
fn letters(codes: &Tensor) -> Range<i64> {
    let any = codes.amax(0, false);
    let places = any.nonzero().squeeze_dim(1);
    if places.numel() == 0 {
        return 0..1;
    }
    places.min().int64_value(&[])..places.max().int64_value(&[]) + 1
}

/// Codes at these positions of the window; N beyond its ends.
fn slice(codes: &Tensor, range: &Range<i64>) -> Tensor {
    let inside = range.start.max(0)..range.end.min(POSITIONS[0]);
    codes
        .narrow(1, inside.start, inside.end - inside.start)
        .constant_pad_nd([inside.start - range.start, range.end - inside.end])
}

/// (n, t) codes to (n, t, 4); N is four zeros.
fn one_hot(codes: &Tensor) -> Tensor {
    let alphabet = Tensor::arange_start(1, LETTERS + 1, (Kind::Float, codes.device()));
    codes.unsqueeze(-1).eq_tensor(&alphabet).to_kind(Kind::Float)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    /// What was left out changes nothing: letters anywhere, up to the very ends, in rows that differ.
    #[test]
    fn the_short_way_equals_the_full_computation() {
        tch::manual_seed(3);
        let store = nn::VarStore::new(Device::Cpu);
        let promoter = Promoter::new(&store.root());
        let _no_grad = tch::no_grad_guard();
        for mut variable in store.trainable_variables() {
            let _ = variable.normal_(0.0, 0.3);
        }
        let whole = POSITIONS[0];
        let ranges = [
            (6_951, 86),
            (6_751, 300),
            (0, whole),
            (0, 1),
            (whole - 1, 1),
            (0, 0),
            (2, 27),
            (10_467, 33),
            (119, 2),
            (1_199, 3),
            (4_000, 3_333),
        ];
        for (start, length) in ranges {
            let codes = Tensor::zeros([3, whole], (Kind::Float, Device::Cpu));
            let letters = Tensor::randint_low(0, 5, [2, length], (Kind::Float, Device::Cpu));
            codes.narrow(0, 0, 2).narrow(1, start, length).copy_(&letters);
            let (short, full) = (promoter.forward(&codes), promoter.computed_in(&codes, &(0..whole)));
            assert_eq!(short.size(), [3, OUTPUTS]);
            let scale = 1.0 + full.abs().max().double_value(&[]);
            let difference = (short - full).abs().max().double_value(&[]) / scale;
            assert!(difference < 1e-5, "{difference} with {length} letters at {start}");
        }
    }
}
