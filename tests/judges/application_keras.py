"""Makes one keras.applications network with random parameters, or compares what came back with it.

application_keras.py list                         prints the networks' names as JSON
application_keras.py make NAME SIZE FOLDER        FOLDER/source.keras, input.npy, output.npy (float32)
application_keras.py compare FOLDER               FOLDER/source.keras with FOLDER/back.keras: prints JSON
"""

import os

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import collections
import json
import pathlib
import sys

import keras
import numpy as np

BATCH = 2


def random_value(random, variable):
    """Every parameter differs from its default, and activations neither vanish nor explode."""
    name, shape = variable.path.rsplit("/", 1)[-1], tuple(variable.shape)
    if name in ("kernel", "depthwise_kernel", "pointwise_kernel"):
        # A depthwise kernel sums over its window alone.
        fan_in = np.prod(shape[:2]) if name == "depthwise_kernel" else np.prod(shape[:-1])
        return random.normal(0, np.sqrt(1.5 / fan_in), shape)
    if name in ("moving_variance", "variance"):
        return random.uniform(0.5, 1.5, shape)
    if name == "gamma":
        return random.uniform(0.5, 1.5, shape)
    return random.normal(0, 0.1, shape)  # bias, beta, moving_mean


def randomise(model, random):
    for variable in model.variables:
        if variable.dtype.startswith("float"):
            variable.assign(random_value(random, variable))


def tame_logits(model, inputs):
    """Makes the outputs of the last layer with a kernel (dense, or 1 x 1 on one cell) about 1 in size, so that the
    softmax behind it says something of all of them."""
    last = [layer for layer in model.layers if hasattr(layer, "kernel")][-1]
    features = keras.Model(model.inputs, last.input).predict(inputs, verbose=0)
    kernel = last.kernel.numpy()
    logits = features.reshape(len(inputs), -1) @ kernel.reshape(-1, kernel.shape[-1])
    last.kernel.assign(kernel / np.std(logits))


def make(name, size, folder):
    random = np.random.default_rng(20261124)
    options = {"include_preprocessing": True} if name.startswith(("ConvNeXt", "EfficientNetV2", "MobileNetV3")) else {}
    if size != "default":
        options["input_shape"] = (int(size), int(size), 3)
    model = getattr(keras.applications, name)(weights=None, **options)
    randomise(model, random)
    shape = [side or 224 for side in model.input_shape[1:]]
    inputs = random.uniform(0, 255, (BATCH, *shape)).astype("float32")
    tame_logits(model, inputs)
    model.save(folder / "source.keras")
    np.save(folder / "input.npy", inputs)
    np.save(folder / "output.npy", model.predict(inputs, verbose=0))
    print(json.dumps({"parameters": model.count_params(), "input": shape}))


def contents(model):
    """The bytes of each weight, whatever the layer that holds it is called and however many axes of 1 it has."""
    return collections.Counter(
        (tuple(side for side in array.shape if side != 1), array.dtype.str, array.tobytes())
        for array in model.get_weights()
    )


def compare(folder):
    source, back = (keras.saving.load_model(folder / name) for name in ("source.keras", "back.keras"))
    missing = contents(source) - contents(back)
    # Counts of samples are bookkeeping of a Normalization layer that was never adapted.
    lost = [shape for shape, dtype, _ in missing.elements() if np.dtype(dtype).kind == "f"]
    output = back.predict(np.load(folder / "input.npy"), verbose=0)
    print(json.dumps({"weights": len(source.get_weights()), "lost": lost}))
    np.save(folder / "back.npy", output)


if __name__ == "__main__":
    if sys.argv[1] == "list":
        print(json.dumps([name for name in dir(keras.applications) if name[0].isupper()]))
    elif sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4]))
    else:
        compare(pathlib.Path(sys.argv[2]))
