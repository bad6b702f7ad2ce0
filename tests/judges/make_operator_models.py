"""Makes Keras models of operators and saves them to a folder, with random inputs and what Keras gives for them.

NAME.keras, NAME_inputs.npy, NAME_outputs.npy. See test_operators.py.
"""

import os

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import pathlib
import sys

import keras
import numpy as np
from keras import layers, ops


def image():
    """Squeeze and excite, split, slices, a choice, a product of matrices."""
    x = entry = keras.Input((8, 6, 3))
    x = layers.Conv2D(4, 3, padding="same")(x) * 2 + 1
    gate = layers.Dense(4, activation="sigmoid")(ops.mean(x, axis=(1, 2)))
    x = layers.Multiply()([x, layers.Reshape((1, 1, 4))(gate)])
    first, second = ops.split(x, 2, axis=-1)
    x = ops.concatenate([second, first * first, 1 - first], axis=-1)
    x = x[:, 1:, :, ::-1]
    x = ops.where(x > 0.5, x, 0.25 * x)
    x = layers.Reshape((6, -1))(ops.transpose(x, (0, 3, 1, 2)))
    x = ops.matmul(x, ops.transpose(x, (0, 2, 1)))
    return entry, layers.Dense(5)(layers.Flatten()(x - ops.max(x, axis=-1, keepdims=True)) / 10)


def hard_sigmoid():
    """As MobileNetV3 writes it."""
    entry = keras.Input((4, 5, 3))
    return entry, layers.ReLU(6.0)(entry + 3.0) * (1.0 / 6.0)


def each_against_each():
    """Both axes of the sum are the same axis of one value."""
    entry = keras.Input((5,))
    x = layers.Dense(3)(entry)
    return entry, layers.Dense(2)(layers.Flatten()(x[:, :, None] + x[:, None, :]))


def attention():
    entry = keras.Input((7, 4))
    x = layers.Dense(4)(entry)
    scores = ops.einsum("btd,bsd->bts", x, x) / 2.0
    return entry, ops.matmul(layers.Softmax()(scores), x)[:, -1]


def one_part():
    """Of what an operator gives several of, only the first."""
    entry = keras.Input((6, 4))
    return entry, ops.unstack(entry, axis=1)[0]


def bias_trap():
    """keras.ops.add takes its second operand for a bias of the channels, since there are as many samples."""
    entry = keras.Input((4, 5, 3))
    return entry, layers.Add()([entry, entry[:, :1, :1, :1]])


def main(folder):
    for make in (image, hard_sigmoid, each_against_each, attention, one_part, bias_trap):
        keras.utils.set_random_seed(1)
        entry, output = make()
        model = keras.Model(entry, output)
        inputs = np.random.default_rng(1).standard_normal((3, *entry.shape[1:])).astype("float32")
        outputs = model.predict(inputs, verbose=0)
        if make is bias_trap:
            outputs = inputs + inputs[:, :1, :1, :1]
        model.save(folder / f"{make.__name__}.keras")
        np.save(folder / f"{make.__name__}_inputs.npy", inputs)
        np.save(folder / f"{make.__name__}_outputs.npy", outputs)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
