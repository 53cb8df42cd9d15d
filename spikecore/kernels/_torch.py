"""The kernels for torch tensors: torch operations on the tensor's own device, in pieces that bound the memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

PIECE = 1 << 26  # bytes of unpacked spikes at a time


def _bits(packed: Tensor) -> Tensor:
    """uint8 (frames, 8 × bytes) of 0 and 1."""
    places = torch.arange(8, dtype=torch.uint8, device=packed.device)
    return (packed.unsqueeze(-1) >> places & 1).reshape(packed.shape[0], -1)


def _pieces(total: int, size: int) -> Iterator[slice]:
    """Slices of 0..total-1 of which each has at most `PIECE` elements of `size`."""
    step = max(1, PIECE // max(1, size))
    return (slice(start, min(start + step, total)) for start in range(0, total, step))


def _unsigned(most: int) -> torch.dtype:
    return torch.uint8 if most <= 255 else torch.uint16 if most <= 65535 else torch.int32


def _result(out: Tensor | None, shape: tuple[int, int], dtype: torch.dtype, device: torch.device) -> Tensor:
    if out is None:
        return torch.empty(shape, dtype=dtype, device=device)
    if not isinstance(out, Tensor) or out.dtype != dtype or tuple(out.shape) != shape or out.device != device:
        found = f"{out.dtype} {tuple(out.shape)} on {out.device}" if isinstance(out, Tensor) else type(out).__name__
        raise ValueError(f"out must be a tensor of {dtype} {shape} on {device}, got {found}")
    return out


def unpack(packed: Tensor, pixels: int, out: Tensor | None) -> Tensor:
    """Spikes as uint8 (frames, pixels)."""
    result = _result(out, (packed.shape[0], pixels), torch.uint8, packed.device)
    for rows in _pieces(packed.shape[0], 8 * packed.shape[1]):
        result[rows] = _bits(packed[rows])[:, :pixels]
    return result


def counts(packed: Tensor, start: int, stop: int) -> Tensor:
    """Spikes per pixel in frames start..stop-1."""
    total = torch.zeros(8 * packed.shape[1], dtype=torch.int32, device=packed.device)
    rows = packed[start:stop]
    for piece in _pieces(rows.shape[0], 8 * packed.shape[1]):
        total += _bits(rows[piece]).sum(0, dtype=torch.int32)
    return total.to(_unsigned(stop - start))


def sliding_counts(packed: Tensor, window: int, out: Tensor | None) -> Tensor:
    """Spikes per pixel in every window: differences of running sums."""
    frames, width = packed.shape
    shape = frames - window + 1, 8 * width
    result = _result(out, shape, _unsigned(window), packed.device)
    for columns in _pieces(width, 8 * 4 * frames):
        sums = _bits(packed[:, columns]).cumsum(0, dtype=torch.int32)
        sums[window:] = sums[window:] - sums[:-window]
        result[:, 8 * columns.start : 8 * columns.stop] = sums[window - 1 :].to(result.dtype)
    return result


def _first(rows: Tensor, offset: int, backwards: bool) -> Tensor:
    """`offset` + the number of the first row (from the end, if backwards) in which each pixel spikes; -1 for none."""
    found = torch.full((8 * rows.shape[1],), -1, dtype=torch.int32, device=rows.device)
    total, start, size = rows.shape[0], 0, 16
    while start < total and bool((found < 0).any()):
        stop = min(total, start + size)
        bits = _bits(rows[total - stop : total - start].flip(0) if backwards else rows[start:stop])
        some, number = bits.max(0)
        found = torch.where((found < 0) & (some > 0), number.to(torch.int32) + (start + offset), found)
        start, size = stop, min(2 * size, max(1, PIECE // found.numel()))
    return found


def neighbours(packed: Tensor, border: int, search: int, shift: int) -> tuple[Tensor, Tensor]:
    """Distances to the last spike before frame `border` and the first from there on."""
    before, after = packed[max(0, border - search) : border], packed[border : border + search]
    return _first(before, 1 - shift, True), _first(after, shift, False)


def join(before: Tensor, after: Tensor) -> Tensor:
    """Length of the interval that two distances make, 0 where one is missing."""
    return torch.where((before >= 0) & (after >= 0), before + after, 0)


def sliding_intervals(packed: Tensor, shift: int, longest: int, out: Tensor | None) -> Tensor:
    """Intervals at every frame, from the running last and next spike."""
    frames, width = packed.shape
    result = _result(out, (frames, 8 * width), _unsigned(longest), packed.device)
    numbers = torch.arange(frames, dtype=torch.int32, device=packed.device).unsqueeze(1)
    for columns in _pieces(width, 8 * 4 * frames):
        spikes = _bits(packed[:, columns]).bool()
        previous = torch.where(spikes, numbers, -1).cummax(0).values
        following = torch.where(spikes, numbers, frames).flip(0).cummin(0).values.flip(0)
        # Row t, closed on the left: the last spike up to t and the first one after it.
        lengths = following[1:] - previous[:-1]
        lengths[(previous[:-1] < 0) | (following[1:] == frames) | (lengths > longest)] = 0
        part = result[:, 8 * columns.start : 8 * columns.stop]
        part[: 1 - shift] = 0
        part[frames - shift :] = 0
        part[1 - shift : frames - shift] = lengths.to(result.dtype)
    return result
