"""Runs NAME.py with NAME.pt for each NAME_input.npz (N, H, W, C) of a folder: graph_torch.py FOLDER NAME..."""

import pathlib
import sys

import numpy as np
import torch
from predict_torch import make


def as_input(array):
    tensor = torch.from_numpy(array)
    return tensor.permute(0, 3, 1, 2) if tensor.ndim == 4 else tensor


@torch.no_grad()
def main(folder, names):
    for name in names:
        model = make(folder / f"{name}.py").double().eval()
        model.load_state_dict(torch.load(folder / f"{name}.pt", weights_only=True), strict=True)
        source = name.removesuffix("_h5")
        outputs = model(*map(as_input, np.load(folder / f"{source}_input.npz").values()))
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        np.savez(folder / f"{name}_torch.npz", *(output.numpy() for output in outputs))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
