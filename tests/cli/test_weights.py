"""Trained weights listed, fetched and imported."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from .plugins import install

LEARNED = """
import json
from pathlib import Path

import attrs
from spikecore import Component, PluginInfo, Weights, hookimpl, option

@attrs.frozen
class Options:
    width: int = option(4, help="channels")

@hookimpl
def spikecore_info():
    return PluginInfo("a net")

@hookimpl
def spikecore_components():
    weights = [Weights(**one) for one in json.loads(Path(__file__).with_name("weights.json").read_text())]
    yield Component("model", "net", "spikecore_plugin_learned.net:Net", Options, "a net", "spikes", "image",
                    weights=tuple(weights), importer="spikecore_plugin_learned.net:imported", license="MIT")
"""


NET = """
import torch
from spikecore import Imported, Stage, Window

class Net(torch.nn.Module):
    window = Window.centred(3)

    def __init__(self, config):
        super().__init__()
        self.network = torch.nn.Sequential(torch.nn.Conv2d(1, config.width, 1), torch.nn.Conv2d(config.width, 1, 1))

    def forward(self, batch):
        return {"image": self.network(batch.spikes.tensor().mean(1, keepdim=True))}

    def stages(self):
        return [Stage("one", steps=1, losses={"train/l2": 1.0})]

def imported(checkpoint):
    tensors = checkpoint["model"]
    return Imported(tensors, {"width": len(tensors["0.bias"])})
"""


def tensors_of(width):
    import torch

    shapes = {"0.weight": (width, 1, 1, 1), "0.bias": (width,), "1.weight": (1, width, 1, 1), "1.bias": (1,)}
    return {key: torch.full(shape, 0.1) for key, shape in shapes.items()}


@pytest.fixture
def learned(tmp_path, site, monkeypatch):
    """weights.json of an installed plugin whose net has weights shipped, of width 2, and to fetch, of width 3."""
    import torch
    from safetensors.torch import save_file

    monkeypatch.setenv("SPIKECORE_CACHE", str(tmp_path / "cache"))
    package = install(site, "learned", LEARNED, net=NET)
    shipped, far = package / "two.safetensors", tmp_path / "three.safetensors"
    declared = []
    for width, path, where in ((2, shipped, {"file": shipped.name}), (3, far, {"url": far.as_uri()})):
        save_file(tensors_of(width), path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        one = {"name": path.stem, "sha256": digest, "size": path.stat().st_size, "options": {"width": width}, **where}
        declared.append({**one, "license": "MIT", "scores": {"psnr": 30.5}})
    torch.save({"model": tensors_of(5)}, tmp_path / "theirs.pth")
    (package / "weights.json").write_text(json.dumps(declared))
    return package / "weights.json"


def places(run):
    return {row["name"]: row["where"] for row in json.loads(run("weights", "list", "learned/net", "--json"))}


def test_weights_are_listed_fetched_and_imported(run, learned, recording, tmp_path):
    assert places(run) == {"two": "shipped", "three": "not here"}
    at = [recording, "-m", "learned/net", "--at", "60", "-o"]
    assert "spikecore weights fetch learned/net three" in run("reconstruct", *at, "a.npy", "--weights", "three", code=1)
    fetched = run("weights", "fetch", "learned/net").splitlines()
    assert [line.partition(":")[0] for line in fetched] == ["two", "three"]
    assert "already" in run("weights", "fetch", "learned/net", "three")
    assert "spikecore reconstruct FILE -m learned/net --weights theirs" in run(
        "weights", "import", "learned/net", "theirs.pth"
    )
    assert places(run) == {"two": "shipped", "three": "fetched", "theirs": "imported"}
    table = run("weights", "list")
    assert "baseline/conv" in table
    assert "psnr 30.5" in table
    assert "width=3" in run("show", "learned/net")
    for weights, width in (("", 2), ("three", 3), ("theirs", 5), ("theirs.pth", 5)):
        run("reconstruct", *at, "a.npy", *(["--weights", weights] if weights else []))
        recipe = json.loads((tmp_path / "a.npy.run.json").read_text())
        assert recipe["experiment"]["model"] == {"use": "learned/net", "width": width}
        assert len(recipe["weights"]["learned/net"]) == 64
        run("run", "a.npy.run.json", "-o", "b.npy")
        assert np.array_equal(np.load("a.npy"), np.load("b.npy"))
    said = run("reconstruct", *at, "a.npy", "--weights", "three", "-s", "width=2", code=2)
    assert "width=2 was given, but weights 'three' were made with width=3" in said


def test_weights_are_imported_under_a_name_once(run, learned):
    take = ["weights", "import", "learned/net", "theirs.pth"]
    run(*take, "--name", "v1.0_a-b")
    assert "--force" in run(*take, "--name", "v1.0_a-b", code=2)
    run(*take, "--name", "v1.0_a-b", "--force")
    (kept,) = Path("cache").rglob("v1.0_a-b.safetensors")
    again = ["weights", "import", "learned/net", kept, "--name", "v1.0_a-b", "--force"]
    assert "is the input itself" in run(*again, code=2)
    assert "comes with weights 'two'" in run(*take, "--name", "two", code=2)
    for name in ("", "a/b", "../a", ".hidden", "a b", "a."):
        assert "is no name for weights" in run(*take, "--name", name, code=2)
    assert "no such file" in run("weights", "import", "learned/net", "none.pth", code=1)
    assert "no model 'classic/tfp'" in run("weights", "import", "classic/tfp", "theirs.pth", code=2)


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"url": "file:///nowhere/four.safetensors"}, 1, "four.safetensors cannot be fetched: "),
        ({"url": "http://127.0.0.1:9/a"}, 1, "127.0.0.1:9/a cannot be fetched: [Errno 111] Connection refused"),
        ({"url": "ftp://nowhere/a"}, 2, "known are https, http, file"),
        ({"url": "", "file": "lost.safetensors"}, 2, "state no URL; reinstall the plugin"),
        ({"size": 5000}, 1, "bytes, stated are 5000"),
        ({"size": 50}, 1, "gives more than the 50 bytes stated"),
        ({"sha256": "0" * 64}, 1, "is not the stated 0000"),
    ],
)
def test_what_is_fetched_must_be_what_was_stated(run, learned, tmp_path, changes, code, message):
    two, three = json.loads(learned.read_text())
    learned.write_text(json.dumps([two, {**three, **changes}]))
    assert message in run("weights", "fetch", "learned/net", "three", code=code)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_fetching_what_is_not_stated(run, learned):
    assert "did you mean three" in run("weights", "fetch", "learned/net", "thre", code=2)
    assert "declares no weights" in run("weights", "fetch", "classic/tfp", code=2)


def test_trained_weights_say_what_they_are_for(run, learned, recording, tmp_path):
    (tmp_path / "e.toml").write_text(
        '[source]\nuse = "builtin/scene"\nheight = 16\nwidth = 16\n[model]\nuse = "learned/net"\nwidth = 6\n'
    )
    run("train", "e.toml", "-o", "trained")
    run("reconstruct", recording, "-m", "learned/net", "--at", "60", "-o", "a.npy",
        "--weights", "trained/weights.safetensors")  # fmt: skip
    recipe = json.loads((tmp_path / "a.npy.run.json").read_text())
    assert recipe["experiment"]["model"]["width"] == 6
    said = run("reconstruct", recording, "-m", "baseline/conv", "--at", "60", "-o", "a.npy",
               "--weights", "trained/weights.safetensors", code=1)  # fmt: skip
    assert "holds weights of learned/net, not of baseline/conv" in said


def test_looking_at_weights_costs_no_torch():
    code = (
        "import sys\nfrom spikecore.cli import main\n"
        "try: main(['weights', 'list'])\nexcept SystemExit as end: assert not end.code\n"
        "assert not {'torch', 'numba', 'cv2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
