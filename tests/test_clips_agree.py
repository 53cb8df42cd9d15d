"""One rule which spikes belong to which camera frames, in training and where a video is reconstructed."""

from __future__ import annotations

from types import SimpleNamespace

import attrs
import numpy as np
import pytest
from spikecore_plugin_train.data import clipped

import spikecore as sc
from spikecore import Window

TIMES = np.array([5.5, 25.5, 45.5, 65.5])


@attrs.frozen
class Nothing:
    """No options."""


class Witness:
    """Gives the camera frames back; notes the batches that it was given."""

    window = Window()

    def __init__(self, config):
        self.given = []

    def reconstruct(self, batch):
        self.given.append(batch)
        return batch.frames


class Plugin:
    """Offers it."""

    @sc.hookimpl
    def spikecore_info(self):
        return sc.PluginInfo("a fake")

    @sc.hookimpl
    def spikecore_components(self):
        target = f"{__name__}:Witness"
        yield sc.Component("reconstructor", "witness", target, Nothing, "a fake", ("frames", "spikes"), "video")


@pytest.fixture
def film():
    random = np.random.default_rng(0)
    return sc.Sample(
        key="film",
        spikes=sc.SpikeStream.from_frames(random.random((80, 6, 8)) < 0.4),
        frames=random.random((4, 3, 6, 8), np.float32),
        frame_times=TIMES,
        target={"video": random.random((4, 3, 6, 8), np.float32)},
    )


def seen(host, film, **run):
    """The batches that a method is given, clip by clip."""
    host.register(Plugin(), "fake")
    made = sc.prepare("fake/witness", run=sc.RunConfig(**run), host=host)
    pictures = [picture for _, picture in made.stream(film)]
    assert np.allclose(pictures, np.moveaxis(film.frames, 1, -1))
    return made.method.reconstructor.given


def test_training_and_reconstruction_see_the_same_spikes(plugin_host, film):
    clip = seen(plugin_host, film, tile_frames=2, overlap_frames=1)[1]
    trained = clipped(film, 2, SimpleNamespace(integers=lambda high: 1), Window())
    assert np.array_equal(clip.frames[0], trained.frames)
    assert np.array_equal(clip.spikes.streams[0].packed, trained.spikes.packed)
    assert np.array_equal(clip.spikes.streams[0].packed, film.spikes[16:56].packed)
    assert clip.frame_times[0].tolist() == trained.frame_times.tolist() == [9.5, 29.5]
    assert np.array_equal(trained.target["video"], film.target["video"][1:3])
    assert clip.at == clip.spikes.at


def test_reconstruction_sees_every_spike(plugin_host, film):
    clips = seen(plugin_host, film, tile_frames=1, overlap_frames=0)
    parts = [batch.spikes.streams[0].packed for batch in clips]
    assert [len(part) for part in parts] == [16, 20, 20, 24]
    assert np.array_equal(np.concatenate(parts), film.spikes.packed)
