"""Makes cases' models in the real Keras and runs what tieout wrote, in float64. See case_runner.py.

{"id", "do": "make", "case", "model", "inputs", "outputs"}: makes a Functional model of the one layer or operator with random
    parameters and inputs, saves it (.keras), and records inputs and outputs (.npz).
{"id", "do": "run", "model", "inputs", "outputs"}: loads NAME.keras and runs it.
"""

import importlib
import os

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")

import keras
import tensorflow as tf
from case_runner import load_arrays, main, make_inputs, make_value, random_source, save_arrays
from keras.src.applications import convnext, inception_resnet_v2
from keras.src.layers.merging.base_merge import Merge

# Before any layer is made: afterwards it would not reach the default dtype policy.
keras.config.set_floatx("float64")

# They take a mask (integers here) and states beside the sequence.
RECURRENT = {"LSTM", "GRU", "SimpleRNN", "Bidirectional", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}


def call(case, tensors):
    """The setting "call" is not the layer's: its "arguments" name those that the tensors are given as."""
    if case["class"].startswith("ops."):
        return call_operator(case, tensors)
    layer = layer_of(case)
    said = dict(case["settings"].get("call", {}))
    names = said.pop("arguments", None)
    if "mask" in said:
        masks = filled(said["mask"], tensors)
        tensors = [tensor for tensor in tensors if not any(tensor is mask for mask in masks)]
        said["mask"] = masks
    if names:
        return layer(**dict(zip(names, tensors, strict=True)), **said)
    if case["class"] in ("MultiHeadAttention", "GroupQueryAttention"):
        return layer(*tensors[:2], **({"key": tensors[2]} if len(tensors) > 2 else {}), **said)
    if case["class"] in RECURRENT and len(tensors) > 1:
        states = [tensor for tensor in tensors[1:] if keras.backend.is_float_dtype(tensor.dtype)]
        masks = [tensor for tensor in tensors[1:] if not keras.backend.is_float_dtype(tensor.dtype)]
        return layer(tensors[0], mask=masks[0] if masks else None, initial_state=states or None)
    takes_one = len(tensors) == 1 and not isinstance(layer, Merge)
    return layer(tensors[0] if takes_one else tensors, **said)


def randomise(model, source):
    for variable in model.variables:
        if keras.backend.is_float_dtype(variable.dtype):
            variable.assign(make_value(variable.path.rsplit("/")[-1], tuple(variable.shape), source))


def finalise(model):
    """A Normalization computes with copies of its variables."""
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def run(model, inputs, predict=False):
    """Called eagerly, Keras adds the bias of a channels_first layer along the wrong axis where filters == width."""
    tensors = [tf.constant(array) for array in inputs]
    tensors = tensors[0] if len(tensors) == 1 else tensors
    result = model.predict_on_batch(tensors) if predict else model(tensors, training=False)
    results = result if isinstance(result, list | tuple) else [result]
    return [keras.ops.convert_to_numpy(tensor) for tensor in results]


def operator_class(name):
    """ "ops.Add" is the class behind keras.ops.add, in whichever of the modules of keras.src.ops it is."""
    for module in ("numpy", "nn", "core", "math", "image", "linalg"):
        found = getattr(importlib.import_module(f"keras.src.ops.{module}"), name.removeprefix("ops."), None)
        if found is not None:
            return found
    raise LookupError(name)


def filled(value, tensors):
    """With the tensors that {"input": k} stands for."""
    if isinstance(value, list):
        return [filled(part, tensors) for part in value]
    if isinstance(value, dict) and value.keys() == {"input"}:
        return tensors[value["input"]]
    return keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value


def call_operator(case, tensors):
    """Settings "args" and "kwargs" are the call's, with {"input": k} for a tensor; the others are __init__'s."""
    settings = dict(case["settings"])
    args = filled(settings.pop("args", [{"input": k} for k in range(len(tensors))]), tensors)
    kwargs = {name: filled(value, tensors) for name, value in settings.pop("kwargs", {}).items()}
    return operator_class(case["class"])(**settings)(*args, **kwargs)


def layer_of(case):
    name, settings = case["class"], dict(case["settings"])
    settings.pop("call", None)
    if name.startswith("activation:"):
        return keras.layers.Activation(name.removeprefix("activation:"))
    for module in (keras.layers, convnext, inception_resnet_v2):
        if hasattr(module, name):
            return getattr(module, name).from_config(settings)
    raise ValueError(f"Keras has no layer {name}")


def make(item):
    case = item["case"]
    source = random_source(item)
    keras.utils.set_random_seed(1)
    inputs = make_inputs(case, source)
    entries = [keras.Input(array.shape[1:], dtype=array.dtype.name) for array in inputs]
    model = keras.Model(entries, call(case, entries))
    randomise(model, source)
    finalise(model)
    model.save(item["model"])
    save_arrays(item["inputs"], "input/", inputs)
    predict = case["settings"].get("data_format") == "channels_first"
    save_arrays(item["outputs"], "output/", run(model, inputs, predict))


def with_float64_inputs(model):
    """A model without weights does not say its type: tieout writes float32 inputs, which would round ours."""
    config = model.get_config()
    for layer in config["layers"]:
        if layer["class_name"] == "InputLayer" and layer["config"]["dtype"] == "float32":
            layer["config"]["dtype"] = "float64"
    wide = type(model).from_config(config)
    wide.set_weights(model.get_weights())
    finalise(wide)
    return wide


def run_written(item):
    model = with_float64_inputs(keras.saving.load_model(item["model"]))
    arrays = load_arrays(item["inputs"], "input/")
    inputs = [array.astype(entry.dtype) for array, entry in zip(arrays, model.inputs, strict=True)]
    outputs = run(model, inputs)
    save_arrays(item["outputs"], "output/", outputs)


def perform(item):
    keras.backend.clear_session()
    make(item) if item["do"] == "make" else run_written(item)


if __name__ == "__main__":
    tf.config.threading.set_intra_op_parallelism_threads(1)
    main(perform)
