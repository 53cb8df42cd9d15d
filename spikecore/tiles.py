"""Computing a large picture or a long video piece by piece, with overlaps blended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import attrs

from spikecore.batch import Batch, SpikeBatch
from spikecore.errors import UsageError

if TYPE_CHECKING:
    import torch


def starts(length: int, size: int, overlap: int) -> list[int]:
    """First positions of pieces of `size` that cover 0..length-1; the last is flush with the end.

    >>> starts(100, 40, 10)
    [0, 30, 60]
    >>> starts(30, 40, 10)
    [0]
    """
    if size >= length:
        return [0]
    step = size - overlap
    return [*range(0, length - size, step), length - size]


def ramp(start: int, size: int, length: int, overlap: int) -> torch.Tensor:
    """Weights of one piece along one axis: 1 inside, rising linearly over `overlap` at ends that are not the border."""
    import torch

    weights = torch.ones(size)
    if overlap:
        rise = torch.arange(1, overlap + 1) / (overlap + 1)
        if start > 0:
            weights[:overlap] = torch.minimum(weights[:overlap], rise)
        if start + size < length:
            weights[-overlap:] = torch.minimum(weights[-overlap:], rise.flip(0))
    return weights


def crop(batch: Batch, top: int, left: int, height: int, width: int) -> Batch:
    """The same batch seen through a rectangle; spikes stay views.

    Raises:
        UsageError: If the batch holds events, which have no cheap crop.
    """
    if batch.events:
        raise UsageError("methods on events cannot be computed in tiles; use --tile 0")
    frames = None if batch.frames is None else batch.frames[..., top : top + height, left : left + width]
    spikes = batch.spikes
    if spikes is not None:
        layouts = [stream.layout.crop(top, left, height, width) for stream in spikes.streams]
        streams = [attrs.evolve(s, layout=layout) for s, layout in zip(spikes.streams, layouts, strict=True)]
        spikes = attrs.evolve(spikes, streams=tuple(streams))
    return attrs.evolve(batch, spikes=spikes, frames=frames)


def cut(batch: Batch, start: int, size: int) -> Batch:
    """The same batch with video frames start..start+size-1 only, and the spikes that belong to them.

    Frame i owns the spike frames from `frame_times[i]` up to `frame_times[i + 1]`.
    """
    frames = batch.frames[:, start : start + size]
    times = batch.frame_times
    spikes = batch.spikes
    if spikes is not None and times is not None:
        total = times.shape[1]
        pieces = []
        for item, stream in enumerate(spikes.streams):
            first = int(times[item, start])
            last = int(times[item, start + size]) if start + size < total else len(stream)
            pieces.append(stream[first:last])
        spikes = SpikeBatch(tuple(pieces), tuple(0 for _ in pieces)).to(spikes.device)
        times = times[:, start : start + size] - times[:, start : start + 1]
    return attrs.evolve(batch, frames=frames, frame_times=times, spikes=spikes)


def size_of(batch: Batch) -> tuple[int, int]:
    """(height, width) of the pictures a batch holds."""
    if batch.spikes is not None:
        layout = batch.spikes.streams[0].layout
        return layout.height, layout.width
    if batch.frames is not None:
        return batch.frames.shape[-2], batch.frames.shape[-1]
    stream = batch.events[0].streams[0]
    return stream.height, stream.width


def in_tiles(compute: Callable[[Batch], torch.Tensor], batch: Batch, tile: int, overlap: int) -> torch.Tensor:
    """Compute a batch in squares of side `tile` and blend them; results are (N, …, H, W) of the input's size."""
    height, width = size_of(batch)
    total = weight = None
    for top, rows, left, columns in _squares(height, width, tile, overlap):
        part = compute(crop(batch, top, left, rows, columns))
        if part.shape[-2:] != (rows, columns):
            raise UsageError(f"a tile of {rows}x{columns} gave {tuple(part.shape[-2:])}; this method needs --tile 0")
        mask = ramp(top, rows, height, overlap)[:, None] * ramp(left, columns, width, overlap)
        mask = mask.to(part)
        if total is None or weight is None:
            total, weight = part.new_zeros((*part.shape[:-2], height, width)), part.new_zeros((height, width))
        total[..., top : top + rows, left : left + columns] += part * mask
        weight[top : top + rows, left : left + columns] += mask
    assert total is not None  # there is always one tile
    assert weight is not None
    return total / weight


def _squares(height: int, width: int, tile: int, overlap: int) -> Iterator[tuple[int, int, int, int]]:
    for top in starts(height, tile, overlap):
        for left in starts(width, tile, overlap):
            yield top, min(tile, height), left, min(tile, width)


def in_clips(compute: Callable[[Batch], torch.Tensor], batch: Batch, size: int, overlap: int) -> torch.Tensor:
    """Compute a video batch in clips of `size` frames and blend them; results are (N, D, …) with the input's D."""
    length = batch.frames.shape[1]
    total = weight = None
    for start in starts(length, size, overlap):
        piece = min(size, length)
        part = compute(cut(batch, start, piece))
        if part.shape[1] != piece:
            raise UsageError(f"a clip of {piece} frames gave {part.shape[1]}; this method needs --tile-frames 0")
        mask = ramp(start, piece, length, overlap).to(part).view(-1, *[1] * (part.ndim - 2))
        if total is None or weight is None:
            total = part.new_zeros((part.shape[0], length, *part.shape[2:]))
            weight = part.new_zeros((length, *[1] * (part.ndim - 2)))
        total[:, start : start + piece] += part * mask
        weight[start : start + piece] += mask
    assert total is not None  # there is always one clip
    assert weight is not None
    return total / weight
