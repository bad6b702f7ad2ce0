"""Saves a small model around each class named in a JSON file: FRAMEWORK, CLASSES.json, FOLDER.

Keras: what can be made with the arguments below, or without any; the names of the rest are printed. PyTorch: the
module without its constructor having run, since a pickle says no more about a class than its name and attributes.
"""

import json
import os
import pathlib
import sys

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

ARGUMENTS = {
    "HashedCrossing": {"num_bins": 4},
    "Hashing": {"num_bins": 4},
    "StringLookup": {"vocabulary": ["a", "b"]},
    "Pipeline": {"layers": []},
    "RandomCrop": {"height": 3, "width": 3},
}


def make_keras(names, folder):
    import keras

    entry = keras.Input((6, 7, 3))
    keras.Sequential([entry, keras.layers.Identity(name="odd")]).save(folder / "base.keras")
    left = []
    for name in names:
        try:
            arguments = {"function": len} if name == "Lambda" else ARGUMENTS.get(name, {})
            layer = getattr(keras.layers, name)(name="odd", **arguments)
            keras.Sequential([keras.Input((6, 7, 3)), layer]).save(folder / f"{name}.keras")
        except Exception:  # needs more than plain arguments
            (folder / f"{name}.keras").unlink(missing_ok=True)
            left.append(name)
    print(json.dumps(left))


def make_torch(names, folder):
    import torch

    for name in names:
        kind = getattr(torch.nn, name)
        if name == "RNNBase":  # its pickling asks for what the constructor makes
            module = kind("LSTM", 3, 3)
        else:
            module = kind.__new__(kind)
            torch.nn.Module.__init__(module)
        torch.save(torch.nn.Sequential(torch.nn.Linear(3, 3), module), folder / f"{name}.pt")
    print("[]")


if __name__ == "__main__":
    framework, names, folder = sys.argv[1:]
    make = {"keras": make_keras, "torch": make_torch}[framework]
    make(json.loads(pathlib.Path(names).read_text()), pathlib.Path(folder))
