"""Runs a PyTorch model on probes and records what its modules give. Started by tieout; needs torch and numpy.

    python torch_runner.py DIRECTORY

reads DIRECTORY/job.json and DIRECTORY/inputs.npz, and writes DIRECTORY/outputs.npz and DIRECTORY/result.json:

    job.json     {"file": "/.../net.pt", "format": "torch_pt", "module": "/.../net.py:Net" or "",
                  "layers": ["0", "1", ...], "probes": 3, "inputs": 1, "integer": [false]}
    inputs.npz   probe<p>/input<i>
    outputs.npz  probe<p>/output<i>, probe<p>/layer<number in "layers">/call<c>/<k>: output k of the module's call c
    result.json  {"dtype": "float64", "note": ""}

The module is in evaluation mode and in float64. A pickled module is read with weights_only=True, with the classes of
torch.nn as the only ones allowed; nothing else in the file can run. A state_dict needs the module's code, which the
user vouches for.
"""

import importlib.util
import inspect
import json
import os
import sys

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import torch


def torch_classes():
    """The classes of torch.nn.modules, and the functions that their instances may hold as attributes."""
    allowed = {set}
    for name, module in list(sys.modules.items()):
        if name == "torch.nn.modules" or name.startswith("torch.nn.modules."):
            allowed.update(
                c for _, c in inspect.getmembers(module, inspect.isclass) if c.__module__.startswith("torch.nn.")
            )
    functional = torch.nn.functional
    allowed.update([functional.relu, functional.gelu, functional.silu])
    # Hooks that compute a weight. The names of the modules are those of functions, too.
    for name in ("weight_norm", "spectral_norm"):
        hooks = inspect.getmembers(sys.modules[f"torch.nn.utils.{name}"], inspect.isclass)
        allowed.update(c for _, c in hooks if c.__module__ == f"torch.nn.utils.{name}")
    return list(allowed)


def code_of(text):
    """The module class in FILE.py:Class, or the last one in FILE.py, made without arguments."""
    path, _, wanted = text.partition(".py:")
    path = path if path.endswith(".py") else path + ".py"
    spec = importlib.util.spec_from_file_location("tieout_model", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["tieout_model"] = module
    sys.path.insert(0, os.path.dirname(path))
    spec.loader.exec_module(module)
    if wanted:
        return getattr(module, wanted)()
    classes = [
        c
        for c in vars(module).values()
        if inspect.isclass(c) and issubclass(c, torch.nn.Module) and c.__module__ == "tieout_model"
    ]
    if not classes:
        raise SystemExit(f"{path} defines no torch.nn.Module")
    return classes[-1]()


def load(job):
    if job["format"] == "safetensors":
        from safetensors.torch import load_file

        loaded = load_file(job["file"])
    else:
        torch.serialization.add_safe_globals(torch_classes())
        loaded = torch.load(job["file"], map_location="cpu", weights_only=True)
    if isinstance(loaded, torch.nn.Module):
        return loaded
    if not job["module"]:
        raise SystemExit(
            f"{job['file']} is a state_dict and its module's code is not known; "
            "give it with --torch-module FILE.py:Class"
        )
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(loaded.get(key), dict):
            loaded = loaded[key]
            break
    module = code_of(job["module"])
    module.load_state_dict(loaded, strict=True)
    return module


def tensors_of(value):
    """The tensors in a module's output, nested tuples and dictionaries flattened in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return [t for part in value for t in tensors_of(part)]
    return []


def record(module, wanted, calls):
    """Hooks that append each call's outputs to calls[number]."""
    for name, part in module.named_modules(remove_duplicate=False):
        if name not in wanted:
            continue

        def hook(_module, _args, output, number=wanted[name]):
            # Copied at once: a module behind it may work in place.
            calls.setdefault(number, []).append([t.detach().clone() for t in tensors_of(output)])

        part.register_forward_hook(hook)


def main(directory):
    with open(os.path.join(directory, "job.json"), encoding="utf-8") as file:
        job = json.load(file)
    inputs = np.load(os.path.join(directory, "inputs.npz"))
    # The fused attention of evaluation mode would leave out the modules inside.
    if hasattr(torch.backends, "mha"):
        torch.backends.mha.set_fastpath_enabled(False)
    module = load(job).eval().double()
    calls = {}
    record(module, {name: number for number, name in enumerate(job["layers"])}, calls)
    arrays = {}
    for probe in range(job["probes"]):
        calls.clear()
        given = [torch.from_numpy(inputs[f"probe{probe}/input{i}"]) for i in range(job["inputs"])]
        given = [x.long() if integer else x.double() for x, integer in zip(given, job["integer"], strict=False)]
        with torch.no_grad():
            output = module(*given)
        for i, tensor in enumerate(tensors_of(output)):
            arrays[f"probe{probe}/output{i}"] = tensor.double().numpy()
        for number, made in calls.items():
            for call, tensors in enumerate(made):
                for k, tensor in enumerate(tensors):
                    arrays[f"probe{probe}/layer{number}/call{call}/{k}"] = tensor.double().numpy()
    np.savez(os.path.join(directory, "outputs.npz"), **arrays)
    with open(os.path.join(directory, "result.json"), "w", encoding="utf-8") as file:
        json.dump({"dtype": "float64", "note": "", "version": torch.__version__}, file)


if __name__ == "__main__":
    main(sys.argv[1])
