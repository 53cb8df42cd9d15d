"""One process or many: the same training."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from spikecore_plugin_train.checkpoint import read
from spikecore_plugin_train.commands import launch_environment
from spikecore_plugin_train.group import joined
from spikecore_plugin_train.launched import LAUNCH

from spikecore import UsageError


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def together(program, directory, *arguments, size=2):
    """Start the program as a platform does that sets RANK and WORLD_SIZE; wait for all."""
    shared = {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    started = [program(directory, *arguments, RANK=str(rank), **shared) for rank in range(size)]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors


def test_two_processes_follow_one(task, program, tmp_path):
    """With half the batch each, on a model without batch statistics, also where batches do not divide by two."""
    options = '{"batch": 5, "clip": 0.5, "ema": 0.9}'
    alone, _ = task.train(tmp_path / "one", 24, plain=True, options={"batch": 5, "clip": 0.5, "ema": 0.9})
    together(program, tmp_path / "two", "--steps", "24", "--plain", "--options", options)
    content = read(tmp_path / "two" / "checkpoints" / "step-000000024.pt")
    assert content["progress"]["losses"].tolist() == pytest.approx(alone.losses, rel=1e-5)
    assert len(content["random"]) == 2
    assert not torch.equal(content["random"][0]["torch"], content["random"][1]["torch"])
    one, two = (load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two"))
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 1e-5


@pytest.mark.slow
def test_two_processes_resume_exactly(task, program, tmp_path):
    """Dropout in each process, one file for both; the number of processes may also change."""
    together(program, tmp_path / "whole", "--steps", "20")
    together(program, tmp_path / "part", "--steps", "20")
    (tmp_path / "part" / "checkpoints" / "step-000000020.pt").unlink()
    together(program, tmp_path / "part", "--steps", "20")
    whole, part = (tmp_path / name / "weights.safetensors" for name in ("whole", "part"))
    assert whole.read_bytes() == part.read_bytes()
    (tmp_path / "part" / "checkpoints" / "step-000000020.pt").unlink()
    resumed, _ = task.train(tmp_path / "part", 20, resume="auto")
    assert resumed.steps == 20


def test_half_an_environment_is_refused(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with pytest.raises(UsageError, match="RANK is set without the other"), joined("cpu", 10):
        pass


def test_a_batch_too_small_to_share_is_refused(program, tmp_path):
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    started = [program(tmp_path, "--options", '{"batch": 1}', RANK=str(rank), **shared) for rank in range(2)]
    for process in started:
        assert "cannot be shared by 2 processes" in process.communicate(timeout=120)[1]


def test_launch_turns_off_the_store_that_hangs_on_restarts_and_has_an_id_of_its_own():
    one, other = launch_environment({"A": "1"}), launch_environment({"A": "1"})
    assert one.pop(LAUNCH) != other.pop(LAUNCH)
    assert one == other == {"A": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}


EXPERIMENT = """
name = "launched"
[source]
use = "tiny/drive"
size = 12
clips = 6
[model]
use = "tiny/depth"
[[stage]]
name = "whole"
steps = {steps}
losses = {{ "train/depth" = 1.0 }}
[trainer]
use = "train/loop"
batch = 4
checkpoint_every = 20
device = "cpu"
"""


def launched(folder, environment, steps, *options):
    (folder / "e.toml").write_text(EXPERIMENT.format(steps=steps))
    command = [sys.executable, "-m", "spikecore", "launch", "--nproc", "2", *options, "e.toml", "-o", "run"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.slow
def test_launch_trains_on_two_processes(with_tiny, tmp_path):
    process = launched(tmp_path, with_tiny, 10)
    out, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert out.count("run/weights.safetensors") == 1
    assert read(tmp_path / "run" / "checkpoints" / "step-000000010.pt")["progress"]["step"] == 10


@pytest.mark.slow
def test_launch_continues_no_run_of_another_launch(with_tiny, tmp_path):
    first = launched(tmp_path, with_tiny, 10)
    _, errors = first.communicate(timeout=200)
    assert first.returncode == 0, errors
    newest = tmp_path / "run" / "checkpoints" / "step-000000010.pt"
    content = newest.read_bytes()
    again = launched(tmp_path, with_tiny, 10, "--restarts", "1")
    _, errors = again.communicate(timeout=200)
    assert again.returncode
    assert errors.count("holds a run already") == 2, "at the start and after a restart"
    assert newest.read_bytes() == content


def test_launch_tells_what_is_wrong_without_starting_processes(with_tiny, tmp_path):
    process = launched(tmp_path, with_tiny, 10, "--set", "trainer.batch=0")
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 2
    assert "batch" in errors
    assert "torch" not in errors


def ranked(rank):
    """Numbers of processes of this test whose environment holds RANK."""
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "environ").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if b"RANK=%d" % rank in words and f"SPIKECORE_TEST={os.getpid()}".encode() in words:
            yield int(entry.name)


@pytest.mark.slow
def test_a_killed_worker_is_restarted_and_nothing_is_lost(with_tiny, tmp_path):
    environment = {**with_tiny, "SPIKECORE_TEST": str(os.getpid())}
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole = launched(tmp_path / "whole", environment, 600)
    _, errors = whole.communicate(timeout=200)
    assert whole.returncode == 0, errors
    process = launched(tmp_path / "killed", environment, 600)
    deadline = time.monotonic() + 100
    while not list((tmp_path / "killed").glob("run/checkpoints/step-*.pt")) and time.monotonic() < deadline:
        time.sleep(0.01)
    victims = list(ranked(1))
    assert victims
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    one, two = (tmp_path / name / "run" / "weights.safetensors" for name in ("whole", "killed"))
    assert one.read_bytes() == two.read_bytes()
