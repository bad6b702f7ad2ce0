"""Shared by run_torch_cases.py and run_keras_cases.py: many items in one process, each item's end on record.

An item is a JSON object with an "id". Each gets a line {"id", "began": true} before and {"id", "error": null or text}
after it in RESULTS, so that the caller knows which item a process died of.
"""

import gc
import json
import sys
import traceback
import zlib

import numpy as np


def main(perform):
    # Keras' clear_session collects garbage before each item: not among all that was imported, which takes 0.1 s.
    gc.freeze()
    items_path, results_path = sys.argv[1:]
    with open(items_path) as file:
        items = json.load(file)
    with open(results_path, "a") as results:
        for item in items:
            print(json.dumps({"id": item["id"], "began": True}), file=results, flush=True)
            try:
                perform(item)
                error = None
            except Exception:
                error = traceback.format_exc()[-3000:]
            print(json.dumps({"id": item["id"], "error": error}), file=results, flush=True)


def random_source(item):
    return np.random.default_rng(zlib.crc32(item["id"].encode()))


def make_inputs(case, source):
    """One array for each input shape: "normal", "small" (0.01 x normal), "positive" (0.1 to 2), "above one" (1.1 to 3),
    "indices:N" (integers below N) or "boolean".

    With commas, one for each input; the last one is that of all others.
    """
    words = case["inputs"].split(",")
    words += words[-1:] * (len(case["input_shapes"]) - len(words))
    arrays = []
    for word, shape in zip(words, case["input_shapes"], strict=False):
        kind, _, bound = word.partition(":")
        if kind == "boolean":
            arrays.append(source.random(shape) < 0.7)
        elif kind == "indices":
            arrays.append(source.integers(0, int(bound), shape, dtype=np.int32))
        elif kind == "positive":
            arrays.append(source.uniform(0.1, 2.0, shape))
        elif kind == "above one":
            arrays.append(source.uniform(1.1, 3.0, shape))
        else:
            arrays.append(source.standard_normal(shape) * (0.01 if kind == "small" else 1.0))
    return arrays


def make_value(name, shape, source):
    """Parameters as they might be after training: variances positive, scales about 1, all else about 0."""
    if "variance" in name or "running_var" in name:
        return source.uniform(0.5, 2.0, shape)
    if "gamma" in name or "scale" in name:
        return 1 + 0.3 * source.standard_normal(shape)
    return 0.5 * source.standard_normal(shape)


def save_arrays(path, prefix, arrays):
    """Truth values as 0 and 1, since they are compared as numbers; a bfloat16, which NumPy does not have, as float32."""
    types = {"bool": np.float64, "bfloat16": np.float32}
    numbers = [array.astype(types.get(array.dtype.name, array.dtype)) for array in arrays]
    np.savez(path, **{f"{prefix}{k}": array for k, array in enumerate(numbers)})


def load_arrays(path, prefix):
    with np.load(path) as file:
        return [file[f"{prefix}{k}"] for k in range(len(file.files))]
