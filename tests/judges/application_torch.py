"""Runs NAME.py with NAME.pt, as tieout wrote them: application_torch.py FOLDER.

FOLDER/float32.npy and FOLDER/float64.npy are its outputs for FOLDER/input.npy, (N, H, W, C).
"""

import pathlib
import sys

import numpy as np
import torch
from predict_torch import make


@torch.no_grad()
def main(folder):
    model = make(folder / "written.py").eval()
    model.load_state_dict(torch.load(folder / "written.pt", weights_only=True, mmap=True), strict=True)
    images = torch.from_numpy(np.load(folder / "input.npy")).permute(0, 3, 1, 2)
    np.save(folder / "float32.npy", model(images).numpy())
    np.save(folder / "float64.npy", model.double()(images.double()).numpy())


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
