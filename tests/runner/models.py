"""Tiny models, and methods made of them by hand."""

from __future__ import annotations

import attrs
import numpy as np
import torch
from torch import nn

from spikecore.data.batch import Batch
from spikecore.data.sample import Sample, Window
from spikecore.data.spikes import SpikeStream
from spikecore.experiment.run_config import RunConfig
from spikecore.plugin.component import Component
from spikecore.runner.method import Method, ModelReconstructor, wanted_kind


@attrs.frozen
class Nothing:
    """No options."""


def component(*produces, consumes=("spikes",), kind="model"):
    """What a method says of itself."""
    return Component(kind, "fake", "no.where:Fake", Nothing, "a fake", consumes, produces, plugin="fake")


def method_of(model, *produces, consumes=("spikes",), **run):
    """A model in the adapter, as the runner has it."""
    what, how = component(*produces, consumes=consumes), RunConfig(**run)
    return Method(what, ModelReconstructor(model, what, how), wanted_kind(what, how), how)


def plain(reconstructor, *produces, consumes=("spikes",), **run):
    """A reconstructor, as the runner has it."""
    what, how = component(*produces, consumes=consumes, kind="reconstructor"), RunConfig(**run)
    return Method(what, reconstructor, wanted_kind(what, how), how)


class Tiny(nn.Module):
    """Local mean of spikes by a 3x3 convolution: tiles with an overlap must give the whole picture."""

    window = Window.centred(5)

    def __init__(self):
        super().__init__()
        self.network = nn.Conv2d(1, 1, 3, padding=1, bias=False)

    def forward(self, batch: Batch):
        return {"image": self.network(batch.spikes.tensor().mean(1, keepdim=True))}


class Frames(nn.Module):
    """Each camera frame plus the spikes that belong to it: pointwise, so that clips and tiles give the whole."""

    window = Window()

    def __init__(self):
        super().__init__()
        self.network = nn.Identity()
        self.given = []

    def forward(self, batch: Batch):
        self.given.append(batch.frames.shape[1])
        streams = batch.spikes.streams
        counts = [owned(stream, times) for stream, times in zip(streams, batch.frame_times, strict=True)]
        return {"video": batch.frames + torch.stack(counts)[:, :, None] / 100}


def owned(stream, times):
    """Spikes from midway to the frame before until midway to the frame after, (D, H, W)."""
    between = np.ceil((np.asarray(times)[:-1] + np.asarray(times)[1:]) / 2).astype(int)
    ends = [0, *between, len(stream)]
    return torch.stack([torch.from_numpy(stream.counts(ends[n], ends[n + 1])) for n in range(len(times))])


class LazyFrames:
    """Camera frames as a file gives them: with a shape, a length and slices.

    `read` are the slices that were asked for, `alive` is how many frames were in memory then.
    """

    def __init__(self, frames):
        self.frames, self.shape = frames, frames.shape
        self.read, self.alive = [], []
        self._held = {}

    def __len__(self):
        return len(self.frames)

    def __getitem__(self, key):
        start, stop, _ = key.indices(len(self))
        part, number = self.frames[key].copy().view(Noted), len(self.read)
        part.forget = lambda: self._held.pop(number)
        self._held[number] = stop - start
        self.read.append((start, stop))
        self.alive.append(sum(self._held.values()))
        return part


class Noted(np.ndarray):
    """An array that says when it goes."""

    forget = None

    def __del__(self):
        if self.forget is not None:
            self.forget()


def filmed(count, size=(6, 8), every=4, lazy=False):
    """A sample of camera frames and the spikes meanwhile; the spikes are in [0, 1]."""
    random = np.random.default_rng(0)
    frames = random.random((count, 3, *size), np.float32) * np.float32(0.5)
    return Sample(
        key="film",
        spikes=SpikeStream.from_frames(random.random((count * every, *size)) < 0.4),
        frames=LazyFrames(frames) if lazy else frames,
        frame_times=np.arange(count) * float(every) + every / 2,
    )
