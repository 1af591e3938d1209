#!/usr/bin/env python3
"""Turns an author's Keras HDF5 weights into the file that `mirador-train import` reads.

    pip install h5py safetensors numpy
    python3 scripts/keras_to_safetensors.py model_top.h5 dmiso.safetensors
    mirador-train import --model dmiso dmiso.safetensors      # then served as dmiso@published

Tensors keep their names and layouts; optimiser slots are left out.
"""
import sys

import h5py
import numpy as np
from safetensors.numpy import save_file


def tensors(path):
    with h5py.File(path) as file:
        layers = file["model_weights"] if "model_weights" in file else file
        for layer in layers.attrs["layer_names"]:
            for name in layers[layer].attrs["weight_names"]:
                name = name.decode() if isinstance(name, bytes) else name
                yield name, np.ascontiguousarray(layers[layer][name], dtype=np.float32)


source, target = sys.argv[1:]
save_file(dict(tensors(source)), target)
