"""Loads models in the real PyTorch as a user would and runs them, in float32. See predict.py."""

import importlib.util
import pathlib

import numpy as np
import safetensors.torch
import torch
from case_runner import main


def load_state(path):
    if path.endswith(".safetensors"):
        return safetensors.torch.load_file(path)
    return torch.load(path, weights_only=True)


def load_whole(path):
    # Only files that the repository holds or the tests made.
    return torch.load(path, weights_only=False)


def make(code):
    """The last class of the file is the model."""
    path = pathlib.Path(code)
    spec = importlib.util.spec_from_file_location(f"written_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    classes = [value for value in vars(module).values() if isinstance(value, type) and value.__module__ == spec.name]
    return classes[-1]()


def load(item):
    if "code" not in item and "template" not in item:
        return load_whole(item["model"])
    model = make(item["code"]) if "code" in item else load_whole(item["template"])
    model.load_state_dict(load_state(item["model"]), strict=True)
    return model


@torch.no_grad()
def perform(item):
    model = load(item).eval()
    outputs = [model(part) for part in torch.from_numpy(np.load(item["inputs"])).split(500)]
    np.save(item["outputs"], torch.cat(outputs).numpy())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(perform)
