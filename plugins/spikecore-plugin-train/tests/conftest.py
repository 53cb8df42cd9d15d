from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from spikecore import EventStream, Sample, SpikeStream

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parents[2] / "examples" / "spikecore-plugin-tiny"


@pytest.fixture(autouse=True)
def one_thread():
    """Tensors this small are faster on one thread, and other processes run beside."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def task():
    """The module of programs/task.py."""
    sys.path.insert(0, str(HERE / "programs"))
    yield importlib.import_module("task")
    sys.path.remove(str(HERE / "programs"))


@pytest.fixture(scope="session")
def program():
    """program(directory, *arguments, **environment): start programs/task.py, in a group of its own; it prints steps."""

    def start(directory, *arguments, **environment):
        command = [sys.executable, str(HERE / "programs" / "task.py"), str(directory), *arguments]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, **pipes, env=environment, start_new_session=True)

    return start


@pytest.fixture(scope="session")
def tiny():
    """The example distribution spikecore-plugin-tiny, not installed."""
    if not EXAMPLE.is_dir():
        pytest.skip("the examples are not here")
    sys.path.insert(0, str(EXAMPLE / "src"))
    yield importlib.import_module("spikecore_plugin_tiny")
    sys.path.remove(str(EXAMPLE / "src"))


@pytest.fixture(scope="session")
def with_tiny(tmp_path_factory):
    """An environment for processes in which the example distribution is as good as installed."""
    if not EXAMPLE.is_dir():
        pytest.skip("the examples are not here")
    site = tmp_path_factory.mktemp("site")
    info = site / "spikecore_plugin_tiny-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spikecore-plugin-tiny\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[spikecore.plugins]\ntiny = spikecore_plugin_tiny\n")
    path = os.pathsep.join([str(site), str(EXAMPLE / "src"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "SPIKECORE_RESULTS": str(site / "results.sqlite")}


def everything(height=6, width=9, factor=1):
    """A sample whose spikes, events, frames and targets all show one and the same numbered picture."""
    picture = np.arange(height * width).reshape(height, width)
    spikes = SpikeStream.from_frames(picture[None] >> np.arange(6)[:, None, None] & 1, gain=2.0)
    y, x = (axis.ravel() for axis in np.indices(picture.shape))
    repeats = picture.ravel()
    events = EventStream(
        x=np.repeat(x, repeats), y=np.repeat(y, repeats), t=np.arange(repeats.sum()),
        p=np.ones(repeats.sum(), bool), height=height, width=width,
    )  # fmt: skip
    large = np.kron(picture, np.ones((factor, factor))).astype(np.float32)
    dense = picture.astype(np.float32)
    return Sample(
        key="everything",
        spikes=spikes,
        events=[events],
        frames=np.stack([dense[None], dense[None] + 1]),
        target={"image": large[None], "video": dense[None, None], "depth": dense[None], "features": np.arange(3)},
    )


def weights(model):
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def apart(one, other):
    return max(float((one[name] - other[name]).abs().max()) for name in one)
