"""Does the picture agree with the geometry and bit order that were stated?

A wrong geometry or bit order raises nothing by itself: every bit string is a recording. But in pictures of the world
neighbouring pixels are alike, so the map of spike counts tells. Silence, noise and even light tell nothing, and then
nothing is said.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore import Layout, SpikeStream
from spikecore_plugin_vidar.geometry import Geometry, fitting

_SAMPLE_FRAMES = 64
_SAMPLE_BYTES = 2**20
_GEOMETRY_MARGIN = 0.3
_ORDER_RATIO = 1.1
_ORDER_SIGMAS = 5.0
_LEAST_GROUPS = 8


class GeometryWarning(UserWarning):
    """The picture of a recording contradicts the geometry or bit order it is read with."""


def warn_if_implausible(path: Path, stream: SpikeStream, geometry: Geometry, size: int) -> None:
    """Warn if another common geometry, height and width swapped, or the other bit order gives a smoother picture.

    Another geometry must raise the correlation of neighbours by 0.3 and half of the way to 1. Looks at up to 64 frames
    in the middle, which takes a few milliseconds. Whether rows are stored top or bottom first cannot be told.

    Args:
        path: Named in the warning.
        stream: The recording as it is read.
        geometry: The geometry it is read with.
        size: Bytes of the file; only geometries that fit it are tried.
    """
    bits = _sample(stream)
    if bits is None:
        return
    layout = stream.layout
    given = _smoothness(bits, layout)
    tried = {other: _smoothness(bits, other.layout(layout.flip, layout.bit_order)) for other in _others(geometry, size)}
    best = max(tried, key=lambda other: tried[other], default=geometry)
    if best is not geometry and tried[best] > max(given + _GEOMETRY_MARGIN, (1 + given) / 2):
        found = f"neighbouring pixels differ when read as {_size(geometry)} (correlation {given:.2f})"
        _say(path, f"{found}, and are alike when read as {_size(best)} ({tried[best]:.2f})", best.words)
    elif _other_order_is_smoother(_counts(bits, layout.frame_bytes), layout):
        other = "big" if layout.bit_order == "little" else "little"
        found = f"neighbouring pixels of different bytes differ when read with bit_order={layout.bit_order!r}"
        _say(path, found, f'bit_order="{other}" (--in bit_order={other})')


def _say(path: Path, found: str, remedy: str) -> None:
    text = f"{path}: {found}\n  try: {remedy}\n  or, if the picture is right: check=False (--no-check)"
    warnings.warn(text, GeometryWarning, stacklevel=4)


def _size(geometry: Geometry) -> str:
    return f"{geometry.height}x{geometry.width}" + (f" {geometry.camera}" if geometry.camera != "plain" else "")


def _others(geometry: Geometry, size: int) -> set[Geometry]:
    swapped = attrs.evolve(geometry, height=geometry.width, width=geometry.height)
    fits = size % swapped.layout().frame_bytes == 0
    return {*fitting(size), *((swapped,) if fits else ())} - {geometry}


def _sample(stream: SpikeStream) -> NDArray[np.uint8] | None:
    """Stored bits of some frames in the middle, one byte each; None if silent or too large for a quick look."""
    frames = min(_SAMPLE_BYTES // stream.layout.frame_bytes, _SAMPLE_FRAMES, len(stream))
    if not frames:
        return None
    start = (len(stream) - frames) // 2
    packed = stream.packed[start : start + frames]
    return np.unpackbits(packed.ravel(), bitorder="little") if packed.any() else None


def _counts(bits: NDArray[np.uint8], frame_bytes: int) -> NDArray[np.uint8]:
    """Spikes per stored bit of a frame, if frames had this many bytes; at most 64 frames, so that uint8 is enough."""
    frames = min(len(bits) // (8 * frame_bytes), 255)
    counts: NDArray[np.uint8] = bits[: frames * 8 * frame_bytes].reshape(frames, -1).sum(axis=0, dtype=np.uint8)
    return counts


def _smoothness(bits: NDArray[np.uint8], layout: Layout) -> float:
    """Correlation of neighbouring pixels' counts, vertically or horizontally, whichever is less; 0 where undefined.

    Its absolute value: fine stripes make neighbours opposite, and tell as much.
    """
    if len(bits) < 8 * layout.frame_bytes or min(layout.height, layout.width) < 2:
        return 0.0
    picture = layout.image(_counts(bits, layout.frame_bytes)).astype(np.float32)
    vertical = _correlation(picture[1:], picture[:-1])
    return min(abs(vertical), abs(_correlation(picture[:, 1:], picture[:, :-1])))


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    one, other = (one - one.mean()).ravel(), (other - other.mean()).ravel()
    scale = float(np.sqrt(np.dot(one, one) * np.dot(other, other)))
    return float(np.dot(one, other)) / scale if scale else 0.0


def _other_order_is_smoother(counts: NDArray[np.uint8], layout: Layout) -> bool:
    """Whether the pixels that would meet at byte borders under the other bit order are more alike.

    Reversing the bits of each byte leaves neighbours inside a byte neighbours. At a border, stored bits 7|8 of two
    bytes meet in one order and bits 0|15 in the other. The squared differences of both pairs are compared over the
    whole picture; the other order must be better by a tenth, and by five standard errors both between rows and between
    columns, so that stripes of fixed-pattern noise, which repeat in all rows or all columns, prove nothing.
    """
    rows = layout.row_bits
    pairs = counts[: counts.size // 8 * 8].reshape(-1, 8).astype(np.float32)
    inner, outer = (pairs[:-1, 7] - pairs[1:, 0]) ** 2, (pairs[:-1, 0] - pairs[1:, 7]) ** 2
    if layout.bit_order == "big":
        inner, outer = outer, inner
    first = 8 * np.arange(len(inner))
    inside = (first % rows + 16 <= rows) & (first < layout.height * rows)
    if not inside.any() or inner[inside].mean() <= _ORDER_RATIO * outer[inside].mean():
        return False
    excess = (inner - outer)[inside]
    groups = (first // rows, first % rows)
    return all(_sigmas(excess, group[inside]) > _ORDER_SIGMAS for group in groups)


def _sigmas(values: NDArray[np.float32], group: NDArray[np.int64]) -> float:
    """How many standard errors the mean of the groups' means lies above zero."""
    sizes = np.bincount(group)
    means = np.bincount(group, weights=values)[sizes > 0] / sizes[sizes > 0]
    if len(means) < _LEAST_GROUPS:
        return 0.0
    return float(means.mean() / (means.std() / np.sqrt(len(means)) + 1e-12))
