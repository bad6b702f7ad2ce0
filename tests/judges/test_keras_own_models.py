"""The models that Keras' own tests make (saving, Functional, Sequential, cloning), to PyTorch and back.

They come with the installed package, and hold what its authors found worth a test: nested and shared models, structures
of inputs and outputs, slices, mixed precision, classes of their own. See harvest_keras.py.
"""

import json
import subprocess
import traceback

import numpy as np
import pytest
from case_flow import HERE, PYTHON, REFUSED, Flow, Step, carry_or_say, run_written, side_by_side

# Of the largest value. NAME.py computes in the type of its weights and inputs, and not in half precision.
ALLOWED = {"float64": 1e-12, "float32": 1e-5, "float16": 1e-2, "bfloat16": 1e-1}
# The exit code for a file that says nothing of the network: a class with an empty config.
NO_ARCHITECTURE = 2


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Pairs of what harvest_keras.py says of a model, and its Flow."""
    folder = tmp_path_factory.mktemp("own")
    harvest = [PYTHON["keras"], HERE / "harvest_keras.py", folder]
    done = subprocess.run(harvest, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr[-3000:]
    case = {"framework": "keras", "mistakes": []}
    found = [
        (model, Flow(model["test"] + " " + model["folder"], case, folder / model["folder"]))
        for model in json.loads((folder / "models.json").read_text())
    ]
    flows = [flow for _, flow in found]
    for flow in flows:
        flow.steps["make"] = Step()
    side_by_side(carry_or_say, flows)
    run_written(flows, folder)
    return found


def problem(model, flow):
    """What does not tie out, or nothing."""
    for step in ("convert", "load", "back", "load back"):
        if not flow.ok(step):
            return f"{step}: {flow.steps.get(step, flow.steps.get('carry'))}"
    wanted = flow.arrays("source_outputs.npz")
    for name in ("written", "back"):
        for got, theirs in zip(flow.outputs(name), wanted, strict=True):
            difference = np.max(np.abs(got.astype(float) - theirs), initial=0)
            if not difference <= ALLOWED[model["floats"]] * np.max(np.abs(theirs), initial=0):
                return f"{name}: differs by {difference}"
    return None


def problem_or_error(model, flow):
    try:
        return problem(model, flow)
    except Exception:
        return traceback.format_exc(limit=3)


def test_there_and_back(models):
    own = [(model, flow) for model, flow in models if not model["foreign"]]
    assert len(own) >= 150
    problems = {flow.name: problem_or_error(model, flow) for model, flow in own}
    problems = {name: what for name, what in problems.items() if what}
    assert not problems, "\n".join(f"{name}: {what}" for name, what in problems.items())


def test_foreign_classes_are_refused(models):
    """Or carried all the same, where the class has no part in what the model computes (a loss)."""
    foreign = [(model, flow) for model, flow in models if model["foreign"]]
    assert len(foreign) >= 8
    for model, flow in foreign:
        if flow.ok("convert"):
            assert problem_or_error(model, flow) is None
            continue
        convert = flow.steps["convert"]
        if convert.code == NO_ARCHITECTURE:
            assert "--like TEMPLATE" in convert.said
        else:
            assert convert.code == REFUSED
            assert any(name in convert.said for name in model["foreign"])
            assert "way out" in convert.said
        assert not list(flow.folder.glob("written*"))
