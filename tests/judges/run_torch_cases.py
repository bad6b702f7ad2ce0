"""Makes cases' models in the real PyTorch and runs what tieout wrote, in float64. See case_runner.py.

{"id", "do": "make", "case", "model", "inputs", "outputs"}: makes the module with random parameters and inputs,
    saves it whole, and records inputs and outputs (.npz).
{"id", "do": "run", "model", "inputs", "outputs"}: builds the class of NAME.py, loads NAME.pt into it, runs it.
"""

import importlib.util
import inspect
import pathlib

import torch
from case_runner import load_arrays, main, make_inputs, make_value, random_source, save_arrays

# Their output is the first of several.
STATEFUL = torch.nn.RNNBase | torch.nn.RNNCellBase | torch.nn.MultiheadAttention


def arguments(settings):
    """JSON has lists where PyTorch wants tuples (an nn.Unflatten insists)."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}


def randomise(module, source):
    for path, child in module.named_modules():
        is_norm = "Norm" in type(child).__name__
        tensors = [*child.named_parameters(path, recurse=False), *child.named_buffers(path, recurse=False)]
        for name, tensor in tensors:
            if not tensor.is_floating_point():
                continue
            name = "gamma" if is_norm and name.endswith("weight") else name
            with torch.no_grad():
                tensor.copy_(torch.from_numpy(make_value(name, tuple(tensor.shape), source)))


def run(module, inputs):
    with torch.no_grad():
        result = module(*inputs)
    if isinstance(result, tuple) and isinstance(module, STATEFUL):
        result = result[0]
    results = result if isinstance(result, tuple | list) else [result]
    return [tensor.numpy() for tensor in results]


def tensors_of(arrays):
    return [torch.from_numpy(a if a.dtype.kind == "f" else a.astype("int64")) for a in arrays]


def make(item):
    case = item["case"]
    source = random_source(item)
    torch.manual_seed(1)
    module = getattr(torch.nn, case["class"])(**arguments(case["settings"])).double().eval()
    randomise(module, source)
    inputs = make_inputs(case, source)
    torch.save(module, item["model"])
    save_arrays(item["inputs"], "input/", inputs)
    save_arrays(item["outputs"], "output/", run(module, tensors_of(inputs)))


def class_of(path):
    """The last class in NAME.py, made without arguments."""
    spec = importlib.util.spec_from_file_location("written_" + path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [entry for entry in vars(module).values() if inspect.isclass(entry) and issubclass(entry, torch.nn.Module)][
        -1
    ]


def run_written(item):
    path = pathlib.Path(item["model"])
    module = class_of(path.with_suffix(".py"))().double().eval()
    module.load_state_dict(torch.load(path, weights_only=True), strict=True)
    outputs = run(module, tensors_of(load_arrays(item["inputs"], "input/")))
    save_arrays(item["outputs"], "output/", outputs)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(lambda item: make(item) if item["do"] == "make" else run_written(item))
