"""Saves in FOLDER small modules whose weights PyTorch computes, as NAME_SAVED.pt, and what they compute, NAME.npz.

NAME is LAYER_CONSTRAINT_FORM, FORM being "hook" (torch.nn.utils) or "parametrized" (torch.nn.utils.parametrizations),
and SAVED "module" or "state_dict"; PyTorch cannot save a parametrized module whole. LAYER_plain.pt is the layer alone,
with other weights.
"""

import pathlib
import sys

import numpy as np
import torch
from torch.nn.utils import (
    parametrizations,
    parametrize,
    remove_spectral_norm,
    remove_weight_norm,
    spectral_norm,
    weight_norm,
)

# Constructor, input of the layer.
LAYERS = {
    "Linear": (lambda: torch.nn.Linear(5, 5), (2, 5)),
    "Conv1d": (lambda: torch.nn.Conv1d(3, 4, 3), (2, 3, 7)),
    "Conv2d": (lambda: torch.nn.Conv2d(3, 4, (3, 2), bias=False), (2, 3, 6, 7)),
    "Conv3d": (lambda: torch.nn.Conv3d(3, 4, 2), (2, 3, 4, 5, 6)),
    "ConvTranspose1d": (lambda: torch.nn.ConvTranspose1d(3, 4, 3), (2, 3, 7)),
    "ConvTranspose2d": (lambda: torch.nn.ConvTranspose2d(3, 4, (3, 2)), (2, 3, 6, 7)),
    "ConvTranspose3d": (lambda: torch.nn.ConvTranspose3d(3, 4, 2), (2, 3, 3, 4, 5)),
    "Embedding": (lambda: torch.nn.Embedding(7, 3), (2, 5)),
}
CONSTRAINTS = {
    "weight_norm": lambda layer: weight_norm(layer),
    "weight_norm1": lambda layer: weight_norm(layer, dim=1),
    "weight_norm_all": lambda layer: weight_norm(layer, dim=None),
    "spectral_norm": lambda layer: spectral_norm(layer),
}
PARAMETRIZATIONS = {
    "weight_norm": lambda layer: parametrizations.weight_norm(layer),
    "weight_norm1": lambda layer: parametrizations.weight_norm(layer, dim=1),
    "weight_norm_all": lambda layer: parametrizations.weight_norm(layer, dim=None),
    "spectral_norm": lambda layer: parametrizations.spectral_norm(layer),
}


def trained(module, x):
    """As after some steps: the vectors of spectral_norm are not those of the weight as it is."""
    for _ in range(3):
        module.train()(x)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(1 + 0.3 * torch.rand_like(parameter))
    return module.eval()


def make_plain(layer, constraint, form):
    if form == "parametrized":
        parametrize.remove_parametrizations(layer, "weight")
    else:
        (remove_spectral_norm if constraint == "spectral_norm" else remove_weight_norm)(layer)


def save(name, constraint, form, folder):
    make, shape = LAYERS[name]
    constrain = (CONSTRAINTS if form == "hook" else PARAMETRIZATIONS)[constraint]
    layer = constrain(make())
    x = torch.randint(0, 7, shape) if name == "Embedding" else torch.randn(shape)
    module = trained(torch.nn.Sequential(layer), x)
    path = folder / f"{name}_{constraint}_{form}"
    torch.save(module.state_dict(), f"{path}_state_dict.pt")
    with torch.no_grad():
        output = module(x).numpy()
        if form == "hook":
            layer.weight = layer.weight.detach()  # computed with gradients it cannot be saved
            torch.save(module, f"{path}_module.pt")
        make_plain(layer, constraint, form)
    np.savez(f"{path}.npz", input=x.numpy(), output=output, weight=layer.weight.detach().numpy())


SQUARE = {
    "conv": [torch.nn.Conv2d],
    "transposed": [torch.nn.ConvTranspose2d],
    "both": [torch.nn.Conv2d, torch.nn.ConvTranspose2d],
}


def save_squares(folder):
    """Kernels of which two axes have one size: the tensors do not tell which of them the vectors belong to."""
    x = torch.randn(2, 3, 6, 7)
    for name, layers in SQUARE.items():
        module = trained(torch.nn.Sequential(*(parametrizations.spectral_norm(layer(3, 3, 3)) for layer in layers)), x)
        torch.save(module.state_dict(), folder / f"square_{name}.pt")
        torch.save(torch.nn.Sequential(*(layer(3, 3, 3) for layer in layers)), folder / f"square_{name}_plain.pt")
        with torch.no_grad():
            np.savez(folder / f"square_{name}.npz", input=x.numpy(), output=module(x).numpy())


def save_what_is_not_computed(folder):
    """Tensors of another type, one constraint on another."""
    half = torch.nn.Sequential(weight_norm(torch.nn.Linear(3, 4))).half()
    half[0].weight = half[0].weight.detach()
    torch.save(half, folder / "half.pt")
    twice = torch.nn.Sequential(spectral_norm(weight_norm(torch.nn.Linear(3, 4)), "weight_v"))
    twice[0].weight, twice[0].weight_v = twice[0].weight.detach(), twice[0].weight_v.detach()
    torch.save(twice, folder / "twice.pt")


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    torch.manual_seed(7)
    for layer_name, (make_layer, _) in LAYERS.items():
        torch.save(torch.nn.Sequential(make_layer()), target / f"{layer_name}_plain.pt")
        for constraint_name in CONSTRAINTS:
            for form_name in ("hook", "parametrized"):
                save(layer_name, constraint_name, form_name, target)
    save_squares(target)
    save_what_is_not_computed(target)
