"""Training samples: the window, clip and view of each, drawn anew in every epoch and the same whenever asked again.

What is drawn depends on (seed, epoch, index) alone: neither the number of workers nor a restart changes it.
"""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
from torch.utils.data import Dataset

from spikecore import Data, EventStream, Sample, SpikeSource, SpikeStream, UsageError, Window
from spikecore_plugin_train.config import LoopConfig, Sampling
from spikecore_plugin_train.order import Place
from spikecore_plugin_train.view import View, picture_size, see

_DRAW = 0xD4A3  # keeps this stream of random numbers apart from that of the order
_AUGMENT = 0xA16E  # and the source's own apart from these


class TrainingSet(Dataset[Sample]):
    """A source as a map-style data set whose keys are `Place`s.

    Args:
        source: Where samples come from. If it has a method `image(index, at)` that gives the exact image (H, W) at any
            instant, `sampling = "random"` also works for samples with an image as ground truth. If it has a method
            `augment(sample, random)`, that is asked after all else was drawn.
        window: The spike frames that the model needs.
        config: Options of the trainer.
        seed: Of the run.
        stream: Keeps the random numbers of several sources apart.
    """

    def __init__(self, source: SpikeSource, window: Window, config: LoopConfig, seed: int, stream: int = _DRAW) -> None:
        self.source, self.window, self.config, self.seed, self.stream = source, window, config, seed, stream

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, place: Place) -> Sample:
        """The sample as seen in that epoch, cut to the window, in memory of its own."""
        epoch, index = place.epoch, place.item
        random = np.random.default_rng([self.stream, self.seed, epoch, index])
        sample = self._moment(self.source[index], index, random)
        sample = clipped(sample, self.config.clip_length, random, self.window).around(self.window)
        sample = see(sample, self._view(sample, random)) if self._augments else sample
        augment: Any = getattr(self.source, "augment", None)
        if augment is not None:  # its numbers do not depend on how many were drawn so far
            sample = augment(sample, np.random.default_rng([self.stream, self.seed, epoch, index, _AUGMENT]))
        return portable(calibrated(sample) if self.config.calibrate else sample)

    @property
    def _augments(self) -> bool:
        return bool(self.config.crop or self.config.flips or self.config.rotations)

    def _moment(self, sample: Sample, index: int, random: np.random.Generator) -> Sample:
        if self.config.sampling is Sampling.INSTANT or sample.spikes is None:
            return sample
        valid = self.window.valid(len(sample.spikes))
        if not valid:
            self.window.cut(sample.spikes, sample.instant)  # raises, saying both lengths
        at = valid[int(random.integers(len(valid)))]
        if not sample.target:
            return attrs.evolve(sample, at=at, delay=0.0)
        image: Any = getattr(self.source, "image", None)
        if image is None or set(sample.target) != {Data.IMAGE}:
            raise UsageError(
                f"{sample.key}: ground truth is known at instant {sample.instant} only, so that no random one can be "
                'trained on\n  try: sampling = "instant"'
            )
        return attrs.evolve(sample, at=at, delay=0.0, target={Data.IMAGE: image(index, at)[None]})

    def _view(self, sample: Sample, random: np.random.Generator) -> View:
        """The drawn view; turns that would change the shape of pictures are not drawn, nor those that break stereo."""
        height, width = picture_size(sample)
        side = self.config.crop
        if side > min(height, width):
            raise UsageError(f"{sample.key} is {height}x{width}, too small for crop = {side}")
        rows, columns = (side, side) if side else (height, width)
        top, left = int(random.integers(height - rows + 1)), int(random.integers(width - columns + 1))
        turns = (range(4) if rows == columns else (0, 2)) if self.config.rotations else (0,)
        modes = [turn + mirror for turn in turns for mirror in ((0, 4) if self.config.flips else (0,))]
        if self.config.flips and not self.config.rotations:
            modes += [6, 2]  # mirrored top to bottom, and both ways
        if len(sample.events) > 1:
            modes = [mode for mode in modes if mode in (0, 6)]  # keeps epipolar lines level, left left and right right
        return View(top, left, rows, columns, modes[int(random.integers(len(modes)))])


def clipped(sample: Sample, length: int, random: np.random.Generator, window: Window) -> Sample:
    """A random run of `length` camera frames with the spikes or events and the true video of the same time.

    Samples without camera frames give `length` spike frames; if they have ground truth, the window of its instant is
    among them.

    Raises:
        UsageError: If the sample or the window is longer than the clip, or something in the sample cannot be cut to its
            time.
    """
    if not length:
        return sample
    _refuse_misfits(sample)
    if sample.frames is None:
        return _spike_clip(sample, length, random, window)
    total = len(sample.frames)
    if length > total:
        raise UsageError(f"{sample.key} has {total} camera frames, too few for clip_length = {length}")
    start = int(random.integers(total - length + 1))
    return sample.clip(start, start + length)


def _refuse_misfits(sample: Sample) -> None:
    """Refuse what a clip would leave at another time than the rest of its sample."""
    timed = sample.spikes is not None or bool(sample.events)
    video = sample.target.get(Data.VIDEO)
    instant = [kind for kind in sample.target if kind is not Data.VIDEO]
    misfit = ""
    if sample.spikes is not None and sample.events:
        misfit = "both spikes and events"
    elif sample.frames is None and timed and video is not None:
        misfit = "a true video whose instants are not known"
    elif sample.frames is not None and timed and sample.frame_times is None:
        misfit = "camera frames whose times are not known"
    elif sample.frames is not None and video is not None and len(video) != len(sample.frames):
        misfit = f"a true video of {len(video)} instants and {len(sample.frames)} camera frames"
    elif sample.frames is not None and instant:
        misfit = f"camera frames and ground truth of one instant ({', '.join(instant)})"
    if misfit:
        raise UsageError(f"{sample.key} has {misfit}, which cannot be clipped together\n  try: clip_length = 0")


def _spike_clip(sample: Sample, length: int, random: np.random.Generator, window: Window) -> Sample:
    if sample.spikes is None or length >= len(sample.spikes):
        return sample
    valid = window.valid(length)
    if not valid:
        raise UsageError(f"clip_length = {length} is too short for the window of {window.length} frames")
    high = len(sample.spikes) - length
    if not sample.target:
        start, at = int(random.integers(high + 1)), valid[len(valid) // 2]
        return attrs.evolve(sample, spikes=sample.spikes[start : start + length], at=at)
    instant = sample.moment(window)
    window.cut(sample.spikes, instant)  # raises if there is no such window
    frame = math.floor(instant)
    low, high = max(0, frame - valid[-1]), min(high, frame - valid[0])
    start = int(random.integers(low, high + 1))
    return attrs.evolve(sample, spikes=sample.spikes[start : start + length], at=sample.instant - start)


def calibrated(sample: Sample) -> Sample:
    """The sample whose true pictures are in spikes per frame, as the images that models give: intensity / gain.

    Samples with camera frames stay as they are: their results are intensities already, as the runner takes them.
    """
    if sample.spikes is None or sample.spikes.gain is None or sample.frames is not None:
        return sample
    gain = np.float32(sample.spikes.gain)
    target = {
        kind: np.asarray(value / gain, np.float32) if kind in (Data.IMAGE, Data.VIDEO) else value
        for kind, value in sample.target.items()
    }
    return attrs.evolve(sample, target=target)


def portable(sample: Sample) -> Sample:
    """The sample in plain arrays of its own: packed spikes stay packed, nothing is mapped from a file or lazy."""
    spikes = sample.spikes
    changes: dict[str, Any] = {
        "spikes": None if spikes is None else _owned(spikes),
        "events": [_read(camera) for camera in sample.events],
        "frames": None if sample.frames is None else np.array(sample.frames, order="C"),
        "target": {kind: np.array(value, order="C") for kind, value in sample.target.items()},
    }
    return attrs.evolve(sample, **changes)


def _owned(stream: SpikeStream) -> SpikeStream:
    layout = attrs.evolve(stream.layout)  # without the index it may have cached, which is larger than the spikes
    return attrs.evolve(stream, packed=np.array(stream.packed, subok=False), layout=layout)


def _read(camera: EventStream) -> EventStream:
    x, y, t, p = (np.array(getattr(camera, field)) for field in "xytp")
    return attrs.evolve(camera, x=x, y=y, t=t, p=p)
