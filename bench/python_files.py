"""The ways that people take in Python for what bench/files.py measures; prints the seconds that one took, imports left out.

python bench/python_files.py h5py SOURCE TARGET     the shortest: mapped tensors, NumPy, h5py
python bench/python_files.py keras SOURCE TARGET    through a Keras model

From .pt to .weights.h5 (keras: also .keras), from .keras to .pt, from .h5 to .safetensors, and with keras from shards of
.safetensors to Keras' own (.weights.json).
"""

import os

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import itertools
import json
import re
import sys
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import safetensors
import safetensors.torch
import torch

CHANNELS = 512  # of the flattened image
SHARD = 0.6  # GB; Keras refuses what the largest tensor does not fit into


def turned(kernel, image):
    """o i -> i o; the one that is not square stands behind the flattening, and has its other axis as `image` says."""
    rows, columns = kernel.shape
    return kernel.T if rows == columns else kernel.reshape(image).transpose(2, 1, 0).reshape(columns, rows)


def to_keras(kernel):
    """OIHW -> HWIO; o (c h w) -> (h w c) o."""
    return kernel.transpose(2, 3, 1, 0) if kernel.ndim == 4 else turned(kernel, (len(kernel), CHANNELS, -1))


def to_torch(kernel):
    return kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 else turned(kernel, (-1, CHANNELS, kernel.shape[1]))


# ---- reading: a kernel and a bias for each layer, in the model's order


def of_pt(source):
    for layer in torch.load(source, weights_only=False, mmap=True):
        if hasattr(layer, "weight"):
            yield layer.weight.detach().numpy(), layer.bias.detach().numpy()


def of_shards(source):
    index = json.loads(source.read_text())["weight_map"]
    files = {name: safetensors.safe_open(source.with_name(name), "numpy") for name in set(index.values())}
    for name in sorted(index, key=lambda name: int(re.search(r"\d+", name)[0])):  # "layer_12.weight"
        if name.endswith("weight"):
            bias = name.replace("weight", "bias")
            yield files[index[name]].get_tensor(name), files[index[bias]].get_tensor(bias)


def of_keras_zip(source):
    with zipfile.ZipFile(source) as archive, archive.open("model.weights.h5") as member, h5py.File(member) as file:
        for kind in "conv2d", "dense":
            for number in itertools.count():
                path = f"layers/{kind}_{number}/vars" if number else f"layers/{kind}/vars"
                if path not in file:
                    break
                yield file[path]["0"][()], file[path]["1"][()]


def of_keras_h5(source):
    with h5py.File(source) as file:
        weights = file["model_weights"]
        for name in weights.attrs["layer_names"]:
            arrays = [weights[name][weight][()] for weight in weights[name].attrs["weight_names"]]
            if arrays:
                yield arrays


# ---- writing


def write_h5(pairs, target):
    with h5py.File(target, "w") as file:
        for number, (kernel, bias) in enumerate(pairs):
            group = file.create_group(f"layers/{number}/vars")
            group.create_dataset("0", data=np.ascontiguousarray(to_keras(kernel)))
            group.create_dataset("1", data=bias)


def write_state_dict(pairs, target):
    state = {}
    for number, (kernel, bias) in enumerate(pairs):
        state[f"{number}.weight"] = torch.from_numpy(np.ascontiguousarray(to_torch(kernel)))
        state[f"{number}.bias"] = torch.from_numpy(bias)
    if target.suffix == ".safetensors":
        safetensors.torch.save_file(state, target)
    else:
        torch.save(state, target)


# ---- through a Keras model


def keras_model(pairs):
    import keras

    model = [keras.Input((8, 8, CHANNELS))]
    for kernel, _ in pairs:
        if kernel.ndim == 4:
            model.append(keras.layers.Conv2D(kernel.shape[0], 3, padding="same", activation="relu"))
            continue
        if not isinstance(model[-1], keras.layers.Dense):
            model.append(keras.layers.Flatten())
        model.append(keras.layers.Dense(kernel.shape[0], activation="relu"))
    return keras.Sequential(model)


def write_keras(model, pairs, target):
    model.set_weights([array for kernel, bias in pairs for array in (to_keras(kernel), bias)])
    if target.suffix == ".keras":
        model.save(target)
    elif target.suffix == ".json":
        model.save_weights(target, max_shard_size=SHARD)
    else:
        model.save_weights(target)


def loaded_by_keras(source):
    import keras

    weights = keras.saving.load_model(source, compile=False).get_weights()
    return zip(weights[::2], weights[1::2], strict=True)


def main(way, source, target):
    to_the_other = source.suffix in (".keras", ".h5")
    read = {".pt": of_pt, ".json": of_shards, ".keras": of_keras_zip, ".h5": of_keras_h5}[source.suffix]
    if way == "h5py":
        start = time.perf_counter()
        (write_state_dict if to_the_other else write_h5)(read(source), target)
    elif to_the_other:
        import keras  # noqa: F401, since its import is not measured

        start = time.perf_counter()
        write_state_dict(loaded_by_keras(source), target)
    else:
        model = keras_model(read(source))
        start = time.perf_counter()
        write_keras(model, read(source), target)
    return time.perf_counter() - start


if __name__ == "__main__":
    print(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
