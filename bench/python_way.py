"""What tieout replaces: LeNet-5's weights from a PyTorch state_dict into a Keras model, with both frameworks loaded.

python bench/python_way.py lenet5.pt lenet5.keras OUT.keras
"""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import torch


def carried(state):
    """Kernels from (o, i, h, w) to (h, w, i, o), dense from (o, i) to (i, o); the flattened map is 1x1, so order holds."""
    axes = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}
    return [tensor.permute(axes[tensor.dim()]).numpy() for tensor in state.values()]


def main(source, template, target):
    model = keras.saving.load_model(template)
    model.set_weights(carried(torch.load(source, weights_only=True)))
    model.save(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
