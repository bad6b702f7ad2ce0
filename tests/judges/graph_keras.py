"""Keras models whose graphs are more than chains: graph_keras.py make FOLDER; graph_keras.py back FOLDER.

make: FOLDER/NAME.keras (and .h5 for some), NAME_input.npz, NAME_output.npz for each model below, all variables random.
back: FOLDER/NAME_back.keras, as tieout wrote them, run on the same inputs: NAME_back.npz.
"""

import os

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import pathlib
import sys

import keras
import numpy as np
from keras import layers


def stem():
    return keras.Sequential(
        [
            keras.Input((6, 5, 3)),
            layers.Conv2D(4, 3, padding="same", name="conv"),
            layers.BatchNormalization(name="bn"),
            layers.ReLU(name="relu"),
        ],
        name="stem",
    )


def two_outputs():
    x = keras.Input((6, 5, 4))
    y = layers.Add()([layers.Conv2D(4, 1, name="mix")(x), x])
    return keras.Model(x, [y, layers.Activation("tanh")(y)], name="block")


def nested():
    """A Sequential and a Functional with two outputs, each called twice; two inputs, two outputs."""
    a, b = keras.Input((6, 5, 3), name="a"), keras.Input((6, 5, 3), name="b")
    first, second = stem(), two_outputs()
    joined = layers.Concatenate()([*second(first(a)), *second(first(b))])
    dense = layers.Dense(7, name="dense")(layers.GlobalAveragePooling2D()(joined))
    other = layers.Dense(7, name="other")(layers.GlobalMaxPooling2D()(joined))
    return keras.Model([a, b], [layers.Add()([dense, other]), layers.Dense(2, name="head")(dense)])


def nested_in_nested():
    inner = stem()
    x = keras.Input((6, 5, 3))
    middle = keras.Model(x, layers.Flatten(name="flat")(inner(x)), name="middle")
    return keras.Sequential([keras.Input((6, 5, 3)), middle, layers.Dense(4, name="stem")], name="outer")


def frozen_inside():
    """A frozen layer's variables stand behind those that train in a .h5's group of the nested model."""
    inner = stem()
    inner.get_layer("conv").trainable = False
    return keras.Sequential([keras.Input((6, 5, 3)), inner, layers.GlobalAveragePooling2D()], name="frozen")


def shared():
    x = keras.Input((4,))
    dense = layers.Dense(4, activation="relu", name="twice")
    return keras.Model(x, dense(dense(x)))


def shared_over_two_inputs():
    a, b = keras.Input((9,), dtype="int32", name="a"), keras.Input((9,), dtype="int32", name="b")
    embedding, lstm = layers.Embedding(11, 5, name="words"), layers.LSTM(6, name="reader")
    return keras.Model([a, b], layers.Subtract()([lstm(embedding(a)), lstm(embedding(b))]))


def order_of_calls():
    """The deeper call of a shared layer comes first in the list of layers."""
    x = keras.Input((4,))
    a, b = layers.Dense(4, name="a"), layers.Dense(4, name="b")
    return keras.Model(x, [a(b(a(x))), b(x)])


def any_size():
    x = keras.Input((None, None, 3))
    y = layers.Conv2D(4, 3, padding="same", name="first")(x)
    y = layers.Conv2D(5, 3, padding="same", strides=2, name="second")(y)
    return keras.Model(x, layers.GlobalAveragePooling2D()(y))


def masked_words():
    """The mask is stated nowhere in the file: each layer hands it to the next when the model runs."""
    return keras.Sequential(
        [
            keras.Input((9,), dtype="int32"),
            layers.Embedding(11, 5, mask_zero=True),
            layers.LSTM(6, return_sequences=True),
            layers.Dropout(0.5),
            layers.Bidirectional(layers.GRU(4)),
        ]
    )


def masked_steps():
    x = keras.Input((7, 3))
    return keras.Model(x, layers.LSTM(4)(layers.Dense(5)(layers.Masking()(x))))


def video():
    """A whole network at each frame: one with a branch, and a Sequential that holds another model."""
    x = keras.Input((6, 5, 3))
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(x)
    y = layers.Add(name="add")([y, layers.Conv2D(4, 1, name="mix")(x)])
    y = layers.MaxPooling2D(2, name="pool")(layers.BatchNormalization(name="bn")(y))
    frames = keras.Input((4, 6, 5, 3))
    flat = layers.TimeDistributed(keras.Model(x, layers.Flatten(name="flat")(y), name="cnn"), name="each")(frames)
    head = keras.Sequential([stem(), layers.Flatten(name="merge"), layers.Dense(5, name="head")], name="stem_and_head")
    other = layers.TimeDistributed(head, name="other")(frames)
    y = layers.LSTM(6, name="lstm")(layers.Concatenate()([flat, other]))
    return keras.Model(frames, layers.Dense(2, name="dense")(y))


def sentences():
    """Words within sentences: the mask begins and ends within the model that is run at each sentence."""
    words = keras.Sequential(
        [keras.Input((9,), dtype="int32"), layers.Embedding(11, 5, mask_zero=True), layers.GRU(4)], name="words"
    )
    x = keras.Input((3, 9), dtype="int32")
    return keras.Model(x, layers.LSTM(6)(layers.TimeDistributed(words)(x)))


def masked_mean():
    return keras.Sequential(
        [
            keras.Input((9,), dtype="int32"),
            layers.Embedding(11, 5, mask_zero=True),
            layers.Dropout(0.5),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3),
        ]
    )


def transformer_block(x, heads, dropout, name):
    """Behind the Add the mask is gone: MultiHeadAttention takes it off its inputs when it has run."""
    y = layers.MultiHeadAttention(heads, 4, dropout=dropout, name=name)(x, x)
    x = layers.LayerNormalization()(layers.Add()([x, layers.Dropout(0.1)(y)]))
    return layers.LayerNormalization()(layers.Add()([x, layers.Dense(6)(layers.Dense(9, activation="relu")(x))]))


def masked_transformer():
    """The query's mask counts too: its hidden rows are the mean of the values, or with dropout 0."""
    x = keras.Input((9,), dtype="int32")
    y = layers.Embedding(11, 6, mask_zero=True)(x)
    for number, dropout in enumerate([0.0, 0.2, 0.2]):
        y = transformer_block(y, 3, dropout, f"attention{number}")
    return keras.Model(x, [y, layers.GlobalAveragePooling1D()(y)])


def masked_decoder():
    """Masks of both sides, through layers that hand them on."""
    a, b = keras.Input((9,), dtype="int32", name="a"), keras.Input((7,), dtype="int32", name="b")
    source = layers.LayerNormalization()(layers.Embedding(11, 6, mask_zero=True)(a))
    target = layers.Dense(6)(layers.Embedding(11, 6, mask_zero=True)(b))
    own = layers.MultiHeadAttention(2, 4, dropout=0.1)(target, target, use_causal_mask=True)
    cross, scores = layers.MultiHeadAttention(2, 4)(own, source, return_attention_scores=True)
    grouped = layers.GroupQueryAttention(4, 4, 2)(cross, source)
    simple = layers.Attention(use_scale=True)([grouped, source])
    added = layers.AdditiveAttention()([simple, source, source])
    return keras.Model([a, b], [layers.GRU(5)(added), scores])


def masked_outside():
    """A nested model puts the mask that it is called with on its input."""
    x = keras.Input((9, 6))
    inner = keras.Model(x, layers.LSTM(4)(layers.MultiHeadAttention(2, 4)(x, x)), name="inner")
    words = keras.Input((9,), dtype="int32")
    return keras.Model(words, inner(layers.Embedding(11, 6, mask_zero=True)(words)))


def mask_beside_states():
    """Keras 3 finds no mask for a call with initial states; the outputs carry it on all the same."""
    a, b = keras.Input((9,), dtype="int32", name="a"), keras.Input((7,), dtype="int32", name="b")
    words = layers.Embedding(11, 5, mask_zero=True)
    _, h, c = layers.LSTM(4, return_state=True)(words(a))
    y = layers.LSTM(4, return_sequences=True)(words(b), initial_state=[h, c])
    return keras.Model([a, b], [y, layers.GRU(3)(y)])


MODELS = {
    f.__name__: f
    for f in (
        nested,
        nested_in_nested,
        frozen_inside,
        shared,
        shared_over_two_inputs,
        order_of_calls,
        any_size,
        masked_words,
        masked_steps,
        video,
        sentences,
        masked_mean,
        masked_transformer,
        masked_decoder,
        masked_outside,
        mask_beside_states,
    )
}
SIZES = {"any_size": (8, 7, 3)}


def value(random, variable):
    if "variance" in variable.path:
        return random.uniform(0.5, 1.5, variable.shape)
    return random.normal(0, 0.5, variable.shape)


def probe(random, name, tensor):
    shape = (3, *SIZES.get(name, tensor.shape[1:]))
    if "int" in tensor.dtype:
        return random.integers(0, 4 if "mask" in name or name == "sentences" else 11, shape).astype("int32")
    values = random.normal(size=shape)
    if name == "masked_steps":
        values[random.random(shape[:2]) < 0.4] = 0
    return values


def outputs_of(model, inputs):
    return [np.asarray(output) for output in keras.tree.flatten(model(inputs, training=False))]


def make(folder):
    random = np.random.default_rng(20261124)
    keras.config.set_floatx("float64")
    for name, build in MODELS.items():
        model = build()
        for variable in model.variables:
            variable.assign(value(random, variable))
        inputs = [probe(random, name, tensor) for tensor in model.inputs]
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")
        np.savez(folder / f"{name}_input.npz", *inputs)
        np.savez(folder / f"{name}_output.npz", *outputs_of(model, inputs if len(inputs) > 1 else inputs[0]))


def back(folder):
    for name in MODELS:
        path = folder / f"{name}_back.keras"
        if not path.exists():
            continue
        model = keras.saving.load_model(path)
        inputs = list(np.load(folder / f"{name}_input.npz").values())
        np.savez(folder / f"{name}_back.npz", *outputs_of(model, inputs if len(inputs) > 1 else inputs[0]))


if __name__ == "__main__":
    {"make": make, "back": back}[sys.argv[1]](pathlib.Path(sys.argv[2]))
