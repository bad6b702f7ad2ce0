"""Nets, and Keras files of them written wrongly by hand in the ways that people do it. See test_mistakes.py."""

import dataclasses
import json
from collections.abc import Callable

import h5py
import numpy as np
import torch
from torch import nn

UNITS = 5


def weights_of(file, layer):
    """{"kernel": dataset, ...} of one layer of an open Keras .h5 file."""
    found = {}

    def keep(name, entry):
        if isinstance(entry, h5py.Dataset):
            found[name.rsplit("/")[-1]] = entry

    file["model_weights"][layer].visititems(keep)
    return found


def read(path, layer):
    with h5py.File(path) as file:
        return {name: data[()] for name, data in weights_of(file, layer).items()}


def overwrite(path, layer, arrays):
    with h5py.File(path, "r+") as file:
        places = weights_of(file, layer)
        for name, array in arrays.items():
            assert places[name].shape == array.shape
            places[name][...] = array


def set_config(path, layer, **settings):
    with h5py.File(path, "r+") as file:
        model = json.loads(file.attrs["model_config"])
        entry = next(e for e in model["config"]["layers"] if e["config"]["name"] == layer)
        assert settings.keys() <= entry["config"].keys()
        entry["config"].update(settings)
        file.attrs["model_config"] = json.dumps(model)


def arrays(module):
    return {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}


def swapped_gates(array):
    """r, z, n <-> z, r, n along the last axis."""
    first, second, third = np.split(array, 3, axis=-1)
    return np.concatenate([second, first, third], axis=-1)


def normalised_net():
    """Small activations and variances: a layer's epsilon shows beside them."""
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 3, 3)).eval()
    with torch.no_grad():
        net[0].weight.mul_(0.1)
        net[1].weight.uniform_(0.5, 1.5)
        net[1].bias.uniform_(-0.5, 0.5)
        net[1].running_mean.uniform_(-0.1, 0.1)
        net[1].running_var.uniform_(0.001, 0.003)
    return net


def square_net():
    return nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 2))


def image_net():
    """A square kernel of as many inputs as outputs, into a flatten of an image that is not square."""
    return nn.Sequential(nn.Conv2d(3, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(3 * 3 * 4, 4))


def widening_net():
    """Keras has this size only as a transposed convolution that is cropped at the low end."""
    return nn.Sequential(
        nn.ConvTranspose2d(3, 3, 3, stride=2, padding=1, output_padding=1), nn.Tanh(), nn.Conv2d(3, 2, 3)
    )


def separable_net():
    """What Keras' SeparableConv2D is."""
    return nn.Sequential(nn.Conv2d(3, 6, 3, groups=3, bias=False), nn.Conv2d(6, 4, 1))


def gru_net():
    return nn.GRU(3, UNITS, batch_first=True)


def lstm_net():
    return nn.LSTM(3, UNITS, batch_first=True)


def both_ways_net():
    return nn.LSTM(3, UNITS, batch_first=True, bidirectional=True)


def plain_gru_net():
    return nn.GRU(3, UNITS, batch_first=True, bias=False)


def attention_net():
    """As many heads as features in each, so that shapes do not give a wrong order away."""
    net = nn.TransformerEncoderLayer(4, 2, 5, batch_first=True).eval()
    with torch.no_grad():
        net.self_attn.in_proj_bias.uniform_(-0.5, 0.5)
    return net


def attention_places(file):
    """{"query/kernel": dataset, ...} of the attention of an open Keras .h5 file."""
    found = {}

    def keep(name, entry):
        if isinstance(entry, h5py.Dataset):
            found["/".join(name.split("/")[-2:])] = entry

    file["model_weights"]["self_attn"].visititems(keep)
    return found


def attention_of(path):
    with h5py.File(path) as file:
        return {name: entry[()] for name, entry in attention_places(file).items()}


def overwrite_attention(path, arrays):
    with h5py.File(path, "r+") as file:
        places = attention_places(file)
        for name, array in arrays.items():
            assert places[name].shape == array.shape
            places[name][...] = array


def swap_key_and_value(path, module, layer):
    """Keras is called with query, value, key."""
    right = attention_of(path)
    overwrite_attention(
        path,
        {
            f"{a}/{name}": right[f"{b}/{name}"]
            for a, b in (("key", "value"), ("value", "key"))
            for name in ("kernel", "bias")
        },
    )


def turn_heads(path, module, layer):
    """The heads last in the projections' rows."""
    wrong = {}
    for name, array in attention_of(path).items():
        if name == "attention_output/kernel":
            wrong[name] = array.transpose(1, 0, 2)
        elif name.endswith("kernel"):
            wrong[name] = array.transpose(0, 2, 1)
        elif name != "attention_output/bias":
            wrong[name] = array.T
    overwrite_attention(path, wrong)


def forget_attention_biases(path, module, layer):
    right = attention_of(path)
    overwrite_attention(
        path,
        {f"{name}/bias": np.zeros_like(right[f"{name}/bias"]) for name in ("query", "key", "value")},
    )


SHAPES = {
    attention_net: "3,4",
    lstm_net: "4,3",
    both_ways_net: "4,3",
    plain_gru_net: "4,3",
    normalised_net: "2,6,5",
    square_net: "6",
    image_net: "3,5,6",
    widening_net: "3,5,6",
    separable_net: "3,5,6",
    gru_net: "4,3",
}


def leave_rows_in_chw(path, module, layer):
    overwrite(path, layer, {"kernel": arrays(module)["3.weight"].T})


def leave_dense_square(path, module, layer):
    overwrite(path, layer, {"kernel": arrays(module)["2.weight"]})


def leave_gates(path, module, layer):
    """The plain transposes of all four."""
    ours = arrays(module)
    wrong = {
        "kernel": ours["weight_ih_l0"].T,
        "recurrent_kernel": ours["weight_hh_l0"].T,
        "bias": np.stack([ours["bias_ih_l0"], ours["bias_hh_l0"]]),
    }
    overwrite(path, layer, wrong)


def swap_biases(path, module, layer):
    overwrite(path, layer, {"bias": read(path, layer)["bias"][::-1]})


def forget_second_bias(path, module, layer):
    right = read(path, layer)["bias"]
    overwrite(path, layer, {"bias": np.stack([right[0], np.zeros_like(right[0])])})


def leave_second_bias(path, module, layer):
    """Keras has one bias where PyTorch has two: it must be their sum."""
    overwrite(path, layer, {"bias": arrays(module)["bias_ih_l0"]})


def order_lstm_gates_i_f_o_g(path, module, layer):
    def reordered(array):
        i, f, g, o = np.split(array, 4, axis=-1)
        return np.concatenate([i, f, o, g], axis=-1)

    overwrite(path, layer, {name: reordered(array) for name, array in read(path, layer).items()})


def swap_directions(path, module, layer):
    """Backward weights where the forward ones belong."""
    with h5py.File(path, "r+") as file:
        found = []
        file["model_weights"][layer].visititems(lambda name, entry: found.append(entry))
        datasets = [entry for entry in found if isinstance(entry, h5py.Dataset)]
        assert len(datasets) == 6
        for forward in [entry for entry in datasets if "forward" in entry.name]:
            backward = file[forward.name.replace("forward", "backward")]
            ours, theirs = forward[()], backward[()]
            forward[...], backward[...] = theirs, ours


def assume_reset_before(path, module, layer):
    set_config(path, layer, reset_after=False)


def go_backwards(path, module, layer):
    """Keras' setting, which a file that tieout wrote leaves out where it is the default."""
    with h5py.File(path, "r+") as file:
        model = json.loads(file.attrs["model_config"])
        entry = next(e for e in model["config"]["layers"] if e["config"]["name"] == layer)
        entry["config"]["go_backwards"] = True
        file.attrs["model_config"] = json.dumps(model)


def keras_epsilon(path, module, layer):
    set_config(path, layer, epsilon=1e-3)


def swap_gamma_and_beta(path, module, layer):
    right = read(path, layer)
    overwrite(path, layer, {"gamma": right["beta"], "beta": right["gamma"]})


def swap_mean_and_variance(path, module, layer):
    right = read(path, layer)
    overwrite(path, layer, {"moving_mean": right["moving_variance"], "moving_variance": right["moving_mean"]})


def turn_kernel(path, module, layer):
    """Reversed whole, as if the axes only stood the other way round."""
    overwrite(path, layer, {"kernel": arrays(module)["0.weight"].transpose(3, 2, 1, 0)})


def leave_in_and_out(path, module, layer):
    overwrite(path, layer, {"kernel": arrays(module)["0.weight"].transpose(2, 3, 0, 1)})


def leave_transposed_in_and_out(path, module, layer):
    """As for a convolution."""
    overwrite(path, layer, {"kernel": arrays(module)["0.weight"].transpose(2, 3, 0, 1)})


def reverse_rows_and_columns(path, module, layer):
    """Turned by 180 degrees, as the gradient of a convolution in a textbook."""
    overwrite(path, layer, {"kernel": read(path, layer)["kernel"][::-1, ::-1]})


def say_same_instead_of_cropping(path, module, layer):
    """The right size, a cell off."""
    set_config(path, layer, padding="same", output_padding=None)
    set_config(path, f"{layer}_crop", cropping=[[0, 0], [0, 0]])


def put_multiplier_first(path, module, layer):
    """(3 channels, 2 for each) read as (2, 3)."""
    weight = arrays(module)["0.weight"].reshape(2, 3, 3, 3)
    (name,) = read(path, layer)
    overwrite(path, layer, {name: weight.transpose(2, 3, 1, 0)})


@dataclasses.dataclass(frozen=True)
class Mistake:
    net: Callable
    make: Callable  # (path of the right Keras file, module, layer's name in Keras)
    layer: str  # the module's name in PyTorch
    cause: str


MISTAKES = [
    Mistake(image_net, leave_rows_in_chw, "3", "flatten_order"),
    Mistake(square_net, leave_dense_square, "2", "not_transposed"),
    Mistake(gru_net, leave_gates, "", "gate_order"),
    Mistake(gru_net, swap_biases, "", "bias_order"),
    Mistake(gru_net, forget_second_bias, "", "forgotten_second_bias"),
    Mistake(lstm_net, leave_second_bias, "", "forgotten_second_bias"),
    Mistake(lstm_net, order_lstm_gates_i_f_o_g, "", "gate_order"),
    Mistake(both_ways_net, swap_directions, "", "swapped_directions"),
    Mistake(plain_gru_net, assume_reset_before, "", "reset_after"),
    Mistake(lstm_net, go_backwards, "", "direction"),
    Mistake(normalised_net, keras_epsilon, "1", "epsilon"),
    Mistake(normalised_net, swap_gamma_and_beta, "1", "gamma_beta"),
    Mistake(normalised_net, swap_mean_and_variance, "1", "mean_variance"),
    Mistake(image_net, turn_kernel, "0", "rows_columns"),
    Mistake(image_net, leave_in_and_out, "0", "in_out"),
    Mistake(image_net, reverse_rows_and_columns, "0", "turned_kernel"),
    Mistake(widening_net, leave_transposed_in_and_out, "0", "in_out"),
    Mistake(widening_net, turn_kernel, "0", "rows_columns"),
    Mistake(widening_net, reverse_rows_and_columns, "0", "turned_kernel"),
    Mistake(widening_net, say_same_instead_of_cropping, "0", "padding"),
    Mistake(separable_net, put_multiplier_first, "0", "multiplier_first"),
    Mistake(attention_net, swap_key_and_value, "self_attn", "qkv_order"),
    Mistake(attention_net, turn_heads, "self_attn", "head_order"),
    Mistake(attention_net, forget_attention_biases, "self_attn", "forgotten_bias"),
]
