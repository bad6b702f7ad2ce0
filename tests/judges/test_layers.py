"""Every case of every layer record, in the real PyTorch and the real Keras, in float64.

Parameters and inputs are random. The interpreter must compute what the source framework computes; the converted model
must compute it in the other framework, and converted back in the first again. There is no list of cases here: a
layer kind's record has them.
"""

import numpy as np
import pytest
from case_flow import REFUSED, read_cases, take_there_and_back
from hand_mistakes import ONLY_BY_HAND

CASES = read_cases()
CARRIED = [name for name, case in CASES.items() if not case["target_refuses"]]
RETURNING = [name for name in CARRIED if not CASES[name]["back_refuses"]]
ONE_WAY = [name for name in CARRIED if CASES[name]["back_refuses"]]
MISTAKES = sorted({(case["kind"], mistake) for case in CASES.values() for mistake in case["mistakes"]} - ONLY_BY_HAND)
REFUSING = [name for name, case in CASES.items() if case["target_refuses"]]

EXACT = 1e-12
# Where Keras itself rounds a constant to float32.
ROUNDED = 1e-6


@pytest.fixture(scope="session")
def flows(request, tmp_path_factory):
    """Only the cases that were asked for (-k), by name or by the kind of their mistakes."""
    asked = [item.callspec.params for item in request.session.items if "flows" in getattr(item, "fixturenames", ())]
    judged = {params.get("case") for params in asked}
    kinds = {params.get("kind") for params in asked}
    cases = {name: case for name, case in CASES.items() if name in judged or case["kind"] in kinds}
    return take_there_and_back(cases, tmp_path_factory.mktemp("cases"), judged)


def tolerance(flow, *frameworks):
    return ROUNDED if flow.case["keras_rounds_to_float32"] and "keras" in frameworks else EXACT


def assert_done(flow, *steps):
    for step in steps:
        assert step in flow.steps, f"{step} was not reached: {flow.steps}"
        assert flow.steps[step].code == 0, f"{step}: {flow.steps[step].said}"


def assert_tie_out(got, wanted, allowed):
    assert len(got) == len(wanted)
    for ours, theirs in zip(got, wanted, strict=True):
        assert ours.shape == theirs.shape
        assert np.isfinite(theirs).all()
        difference = float(np.max(np.abs(ours - theirs), initial=0.0))
        largest = float(np.max(np.abs(theirs), initial=0.0))
        assert difference <= allowed * largest, f"differs by {difference} where the largest value is {largest}"


@pytest.mark.parametrize("case", CASES)
def test_interpreter(flows, case):
    flow = flows[case]
    assert_done(flow, "make", "run")
    assert_tie_out(flow.arrays("run_outputs.npz"), flow.arrays("source_outputs.npz"), tolerance(flow, flow.framework))


@pytest.mark.parametrize("case", CARRIED)
def test_there(flows, case):
    flow = flows[case]
    assert_done(flow, "make", "convert", "load")
    assert_tie_out(flow.outputs("written"), flow.arrays("source_outputs.npz"), tolerance(flow, "torch", "keras"))


@pytest.mark.parametrize("case", RETURNING)
def test_and_back(flows, case):
    flow = flows[case]
    assert_done(flow, "make", "convert", "back", "load back")
    assert_tie_out(flow.outputs("back"), flow.arrays("source_outputs.npz"), EXACT)


@pytest.mark.parametrize("case", ONE_WAY)
def test_no_way_back(flows, case):
    """A composition that nothing leads back from is refused by name, with a way out, and nothing is written."""
    flow = flows[case]
    assert_done(flow, "make", "convert")
    assert flow.steps["back"].code == REFUSED, flow.steps["back"].said
    assert "way out" in flow.steps["back"].said
    assert not list(flow.folder.glob("back*"))


@pytest.mark.parametrize("case", REFUSING)
def test_refused(flows, case):
    """What the other framework cannot compute is refused by name, with a way out, and nothing is written."""
    flow = flows[case]
    assert_done(flow, "make")
    assert flow.steps["convert"].code == REFUSED, flow.steps["convert"].said
    assert not list(flow.folder.glob("written*"))


@pytest.mark.parametrize(("kind", "mistake"), MISTAKES)
def test_mistake(flows, kind, mistake):
    """Wherever it was made in a converted file, verify finds it, and names the layer and the cause: the mistake, or the
    settings in which it consists."""
    for flow in flows.values():
        if flow.ok("convert") and mistake in flow.case["mistakes"] and flow.case["kind"] == kind:
            assert_done(flow, "mistakes")
    made = [
        (flow.name, one)
        for flow in flows.values()
        for one in flow.mistakes
        if (one["kind"], one["mistake"]) == (kind, mistake)
    ]
    assert made, "no case of the kind can be carried with this mistake"
    for name, one in made:
        assert one["said"]["verdict"] == "differs", f"{name}: {one['said']}"
        first = one["said"]["first_difference"]
        assert first["a"] == one["layer"], f"{name}: {first}"
        assert first["cause"], f"{name}: {first}"
        assert set(first["cause"].split(", ")) <= {mistake, *one["settings"]}, f"{name}: {first}"
