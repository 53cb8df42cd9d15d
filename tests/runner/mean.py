"""Spikes per frame, the simplest method there is, and everything that can go wrong with it."""

from __future__ import annotations

import signal
from types import SimpleNamespace

import attrs
import numpy as np
import torch

from spikecore.data.sample import Sample, Window
from spikecore.data.spikes import SpikeStream
from spikecore.errors import SpikeFormatError
from spikecore.experiment.experiment import Experiment
from spikecore.plugin.component import Component, PluginInfo
from spikecore.plugin.hookspecs import hookimpl
from spikecore.plugin.options import option

from .models import filmed

SCENE = {"use": "builtin/scene", "height": 24, "width": 32, "length": 40}


@attrs.frozen
class Options:
    window: int = option(5, help="frames")
    clip: bool = option(False, help="fewer frames at the ends")
    stop_after: int = option(0, help="press Ctrl-C after this many; without reading ahead")
    session: bool = option(False, help="offer a session")
    fault: str = option("", help="what to do wrong")


@attrs.frozen
class Nothing:
    """No options."""


class Mean:
    """Spikes per frame."""

    def __init__(self, config):
        self.config = config
        self.window = Window.centred(config.window, config.clip)
        self.done = 0
        if config.session:
            self.session = lambda stream: SimpleNamespace(
                image=lambda at: self.spoil(self.window.cut(stream, at)[0].unpack().mean(0, dtype=np.float32))
            )
        if config.fault == "quit at once":
            raise SystemExit("no licence")

    def reconstruct(self, batch):
        self.done += len(batch)
        if self.config.stop_after and self.done > self.config.stop_after:
            for _ in range(2):  # the first is postponed
                signal.raise_signal(signal.SIGINT)
        return self.spoil(batch.spikes.tensor().mean(1, keepdim=True))

    def spoil(self, result):
        return FAULTS[self.config.fault](result)


def leave(result):
    raise SystemExit("enough")


def pretend(result):
    raise KeyboardInterrupt


def invent(result):
    class Odd(BaseException):
        pass

    raise Odd("of its own")


def stumble(result):
    raise IndexError("off the edge")


def put(value):
    def spoil(result):
        result[..., 3, 5] = value
        return result

    return spoil


FAULTS = {
    "": lambda result: result,
    "quit at once": lambda result: result,
    "quit": leave,
    "pretend": pretend,
    "own kind": invent,
    "stumble": stumble,
    "array": lambda result: result.numpy(),
    "by kind": lambda result: {"image": result, "extra": "anything"},
    "list": lambda result: result.tolist(),
    "other kind": lambda result: {"depth": result},
    "item too many": lambda result: torch.cat([result, result]),
    "no channels": lambda result: result[:, 0],
    "narrow": lambda result: result[..., 1:],
    "twice as wide": lambda result: result.repeat_interleave(2, -1),
    "twice as large": lambda result: result.repeat_interleave(2, -1).repeat_interleave(2, -2),
    "nan": put(float("nan")),
    "infinite": put(float("inf")),
}


class Both(Mean):
    """Spikes per frame, and a depth of ten more."""

    def reconstruct(self, batch):
        image = super().reconstruct(batch)
        return {"image": image, "depth": 10 + image}


class Video:
    """Camera frames as they are."""

    window = Window()

    def __init__(self, config):
        pass

    def reconstruct(self, batch):
        return batch.frames


class Film:
    """Eleven camera frames and the spikes meanwhile."""

    def __init__(self, config):
        pass

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return filmed(11)


class Recordings:
    """Three recordings, of which the second is corrupt."""

    def __init__(self, config):
        pass

    def __len__(self):
        return 3

    def __getitem__(self, index):
        if index == 1:
            raise SpikeFormatError("second.dat", "7 bytes missing")
        frames = np.random.default_rng(index).random((40, 24, 32)) < 0.3
        return Sample(key=f"night/{index}", spikes=SpikeStream.from_frames(frames))


class Plugin:
    """Offers them."""

    @hookimpl
    def spikecore_info(self):
        return PluginInfo("fakes")

    @hookimpl
    def spikecore_components(self):
        yield Component("reconstructor", "mean", f"{__name__}:Mean", Options, "mean", "spikes", "image")
        yield Component("reconstructor", "depth", f"{__name__}:Mean", Options, "mean", "spikes", "depth")
        yield Component("reconstructor", "both", f"{__name__}:Both", Options, "both", "spikes", ("image", "depth"))
        yield Component("reconstructor", "video", f"{__name__}:Video", Nothing, "video", "frames", "video")
        yield Component("source", "film", f"{__name__}:Film", Nothing, "a film", produces=("frames", "spikes"))
        yield Component("source", "recordings", f"{__name__}:Recordings", Nothing, "some", produces="spikes")


def experiment(host, source=SCENE, options=None, method="fake/mean", **run):
    """The mean, or another method, over a source."""
    return Experiment.from_dict(
        {"source": source, "reconstructor": {"use": method, **(options or {})}, "run": run}, host
    )


def scene(host, source=SCENE):
    """The first sample of a generated scene."""
    return host.build(host.find("scene"), {key: value for key, value in source.items() if key != "use"})[0]


def expected(host, source=SCENE, window=5):
    """What a video of the mean over a scene must be."""
    return np.clip(scene(host, source).spikes.sliding_counts(window) / window / 0.6, 0, 1).astype(np.float32)
