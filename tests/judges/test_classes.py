"""`tieout layers` has a verdict on every layer class of the installed releases.

A new class in a new release turns this red. The classes are those that the frameworks themselves show: keras.layers,
and the Module subclasses of torch.nn. Aliases (Convolution2D is Conv2D) are one class.
"""

import collections
import json
import re
import subprocess

import pytest
from case_flow import PYTHON, TIEOUT

LIST_KERAS = """
import inspect, os
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3")
import keras
shown = [getattr(keras.layers, name) for name in dir(keras.layers)]
layers = {entry.__name__ for entry in shown if inspect.isclass(entry) and issubclass(entry, keras.layers.Layer)}
print(*sorted(layers))
"""
LIST_TORCH = """
import inspect, torch
shown = [getattr(torch.nn, name) for name in dir(torch.nn)]
print(*sorted({entry.__name__ for entry in shown if inspect.isclass(entry) and issubclass(entry, torch.nn.Module)}))
"""
LISTS = {"keras": LIST_KERAS, "torch": LIST_TORCH}


def listed(*arguments):
    done = subprocess.run([TIEOUT, "layers", *arguments], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def verdicts():
    return json.loads(listed("--json"))


@pytest.fixture(scope="module", params=["keras", "torch"])
def framework(request):
    return request.param


@pytest.fixture(scope="module")
def shown(framework):
    command = [PYTHON[framework], "-c", LISTS[framework]]
    names = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout.split()
    assert len(names) > 100
    return names


def test_every_class_has_a_verdict(verdicts, framework, shown):
    known = {entry["class"] for entry in verdicts if entry["framework"] == framework}
    assert not sorted(set(shown) - known)


def test_what_is_carried_is_judged(verdicts, framework, shown):
    """At least one case in the real framework for each class that is carried."""
    # keras.layers.GroupQueryAttention says that its name is another; volumes are judged in test_volume_pools.py, since
    # TensorFlow has no float64 pools for them on a CPU.
    volumes = {f"{what}Pooling3D" for what in ("AdaptiveAverage", "AdaptiveMax", "Average", "Max")}
    volumes |= {f"{what}Pool3d" for what in ("AdaptiveAvg", "AdaptiveMax", "Avg", "Max")}
    # A case cannot hold the layer that these take as an argument; nn.Transformer's cases judge them.
    stacks = {"TransformerEncoder", "TransformerDecoder"}
    structure = {"InputLayer", "Sequential", "GroupedQueryAttention"} | volumes | stacks
    cases = {entry["class"]: entry for entry in verdicts if entry["framework"] == framework}
    carried = [name for name in shown if name in cases and cases[name]["status"] != "refused"]
    assert not [name for name in carried if cases[name]["cases"] == 0 and name not in structure]


def test_a_class_has_one_verdict(verdicts):
    counts = collections.Counter((entry["framework"], entry["class"]) for entry in verdicts)
    assert not [name for name, count in counts.items() if count > 1]


def test_what_is_not_plain_says_why(verdicts):
    assert not [entry["class"] for entry in verdicts if entry["status"] != "exact" and not entry["reason"]]


def test_text_shows_the_number_of_cases(verdicts):
    line = re.compile(r"(torch|keras) +(.+?) +(?:exact|composed|refused) +(\d+) cases ")
    shown = {match.group(1, 2): int(match[3]) for match in map(line.match, listed().splitlines())}
    assert shown == {(entry["framework"], entry["class"]): entry["cases"] for entry in verdicts}
