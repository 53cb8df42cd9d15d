"""Samples side by side, as components receive them. Imports no torch until a tensor is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore import kernels
from spikecore.data.events import EventStream
from spikecore.data.sample import Sample
from spikecore.data.spikes import Closed, SpikeStream
from spikecore.errors import UsageError

if TYPE_CHECKING:
    import torch


@attrs.frozen(eq=False)
class SpikeBatch:
    """N spike streams of one geometry, packed until somebody asks; answers are tensors on `device`.

    Args:
        streams: The streams, views of the recordings.
        at: Position of the instant in each; counts and intervals take the frame it lies in.
        device: Where answers are made: "cpu" (NumPy memory, numba kernels) or a CUDA device.
    """

    streams: tuple[SpikeStream, ...]
    at: tuple[float, ...]
    device: Any = "cpu"
    _on_device: tuple[Any, ...] = attrs.field(default=(), repr=False)

    def __attrs_post_init__(self) -> None:
        sizes = {stream.shape[1:] for stream in self.streams}
        if len(sizes) != 1:
            raise UsageError(f"a batch needs recordings of one size, got {sorted(sizes)}")

    def __len__(self) -> int:
        return len(self.streams)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, T, H, W).

        Raises:
            UsageError: If the streams differ in length.
        """
        lengths = {len(stream) for stream in self.streams}
        if len(lengths) != 1:
            raise UsageError(f"streams of a batch differ in length: {sorted(lengths)} frames; ask each for its counts")
        return len(self), lengths.pop(), *self.streams[0].shape[1:]

    def to(self, device: Any) -> SpikeBatch:
        """The same batch whose answers are made on `device`; only the packed bytes travel."""
        if str(device) == "cpu":
            return attrs.evolve(self, device="cpu", on_device=())
        import torch

        moved = tuple(torch.from_numpy(np.array(stream.packed)).to(device) for stream in self.streams)
        self._check_mappings()
        return attrs.evolve(self, device=device, on_device=moved)

    def counts(self, start: int = 0, stop: int | None = None) -> torch.Tensor:
        """Spikes per pixel in frames start..stop-1 of each stream, int32 (N, 1, H, W)."""
        return self._pictures([kernels.counts(packed, start, stop) for packed, _ in self._items()])

    def intervals(self, at: int | None = None, *, search: int | None = None, closed: Closed = "right") -> torch.Tensor:
        """Length in frames of the inter-spike interval that covers `at` int32 (N, 1, H, W), 0 if unknown."""
        return self._pictures(
            [kernels.intervals(packed, own, search=search, closed=closed) for packed, own in self._items(at)]
        )

    def neighbours(
        self, at: int | None = None, *, search: int | None = None, closed: Closed = "right"
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Frames back to the previous and on to the next spike around `at`, int32 (N, 1, H, W) each; -1 if none."""
        pairs = [kernels.neighbours(packed, own, search=search, closed=closed) for packed, own in self._items(at)]
        return self._pictures([before for before, _ in pairs]), self._pictures([after for _, after in pairs])

    def tensor(self, dtype: torch.dtype | None = None, device: Any = None) -> torch.Tensor:
        """The spikes unpacked, (N, T, H, W) in {0, 1}, float32 unless `dtype` says otherwise."""
        import torch

        shape = self.shape
        spikes = self._pictures([kernels.unpack(packed) for packed, _ in self._items()], torch.uint8).reshape(shape)
        return spikes.to(device=self.device if device is None else device, dtype=dtype or torch.float32)

    def _items(self, at: int | None = None) -> list[tuple[Any, int]]:
        packed = self._on_device or tuple(stream.packed for stream in self.streams)
        return list(zip(packed, map(int, self.at) if at is None else [at] * len(self), strict=True))

    def _check_mappings(self) -> None:
        for stream in self.streams:
            stream.check_mapping()

    def _pictures(self, flats: Sequence[Any], dtype: torch.dtype | None = None) -> torch.Tensor:
        import torch

        layouts = [stream.layout for stream in self.streams]
        if self._on_device:
            indices = [torch.from_numpy(layout.index).to(self.device) for layout in layouts]
            pictures = torch.stack([flat[..., index] for flat, index in zip(flats, indices, strict=True)])
        else:
            self._check_mappings()
            shown = [layout.image(flat) for layout, flat in zip(layouts, flats, strict=True)]
            pictures = torch.from_numpy(
                np.stack(shown).astype(np.uint8 if dtype == torch.uint8 else np.int32, copy=False)
            )
        return pictures[:, None].to(dtype or torch.int32)


@attrs.frozen(eq=False)
class EventBatch:
    """Event streams of one camera, one per item; representations are tensors on `device`."""

    streams: tuple[EventStream, ...]
    device: Any = "cpu"

    def __len__(self) -> int:
        return len(self.streams)

    def to(self, device: Any) -> EventBatch:
        """The same batch with representations on `device`."""
        return attrs.evolve(self, device=device)

    def frames(self, edges: Sequence[int]) -> torch.Tensor:
        """Counts per time bin, float32 (N, T, 2, H, W); see `EventStream.frames`."""
        return self._stack([stream.frames(edges) for stream in self.streams])

    def voxels(self, bins: int) -> torch.Tensor:
        """Voxel grids, float32 (N, bins, H, W); see `EventStream.voxels`."""
        return self._stack([stream.voxels(bins) for stream in self.streams])

    def _stack(self, arrays: list[NDArray[Any]]) -> torch.Tensor:
        import torch

        return torch.from_numpy(np.stack(arrays).astype(np.float32)).to(self.device)


@attrs.frozen(eq=False, kw_only=True)
class Batch:
    """N samples side by side. Dense fields are arrays until `.to(device)` makes them tensors.

    Args:
        keys: Names of the samples.
        spikes: Packed spikes, or None.
        events: One `EventBatch` per camera.
        frames: (N, D, C, H, W), or None.
        frame_times: (N, D), or None.
        target: Ground truth by kind, (N, …).
        label: (N,) class numbers, or None.
        text: One description a sample, or empty.
        at: Position of the instant in each spike stream, as in `spikes`; of events, the microsecond.
        meta: What each sample said of itself.
        bank: As many samples of a training's second source, which belong to none of these; for losses and models with
            `wants_bank`.
    """

    keys: tuple[str, ...]
    spikes: SpikeBatch | None = None
    events: tuple[EventBatch, ...] = ()
    frames: Any = None
    frame_times: Any = None
    target: Mapping[str, Any] = attrs.field(factory=dict)
    label: Any = None
    text: tuple[str, ...] = ()
    at: tuple[float, ...] = ()
    meta: tuple[Mapping[str, Any], ...] = ()
    bank: Batch | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def to(self, device: Any) -> Batch:
        """The same batch with every dense field a tensor on `device`, ready for a component."""
        import torch

        def tensor(value: Any) -> Any:
            return None if value is None else torch.as_tensor(value).to(device)

        return attrs.evolve(
            self,
            spikes=self.spikes and self.spikes.to(device),
            events=tuple(camera.to(device) for camera in self.events),
            frames=tensor(self.frames),
            frame_times=tensor(self.frame_times),
            target={kind: tensor(value) for kind, value in self.target.items()},
            label=tensor(self.label),
            bank=self.bank and self.bank.to(device),
        )


def collate(samples: Sequence[Sample]) -> Batch:
    """Put samples side by side; spikes stay packed views, arrays are stacked.

    Raises:
        UsageError: If there are none, or they differ in what they carry or in size; names the first that differs.
    """
    if not samples:
        raise UsageError("a batch needs at least one sample")
    first = samples[0]
    for other in samples[1:]:
        ours, theirs = _carried(first), _carried(other)
        if ours != theirs:
            raise UsageError(f"samples {first.key!r} and {other.key!r} do not fit in one batch: {ours} and {theirs}")
    at = tuple(sample.instant for sample in samples)
    streams = tuple(sample.spikes for sample in samples if sample.spikes is not None)
    cameras = zip(*(sample.events for sample in samples), strict=True)
    return Batch(
        keys=tuple(sample.key for sample in samples),
        spikes=SpikeBatch(streams, at) if streams else None,
        events=tuple(EventBatch(streams) for streams in cameras),
        frames=_stack([None if sample.frames is None else np.asarray(sample.frames[:]) for sample in samples]),
        frame_times=_stack([sample.frame_times for sample in samples]),
        target={kind: _stack([sample.target[kind] for sample in samples]) for kind in first.target},
        label=_stack([None if sample.label is None else np.int64(sample.label) for sample in samples]),
        text=tuple(sample.text for sample in samples if sample.text is not None),
        at=at,
        meta=tuple(sample.meta for sample in samples),
    )


def _carried(sample: Sample) -> dict[str, Any]:
    carried: dict[str, Any] = {str(kind): True for kind in sample.kinds}
    if sample.frames is not None:
        carried["frames"] = sample.frames.shape
    carried.update({f"target {kind}": value.shape for kind, value in sample.target.items()})
    return carried | {"cameras": len(sample.events)}


def _stack(values: Sequence[Any]) -> Any:
    return None if values[0] is None else np.stack(values)
