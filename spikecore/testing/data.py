"""Small seeded data with known answers: what the contract tests feed to components. Imports no torch."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.data.events import EventStream
from spikecore.data.kinds import Data
from spikecore.data.sample import Sample, Window
from spikecore.data.spikes import SpikeStream

Size = tuple[int, int]

EVENT_SPAN = 10_000
"""Microseconds that `event_stream` covers, unless told otherwise."""


def random_spikes(rate: float, length: int, size: Size, seed: int = 0) -> SpikeStream:
    """Spikes that fall independently with probability `rate` per pixel and frame, as from a Poisson process."""
    frames = np.random.default_rng(seed).random((length, *size)) < rate
    return SpikeStream.from_frames(frames, name=f"random {rate:g}")


def constant_rate(rate: float | NDArray[np.float64], length: int, size: Size) -> SpikeStream:
    """What an ideal integrate-and-fire camera sees of a still picture; the right answer is `rate`, spikes per frame.

    S[t] = 1 where floor((t + 1)·rate + phase) > floor(t·rate + phase). Phases are spread evenly over the pixels, as
    multiples of the golden ratio, so that counts over any window are right on average.

    >>> constant_rate(0.25, 400, (3, 5)).counts().tolist()[0]
    [100, 100, 100, 100, 100]
    """
    phase = (np.arange(size[0] * size[1]) * (5**0.5 - 1) / 2 % 1).reshape(size)
    steps = np.arange(length + 1)[:, None, None]
    charge = np.floor(steps * np.broadcast_to(rate, size) + phase)
    return SpikeStream.from_frames(np.diff(charge, axis=0) > 0, name="constant rate")


def moving_bar(length: int, size: Size, every: int = 4) -> SpikeStream:
    """A bar one column wide that fires in every frame, in the dark; in frame t it is column (t // every) % width."""
    frames = np.zeros((length, *size), bool)
    times = np.arange(length)
    frames[times, :, times // every % size[1]] = True
    return SpikeStream.from_frames(frames, name="moving bar")


def dark(length: int, size: Size) -> SpikeStream:
    """No spikes at all."""
    return SpikeStream.from_frames(np.zeros((length, *size), bool), name="dark")


def bright(length: int, size: Size) -> SpikeStream:
    """A spike in every pixel of every frame."""
    return SpikeStream.from_frames(np.ones((length, *size), bool), name="bright")


def event_stream(rate: float, size: Size, seed: int = 0, span: int = EVENT_SPAN) -> EventStream:
    """About rate × 4 events per pixel within `span` microseconds, seeded; none at rate 0."""
    random = np.random.default_rng(seed)
    count = round(rate * 4 * size[0] * size[1])
    return EventStream(
        x=random.integers(0, size[1], count).astype(np.int16),
        y=random.integers(0, size[0], count).astype(np.int16),
        t=np.sort(random.integers(0, span, count)),
        p=random.random(count) < 0.5,
        height=size[0],
        width=size[1],
        name=f"events {rate:g}",
    )


def picture(kind: Data, size: Size, seed: int = 0, *, frames: int = 3, classes: int = 10) -> NDArray[Any]:
    """A random value of `kind` as a sample's target, without the batch dimension; a tenth of depth and flow is NaN."""
    random = np.random.default_rng(seed)
    if kind is Data.LABEL:
        return np.array(random.integers(classes), np.int64)
    shape = {
        Data.IMAGE: (1, *size),
        Data.VIDEO: (frames, 3, *size),
        Data.FRAMES: (frames, 3, *size),
        Data.DEPTH: (1, *size),
        Data.FLOW: (2, *size),
        Data.FEATURES: (16,),
    }[kind]
    value = random.random(shape).astype(np.float32)
    if kind is Data.DEPTH:
        value = 1 + 9 * value
    if kind in (Data.DEPTH, Data.FLOW):
        value[..., random.random(size) < 0.1] = np.nan
    return value


@attrs.frozen
class Shape:
    """Sizes of the samples that the kit makes.

    Args:
        size: Height and width.
        length: Spike frames where a method has no window of its own.
        cameras: Event streams.
        frames: Frames of camera videos.
        classes: Number of classes.
        span: Microseconds of events where a method has no window in those.
    """

    size: Size = (13, 17)
    length: int = 32
    cameras: int = 1
    frames: int = 3
    classes: int = 10
    span: int = EVENT_SPAN


def sample(
    kinds: Collection[str],
    shape: Shape,
    *,
    rate: float = 0.3,
    window: Window | None = None,
    targets: Collection[str] = (),
    seed: int = 0,
) -> Sample:
    """A random sample that carries `kinds`, cut to `window`, with ground truth of kinds `targets`.

    `rate` is the density of spikes and events and the brightness of frames: 0 gives a dark sample, 1 a bright one.
    """
    inputs, judged = set(map(Data, kinds)), set(map(Data, targets))
    window = window or Window()
    length = (window.length if window.unit == "frames" else None) or shape.length
    span = (window.length if window.unit == "us" else None) or shape.span
    held: dict[str, Any] = {"at": window.anchor} if window.length else {}
    if Data.SPIKES in inputs:
        held["spikes"] = random_spikes(rate, length, shape.size, seed)
    if Data.EVENTS in inputs:
        seeds = (100 * seed + camera for camera in range(shape.cameras))
        held["events"] = [event_stream(rate, shape.size, one, span) for one in seeds]
    if Data.FRAMES in inputs:
        held["frames"] = np.float32(rate) * picture(Data.FRAMES, shape.size, seed, frames=shape.frames)
        held["frame_times"] = np.linspace(0, length - 1, shape.frames)
    if Data.LABEL in inputs | judged:
        held["label"] = seed % shape.classes
    if Data.TEXT in inputs | judged:
        held["text"] = f"sample {seed}"
    return Sample(key=f"sample-{seed}", target=truth(judged, shape, seed), **held)


def truth(kinds: Collection[Data], shape: Shape, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Ground truth of `kinds` for one sample; labels and texts are fields of their own."""
    wanted = set(kinds) - {Data.LABEL, Data.TEXT}
    return {kind: picture(kind, shape.size, seed, frames=shape.frames, classes=shape.classes) for kind in wanted}
