"""Networks of Keras written wrongly by hand: another layer, or a number of PyTorch's. See test_graph_mistakes.py.

Each function takes an image (N, 4, 4, 4), the channels last and as many as rows and columns, so that no shape gives a
wrong axis away; or a sequence (N, 4, 4). As a program, with the real Keras: hand_mistakes.py FOLDER writes NAME.keras
and NAME_wrong.keras, with the same weights, for each of NETWORKS.
"""

import dataclasses
import os
import pathlib
import sys
from collections.abc import Callable


def mean(keras, x, wrong):
    return keras.ops.mean(x, axis=1 if wrong else -1)


def softmax(keras, x, wrong):
    return keras.layers.Softmax(axis=1 if wrong else -1)(x)


def unit_norm(keras, x, wrong):
    return keras.layers.UnitNormalization(axis=1 if wrong else -1)(x)


def flip(keras, x, wrong):
    return keras.ops.flip(x, axis=1 if wrong else -1)


def concatenate(keras, x, wrong):
    """With itself, so that the order does not matter."""
    return keras.layers.Concatenate(axis=1 if wrong else -1)([x, x])


def branches(keras, x, wrong):
    """Alike, so that only what they compute tells them apart."""
    both = [keras.layers.Conv2D(4, 3, padding="same", name=name)(x) for name in ("left", "right")]
    return keras.layers.Concatenate()(both[::-1] if wrong else both)


def first_channels(keras, x, wrong):
    return x[:, :2] if wrong else x[..., :2]


def split(keras, x, wrong):
    return keras.ops.split(x, [1], axis=1 if wrong else -1)


def squeeze_and_excite(keras, x, wrong):
    """Gates as PyTorch has them: (N, C, 1, 1)."""
    gates = keras.layers.Dense(4, activation="sigmoid")(keras.layers.GlobalAveragePooling2D()(x))
    return x * keras.ops.expand_dims(gates, axis=(2, 3) if wrong else (1, 2))


def pool2d(keras, x, wrong):
    """PyTorch pads with nothing, ZeroPadding2D with zeros."""
    if wrong:
        x = keras.layers.ZeroPadding2D(1)(x)
    return keras.layers.MaxPooling2D(3, strides=1, padding="valid" if wrong else "same")(x)


def pool1d(keras, x, wrong):
    if wrong:
        x = keras.layers.ZeroPadding1D(1)(x)
    return keras.layers.MaxPooling1D(3, strides=1, padding="valid" if wrong else "same")(x)


def last_step(name):
    """PyTorch's y[:, -1], which of the backward direction is the first step that it computes."""

    def build(keras, x, wrong):
        cell = getattr(keras.layers, name)(3, return_sequences=wrong)
        y = keras.layers.Bidirectional(cell)(x)
        return y[:, -1] if wrong else y

    return build


def unturned(name):
    """The backward direction's steps as a layer with go_backwards=True gives them."""

    def build(keras, x, wrong):
        cell = getattr(keras.layers, name)(3, return_sequences=True)
        if not wrong:
            return keras.layers.Bidirectional(cell)(x)
        forward, backward = keras.layers.Bidirectional(cell, merge_mode=None)(x)
        return keras.layers.Concatenate()([forward, keras.ops.flip(backward, axis=1)])

    return build


def backward_first(name):
    """The halves of the output the other way round."""

    def build(keras, x, wrong):
        y = keras.layers.Bidirectional(getattr(keras.layers, name)(3, return_sequences=True))(x)
        return keras.ops.roll(y, 3, axis=-1) if wrong else y

    return build


@dataclasses.dataclass(frozen=True)
class Network:
    kind: str
    mistake: str
    build: Callable  # (keras, input, wrong)
    layer: str  # the name that Keras gives
    shape: tuple = (4, 4, 4)


NETWORKS = {
    "mean": Network("reduce", "axis", mean, "mean"),
    "softmax": Network("softmax", "axis", softmax, "softmax"),
    "unit_norm": Network("unit_norm", "axis", unit_norm, "unit_normalization"),
    "flip": Network("flip", "axis", flip, "flip"),
    "concatenate": Network("concatenate", "axis", concatenate, "concatenate"),
    "branches": Network("concatenate", "input_order", branches, "concatenate"),
    "slice": Network("slice", "axis", first_channels, "get_item"),
    "split": Network("split", "axis", split, "split"),
    "squeeze_and_excite": Network("expand_dims", "axis", squeeze_and_excite, "expand_dims"),
    "pool2d": Network("max_pool2d", "padding_is_zero", pool2d, "max_pooling2d"),
    "pool1d": Network("max_pool1d", "padding_is_zero", pool1d, "max_pooling1d", (4, 4)),
    "lstm": Network("lstm", "last_of_sequence", last_step("LSTM"), "bidirectional", (4, 4)),
    "gru": Network("gru", "last_of_sequence", last_step("GRU"), "bidirectional", (4, 4)),
    **{
        f"{mistake}_{kind}": Network(kind, mistake, build(name), "bidirectional", (4, 4))
        for kind, name in (("lstm", "LSTM"), ("gru", "GRU"), ("simple_rnn", "SimpleRNN"))
        for mistake, build in (("unturned_backward", unturned), ("backward_first", backward_first))
    },
    "rnn": Network("simple_rnn", "last_of_sequence", last_step("SimpleRNN"), "bidirectional", (4, 4)),
}

# Mistakes that no conversion of a single layer can have; that of dense stands in mistakes.py.
ONLY_BY_HAND = {
    ("dense", "flatten_order"),
    ("expand_dims", "axis"),
    ("max_pool1d", "padding_is_zero"),
    ("max_pool2d", "padding_is_zero"),
    ("lstm", "last_of_sequence"),
    ("gru", "last_of_sequence"),
    ("simple_rnn", "last_of_sequence"),
    *((kind, "unturned_backward") for kind in ("lstm", "gru", "simple_rnn")),
    *((kind, "backward_first") for kind in ("lstm", "gru", "simple_rnn")),
}


def made(keras, network, wrong):
    """A convolution in front says what the axes are."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    entry = keras.Input(network.shape)
    convolution = keras.layers.Conv2D if len(network.shape) == 3 else keras.layers.Conv1D
    x = convolution(4, 3, padding="same")(entry)
    return keras.Model(entry, network.build(keras, x, wrong))


def main(folder):
    os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
    import keras

    for name, network in NETWORKS.items():
        right, wrong = (made(keras, network, wrong) for wrong in (False, True))
        right.save(folder / f"{name}.keras")
        for layer in right.layers:
            wrong.get_layer(layer.name).set_weights(layer.get_weights())
        wrong.save(folder / f"{name}_wrong.keras")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
