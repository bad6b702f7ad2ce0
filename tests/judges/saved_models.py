"""The SavedModels and tf-keras checkpoints of test_saved_models.py. Run by itself:

saved_models.py make FOLDER     saves models of Keras 3 and tf-keras with random weights
saved_models.py judge FOLDER    loads what tieout wrote and compares it with what was saved
"""

import json
import pathlib
import sys
import traceback

import checkpoint_models  # sets the environment, before TensorFlow is imported
import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers


def convolutions():
    return checkpoint_models.chain(tf_keras)


def branches():
    inputs = tf_keras.Input((6, 5))
    shared = layers.Dense(5, name="shared")
    x = shared(shared(inputs))
    a = layers.Dense(5, name="zulu")(x)
    b = layers.LayerNormalization()(layers.Dense(5, name="alfa")(x))
    return tf_keras.Model(inputs, layers.Add()([a, b]))


def recurrent():
    return checkpoint_models.sequence(tf_keras)


def attention():
    inputs = tf_keras.Input((5, 6))
    return tf_keras.Model(inputs, layers.Dense(2)(layers.MultiHeadAttention(2, 3)(inputs, inputs)))


def nested():
    inner = tf_keras.Sequential([tf_keras.Input((4,)), layers.Dense(5), layers.BatchNormalization()], name="inner")
    step = tf_keras.Sequential([tf_keras.Input((5,)), layers.Dense(3)], name="step")
    inputs = tf_keras.Input((3,))
    x = inner(layers.Dense(4)(inputs))
    x = layers.TimeDistributed(step, name="each")(layers.Reshape((1, 5))(x))
    return tf_keras.Model(inputs, x)


MODELS = {f.__name__: f for f in (convolutions, branches, recurrent, attention, nested)}
KERAS3 = ("chain", "sequence", "attention", "compiled")


def make(folder):
    for name in KERAS3:
        model = checkpoint_models.MODELS[name]
        saved = checkpoint_models.random_weights(model(), 0)
        saved.save(folder / f"{name}_3.keras")
        saved.export(folder / f"{name}_export", verbose=False)
        tf.saved_model.save(saved, str(folder / f"{name}_saved"))
        checkpoint_models.random_weights(model(), 1).save(folder / f"{name}_other.keras")
    for name, model in MODELS.items():
        saved = checkpoint_models.random_weights(model(), 2)
        saved.compile("adam", "mse")
        # Tracing the functions of recurrent layers takes 20 s; they are not read.
        saved.save(folder / f"{name}_2", save_format="tf", save_traces=name != "recurrent")
        saved.save(folder / f"{name}_2.h5")
        saved.save_weights(folder / f"{name}_weights", save_format="tf")
        checkpoint_models.random_weights(model(), 3).save(folder / f"{name}_other.h5")


def loaded(folder, case):
    file = folder / case["file"]
    if case["how"] == "keras":
        return checkpoint_models.keras.models.load_model(file)
    if case["how"] == "tf_keras":
        return tf_keras.models.load_model(file, compile=False)
    model = checkpoint_models.random_weights(MODELS[case["how"]](), 4)
    model.load_weights(str(file)).assert_existing_objects_matched()
    return model


def judge(folder):
    verdicts = {}
    for case in json.loads((folder / "cases.json").read_text()):
        try:
            library = checkpoint_models.keras if case["saved"].endswith(".keras") else tf_keras
            wanted = library.models.load_model(folder / case["saved"], compile=False).get_weights()
            found = loaded(folder, case).get_weights()
            assert len(wanted) == len(found)
            assert all(np.array_equal(a, b) for a, b in zip(wanted, found, strict=True))
            verdicts[case["file"]] = "equal"
        except Exception:
            verdicts[case["file"]] = traceback.format_exc()
    (folder / "verdicts.json").write_text(json.dumps(verdicts))


if __name__ == "__main__":
    {"make": make, "judge": judge}[sys.argv[1]](pathlib.Path(sys.argv[2]))
