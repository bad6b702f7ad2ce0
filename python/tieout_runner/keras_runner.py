"""Runs a Keras model on probes and records what its layers give. Started by tieout; needs keras and numpy.

    python keras_runner.py DIRECTORY

reads DIRECTORY/job.json and DIRECTORY/inputs.npz, and writes DIRECTORY/outputs.npz and DIRECTORY/result.json, which
are described in torch_runner.py. The layers are seen through a real sub-model: keras.Model(model.inputs, their outputs).

A file states float32 for every layer, so the model is made again with float64 in its configuration and given the
same weights. Where TensorFlow has no float64 kernel, it runs in float32 and result.json says so.
"""

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

FLOATS = ("float32", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


def refuse_code(path):
    """Keras itself refuses a Lambda layer's code in .keras files only; here the same goes for HDF5 files."""
    if not path.endswith(".h5"):
        return
    import h5py

    with h5py.File(path, "r") as file:
        text = file.attrs.get("model_config")
    if text is None:
        raise SystemExit(f"{path} holds weights without an architecture")
    pending = [json.loads(text)]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if value.get("class_name") in ("Lambda", "__lambda__"):
                raise SystemExit("the file holds a Lambda layer, whose code is not run")
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def with_float64(config):
    """The configuration with float64 wherever it states a layer's floating type."""
    if isinstance(config, list):
        return [with_float64(value) for value in config]
    if not isinstance(config, dict):
        return config
    out = {}
    for key, value in config.items():
        if (
            key == "dtype"
            and value in FLOATS
            or key == "dtype"
            and isinstance(value, dict)
            and value.get("config", {}).get("name") in FLOATS
        ):
            out[key] = "float64"
        else:
            out[key] = with_float64(value)
    return out


def load(job, dtype):
    keras.backend.clear_session()
    keras.config.set_floatx("float32")
    model = keras.saving.load_model(job["file"], compile=False)
    if dtype == "float32":
        return model
    keras.config.set_floatx(dtype)
    again = model.__class__.from_config(with_float64(model.get_config()))
    if not again.built:
        again.build(model.input_shape)
    again.set_weights(model.get_weights())
    return again


def output_of(model, name):
    """The layer's output tensors in this model; nothing when it has no such layer or calls it several times."""
    functional = getattr(model, "_functional", None) or model
    # A Sequential builds itself again with each layer added: only the last graph's nodes are the model's.
    nodes = [node for level in functional._nodes_by_depth.values() for node in level]
    found = [node for node in nodes if node.operation is not None and node.operation.name == name]
    if len(found) != 1:
        return []
    return keras.tree.flatten(found[0].outputs)


def run(job, inputs, dtype):
    model = load(job, dtype)
    keys = [f"output{i}" for i in range(len(model.outputs))]
    outputs = list(model.outputs)
    for number, name in enumerate(job["layers"]):
        for k, tensor in enumerate(output_of(model, name)):
            keys.append(f"layer{number}/call0/{k}")
            outputs.append(tensor)
    whole = keras.Model(model.inputs, outputs)
    arrays = {}
    for probe in range(job["probes"]):
        given = [inputs[f"probe{probe}/input{i}"] for i in range(job["inputs"])]
        given = [x.astype("int32" if integer else dtype) for x, integer in zip(given, job["integer"], strict=False)]
        # predict, not a call: called directly, Keras adds the bias of a channels_first convolution along the wrong
        # axis when there are as many filters as columns (seen in 3.9.2 and 3.15.1).
        made = whole.predict(given if len(given) > 1 else given[0], batch_size=max(1, len(given[0])), verbose=0)
        made = made if isinstance(made, (list, tuple)) else [made]
        for key, array in zip(keys, made, strict=False):
            arrays[f"probe{probe}/{key}"] = np.asarray(array, dtype="float64")
    return arrays


def main(directory):
    with open(os.path.join(directory, "job.json"), encoding="utf-8") as file:
        job = json.load(file)
    inputs = np.load(os.path.join(directory, "inputs.npz"))
    refuse_code(job["file"])
    dtype = "float64"
    note = ""
    try:
        arrays = run(job, inputs, dtype)
    except Exception as error:
        dtype = "float32"
        note = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
        arrays = run(job, inputs, dtype)
    np.savez(os.path.join(directory, "outputs.npz"), **arrays)
    with open(os.path.join(directory, "result.json"), "w", encoding="utf-8") as file:
        json.dump({"dtype": dtype, "note": note, "version": keras.__version__}, file)


if __name__ == "__main__":
    main(sys.argv[1])
