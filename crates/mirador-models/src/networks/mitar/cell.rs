//! Keras' LSTM with ReLU in place of tanh and its hard sigmoid clamp(0.2·x + 0.5, 0, 1): neither is libtorch's.

use tch::nn::{self, Init};
use tch::{Kind, Tensor};

use crate::networks::layers::glorot_uniform;

/// Two directions, each with gates in the order i, f, c, o.
#[derive(Debug)]
pub(super) struct BiLstm {
    directions: [Direction; 2],
    units: i64,
}

#[derive(Debug)]
struct Direction {
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor,
}

impl BiLstm {
    /// Glorot-uniform and orthogonal kernels, zero biases but 1 for the forget gate, as Keras starts it.
    pub(super) fn new(path: &nn::Path, inputs: i64, units: i64) -> Self {
        let direction = |path: nn::Path| {
            let bias = path.var("bias", &[4 * units], Init::Const(0.0));
            tch::no_grad(|| {
                let _ = bias.narrow(0, units, units).fill_(1.0);
            });
            Direction {
                weight_ih: path.var("weight_ih", &[4 * units, inputs], glorot_uniform(inputs, 4 * units)),
                weight_hh: path.var("weight_hh", &[4 * units, units], Init::Orthogonal { gain: 1.0 }),
                bias,
            }
        };
        Self { directions: [direction(path / "forward"), direction(path / "backward")], units }
    }

    /// Last states of both directions: (n, t, inputs) to (n, 2 × units), forward first.
    pub(super) fn last_states(&self, input: &Tensor) -> Tensor {
        let (rows, steps) = (input.size()[0], input.size()[1]);
        let u = self.units;
        // The hard sigmoid's 0.2·x + 0.5 goes into the kernels of i, f and o, once for all steps; the candidate's
        // columns come last.
        let arrange = |kernel: &Tensor, shift: f64| {
            let [i, f, c, o]: [Tensor; 4] = std::array::from_fn(|gate| kernel.narrow(0, gate as i64 * u, u));
            Tensor::cat(&[Tensor::cat(&[i, f, o], 0) * 0.2 + shift, c], 0)
        };
        let [from_input, from_state]: [Vec<Tensor>; 2] = [
            self.directions
                .iter()
                .zip([false, true])
                .map(|(direction, backward)| {
                    let kernel = arrange(&direction.weight_ih, 0.0).tr();
                    let sums = input.matmul(&kernel) + arrange(&direction.bias, 0.5);
                    let sums = sums.transpose(0, 1); // (t, n, 4u)
                    if backward { sums.flip([0]) } else { sums }
                })
                .collect(),
            self.directions.iter().map(|direction| arrange(&direction.weight_hh, 0.0).tr()).collect(),
        ];
        let from_input = Tensor::stack(&from_input, 1).unbind(0); // t × (2, n, 4u)
        let from_state = Tensor::stack(&from_state, 0); // (2, u, 4u)
        let mut state = Tensor::zeros([2, rows, u], (Kind::Float, input.device()));
        let mut memory = state.shallow_clone();
        for sums in from_input.iter().take(steps as usize) {
            let sums = sums.baddbmm(&state, &from_state, 1.0, 1.0);
            let gates = sums.narrow(2, 0, 3 * u).clamp(0.0, 1.0).chunk(3, 2);
            memory = &gates[1] * &memory + &gates[0] * sums.narrow(2, 3 * u, u).relu();
            state = &gates[2] * memory.relu();
        }
        state.transpose(0, 1).flatten(1, 2) // (n, 2u)
    }
}
