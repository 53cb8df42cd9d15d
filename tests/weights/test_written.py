"""Weights and their card are written both or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import pytest
import torch

from spikecore.errors import OutputError
from spikecore.weights.files import write_weights

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import torch
from spikecore.errors import OutputError
from spikecore.weights.files import write_weights

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for limit in (0, 1, 150, 4000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write_weights(Path(sys.argv[1]), {"w": torch.ones(1000)}, {})
    except OutputError as error:
        print(error)
"""


def state(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def older(tmp_path):
    path = write_weights(tmp_path / "a.safetensors", {"w": torch.zeros(3)}, {}, scores={"psnr": 1.0})
    return path, state(tmp_path)


def test_a_full_disk_is_reported_and_the_older_ones_stay(older):
    path, before = older
    done = subprocess.run([sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("a.safetensors could not be written: File too large") == 4
    assert state(path.parent) == before


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_no_card_stands_beside_other_weights(older, monkeypatch, limit):
    path, before = older
    replace, count = os.replace, 0

    def failing(source, target):
        nonlocal count
        count += 1
        if count == limit:
            raise OSError(5, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    try:
        write_weights(path, {"w": torch.ones(4)}, {})
    except OutputError:
        assert state(path.parent) == before
    else:
        card = json.loads((path.parent / "a.json").read_text())
        assert card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert limit == 4
