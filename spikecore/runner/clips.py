"""A video from camera frames, computed clip by clip: each frame leaves as soon as no later clip touches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from spikecore.data.sample import Sample
from spikecore.errors import UsageError
from spikecore.experiment.run_config import RunConfig
from spikecore.runner.ahead import ahead
from spikecore.runner.method import Method
from spikecore.runner.picture import Array
from spikecore.runner.tiles import ramp, starts


def clips_of(sample: Sample, run: RunConfig) -> list[int]:
    """First camera frames of the clips that a sample is computed in."""
    total = len(sample.frames)
    size = min(run.tile_frames or total, total)
    return starts(total, size, run.overlap_frames if size < total else 0)


def clips(sample: Sample, method: Method, compute: Callable[[Sample], Array]) -> Iterator[tuple[int, Array]]:
    """(number, frame (C, H, W)) in order, overlaps of neighbouring clips blended; holds one clip in memory.

    Args:
        sample: With camera frames, which may be read lazily.
        method: For its clips.
        compute: Gives the video (D, C, H, W) of one clip of the sample.

    Raises:
        UsageError: If a clip gives another number of frames.
    """
    run, total = method.run, len(sample.frames)
    size, firsts = min(run.tile_frames or total, total), clips_of(sample, run)
    overlap = run.overlap_frames if size < total else 0
    pieces = (sample if size == total else sample.clip(first, first + size) for first in firsts)
    held: Array | None = None  # weighted frames that a later clip adds to, from `shown` on
    weight = np.zeros(0, np.float32)
    shown = 0
    for number, piece in enumerate(ahead(pieces, min(run.read_ahead, 1))):
        first = firsts[number]
        part = compute(piece)
        if len(part) != size:
            raise UsageError(f"a clip of {size} frames gave {len(part)}; this method needs --tile-frames 0")
        mask = ramp(first, size, total, overlap).numpy().astype(np.float32)
        fresh = part * mask[:, None, None, None]
        if held is not None:
            shared = len(held)
            fresh[:shared] += held
            mask = mask.copy()
            mask[:shared] += weight
        done = (firsts[number + 1] if number + 1 < len(firsts) else total) - shown
        for offset in range(done):
            yield shown + offset, fresh[offset] / mask[offset]
        held, weight = fresh[done:], mask[done:]
        shown += done
