//! Tensors by name, outside libtorch: read, written, renamed and copied into a network one by one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use tch::nn::VarStore;
use tch::{Device, Tensor};

use crate::LoadError;
use crate::error::io;

/// One float32 tensor outside libtorch.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Array {
    /// These values with the axes in reverse order: Keras kernels to libtorch's.
    pub fn reverse_axes(&self) -> Self {
        self.permute(&(0..self.shape.len() as i64).rev().collect::<Vec<i64>>())
    }

    /// These values with the axes in this order.
    pub fn permute(&self, axes: &[i64]) -> Self {
        let shape: Vec<i64> = self.shape.iter().map(|&size| size as i64).collect();
        Self::of(&Tensor::from_slice(&self.values).view(&*shape).permute(axes))
    }

    /// As many zeros.
    pub fn zeros_like(&self) -> Self {
        Self { shape: self.shape.clone(), values: vec![0.0; self.values.len()] }
    }

    /// A vector of the same value throughout.
    pub fn filled(length: usize, value: f32) -> Self {
        Self { shape: vec![length], values: vec![value; length] }
    }

    /// These values, one a row.
    pub fn column(values: Vec<f32>) -> Self {
        Self { shape: vec![values.len(), 1], values }
    }

    fn of(tensor: &Tensor) -> Self {
        Self { shape: tensor.size().iter().map(|&size| size as usize).collect(), values: values(tensor) }
    }
}

/// A tensor's values in row-major order.
pub(crate) fn values(tensor: &Tensor) -> Vec<f32> {
    let mut values = vec![0.0; tensor.numel()];
    tensor.to_device(Device::Cpu).contiguous().copy_data(&mut values, tensor.numel());
    values
}

/// Tensors by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors(BTreeMap<String, Array>);

impl Tensors {
    /// Reads a safetensors file of float32 tensors.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        let bytes = fs::read(path).map_err(io(path))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| LoadError::format(path, error))?;
        let mut tensors = Self::default();
        for (name, view) in file.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(LoadError::format(path, format!("tensor {name:?} is not float32")));
            }
            let values = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            tensors.insert(name, Array { shape: view.shape().to_vec(), values: values.collect() });
        }
        Ok(tensors)
    }

    /// Writes a safetensors file; the same tensors give the same bytes.
    pub fn write(&self, path: &Path) -> Result<(), LoadError> {
        let bytes: Vec<(&String, &Array, Vec<u8>)> = self
            .0
            .iter()
            .map(|(name, array)| (name, array, array.values.iter().flat_map(|v| v.to_le_bytes()).collect()))
            .collect();
        let mut views = Vec::with_capacity(bytes.len());
        for (name, array, data) in &bytes {
            let view = TensorView::new(Dtype::F32, array.shape.clone(), data);
            views.push((name.as_str(), view.map_err(|error| LoadError::format(path, error))?));
        }
        let file = safetensors::serialize(views, None).map_err(|error| LoadError::format(path, error))?;
        fs::write(path, file).map_err(io(path))
    }

    /// A network's variables, trained and running alike.
    pub fn of(store: &VarStore) -> Self {
        Self::copy(store.variables())
    }

    /// Copies of libtorch tensors, e.g. an optimiser's state.
    pub fn copy(tensors: impl IntoIterator<Item = (String, Tensor)>) -> Self {
        Self(tensors.into_iter().map(|(name, tensor)| (name, Array::of(&tensor))).collect())
    }

    /// Copies every tensor into the network.
    pub fn load_into(self, store: &VarStore) -> Result<(), LoadError> {
        self.copy_into(store.variables())
    }

    /// Copies every tensor into the network, which may have others beside them.
    pub fn load_part_into(&self, store: &VarStore) -> Result<(), LoadError> {
        let variables = store.variables().into_iter().filter(|(name, _)| self.0.contains_key(name));
        self.clone().copy_into(variables.collect::<Vec<_>>())
    }

    /// Copies every tensor into the one of the same name. Names and shapes must be exactly the same: libtorch's own
    /// loading ignores surplus tensors and broadcasts wrong shapes.
    pub fn copy_into(mut self, targets: impl IntoIterator<Item = (String, Tensor)>) -> Result<(), LoadError> {
        for (name, mut variable) in targets {
            let array = self.take(&name)?;
            let found: Vec<i64> = array.shape.iter().map(|&size| size as i64).collect();
            if variable.size() != found {
                return Err(LoadError::Shape { tensor: name, expected: variable.size(), found });
            }
            tch::no_grad(|| variable.copy_(&Tensor::from_slice(&array.values).view(&*found)));
        }
        self.expect_empty()
    }

    /// Adds all tensors of another set, with a prefix to their names.
    pub fn extend_with(&mut self, prefix: &str, other: Tensors) {
        self.0.extend(other.0.into_iter().map(|(name, array)| (format!("{prefix}{name}"), array)));
    }

    /// Keeps the tensors of these names only.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| keep(name));
    }

    /// Takes out the tensors whose names begin with a prefix, which is cut off.
    pub fn split_off(&mut self, prefix: &str) -> Tensors {
        let names: Vec<String> = self.0.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
        names
            .into_iter()
            .filter_map(|name| Some((name[prefix.len()..].to_owned(), self.0.remove(&name)?)))
            .collect()
    }

    /// Adds a tensor.
    pub fn insert(&mut self, name: String, array: Array) {
        self.0.insert(name, array);
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Removes a tensor that has to be there.
    pub fn take(&mut self, name: &str) -> Result<Array, LoadError> {
        self.0.remove(name).ok_or_else(|| LoadError::Missing(name.to_owned()))
    }

    /// Fails when a tensor is left that nobody took.
    pub fn expect_empty(self) -> Result<(), LoadError> {
        self.0.into_keys().next().map_or(Ok(()), |name| Err(LoadError::Surplus(name)))
    }
}

impl FromIterator<(String, Array)> for Tensors {
    fn from_iter<I: IntoIterator<Item = (String, Array)>>(tensors: I) -> Self {
        Self(tensors.into_iter().collect())
    }
}

impl IntoIterator for Tensors {
    type Item = (String, Array);
    type IntoIter = std::collections::btree_map::IntoIter<String, Array>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
