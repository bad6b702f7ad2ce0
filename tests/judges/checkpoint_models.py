"""The Keras 3 models of test_tf_checkpoints.py, and what TensorFlow makes of their checkpoints. Run by itself:

checkpoint_models.py make FOLDER     saves each model with random weights, and another of the same architecture
checkpoint_models.py judge FOLDER    loads what tieout wrote: every variable must be set to the first one's value
"""

import os

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import json
import pathlib
import sys
import traceback

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def chain(library=keras):
    """Of Keras 3, or of tf-keras when that is the library."""
    layers = library.layers
    return library.Sequential(
        [
            library.Input((7, 6, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(2),
            layers.Conv2DTranspose(5, 2),
            layers.PReLU(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(3),
        ]
    )


def graph():
    """An operation before the first layer, a layer that is called twice, two branches of equal shape."""
    inputs = keras.Input((6, 5))
    x = keras.ops.relu(inputs) * 2.0
    shared = layers.Dense(5, name="shared")
    x = shared(keras.ops.tanh(shared(x)))
    a = layers.Dense(5, name="zulu")(x)
    b = layers.LayerNormalization()(layers.Dense(5, name="alfa")(x))
    x = layers.GroupNormalization(5)(layers.Add()([a, b]))
    return keras.Model(inputs, layers.EinsumDense("abc,cd->abd", output_shape=(None, 4), bias_axes="d")(x))


def sequence(library=keras):
    layers = library.layers
    inputs = library.Input((6,), dtype="int32")
    x = layers.Embedding(9, 4)(inputs)
    x = layers.TimeDistributed(layers.Dense(5))(x)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    x = layers.GRU(4, return_sequences=True)(x)
    return library.Model(inputs, layers.SimpleRNN(2)(x))


def attention():
    inputs = keras.Input((5, 6))
    x = layers.MultiHeadAttention(2, 3)(inputs, inputs)
    return keras.Model(inputs, layers.RMSNormalization()(layers.LSTM(4)(x)))


def others():
    """One of each other class with variables, to find the names of all."""
    sequences = keras.Input((6, 5))
    x = layers.SeparableConv1D(4, 2)(sequences)
    x = layers.DepthwiseConv1D(2)(layers.Conv1D(6, 2)(layers.Conv1DTranspose(6, 2)(x)))
    x = layers.GroupQueryAttention(4, 2, 2)(x, x)
    x = layers.Attention(use_scale=True, score_mode="concat")([x, x])
    x = layers.AdditiveAttention()([x, x])
    normalization = layers.Normalization()
    normalization.build(x.shape)
    x = normalization(x)
    x = layers.Bidirectional(layers.GRU(2, reset_after=False), merge_mode="sum")(x)
    images = keras.Input((3, 5, 6, 2))
    y = layers.ConvLSTM2D(2, 2, return_sequences=True)(layers.Conv3D(2, 1)(images))
    y = layers.Conv3DTranspose(2, 2)(y)
    return keras.Model([sequences, images], [x, layers.SeparableConv2D(2, 2)(layers.Reshape((4, -1, 2))(y))])


def nested():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(5), layers.BatchNormalization()], name="inner")
    inputs = keras.Input((3,))
    return keras.Model(inputs, layers.Dense(2)(inner(layers.Dense(4)(inputs))))


def compiled():
    """Its trainable variables stand under the optimizer only."""
    model = chain()
    model.compile("adam", "mse")
    model.fit(np.zeros((2, 7, 6, 3)), np.zeros((2, 3)), verbose=0)
    return model


MODELS = {f.__name__: f for f in (chain, graph, sequence, attention, others, nested, compiled)}


def random_weights(model, seed):
    random = np.random.default_rng(seed)
    model.set_weights([random.uniform(0.1, 1, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def make(folder):
    for name, model in MODELS.items():
        for seed, which in enumerate(("saved", "other")):
            saved = random_weights(model(), seed)
            saved.save(folder / f"{name}_{which}.keras")
            tf.train.Checkpoint(model=saved).write(folder / f"{name}_{which}")


def loaded(saved, file, how):
    if how == "model":
        return keras.models.load_model(file)
    model = random_weights(keras.models.clone_model(saved), 7)
    if how == "compiled":
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
    checkpoint = tf.train.Checkpoint(model) if how == "alone" else tf.train.Checkpoint(model=model)
    status = checkpoint.read(str(file))
    if how == "compiled":
        status.expect_partial()  # the optimizer's state belonged to other weights
    else:
        status.assert_existing_objects_matched()
        status.assert_consumed()
    return model


def judge(folder):
    verdicts = {}
    for case in json.loads((folder / "cases.json").read_text()):
        try:
            saved = keras.models.load_model(folder / case["saved"])
            model = loaded(saved, folder / case["file"], case["how"])
            wanted, found = saved.get_weights(), model.get_weights()
            assert len(wanted) == len(found)
            for variable, a, b in zip(saved.weights, wanted, found, strict=True):
                assert np.array_equal(a, b), variable.path
            verdicts[case["file"]] = "equal"
        except Exception:
            verdicts[case["file"]] = traceback.format_exc()
    (folder / "verdicts.json").write_text(json.dumps(verdicts))


if __name__ == "__main__":
    {"make": make, "judge": judge}[sys.argv[1]](pathlib.Path(sys.argv[2]))
