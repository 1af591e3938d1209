//! AdamW (Loshchilov & Hutter 2019): Adam whose weight decay does not pass through the moments.

use tch::{Tensor, nn::VarStore};

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.98;
const EPSILON: f64 = 1e-8;
/// Of matrices.
const WEIGHT_DECAY: f64 = 0.01;

/// Optimiser state of all variables of a store.
#[derive(Debug)]
pub struct AdamW(Vec<Slot>);

#[derive(Debug)]
struct Slot {
    name: String,
    variable: Tensor,
    first: Tensor,
    second: Tensor,
}

impl AdamW {
    /// Before the first step.
    pub fn new(store: &VarStore) -> Self {
        let slot = |(name, variable): (String, Tensor)| Slot {
            name,
            first: variable.zeros_like().detach(),
            second: variable.zeros_like().detach(),
            variable,
        };
        Self(store.variables().into_iter().map(slot).collect())
    }

    /// Step number `step`, from 1, down the gradient of `loss`.
    pub fn minimise(&mut self, loss: &Tensor, rate: f64, step: usize) {
        self.0.iter_mut().for_each(|slot| slot.variable.zero_grad());
        loss.backward();
        let bias = |beta: f64| 1.0 - beta.powf(step as f64);
        let (bias_1, bias_2) = (bias(BETA_1), bias(BETA_2));
        tch::no_grad(|| {
            for Slot { variable, first, second, .. } in &mut self.0 {
                let gradient = variable.grad();
                let _ = first.lerp_(&gradient, 1.0 - BETA_1);
                let _ = second.lerp_(&gradient.square(), 1.0 - BETA_2);
                if variable.dim() > 1 {
                    *variable *= 1.0 - rate * WEIGHT_DECAY;
                }
                let scale = (&*second / bias_2).sqrt() + EPSILON;
                let _ = variable.g_sub_(&(&*first * (rate / bias_1) / scale));
            }
        });
    }

    /// What a checkpoint has to hold beside the variables, by name.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let of_slot = |slot: &Slot| {
            [("first", &slot.first), ("second", &slot.second)]
                .map(|(part, tensor)| (format!("{part}.{}", slot.name), tensor.shallow_clone()))
        };
        self.0.iter().flat_map(of_slot).collect()
    }
}
