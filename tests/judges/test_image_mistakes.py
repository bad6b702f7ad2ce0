"""What people take for the same when they carry images: `verify` must find each, and say which it was.

The Keras file is what tieout writes for the layer that was taken for the right one.
"""

import pytest
import torch
from predict import tieout, verify
from torch import nn

# The setting that differs, the right layer, the one taken for it.
MISTAKES = {
    "nearest": ("mode", nn.Upsample(size=(8, 3)), nn.Upsample(size=(8, 3), mode="nearest-exact")),
    "corners": (
        "align_corners",
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
        nn.Upsample(scale_factor=2, mode="bilinear"),
    ),
    "mirrored border": ("mode", nn.ReflectionPad2d(1), nn.ReplicationPad2d(1)),
    "zeros around": ("mode", nn.ReflectionPad2d(1), nn.ZeroPad2d(1)),
    "sides": ("padding", nn.ZeroPad2d((1, 0, 2, 1)), nn.ZeroPad2d((0, 1, 1, 2))),
    "counted padding": ("count_padding", nn.AvgPool2d(3, 2, 1), nn.AvgPool2d(3, 2, 1, count_include_pad=False)),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_cause_is_named(name, tmp_path):
    cause, right, wrong = MISTAKES[name]
    torch.save(right.eval(), tmp_path / "right.pt")
    torch.save(wrong.eval(), tmp_path / "wrong.pt")
    shape = ("--input-shape", "3,5,4")
    tieout("convert", tmp_path / "wrong.pt", tmp_path / "wrong.keras", *shape)
    verdict = verify(tmp_path / "right.pt", tmp_path / "wrong.keras", *shape, expect=1)
    assert verdict["verdict"] == "differs"
    assert verdict["first_difference"]["cause"] == cause, verdict["first_difference"]
