"""Binary spike videos, bit-packed and memory-mapped. Imports no torch; counts and intervals never unpack."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, overload

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore import kernels
from spikecore.errors import SpikeFormatError, UsageError

Closed = Literal["left", "right"]


@attrs.frozen(slots=False)
class Layout:
    """How one frame lies in its bytes, and which part of it is shown. A picture, never a copy of the data.

    Args:
        height: Rows of the picture.
        width: Columns of the picture.
        row_bits: Bits stored per row; `width` unless the file holds extra columns.
        columns: Stored column ranges (start, stop) that are shown, left to right; all of them if empty.
        flip: True if rows are stored bottom row first.
        bit_order: "little" if the leftmost pixel of a byte is its least significant bit.
        stored_rows: Rows stored; `height` unless this is a crop.
        top: First row shown, counted from the top of the upright picture.
    """

    height: int = attrs.field(validator=attrs.validators.gt(0))
    width: int = attrs.field(validator=attrs.validators.gt(0))
    row_bits: int = attrs.field(default=attrs.Factory(lambda self: self.width, takes_self=True))
    columns: tuple[tuple[int, int], ...] = ()
    flip: bool = False
    bit_order: Literal["little", "big"] = "little"
    stored_rows: int = attrs.field(default=attrs.Factory(lambda self: self.height, takes_self=True))
    top: int = attrs.field(default=0, validator=attrs.validators.ge(0))

    def __attrs_post_init__(self) -> None:
        shown = sum(stop - start for start, stop in self._columns)
        if shown != self.width or any(not 0 <= a < b <= self.row_bits for a, b in self._columns):
            raise UsageError(f"columns {self._columns} of {self.row_bits} stored do not make {self.width} pixels")
        if self.top + self.height > self.stored_rows:
            raise UsageError(f"rows {self.top}..{self.top + self.height - 1} are not inside {self.stored_rows} stored")

    @property
    def _columns(self) -> tuple[tuple[int, int], ...]:
        return self.columns or ((0, self.row_bits),)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one stored frame, a part of the last byte unused if need be."""
        return -(-self.stored_rows * self.row_bits // 8)

    def image(self, flat: NDArray[Any]) -> NDArray[Any]:
        """Per-bit values (..., 8 × frame_bytes) as stored, as pictures (..., height, width); a view if it can be."""
        lead = flat.shape[:-1]
        if self.bit_order == "big":
            flat = flat.reshape(*lead, -1, 8)[..., ::-1].reshape(*lead, -1)
        rows = flat[..., : self.stored_rows * self.row_bits].reshape(*lead, self.stored_rows, self.row_bits)
        upright = (rows[..., ::-1, :] if self.flip else rows)[..., self.top : self.top + self.height, :]
        pieces = [upright[..., start:stop] for start, stop in self._columns]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=-1)

    def crop(self, top: int, left: int, height: int, width: int) -> Layout:
        """The layout that shows only this rectangle of the picture; the stored bytes stay as they are."""
        columns, passed = [], 0
        for start, stop in self._columns:
            first = start + max(left - passed, 0)
            last = min(stop, start + left + width - passed)
            passed += stop - start
            if first < last:
                columns.append((first, last))
        return attrs.evolve(self, height=height, width=width, columns=tuple(columns), top=self.top + top)

    @cached_property
    def index(self) -> NDArray[np.int64]:
        """Stored bit number of every pixel, (height, width): `flat[..., layout.index]` is `image(flat)`."""
        return np.ascontiguousarray(self.image(np.arange(8 * self.frame_bytes)))

    def pack(self, frames: NDArray[Any]) -> NDArray[np.uint8]:
        """The inverse of `image` for binary frames (T, height, width): packed bytes (T, frame_bytes), unused bits 0."""
        flat = np.zeros((len(frames), 8 * self.frame_bytes), np.uint8)
        flat[:, self.index.ravel()] = np.asarray(frames).reshape(len(frames), -1) != 0
        return np.packbits(flat, axis=1, bitorder="little")


@attrs.frozen(eq=False, slots=False)
class SpikeStream:
    """A binary spike video of `length` frames × `height` × `width` pixels, one bit per pixel and frame.

    Args:
        packed: uint8 (length, layout.frame_bytes), often a read-only memory map. Every use looks first, and again
            afterwards, whether the file behind it is still as long as when it was mapped.
        layout: How a frame lies in its bytes.
        rate: Frames per second of the camera, Hz.
        gain: Light intensity (0..1) per spike rate (spikes per frame), where the source knows it.
        name: What to call it in messages, usually the file.

    Slicing gives views: `stream[100:200]` copies nothing, whatever the size.

    >>> stream = SpikeStream.from_frames(np.ones((8, 3, 5), bool))
    >>> stream.shape, int(stream.counts(2, 6)[0, 0])
    ((8, 3, 5), 4)
    """

    _packed: NDArray[np.uint8] = attrs.field(repr=False)
    layout: Layout
    rate: float = 20_000.0
    gain: float | None = None
    name: str = "stream"

    def __attrs_post_init__(self) -> None:
        packed = self._packed
        if packed.ndim != 2 or packed.dtype != np.uint8 or packed.shape[1] != self.layout.frame_bytes:
            raise UsageError(
                f"{self.name}: packed spikes must be uint8 (frames, {self.layout.frame_bytes}) for a picture of "
                f"{self.height}x{self.width}, got {packed.dtype} {packed.shape}"
            )

    @classmethod
    def from_frames(
        cls, frames: NDArray[Any], *, rate: float = 20_000.0, gain: float | None = None, name: str = "stream"
    ) -> SpikeStream:
        """Pack spikes (length, height, width) of 0/1, or bool, into a stream.

        Raises:
            UsageError: If the array has other dimensions or other values.
        """
        frames = np.asarray(frames)
        if frames.ndim != 3 or 0 in frames.shape:
            raise UsageError(f"{name}: spikes must have shape (frames, height, width), got {frames.shape}")
        if frames.dtype != np.bool_ and not np.isin(frames, (0, 1)).all():
            raise UsageError(f"{name}: spikes must be 0 or 1, found {frames[~np.isin(frames, (0, 1))][0]!r}")
        layout = Layout(*frames.shape[1:])
        packed = np.packbits(frames.reshape(len(frames), -1) != 0, axis=1, bitorder="little")
        return cls(packed, layout, rate=rate, gain=gain, name=name)

    @property
    def packed(self) -> NDArray[np.uint8]:
        """uint8 (length, layout.frame_bytes), as the layout says.

        Raises:
            SpikeFormatError: See `check_mapping`.
        """
        self.check_mapping()
        return self._packed

    def check_mapping(self) -> None:
        """Look whether the file that is mapped, if one is, still holds all frames; a few microseconds.

        Raises:
            SpikeFormatError: If it has become shorter: what is missing reads as silence, or ends the process.
        """
        mapping = self._mapping
        if mapping is None:
            return
        offset = getattr(self._packed, "offset", 0)
        end = offset - offset % mmap.ALLOCATIONGRANULARITY + len(mapping)
        try:
            size = mapping.size()
        except (OSError, ValueError) as error:
            raise SpikeFormatError(Path(self.name), f"it is gone while it was read: {error}") from None
        if size < end:
            found = f"the file shrank to {size} bytes while it was read"
            raise SpikeFormatError(Path(self.name), found, expected=f"{end} bytes, as when it was opened")

    @property
    def _mapping(self) -> mmap.mmap | None:
        found: Any = self._packed
        while found is not None and not isinstance(found, mmap.mmap):
            found = getattr(found, "base", None)
        return found

    @property
    def height(self) -> int:
        """Rows of the picture."""
        return self.layout.height

    @property
    def width(self) -> int:
        """Columns of the picture."""
        return self.layout.width

    @property
    def shape(self) -> tuple[int, int, int]:
        """(length, height, width)."""
        return len(self), self.height, self.width

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the end of the last."""
        return len(self) / self.rate

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, key: slice) -> SpikeStream: ...
    @overload
    def __getitem__(self, key: int) -> NDArray[np.uint8]: ...
    def __getitem__(self, key: slice | int) -> SpikeStream | NDArray[np.uint8]:
        """A slice is a stream that shares the memory; an index is that frame, uint8 (height, width)."""
        if isinstance(key, slice):
            rate = self.rate / abs(key.step or 1)
            return attrs.evolve(self, packed=self._packed[key], rate=rate)
        at = self._frame(key + len(self) if key < 0 else key)
        frame: NDArray[np.uint8] = self.unpack(at, at + 1)[0]
        return frame

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return (self[at] for at in range(len(self)))

    def unpack(self, start: int = 0, stop: int | None = None) -> NDArray[np.uint8]:
        """Spikes of frames start..stop-1 as uint8 (frames, height, width) in {0, 1}."""
        start, stop = self._range(start, stop)
        flat = kernels.unpack(self.packed[start:stop])
        self.check_mapping()
        return np.ascontiguousarray(self.layout.image(flat))

    def counts(self, start: int = 0, stop: int | None = None, *, threads: int = 1) -> NDArray[np.int32]:
        """Spikes per pixel in frames start..stop-1, int32 (height, width)."""
        start, stop = self._range(start, stop)
        return self._picture(kernels.counts(self.packed, start, stop, threads=threads))

    def intervals(self, at: int, *, search: int | None = None, closed: Closed = "right") -> NDArray[np.int32]:
        """Length in frames of the inter-spike interval that covers frame `at`, int32 (height, width); 0 where unknown.

        Args:
            at: Frame number.
            search: Frames looked at on either side; None for the whole stream.
            closed: "right": a frame with a spike belongs to the interval that ends there; "left": that starts there.
        """
        return self._picture(kernels.intervals(self.packed, self._frame(at), search=search, closed=closed))

    def neighbours(
        self, at: int, *, search: int | None = None, closed: Closed = "right"
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Frames back to the previous and on to the next spike, int32 (height, width) each; -1 where there is none."""
        before, after = kernels.neighbours(self.packed, self._frame(at), search=search, closed=closed)
        return self._picture(before), self._picture(after)

    def sliding_counts(self, window: int, *, threads: int = 1) -> NDArray[Any]:
        """Spikes per pixel in every run of `window` frames, (length - window + 1, height, width), unsigned."""
        flat = kernels.sliding_counts(self.packed, window, threads=threads)
        self.check_mapping()
        return self.layout.image(flat)

    def sliding_intervals(self, *, closed: Closed = "right", longest: int = 255, threads: int = 1) -> NDArray[Any]:
        """`intervals` at every frame, (length, height, width), unsigned; 0 where unknown or longer than `longest`."""
        flat = kernels.sliding_intervals(self.packed, closed=closed, longest=longest, threads=threads)
        self.check_mapping()
        return self.layout.image(flat)

    def windows(self, length: int, stride: int = 1) -> Iterator[SpikeStream]:
        """Views of `length` frames, their starts `stride` frames apart; only complete ones.

        Raises:
            UsageError: If the stream is shorter than one window.
        """
        if length > len(self):
            raise UsageError(f"{self.name}: a window of {length} frames is longer than the stream of {len(self)}")
        for start in range(0, len(self) - length + 1, stride):
            yield self[start : start + length]

    def release(self, start: int, stop: int) -> None:
        """Hand the memory of frames start..stop-1 back to the system, if they are mapped from a file.

        Nothing is lost: a later look reads them from the file again. Keeps a pass over a long recording small.
        """
        mapping, part = self._mapping, self._packed[start:stop]
        if mapping is None or not len(part) or not hasattr(mmap, "MADV_DONTNEED"):
            return
        origin = np.frombuffer(mapping, np.uint8).ctypes.data
        first = -(-(part.ctypes.data - origin) // mmap.PAGESIZE) * mmap.PAGESIZE
        last = (part[-1].ctypes.data + part.shape[1] - origin) // mmap.PAGESIZE * mmap.PAGESIZE
        if last > first:
            mapping.madvise(mmap.MADV_DONTNEED, first, last - first)

    def _picture(self, flat: NDArray[Any]) -> NDArray[np.int32]:
        self.check_mapping()
        return np.ascontiguousarray(self.layout.image(flat), dtype=np.int32)

    def _frame(self, at: int) -> int:
        if not 0 <= at < len(self):
            raise UsageError(f"{self.name}: frame {at} is outside the recording; frames are 0..{len(self) - 1}")
        return at

    def _range(self, start: int, stop: int | None) -> tuple[int, int]:
        stop = len(self) if stop is None else stop
        if not 0 <= start < stop <= len(self):
            raise UsageError(f"{self.name}: frames {start}..{stop - 1} are not inside 0..{len(self) - 1}")
        return start, stop
