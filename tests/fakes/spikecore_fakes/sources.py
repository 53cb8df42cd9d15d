"""Fake sources: generated clips with a target, and the same with one fault each."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from spikecore import Layout, Sample, SpikeStream
from spikecore.testing.data import event_stream
from spikecore_fakes.config import Clips as Options


class Clips:
    """Right: two clips, generated, or one clip read from a file."""

    last = 1

    def __init__(self, config: Options) -> None:
        self.config = config

    def __len__(self) -> int:
        return 1 if self.config.path else 2

    def __getitem__(self, index: int, /) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.spoil(self.clip(index))

    def clip(self, index: int) -> Sample:
        """One clip."""
        config = self.config
        layout = Layout(config.rows, config.columns)
        if config.path:
            packed = np.load(config.path, mmap_mode="r")
        else:
            bits = np.random.default_rng(index).integers(0, 256, (config.length, layout.frame_bytes))
            packed = bits.astype(np.uint8)
        image = np.random.default_rng(index).random((1, config.rows, config.columns), np.float32)
        return Sample(key=f"clip-{index}", spikes=SpikeStream(packed, layout), target={"image": image})

    def spoil(self, sample: Sample) -> Sample:
        """What the wrong ones do to the right sample."""
        return sample


def write(stream: SpikeStream, path: Path, config: Options) -> None:
    """Write packed spikes as an array."""
    np.save(path, SpikeStream.from_frames(stream.unpack()).packed)


def write_mirrored(stream: SpikeStream, path: Path, config: Options) -> None:
    """Write every row backwards."""
    np.save(path, SpikeStream.from_frames(stream.unpack()[:, :, ::-1]).packed)


def admit(path: Path, head: bytes) -> float:
    """Knows arrays by their first bytes."""
    return float(head.startswith(b"\x93NUMPY"))


def deny(path: Path, head: bytes) -> float:
    """Knows nothing."""
    return 0.0


class DeniesItsOwn(Clips):
    """Does not recognise the files that it reads."""


class EventsOnly(Clips):
    """Right: events, no spikes."""

    def spoil(self, sample: Sample) -> Sample:
        return Sample(key=sample.key, events=[event_stream(0.5, (7, 9))])


class NoClips(Clips):
    """Has nothing."""

    def __len__(self) -> int:
        return 0


class Endless(Clips):
    """Starts again past its end."""

    def __getitem__(self, index: int, /) -> Sample:
        return super().__getitem__(index % len(self))


class OneKey(Clips):
    """Calls everything the same."""

    def spoil(self, sample: Sample) -> Sample:
        return attrs.evolve(sample, key="clip")


class CountsFromOne(Clips):
    """Names the frame after the last."""

    def spoil(self, sample: Sample) -> Sample:
        return attrs.evolve(sample, at=len(sample.spikes))


class PromisesEvents(Clips):
    """Carries spikes alone."""


class HidesFrames(Clips):
    """Carries frames that it does not declare."""

    def spoil(self, sample: Sample) -> Sample:
        return attrs.evolve(sample, frames=np.zeros((1, 3, 7, 9), np.float32), frame_times=np.zeros(1))


class DoubleTarget(Clips):
    """Its target is float64."""

    def spoil(self, sample: Sample) -> Sample:
        return attrs.evolve(sample, target={"image": sample.target["image"].astype(np.float64)})


class FlatTarget(Clips):
    """Its target lacks the channel."""

    def spoil(self, sample: Sample) -> Sample:
        return attrs.evolve(sample, target={"image": sample.target["image"][0]})


class GreyLevels(Clips):
    """Its target goes to 255."""

    def spoil(self, sample: Sample) -> Sample:
        return attrs.evolve(sample, target={"image": 255 * sample.target["image"]})


class UndeclaredTarget(Clips):
    """Has a target that it does not declare."""


class Drifts(Clips):
    """Its target is darker each time."""

    calls = 0

    def spoil(self, sample: Sample) -> Sample:
        self.calls += 1
        return attrs.evolve(sample, target={"image": sample.target["image"] * np.float32(0.999) ** self.calls})


class HoldsHandle(Clips):
    """Holds an open file."""

    def __init__(self, config: Options) -> None:
        super().__init__(config)
        self.handle: Any = io.TextIOWrapper(io.BytesIO())


class ReadsAll(Clips):
    """Makes all clips at once."""

    def __init__(self, config: Options) -> None:
        super().__init__(config)
        self.clips = [super(ReadsAll, self).clip(index) for index in range(2)]

    def clip(self, index: int) -> Sample:
        return self.clips[index]


class MirroredWriter(Clips):
    """What it reads was written backwards."""
