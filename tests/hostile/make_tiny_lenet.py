"""Writes files/tiny_lenet.*: LeNet's layers with few channels, some kB in each format, for tests that cut them at every byte.

    python make_tiny_lenet.py torch     (PyTorch 2.13.0 and safetensors 0.8.0 made the files that are committed)
    python make_tiny_lenet.py keras     (Keras 3.15.1 on TensorFlow 2.21.0)

Two runs, since the two frameworks do not share a process.
"""

import os
import pathlib
import sys

FILES = pathlib.Path(__file__).parent / "files"


def write_torch():
    import numpy
    import torch
    from safetensors.torch import save_file
    from torch import nn

    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding="same"), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(2, 3, 3), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(12, 4), nn.Tanh(), nn.Linear(4, 3), nn.Softmax(1),
    )  # fmt: skip
    torch.save(model, FILES / "tiny_lenet_module.pt")
    torch.save(model.state_dict(), FILES / "tiny_lenet.pt")
    torch.save(model.state_dict(), FILES / "tiny_lenet_legacy.pt", _use_new_zipfile_serialization=False)
    torch.jit.save(torch.jit.script(model), FILES / "tiny_lenet_script.pt")
    save_file(model.state_dict(), FILES / "tiny_lenet.safetensors")
    numpy.savez(FILES / "tiny_lenet.npz", **{name: tensor.numpy() for name, tensor in model.state_dict().items()})


def write_keras():
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    model = keras.Sequential([
        keras.Input((12, 12, 1)),
        layers.Conv2D(2, 3, padding="same", activation="tanh"), layers.AveragePooling2D(2),
        layers.Conv2D(3, 3, activation="tanh"), layers.AveragePooling2D(2),
        layers.Flatten(), layers.Dense(4, activation="tanh"), layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    model.save(FILES / "tiny_lenet.keras")
    model.save(FILES / "tiny_lenet.h5")
    model.save_weights(FILES / "tiny_lenet.weights.h5")


if __name__ == "__main__":
    {"torch": write_torch, "keras": write_keras}[sys.argv[1]]()
