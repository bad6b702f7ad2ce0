"""Pools of volumes, in float32: TensorFlow has them on a CPU in no other type, and the layers' cases are judged in float64."""

import numpy as np
import pytest
import torch
from predict import predict, tieout
from torch import nn

POOLS = {
    "max": nn.MaxPool3d(2),
    "max, padded": nn.MaxPool3d((3, 2, 3), stride=(2, 1, 2), padding=1),
    "max, ceil": nn.MaxPool3d(2, ceil_mode=True),
    "max, dilated": nn.MaxPool3d(2, stride=1, dilation=2),
    "mean": nn.AvgPool3d((2, 3, 1)),
    "mean, padded": nn.AvgPool3d(3, stride=2, padding=1),
    "mean, padding not counted": nn.AvgPool3d(3, stride=2, padding=1, count_include_pad=False),
    "mean, another divisor": nn.AvgPool3d(2, divisor_override=3),
    "norm": nn.LPPool3d(2, (2, 3, 1)),
    "norm, ceil": nn.LPPool3d(4, 3, stride=2, ceil_mode=True),
    "adaptive max": nn.AdaptiveMaxPool3d((3, 5, 2)),
    "adaptive mean": nn.AdaptiveAvgPool3d((3, 5, 2)),
}
SHAPE = (2, 3, 7, 8, 5)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("volumes")
    probe = np.random.default_rng(3).standard_normal(SHAPE).astype(np.float32)
    np.save(folder / "volumes.npy", np.moveaxis(probe, 1, -1))
    models = {}
    for k, (name, pool) in enumerate(POOLS.items()):
        torch.save(pool.eval(), folder / f"{k}.pt")
        tieout("convert", folder / f"{k}.pt", folder / f"{k}.keras", "--input-shape", "3,7,8,5")
        models[name] = {"model": folder / f"{k}.keras", "inputs": folder / "volumes.npy"}
    return probe, predict("keras", models, folder)


@pytest.mark.parametrize("name", POOLS)
def test_pool_of_a_volume(outputs, name):
    probe, predicted = outputs
    assert not isinstance(predicted[name], str), predicted[name]
    wanted = POOLS[name](torch.from_numpy(probe)).numpy()
    np.testing.assert_allclose(np.moveaxis(predicted[name], -1, 1), wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())
