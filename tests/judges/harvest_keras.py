"""Runs Keras' own tests and keeps the models that they make: harvest_keras.py FOLDER.

FOLDER/N/source.keras with random weights, inputs.npz and source_outputs.npz (input/0, ..., output/0, ... in the order of
model.inputs and model.outputs), and FOLDER/models.json: [{"folder": "N", "test": its name, "foreign": names of classes
that are not Keras' own, "floats": the type it computes in}].
"""

import os

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import gc
import json
import pathlib
import re
import sys

import keras
import numpy as np
import pytest
from application_keras import random_value
from case_runner import save_arrays
from keras.src.models.functional import Functional

SOURCES = pathlib.Path(keras.src.__file__).parent
TESTS = [
    "saving/saving_lib_test.py",
    "saving/saving_api_test.py",
    "saving/serialization_lib_test.py",
    "saving/file_editor_test.py",
    "legacy/saving/legacy_h5_format_test.py",
    "models/functional_test.py",
    "models/sequential_test.py",
    "models/cloning_test.py",
    "models/model_test.py",
]
# Those that train take long, and make the same models as others.
WANTED = "not fit and not compile and not loss and not metric and not train and not h5_io and not npz and not safe"


def is_of_keras(module):
    return module.startswith("keras") and not module.endswith("_test")


def foreign_classes(config):
    """Names of the classes and functions in a serialised model that the tests themselves define."""
    if isinstance(config, dict):
        registered = config.get("registered_name") or ""
        if ">" in registered or (registered and not is_of_keras(config.get("module") or "")):
            yield registered.rsplit(">")[-1]
        for value in config.values():
            yield from foreign_classes(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from foreign_classes(value)


def randomise(model, random):
    for variable in model.variables:
        if keras.backend.is_float_dtype(variable.dtype):
            variable.assign(random_value(random, variable))


def narrowest(model):
    """The floating type with the fewest digits that the model computes in anywhere."""
    types = {layer.compute_dtype for layer in model._flatten_layers()} | {tensor.dtype for tensor in model.inputs}
    return next((floats for floats in ("bfloat16", "float16", "float32") if floats in types), "float64")


def random_input(tensor, random):
    open_size = 33 if len(tensor.shape) == 4 else 3  # images become smaller on their way
    shape = [2] + [open_size if size is None else size for size in tensor.shape[1:]]
    if tensor.shape[0] is not None:
        shape[0] = tensor.shape[0]
    if keras.backend.is_float_dtype(tensor.dtype):
        return random.standard_normal(shape).astype(tensor.dtype)
    return random.integers(0, 2, shape).astype(tensor.dtype)


class Harvest:
    """A pytest plugin."""

    def __init__(self, folder):
        self.folder = folder
        self.made = []
        self.kept = []
        self.seen = set()

    def watch(self):
        """Keeps every Functional and Sequential model alive until the end of its test."""
        harvest = self
        for cls in (Functional, keras.Sequential):
            original = cls.__init__

            def init(model, *arguments, _original=original, **named):
                _original(model, *arguments, **named)
                harvest.made.append(model)

            cls.__init__ = init

    def pytest_collection_finish(self):
        gc.freeze()  # as in case_runner.py

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item):
        made, self.made = self.made, []
        for model in made:
            try:
                self.keep(model, item.nodeid.partition("::")[2])
            except Exception as error:  # a model that Keras itself cannot save or call
                print(f"{item.nodeid}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
        keras.backend.clear_session()

    def keep(self, model, test):
        if not model.built or not model.inputs:
            return
        config = keras.saving.serialize_keras_object(model)
        # Without the numbers that Keras counts its names by.
        key = re.sub(r"_\d+\b", "", json.dumps([config["config"], config["class_name"]], sort_keys=True, default=str))
        if key in self.seen:
            return
        self.seen.add(key)
        random = np.random.default_rng(len(self.seen))
        randomise(model, random)
        folder = self.folder / str(len(self.seen))
        folder.mkdir()
        model.save(folder / "source.keras")
        loaded = keras.saving.load_model(folder / "source.keras")
        inputs = [random_input(tensor, random) for tensor in loaded.inputs]
        flat = keras.Model(loaded.inputs, loaded.outputs)
        outputs = flat(inputs, training=False)
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        wide = [array.astype("float64") if array.dtype.kind not in "iu" else array for array in inputs]
        save_arrays(folder / "inputs.npz", "input/", wide)
        save_arrays(folder / "source_outputs.npz", "output/", map(keras.ops.convert_to_numpy, outputs))
        foreign = sorted(set(foreign_classes(config)))
        self.kept.append({"folder": folder.name, "test": test, "foreign": foreign, "floats": narrowest(model)})


def main(folder):
    harvest = Harvest(folder)
    harvest.watch()
    files = [str(SOURCES / name) for name in TESTS]
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(SOURCES), "-k", WANTED]
    pytest.main([*options, *files], plugins=[harvest])
    (folder / "models.json").write_text(json.dumps(harvest.kept, indent=1))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
