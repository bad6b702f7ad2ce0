"""Runs tieout, and many models of one framework in one child process: importing a framework takes seconds.

A model to run is a dict: "model" (the file), "inputs" and "outputs" (.npy), and how the framework gets its code:
"code" (a NAME.py that tieout wrote; PyTorch), "template" (a model that the weights are loaded into) or neither (the file
is the whole model). See predict_torch.py and predict_keras.py.
"""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
TIEOUT = os.environ.get("TIEOUT", str(ROOT / "build" / "tieout"))
PYTHON = {
    "torch": os.environ.get("TIEOUT_TORCH_PYTHON", sys.executable),
    "keras": os.environ.get("TIEOUT_KERAS_PYTHON", sys.executable),
}


def tieout(*arguments, expect=0):
    """Standard output. `expect`: the exit code that it must end with."""
    settings = {**os.environ, "TIEOUT_TORCH_PYTHON": PYTHON["torch"], "TIEOUT_KERAS_PYTHON": PYTHON["keras"]}
    done = subprocess.run([TIEOUT, *map(str, arguments)], capture_output=True, text=True, timeout=600, env=settings)
    assert done.returncode == expect, f"exit code {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def verify(a, b, *options, expect=0):
    return json.loads(tieout("verify", a, b, "--json", *options, expect=expect))


def digits():
    """The 5,000 digits of examples/lenet5, which is no package: its file is imported by its path."""
    spec = importlib.util.spec_from_file_location("digits", ROOT / "examples" / "lenet5" / "digits.py")
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    parts = module.load()
    parts = [parts.train, parts.validation, parts.test]
    whole = module.Part(np.concatenate([p.images for p in parts]), np.concatenate([p.labels for p in parts]))
    assert len(whole) == 5000
    return whole


def predict(framework, models, folder):
    """Runs `models` ({id: what the module's docstring says}); gives {id: outputs, or the traceback as text}."""
    items = [
        {
            "id": key,
            **{name: str(value) for name, value in model.items()},
            "outputs": str(folder / f"{framework}{k}.npy"),
        }
        for k, (key, model) in enumerate(models.items())
    ]
    items_path, results_path = folder / f"{framework}_items.json", folder / f"{framework}_results.jsonl"
    items_path.write_text(json.dumps(items))
    runner = [PYTHON[framework], HERE / f"predict_{framework}.py", items_path, results_path]
    done = subprocess.run(runner, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr[-3000:]
    results = map(json.loads, results_path.read_text().splitlines())
    errors = {result["id"]: result["error"] for result in results if "error" in result}
    return {item["id"]: errors[item["id"]] or np.load(item["outputs"]) for item in items}
