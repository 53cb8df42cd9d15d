"""Computing a large picture piece by piece, with overlaps blended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

import attrs

from spikecore.data.batch import Batch
from spikecore.data.kinds import Data
from spikecore.errors import UsageError

if TYPE_CHECKING:
    import torch

PICTURES = (Data.IMAGE, Data.VIDEO, Data.DEPTH, Data.FLOW)
"""Kinds of result that have a place in the picture."""

Tick: TypeAlias = "Callable[[], None]"
"""Called when a piece of the work is done; may raise to stop it."""


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
    if batch.spikes is not None and batch.frames is not None and tuple(batch.frames.shape[-2:]) != size_of(batch):
        seen, taken = ("x".join(map(str, size)) for size in (size_of(batch), batch.frames.shape[-2:]))
        raise UsageError(f"spikes of {seen} beside camera frames of {taken} cannot be computed in tiles; use --tile 0")
    frames = None if batch.frames is None else batch.frames[..., top : top + height, left : left + width]
    spikes = batch.spikes
    if spikes is not None:
        layouts = [stream.layout.crop(top, left, height, width) for stream in spikes.streams]
        streams = [attrs.evolve(s, layout=layout) for s, layout in zip(spikes.streams, layouts, strict=True)]
        spikes = attrs.evolve(spikes, streams=tuple(streams))
    return attrs.evolve(batch, spikes=spikes, frames=frames)


def size_of(batch: Batch) -> tuple[int, int]:
    """(height, width) of the pictures a batch holds."""
    if batch.spikes is not None:
        layout = batch.spikes.streams[0].layout
        return layout.height, layout.width
    if batch.frames is not None:
        return batch.frames.shape[-2], batch.frames.shape[-1]
    stream = batch.events[0].streams[0]
    return stream.height, stream.width


def in_tiles(
    compute: Callable[[Batch], Mapping[str, torch.Tensor]],
    batch: Batch,
    tile: int,
    overlap: int,
    tick: Tick | None = None,
) -> dict[str, torch.Tensor]:
    """Compute a batch in squares of side `tile` and blend them; results are (N, …, H, W) of the input's size.

    Results that are no pictures (labels, features, activity) belong to a whole picture and are left out.

    Args:
        compute: Gives tensors by kind.
        batch: The whole.
        tile: Side of the squares.
        overlap: Pixels that neighbours share.
        tick: Called after every square.

    Raises:
        UsageError: If a square gives a picture of another size, or the batch cannot be cropped.
    """
    height, width = size_of(batch)
    totals: dict[str, torch.Tensor] = {}
    weight: torch.Tensor | None = None
    for top, rows, left, columns in squares(height, width, tile, overlap):
        parts = compute(crop(batch, top, left, rows, columns))
        mask = ramp(top, rows, height, overlap)[:, None] * ramp(left, columns, width, overlap)
        for kind, part in parts.items():
            if kind not in PICTURES:
                continue
            if part.shape[-2:] != (rows, columns):
                raise UsageError(
                    f"a tile of {rows}x{columns} gave {tuple(part.shape[-2:])}; this method needs --tile 0"
                )
            mask = mask.to(part)
            total = totals.setdefault(kind, part.new_zeros((*part.shape[:-2], height, width)))
            total[..., top : top + rows, left : left + columns] += part * mask
        weight = mask.new_zeros((height, width)) if weight is None else weight
        weight[top : top + rows, left : left + columns] += mask
        if tick is not None:
            tick()
    assert weight is not None  # there is always one tile
    return {kind: total / weight for kind, total in totals.items()}


def squares(height: int, width: int, tile: int, overlap: int) -> Iterator[tuple[int, int, int, int]]:
    """(top, rows, left, columns) of the tiles of a picture."""
    for top in starts(height, tile, overlap):
        for left in starts(width, tile, overlap):
            yield top, min(tile, height), left, min(tile, width)
