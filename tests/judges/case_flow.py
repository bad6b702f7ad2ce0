"""Takes the layer records' cases there and back: framework -> tieout -> other framework -> tieout -> framework.

The frameworks run in a few processes each, whatever the number of cases; tieout runs once for each step of each case.
All processors are used.
"""

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import traceback

import numpy as np

TIEOUT = os.environ.get("TIEOUT", str(pathlib.Path(__file__).parents[2] / "build" / "tieout"))
MISCARRY = pathlib.Path(TIEOUT).with_name("miscarry")
HERE = pathlib.Path(__file__).parent
PYTHON = {
    "torch": os.environ.get("TIEOUT_TORCH_PYTHON", sys.executable),
    "keras": os.environ.get("TIEOUT_KERAS_PYTHON", sys.executable),
}
OTHER = {"torch": "keras", "keras": "torch"}
SUFFIX = {"torch": ".pt", "keras": ".keras"}
REFUSED = 5
PROCESSORS = os.cpu_count() or 1


def read_cases():
    listed = subprocess.run([TIEOUT, "layers", "--cases"], capture_output=True, text=True, timeout=60, check=True)
    cases = {}
    for case in json.loads(listed.stdout):
        name = f"{case['kind']}, {case['framework']} {case['class']}, {case['name']}"
        assert name not in cases, f"two cases are named {name}"
        cases[name] = case
    return cases


@dataclasses.dataclass
class Step:
    """How one step of a case ended: tieout's exit code, or 0, and what was said."""

    code: int = 0
    said: str = ""


@dataclasses.dataclass
class Flow:
    name: str
    case: dict
    folder: pathlib.Path
    judged: bool = True  # by the frameworks; otherwise only its mistakes are asked for
    steps: dict = dataclasses.field(default_factory=dict)
    axes: dict = dataclasses.field(default_factory=dict)  # of a model made of the source: its outputs', the source's
    mistakes: list = dataclasses.field(default_factory=list)  # see miscarry.cpp; each with what verify said of it

    @property
    def framework(self):
        return self.case["framework"]

    @property
    def other(self):
        return OTHER[self.framework]

    def path(self, name):
        return self.folder / name

    @property
    def source(self):
        return self.path("source" + SUFFIX[self.framework])

    @property
    def written(self):
        return self.path("written" + SUFFIX[self.other])

    @property
    def back(self):
        return self.path("back" + SUFFIX[self.framework])

    def ok(self, *steps):
        return all(step in self.steps and self.steps[step].code == 0 for step in steps)

    def tieout(self, step, *arguments):
        done = subprocess.run([TIEOUT, *map(str, arguments)], capture_output=True, text=True, timeout=120)
        self.steps[step] = Step(done.returncode, done.stdout + done.stderr)
        return done

    def inspect(self, step, path, *options):
        done = self.tieout(step, "inspect", path, "--json", *options)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def arrange_inputs(self, name, source, target):
        """The source's inputs in the layout of a model made of it; remembers how the outputs lie there."""
        own, others = ([split_axes(entry["axes"]) for entry in side["inputs"]] for side in (source, target))
        arrays = self.arrays("inputs.npz")
        inputs = {f"input/{k}": rearranged(array, own[k], others[k]) for k, array in enumerate(arrays)}
        np.savez(self.path(name + "_inputs.npz"), **inputs)
        self.axes[name] = [[split_axes(entry["axes"]) for entry in side["outputs"]] for side in (target, source)]

    def outputs(self, name):
        """A converted model's outputs in the layout of the source's."""
        arrays = self.arrays(name + "_outputs.npz")
        return [rearranged(array, *axes) for array, *axes in zip(arrays, *self.axes[name], strict=True)]

    def arrays(self, name):
        """In the order of their numbers: no case has ten. `tieout run` records the inputs beside the outputs."""
        prefix = "input/" if "inputs" in name else "output/"
        with np.load(self.path(name)) as file:
            return [file[key] for key in sorted(file.files) if key.startswith(prefix)]


def run_framework(framework, items, folder):
    """Gives {id: Step}. A process that dies takes one item with it; another goes on with the rest."""
    steps = {}
    for attempt in range(len(items)):
        rest = [item for item in items if item["id"] not in steps]
        if not rest:
            break
        items_path, results_path = folder / f"items{attempt}.json", folder / f"results{attempt}.jsonl"
        items_path.write_text(json.dumps(rest))
        results_path.touch()
        runner = [PYTHON[framework], HERE / f"run_{framework}_cases.py", items_path, results_path]
        with open(folder / f"stderr{attempt}", "w+") as stderr:
            try:
                end = subprocess.run(runner, stdout=stderr, stderr=stderr, timeout=900).returncode
            except subprocess.TimeoutExpired:
                end = "time-out"
            stderr.seek(0)
            last_words = stderr.read()[-2000:]
        began = None
        for line in results_path.read_text().splitlines():
            result = json.loads(line)
            if "began" in result:
                began = result["id"]
            else:
                steps[result["id"]] = Step(1 if result["error"] else 0, result["error"] or "")
                began = None
        if began is None and not any(item["id"] in steps for item in rest):
            began = rest[0]["id"]
        if began is not None:
            steps[began] = Step(1, f"the process died ({end}): {last_words}")
    return steps


def side_by_side(function, *columns):
    with concurrent.futures.ThreadPoolExecutor(PROCESSORS) as pool:
        return list(pool.map(function, *columns))


def run_frameworks(jobs, folder):
    """jobs: pairs of framework and item, with ids of their own. Gives {id: Step}."""
    parts = []
    for framework in ("keras", "torch"):  # Keras first, as the slower one
        items = [item for wanted, item in jobs if wanted == framework]
        parts += [(framework, items[k::PROCESSORS], folder / f"{framework}{k}") for k in range(PROCESSORS)]
    for _, _, part_folder in parts:
        part_folder.mkdir(parents=True)
    return {
        name: step for steps in side_by_side(run_framework, *zip(*parts, strict=True)) for name, step in steps.items()
    }


def make_sources(flows, folder):
    jobs = [
        (
            flow.framework,
            {
                "id": flow.name,
                "do": "make",
                "case": flow.case,
                "model": str(flow.source),
                "inputs": str(flow.path("inputs.npz")),
                "outputs": str(flow.path("source_outputs.npz")),
            },
        )
        for flow in flows
    ]
    ended = run_frameworks(jobs, folder / "make")
    for flow in flows:
        flow.steps["make"] = ended[flow.name]


def shape_options(flow, inputs):
    """--input-shape for a PyTorch module, which holds none."""
    if flow.framework == "keras":
        return []
    options = []
    for entry, shape in zip(inputs, flow.case["input_shapes"], strict=True):
        text = ",".join(map(str, shape[1:]))
        options += ["--input-shape", text if len(inputs) == 1 else f"{entry['name']}={text}"]
    return options


def open_shapes(entries, arrays):
    """--input-shape where the written model leaves more than the batch open, as after a PyTorch module with time first."""
    options = []
    for entry, array in zip(entries, arrays, strict=True):
        if None in entry["shape"][1:]:
            options += ["--input-shape", entry["name"] + "=" + ",".join(map(str, array.shape[1:]))]
    return options


def split_axes(pattern):
    """ "n (c h w)" -> ["n", "(c h w)"]; parts in any order are the same axis."""
    if not pattern:
        return []
    names, depth = [""], 0
    for letter in pattern:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == " " and depth == 0:
            names.append("")
        else:
            names[-1] += letter
    return [" ".join(sorted(name.strip("()").split())) for name in names]


def rearranged(array, from_axes, to_axes):
    return np.transpose(array, [from_axes.index(name) for name in to_axes])


def make_mistakes(flow, shapes):
    """Converts once more with each known mistake of the kind, and has the outcome verified."""
    if not flow.case["mistakes"]:
        return
    made = [MISCARRY, flow.source, flow.path("wrong"), SUFFIX[flow.other], *shapes]
    done = subprocess.run(made, capture_output=True, text=True, timeout=120)
    flow.steps["mistakes"] = Step(done.returncode, done.stderr)
    flow.mistakes = json.loads(done.stdout) if done.returncode == 0 else []
    for k, mistake in enumerate(flow.mistakes):
        said = flow.tieout(f"verify {k}", "verify", flow.source, mistake["file"], "--json", *shapes)
        mistake["said"] = json.loads(said.stdout)


def carry(flow):
    """All that tieout does for one case; the frameworks' turn comes after."""
    if not flow.ok("make"):
        return
    entries = flow.inspect("names", flow.source).get("inputs", [])
    shapes = shape_options(flow, entries)
    probe = flow.path("inputs.npz")
    flow.tieout("run", "run", flow.source, "--probe", probe, "-o", flow.path("run_outputs.npz"), *shapes)
    flow.tieout("convert", "convert", flow.source, flow.written, *shapes)
    if not flow.ok("convert"):
        return
    make_mistakes(flow, shapes)
    if not flow.judged:
        return
    here, there = flow.inspect("inspect", flow.source, *shapes), flow.inspect("inspect written", flow.written)
    flow.arrange_inputs("written", here, there)
    open_inputs = open_shapes(there["inputs"], flow.arrays("written_inputs.npz"))
    flow.tieout("back", "convert", flow.written, flow.back, *open_inputs)
    if flow.ok("back"):
        flow.arrange_inputs("back", here, flow.inspect("inspect back", flow.back))


def run_written(flows, folder):
    """Both frameworks load what tieout wrote for them, there and back."""
    loads = []
    for flow in flows:
        if flow.ok("convert"):
            loads.append((flow, "load", flow.other, flow.written, "written"))
        if flow.ok("back"):
            loads.append((flow, "load back", flow.framework, flow.back, "back"))
    jobs = [
        (
            framework,
            {
                "id": f"{flow.name}: {step}",
                "do": "run",
                "model": str(model),
                "inputs": str(flow.path(name + "_inputs.npz")),
                "outputs": str(flow.path(name + "_outputs.npz")),
            },
        )
        for flow, step, framework, model, name in loads
    ]
    ended = run_frameworks(jobs, folder / "run")
    for flow, step, *_ in loads:
        flow.steps[step] = ended[f"{flow.name}: {step}"]


def carry_or_say(flow):
    try:
        carry(flow)
    except Exception:  # of one case: the others go on, and its tests show this
        flow.steps["carry"] = Step(1, traceback.format_exc())


def take_there_and_back(cases, folder, judged):
    """Of the cases that are not named in `judged`, only the mistakes are made."""
    flows = []
    for k, (name, case) in enumerate(cases.items()):
        flows.append(Flow(name, case, folder / str(k), name in judged))
        flows[-1].folder.mkdir()
    make_sources(flows, folder)
    side_by_side(carry_or_say, flows)
    run_written([flow for flow in flows if flow.judged], folder)
    return {flow.name: flow for flow in flows}
