//! LSTM layers. In libtorch's own, most of the time of few units goes into bookkeeping between steps: of DMISO's .62 ms
//! for one row .45 ms were its. Where no gradient is asked for and the tensors lie in the processor's memory, the steps
//! run here instead.

use std::ops::Range;

use pulp::bytemuck::{cast_slice, cast_slice_mut};
use pulp::{Arch, Simd, WithSimd};
use tch::nn::{self, Init, Module, Path, RNN};
use tch::{Device, Tensor};

use super::layers::glorot_uniform;
use crate::tensors::values;

/// One or two directions over all steps.
#[derive(Debug)]
pub(super) struct Lstm {
    layer: nn::LSTM,
    /// Forward, then backward; libtorch's tensors, shared with `layer`.
    directions: Vec<Weights>,
}

/// Weights of one direction; gates stand in the order i, f, g, o.
#[derive(Debug)]
struct Weights {
    /// (4 × units, inputs), (4 × units, units), (4 × units), (4 × units).
    tensors: [Tensor; 4],
    inputs: usize,
    units: usize,
}

impl Lstm {
    /// In one direction: (n, t, `inputs`) to (n, t, `units`).
    pub(super) fn one_way(path: &Path, inputs: i64, units: i64) -> Self {
        Self::new(path, [inputs, units], &["l0"])
    }

    /// In both: (n, t, `inputs`) to (n, t, 2 × `units`), forward half first.
    pub(super) fn both_ways(path: &Path, inputs: i64, units: i64) -> Self {
        Self::new(path, [inputs, units], &["l0", "l0_reverse"])
    }

    /// Glorot-uniform and orthogonal kernels, zero biases but 1 for the forget gate, as Keras starts it.
    fn new(path: &Path, [inputs, units]: [i64; 2], suffixes: &[&str]) -> Self {
        let config = nn::RNNConfig {
            bidirectional: suffixes.len() == 2,
            w_ih_init: glorot_uniform(inputs, 4 * units),
            w_hh_init: Init::Orthogonal { gain: 1.0 },
            ..Default::default()
        };
        let layer = nn::lstm(path, inputs, units, config);
        let weights = |suffix: &&str| {
            let tensors = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map(|name| {
                path.get(&format!("{name}_{suffix}")).expect("libtorch names an LSTM's tensors so")
            });
            tch::no_grad(|| {
                let _ = tensors[2].narrow(0, units, units).fill_(1.0);
            });
            Weights { tensors, inputs: inputs as usize, units: units as usize }
        };
        Self { layer, directions: suffixes.iter().map(weights).collect() }
    }
}

impl Module for Lstm {
    /// States of every step: (n, t, inputs) to (n, t, directions × units).
    fn forward(&self, input: &Tensor) -> Tensor {
        let [.., bias_ih, bias_hh] = &self.directions[0].tensors;
        // Of a sum, since the weights themselves and their views want gradients even where none is recorded.
        let learns = (bias_ih + bias_hh).requires_grad() || input.requires_grad();
        let [rows, steps] = [0, 1].map(|axis| input.size()[axis]);
        if learns || input.device() != Device::Cpu || steps == 1 {
            return self.layer.seq(input).0;
        }
        let values = values(input);
        let units: usize = self.directions.iter().map(|direction| direction.units).sum();
        let mut states = vec![0.0; (rows * steps) as usize * units];
        for (index, direction) in self.directions.iter().enumerate() {
            let Weights { inputs, units: of_direction, .. } = *direction;
            Arch::new().dispatch(Walk {
                input: &values,
                inputs,
                steps: steps as usize,
                kernel: &direction.kernel(),
                backward: index == 1,
                states: &mut states,
                units,
                of_direction: index * of_direction..(index + 1) * of_direction,
            });
        }
        Tensor::from_slice(&states).view([rows, steps, units as i64])
    }
}

impl Weights {
    /// For each unit, for each input, each state and the bias: weights of its four gates. Those of g are doubled, since
    /// tanh(x) = 2 σ(2x) − 1.
    fn kernel(&self) -> Vec<[f32; 4]> {
        let [from_input, from_state, bias_ih, bias_hh] = self.tensors.each_ref().map(values);
        let (inputs, units) = (self.inputs, self.units);
        let mut kernel = Vec::with_capacity(units * (inputs + units + 1));
        for unit in 0..units {
            let gates = [0, 1, 2, 3].map(|gate| gate * units + unit);
            let mut push = |[i, f, g, o]: [f32; 4]| kernel.push([i, f, 2.0 * g, o]);
            (0..inputs).for_each(|k| push(gates.map(|gate| from_input[gate * inputs + k])));
            (0..units).for_each(|k| push(gates.map(|gate| from_state[gate * units + k])));
            push(gates.map(|gate| bias_ih[gate] + bias_hh[gate]));
        }
        kernel
    }
}

/// One direction. A vector register holds the same value of as many rows as it has lanes.
struct Walk<'a> {
    /// (n, t, inputs).
    input: &'a [f32],
    inputs: usize,
    steps: usize,
    /// From [`Weights::kernel`].
    kernel: &'a [[f32; 4]],
    /// From the last step to the first.
    backward: bool,
    /// (n, t, units), and which units are of this direction.
    states: &'a mut [f32],
    units: usize,
    of_direction: Range<usize>,
}

impl WithSimd for Walk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { input, inputs, steps, kernel, backward, states, units: all_units, of_direction } = self;
        let units = of_direction.len();
        let zero = simd.splat_f32s(0.0);
        let mut inputs_of_rows = vec![zero; steps * inputs];
        let mut states_of_rows = vec![zero; steps * units];
        let mut gates = vec![[zero; 4]; units];
        // One step's input, then the state before it.
        let mut seen = vec![zero; inputs + units];
        let rows = input.chunks(S::F32_LANES * steps * inputs);
        for (rows, states) in rows.zip(states.chunks_mut(S::F32_LANES * steps * all_units)) {
            for (lane, row) in rows.chunks_exact(steps * inputs).enumerate() {
                let lanes = cast_slice_mut::<_, f32>(&mut inputs_of_rows).chunks_exact_mut(S::F32_LANES);
                lanes.zip(row).for_each(|(lanes, value)| lanes[lane] = *value);
            }
            let mut memory = vec![zero; units];
            seen.fill(zero);
            for step in 0..steps {
                let step = if backward { steps - 1 - step } else { step };
                seen[..inputs].copy_from_slice(&inputs_of_rows[step * inputs..][..inputs]);
                for (gates, kernel) in gates.iter_mut().zip(kernel.chunks_exact(inputs + units + 1)) {
                    let mut sums = kernel[inputs + units].map(|bias| simd.splat_f32s(bias));
                    for (seen, weights) in seen.iter().zip(kernel) {
                        for (sum, weight) in sums.iter_mut().zip(weights) {
                            *sum = simd.mul_add_e_f32s(simd.splat_f32s(*weight), *seen, *sum);
                        }
                    }
                    *gates = sums;
                }
                for gate in gates.as_flattened_mut() {
                    *gate = sigmoid(simd, *gate);
                }
                for ((state, memory), [i, f, g, o]) in seen[inputs..].iter_mut().zip(&mut memory).zip(&gates)
                {
                    let candidate = simd.mul_f32s(*i, twice_minus_one(simd, *g));
                    *memory = simd.mul_add_e_f32s(*f, *memory, candidate);
                    let doubled = simd.add_f32s(*memory, *memory);
                    *state = simd.mul_f32s(*o, twice_minus_one(simd, sigmoid(simd, doubled)));
                }
                states_of_rows[step * units..][..units].copy_from_slice(&seen[inputs..]);
            }
            for (lane, row) in states.chunks_exact_mut(steps * all_units).enumerate() {
                let steps = cast_slice::<_, f32>(&states_of_rows).chunks_exact(units * S::F32_LANES);
                for (states, lanes) in row.chunks_exact_mut(all_units).zip(steps) {
                    let lanes = lanes.chunks_exact(S::F32_LANES);
                    states[of_direction.clone()]
                        .iter_mut()
                        .zip(lanes)
                        .for_each(|(state, lanes)| *state = lanes[lane]);
                }
            }
        }
    }
}

#[inline(always)]
fn twice_minus_one<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    simd.mul_add_e_f32s(simd.splat_f32s(2.0), x, simd.splat_f32s(-1.0))
}

/// 1 / (1 + e^−x).
#[inline(always)]
fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    simd.div_f32s(one, simd.add_f32s(one, exp(simd, simd.neg_f32s(x))))
}

/// e^x within 3e-7 of it for |x| ≤ 87, as 2^n · e^r with |r| ≤ ln 2 / 2.
#[inline(always)]
fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    /// 1.5 · 2^23: added to a float it leaves its whole part in the lowest bits.
    const WHOLE: f32 = 12_582_912.0;
    /// ln 2 as a short and a small part, so that n times the first is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// 1 / k! from k = 6 down, the first three fitted to the range of r.
    const SERIES: [f32; 7] = [0.001_398_2, 0.008_333_2, 0.041_665_8, 0.166_666_66, 0.5, 1.0, 1.0];
    let constant = |value: f32| simd.splat_f32s(value);
    // 0, or not a number where x is none: min and max may forget it.
    let checked = simd.sub_f32s(x, x);
    let x = simd.max_f32s(simd.min_f32s(x, constant(87.0)), constant(-87.0));
    let shifted = simd.mul_add_e_f32s(x, constant(std::f32::consts::LOG2_E), constant(WHOLE));
    let n = simd.sub_f32s(shifted, constant(WHOLE));
    let r = LN_2.iter().fold(x, |r, part| simd.mul_add_e_f32s(n, constant(-part), r));
    let first = constant(SERIES[0]);
    let series = SERIES[1..].iter().fold(first, |sum, term| simd.mul_add_e_f32s(sum, r, constant(*term)));
    let exponent = simd.add_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(127));
    let power = simd.wrapping_dyn_shl_u32s(exponent, simd.splat_u32s(23));
    simd.mul_add_e_f32s(series, simd.transmute_f32s_u32s(power), checked)
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;

    #[test]
    fn states_are_those_of_libtorch() {
        tch::manual_seed(3);
        let store = nn::VarStore::new(Device::Cpu);
        let lstm = Lstm::both_ways(&store.root(), 7, 5);
        for rows in [1, 3, 16, 37] {
            // Large values too, where a gate is wide open or shut.
            let input = Tensor::randn([rows, 11, 7], (Kind::Float, Device::Cpu)) * 10.0;
            let ours = tch::no_grad(|| lstm.forward(&input));
            let theirs = lstm.layer.seq(&input).0;
            assert_eq!(ours.size(), theirs.size());
            assert!(!ours.requires_grad() && theirs.requires_grad(), "the two ways were told apart");
            let apart = (ours - theirs).abs().max().double_value(&[]);
            assert!(apart < 1e-6, "{rows} rows: {apart}");
        }
    }

    #[test]
    fn a_gradient_reaches_the_weights_though_the_input_wants_none() {
        let store = nn::VarStore::new(Device::Cpu);
        let lstm = Lstm::one_way(&store.root(), 2, 3);
        let input = Tensor::ones([1, 4, 2], (Kind::Float, Device::Cpu));
        lstm.forward(&input).sum(Kind::Float).backward();
        assert!(lstm.directions[0].tensors[0].grad().defined());
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        let store = nn::VarStore::new(Device::Cpu);
        let lstm = Lstm::one_way(&store.root(), 1, 1);
        let states = tch::no_grad(|| lstm.forward(&Tensor::from_slice(&[f32::NAN, 0.0]).view([1, 2, 1])));
        assert!(states.double_value(&[0, 0, 0]).is_nan());
    }
}
