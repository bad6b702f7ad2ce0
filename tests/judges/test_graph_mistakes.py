"""Networks written by hand in Keras for one of PyTorch, in the ways that people do it wrong: `verify` must say so, where,
and why. What a conversion gets wrong with one layer's weights or settings, test_layers.py does.
"""

import subprocess

import pytest
from case_flow import read_cases
from hand_mistakes import NETWORKS, ONLY_BY_HAND
from predict import HERE, PYTHON, tieout, verify


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hand")
    done = subprocess.run(
        [PYTHON["keras"], HERE / "hand_mistakes.py", folder], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for name in NETWORKS:
        tieout("convert", folder / f"{name}.keras", folder / f"{name}.pt")
    return folder


@pytest.mark.parametrize("reverse", [False, True], ids=["torch first", "keras first"])
@pytest.mark.parametrize("name", NETWORKS)
def test_keras_network_written_wrongly(folder, name, reverse):
    network = NETWORKS[name]
    pair = [folder / f"{name}.pt", folder / f"{name}_wrong.keras"]
    verdict = verify(*(pair[::-1] if reverse else pair), expect=1)
    assert verdict["verdict"] == "differs"
    first = verdict["first_difference"]
    assert (first["a"], first["b"], first["cause"]) == (network.layer, network.layer, network.mistake), first
    assert first["message"]


def test_what_is_made_by_hand_is_in_the_records():
    known = {(case["kind"], mistake) for case in read_cases().values() for mistake in case["mistakes"]}
    assert known >= ONLY_BY_HAND | {(network.kind, network.mistake) for network in NETWORKS.values()}
