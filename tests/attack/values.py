"""What a file is worth: everything a user would look at, as one short text that is equal for equal values."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np

import spikecore as sc

SAMPLES = 4
_FRAMES = 256


def of_source(source: Any) -> str:
    """All that a source of a few samples gives."""
    return " | ".join(of_sample(source[index]) for index in range(min(len(source), SAMPLES)))


def of_sample(sample: Any) -> str:
    """Spikes, events, ground truth, label, text and instant of a sample."""
    parts = [f"at={sample.at} label={sample.label} text={sample.text} delay={sample.delay}"]
    if sample.spikes is not None:
        parts.append(of_stream(sample.spikes))
    parts += [of_events(camera) for camera in sample.events]
    for kind, target in sorted(sample.target.items()):
        assert np.isfinite(target).all(), f"ground truth {kind} is not finite"
        parts.append(f"{kind}={digest(target)}")
    return " ".join(parts)


def of_stream(stream: Any) -> str:
    """Length, size, rate, gain and spikes; counts, statistics and frames have to agree."""
    counts = stream.counts()
    frames = stream.unpack(0, min(len(stream), _FRAMES))
    assert frames.max() <= 1, "a spike is more than 1"
    if len(stream) <= _FRAMES:
        assert (frames.sum(0, dtype=np.int64) == counts).all(), "counts differ from the frames"
    stream.intervals(len(stream) // 2)
    sc.spike_statistics(stream)
    return f"{stream.shape} rate={stream.rate} gain={stream.gain} {digest(counts)} {digest(frames)}"


def of_events(events: Any) -> str:
    """All events, and that they make frames and voxels."""
    columns = [np.asarray(getattr(events, name)[:]) for name in "xytp"]
    if len(events):
        first, last = int(columns[2][0]), int(columns[2][-1])
        events.frames(np.unique(np.linspace(first, last + 1, 4).astype(np.int64))) if last > first else None
        events.voxels(3)
    return f"{events.height}x{events.width} {len(events)} {digest(*columns)}"


def of_tensors(tensors: Any) -> str:
    """Named tensors."""
    return digest(
        *(np.frombuffer(name.encode() + tensors[name].numpy().tobytes(), np.uint8) for name in sorted(tensors))
    )


def digest(*arrays: Any) -> str:
    """A short hash of arrays, their types and shapes."""
    held = sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        held.update(f"{array.dtype.kind}{array.shape}".encode() + array.tobytes())
    return held.hexdigest()[:12]
