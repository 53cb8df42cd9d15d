"""What contract tests compare: shapes of the data kinds, and the contents of samples and batches before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.data.batch import Batch
from spikecore.data.events import EventStream
from spikecore.data.kinds import Data
from spikecore.data.sample import Sample
from spikecore.testing.data import Size

if TYPE_CHECKING:
    import torch

    from spikecore.data.spikes import SpikeStream

_AXES = {
    Data.IMAGE: "NCHW",
    Data.VIDEO: "NDCHW",
    Data.FRAMES: "NDCHW",
    Data.DEPTH: "N1HW",
    Data.FLOW: "N2HW",
    Data.LABEL: "NK",
}


def shape_fault(kind: Data, shape: tuple[int, ...], items: int, size: Size) -> str:
    """What is wrong with the shape of a result, or "" if nothing is. Letters stand for any number."""
    axes = _AXES.get(kind, "N" + "?" * (len(shape) - 1))
    known = {"N": items, "H": size[0], "W": size[1], "1": 1, "2": 2}
    wanted = [known.get(axis, axis) for axis in axes]
    fits = len(shape) == len(wanted) and all(
        have == want for have, want in zip(shape, wanted, strict=True) if isinstance(want, int)
    )
    return "" if fits else f"{kind} has shape {tuple(shape)}, expected ({', '.join(map(str, wanted))})"


def sample_arrays(sample: Sample) -> dict[str, NDArray[Any]]:
    """Copies of every array that a sample holds, by a name for messages."""
    held = dict(_streams("", [sample.spikes] if sample.spikes is not None else [], list(sample.events)))
    for name in ("frames", "frame_times", "label", "at"):
        if getattr(sample, name) is not None:
            held[name] = np.array(getattr(sample, name))
    return held | {f"target {kind}": np.array(value) for kind, value in sample.target.items()}


def batch_arrays(batch: Batch) -> dict[str, NDArray[Any]]:
    """Copies of every array or tensor that a batch holds, by a name for messages."""
    held: dict[str, NDArray[Any]] = {}
    if batch.spikes is not None:
        held.update(_streams("item ", batch.spikes.streams, []))
    for number, camera in enumerate(batch.events):
        held.update(_streams(f"camera {number} item ", [], camera.streams))
    for name in ("frames", "frame_times", "label"):
        if getattr(batch, name) is not None:
            held[name] = _array(getattr(batch, name))
    held |= {f"target {kind}": _array(value) for kind, value in batch.target.items()}
    return (
        held if batch.bank is None else held | {f"bank {name}": one for name, one in batch_arrays(batch.bank).items()}
    )


def _array(value: Any) -> NDArray[Any]:
    return np.array(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def _streams(prefix: str, spikes: Any, events: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    stream: SpikeStream
    for number, stream in enumerate(spikes):
        yield f"{prefix}{number} spikes", np.array(stream.packed)
    for number, camera in enumerate(events):
        for field in "xytp":
            yield f"{prefix}{number} events {field}", np.array(getattr(camera, field))


def changed(before: Mapping[str, NDArray[Any]], after: Mapping[str, NDArray[Any]]) -> list[str]:
    """Names of arrays that differ; NaN equals NaN."""
    names = before.keys() | after.keys()
    return sorted(
        name
        for name in names
        if name not in before
        or name not in after
        or before[name].dtype != after[name].dtype
        or not np.array_equal(before[name], after[name], equal_nan=before[name].dtype.kind == "f")
    )


def difference(one: torch.Tensor, other: torch.Tensor) -> float:
    """Largest absolute difference; infinite where shapes or the places of NaN differ."""
    import torch

    if one.shape != other.shape or not torch.equal(one.isnan(), other.isnan()):
        return float("inf")
    return float((one - other).nan_to_num().abs().max()) if one.numel() else 0.0


def copied(sample: Sample) -> Sample:
    """The same sample in memory of its own, so that what changes it changes nothing else."""
    spikes = sample.spikes and attrs.evolve(sample.spikes, packed=np.array(sample.spikes.packed))
    changes: dict[str, Any] = {
        "spikes": spikes,
        "events": [_copied_events(camera) for camera in sample.events],
        "frames": None if sample.frames is None else np.array(sample.frames),
        "target": {kind: np.array(value) for kind, value in sample.target.items()},
    }
    return attrs.evolve(sample, **changes)


def _copied_events(camera: EventStream) -> EventStream:
    arrays: dict[str, Any] = {field: np.array(getattr(camera, field)) for field in "xytp"}
    return attrs.evolve(camera, **arrays)
