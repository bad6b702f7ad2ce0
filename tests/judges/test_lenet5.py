"""The two LeNet-5 networks of examples/lenet5 there and back, judged by the real PyTorch and the real Keras.

Each conversion is loaded as a user loads it and run on 5,000 real digits. The network that it came from, run in its
own framework, says what is right.
"""

import dataclasses

import numpy as np
import pytest
from predict import ROOT, digits, predict, tieout, verify

MODELS = ROOT / "examples" / "lenet5" / "models"
NETS = ["lenet5", "lenet5_classical"]
TARGETS = {"torch": [".pt", ".safetensors"], "keras": [".keras", ".h5", ".weights.h5"]}
# Of probabilities: what float32 leaves when two frameworks sum in different orders.
CLOSE = 1e-6
COMPARED = 512
SHAPE = ["--input-shape", "1,28,28"]


@dataclasses.dataclass(frozen=True)
class Conversion:
    net: str
    source: str  # what follows the net's name in the file's
    suffix: str
    like: str = ""

    def __str__(self):
        like = f" like {self.net}{self.like}" if self.like else ""
        return f"{self.net}{self.source} to {self.suffix}{like}"

    @property
    def target_framework(self):
        return "torch" if self.suffix in TARGETS["torch"] else "keras"

    @property
    def source_framework(self):
        return "keras" if self.target_framework == "torch" else "torch"

    @property
    def source_path(self):
        return MODELS / (self.net + self.source)

    def options(self):
        """A module that is not told by a template what comes in must be told by the user."""
        like = ["--like", MODELS / (self.net + self.like)] if self.like else []
        return like + (SHAPE if self.source == "_module.pt" and not self.like else [])

    def loaded(self, target):
        """What the framework needs to run the target: see predict.py."""
        if self.target_framework == "torch":
            code = {} if self.like else {"code": target.with_suffix(".py")}
            template = {"template": MODELS / f"{self.net}_module.pt"} if self.like else {}
            return {"model": target, **code, **template}
        if self.suffix != ".weights.h5":
            return {"model": target}
        # Weights alone need a model: the template, or the one that tieout makes of the same source.
        template = MODELS / (self.net + self.like) if self.like else target.with_name("whole.keras")
        return {"model": target, "template": template}


def conversions(net):
    to_keras = [("_module.pt", ""), ("_module.pt", ".keras"), (".pt", ".keras"), (".pt", ".h5")]
    to_torch = [(source, like) for source in (".keras", ".h5") for like in ("", "_module.pt", ".pt")]
    for framework, pairs in (("keras", to_keras), ("torch", to_torch)):
        for source, like in pairs:
            yield from (Conversion(net, source, suffix, like) for suffix in TARGETS[framework])


CONVERSIONS = [conversion for net in NETS for conversion in conversions(net)]


@dataclasses.dataclass
class Results:
    inputs: dict  # framework: path of its digits
    sources: dict  # (net, framework): probabilities, or what went wrong
    targets: dict  # conversion: the same


def convert(conversion, folder):
    target = folder / f"target{conversion.suffix}"
    if conversion.suffix == ".weights.h5" and not conversion.like:
        tieout("convert", conversion.source_path, folder / "whole.keras", *conversion.options())
    tieout("convert", conversion.source_path, target, *conversion.options())
    return target


def convert_all(folder):
    """{conversion: what the framework is to load}, {conversion: why it failed}."""
    done, failed = {}, {}
    for k, conversion in enumerate(CONVERSIONS):
        place = folder / str(k)
        place.mkdir()
        try:
            done[conversion] = conversion.loaded(convert(conversion, place))
        except AssertionError as error:
            failed[conversion] = str(error)
    return done, failed


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lenet5")
    images = digits().images
    inputs = {"torch": folder / "torch.npy", "keras": folder / "keras.npy"}
    np.save(inputs["torch"], images[:, None, :, :])
    np.save(inputs["keras"], images[:, :, :, None])
    done, failed = convert_all(folder)
    found = Results(inputs, {}, dict(failed))
    for framework, suffix in (("torch", "_module.pt"), ("keras", ".keras")):
        keys = {f"source {net}": (net, framework) for net in NETS}
        models = {key: {"model": MODELS / f"{net}{suffix}"} for key, (net, _) in keys.items()}
        ours = {str(key): key for key in done if key.target_framework == framework}
        models |= {name: done[key] for name, key in ours.items()}
        models = {key: {**model, "inputs": inputs[framework]} for key, model in models.items()}
        for key, outputs in predict(framework, models, folder).items():
            (found.sources if key in keys else found.targets)[keys.get(key) or ours[key]] = outputs
    return found


def probabilities(outputs):
    assert not isinstance(outputs, str), outputs
    assert outputs.shape == (5000, 10)
    return outputs


@pytest.mark.parametrize("conversion", CONVERSIONS, ids=str)
def test_converted_computes_the_same(results, conversion):
    wanted = probabilities(results.sources[conversion.net, conversion.source_framework])
    got = probabilities(results.targets[conversion])
    assert np.abs(got[:COMPARED] - wanted[:COMPARED]).max() <= CLOSE
    assert (got.argmax(1) == wanted.argmax(1)).all()


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(("framework", "suffix"), [("torch", "_module.pt"), ("keras", ".keras"), ("keras", ".h5")])
def test_interpreter_computes_the_same(results, net, framework, suffix, tmp_path):
    """In float64, so its distance is the framework's own rounding."""
    probe, out = tmp_path / "probe.npy", tmp_path / "out.npz"
    np.save(probe, np.load(results.inputs[framework])[:COMPARED])
    shape = SHAPE if framework == "torch" else []
    tieout("run", MODELS / f"{net}{suffix}", "--probe", probe, "-o", out, *shape)
    with np.load(out) as file:
        got = file["output/0"]
    wanted = probabilities(results.sources[net, framework])[:COMPARED]
    assert np.abs(got - wanted).max() <= CLOSE


def assert_layers_of_both(verdict, count):
    """Each layer that computes something, by the names that the two frameworks know it by."""
    assert verdict["verdict"] == "ties out"
    assert verdict["witnesses"] == {"a": "torch", "b": "keras"}
    assert verdict["first_difference"] is None
    assert len(verdict["layers"]) >= count
    assert all(layer["ties_out"] for layer in verdict["layers"])
    assert verdict["max_abs"] <= 1e-12


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("like", [False, True], ids=["own architecture", "template"])
def test_the_frameworks_themselves_tie_out(net, like, tmp_path):
    """Both run in child processes, in float64, their layers' outputs taken with hooks and sub-models."""
    source, target = MODELS / f"{net}_module.pt", tmp_path / "target.keras"
    options = ["--like", MODELS / f"{net}.keras"] if like else SHAPE
    tieout("convert", source, target, *options)
    verdict = verify(source, target, "--witness", "A=torch", "--witness", "B=keras")
    # Two or three convolutions, two pools, flatten, two or three dense layers; activations apart in PyTorch only.
    assert_layers_of_both(verdict, 8)
    names_a, names_b = ({layer[side] for layer in verdict["layers"]} for side in "ab")
    if like:
        # An activation is part of its layer there: what is compared comes out of PyTorch's activation.
        assert names_a >= ({"1", "2", "12"} if net == "lenet5" else {"c1_tanh", "s2", "softmax"})
        assert names_b >= {"conv2d", "conv2d_1", "dense", "dense_1"}
    else:
        assert names_a >= ({"0", "1", "11"} if net == "lenet5" else {"c1", "c1_tanh", "output"})


@pytest.mark.parametrize("net", NETS)
def test_a_written_state_dict_is_run_with_its_code(net, tmp_path):
    """NAME.py beside NAME.pt is all that the PyTorch witness needs."""
    target = tmp_path / "target.pt"
    tieout("convert", MODELS / f"{net}.keras", target)
    verdict = verify(target, MODELS / f"{net}.keras", "--witness", "A=torch", "--witness", "B=keras")
    assert_layers_of_both(verdict, 8)
