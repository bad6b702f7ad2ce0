"""The ways that people take in Python for what bench/files.py measures; prints the seconds that one took, imports left out.

python bench/python_files.py h5py SOURCE.pt TARGET.weights.h5     the shortest: mapped tensors, numpy, h5py
python bench/python_files.py keras SOURCE.pt TARGET               through a Keras model: .weights.h5 or .keras
"""

import os

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import sys
import time

import h5py
import numpy as np
import torch
from torch import nn


def layers(source):
    """(layer, channels of the flattened image that it reads or None, kernel, bias) in the model's order."""
    channels = flattened = None
    for layer in torch.load(source, weights_only=False, mmap=True):
        if isinstance(layer, nn.Conv2d):
            channels = layer.out_channels
            yield layer, None, layer.weight.detach().numpy(), layer.bias.detach().numpy()
        elif isinstance(layer, nn.Flatten):
            flattened = channels
        elif isinstance(layer, nn.Linear):
            yield layer, flattened, layer.weight.detach().numpy(), layer.bias.detach().numpy()
            flattened = None


def arranged(channels, kernel):
    """OIHW -> HWIO; o (c h w) -> (h w c) o; o i -> i o."""
    if kernel.ndim == 4:
        return kernel.transpose(2, 3, 1, 0)
    if channels is None:
        return kernel.T
    outputs, inputs = kernel.shape
    image = kernel.reshape(outputs, channels, inputs // channels)
    return image.transpose(2, 1, 0).reshape(inputs, outputs)


def through_h5py(source, target):
    start = time.perf_counter()
    with h5py.File(target, "w") as file:
        for number, (_, channels, kernel, bias) in enumerate(layers(source)):
            group = file.create_group(f"layers/{number}/vars")
            group.create_dataset("0", data=np.ascontiguousarray(arranged(channels, kernel)))
            group.create_dataset("1", data=bias)
    return time.perf_counter() - start


def keras_model(source):
    import keras

    model = [keras.Input((8, 8, 512))]
    for layer in torch.load(source, weights_only=False, mmap=True):
        if isinstance(layer, nn.Conv2d):
            model.append(keras.layers.Conv2D(layer.out_channels, 3, padding="same", activation="relu"))
        elif isinstance(layer, nn.Flatten):
            model.append(keras.layers.Flatten())
        elif isinstance(layer, nn.Linear):
            model.append(keras.layers.Dense(layer.out_features, activation="relu"))
    return keras.Sequential(model)


def through_keras(source, target):
    model = keras_model(source)
    start = time.perf_counter()
    weights = []
    for _, channels, kernel, bias in layers(source):
        weights += [arranged(channels, kernel), bias]
    model.set_weights(weights)
    if target.endswith(".keras"):
        model.save(target)
    else:
        model.save_weights(target)
    return time.perf_counter() - start


if __name__ == "__main__":
    way = {"h5py": through_h5py, "keras": through_keras}[sys.argv[1]]
    print(way(sys.argv[2], sys.argv[3]))
