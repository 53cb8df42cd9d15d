"""Results of other kinds, from a method to a file."""

from __future__ import annotations

import csv
import sys
from types import SimpleNamespace

import attrs
import cv2
import numpy as np
import pytest
import torch

from spikecore import Component, Experiment, PluginHost, PluginInfo, Sample, SpikeStream, Window, hookimpl
from spikecore.runner.execute import execute

HERE = "fake_kinds"


@attrs.frozen
class Nothing:
    pass


class Recordings:
    labels = ("still", "moving")

    def __init__(self, config):
        spikes = np.zeros((4, 6, 8), bool)
        spikes[2:] = True
        self.samples = [Sample(key="one", spikes=SpikeStream.from_frames(spikes))]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]


class Guess:
    """A label by how many pixels spike, and depth by the same; it has a window of one frame."""

    window = Window(1, 0)

    def __init__(self, config):
        pass

    def reconstruct(self, batch):
        rate = batch.spikes.tensor().mean((1, 2, 3))
        depth = (1 + rate)[:, None, None, None].expand(-1, 1, 6, 8)
        return {"label": torch.stack([1 - rate, rate], 1), "depth": depth}


@pytest.fixture
def host(monkeypatch):
    monkeypatch.setitem(sys.modules, HERE, SimpleNamespace(Guess=Guess, Recordings=Recordings))

    @hookimpl
    def spikecore_info():
        return PluginInfo("kinds")

    @hookimpl
    def spikecore_components():
        produces = ("label", "depth")
        yield Component(
            "reconstructor", "guess", f"{HERE}:Guess", Nothing, "guess", consumes="spikes", produces=produces
        )
        yield Component("source", "recordings", f"{HERE}:Recordings", Nothing, "some", produces="spikes")

    host = PluginHost.discover(allow=["builtin"], block=[])
    host.register(SimpleNamespace(spikecore_info=spikecore_info, spikecore_components=spikecore_components), "kinds")
    return host


def run(host, path, **options):
    table = {"source": {"use": "kinds/recordings"}, "reconstructor": {"use": "kinds/guess"}}
    return execute(Experiment.from_dict({**table, "run": {"output": str(path), **options}}, host))


def test_labels_have_the_names_that_the_source_has_for_them(host, tmp_path):
    run(host, tmp_path / "v.csv")
    with (tmp_path / "v.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["instant", "label", "score", "still", "moving"]
    assert [row[:2] for row in rows[1:]] == [["0", "still"], ["1", "still"], ["2", "moving"], ["3", "moving"]]
    assert (tmp_path / "v.csv.run.json").exists()


def test_depth_is_written_as_pictures(host, tmp_path):
    run(host, tmp_path / "v.avi", result="depth")
    assert cv2.VideoCapture(str(tmp_path / "v.avi")).get(cv2.CAP_PROP_FRAME_COUNT) == 4
    run(host, tmp_path / "out", result="depth")
    assert len(list((tmp_path / "out").glob("*.png"))) == 4
