"""What the runner takes from nobody on trust: that code of a component returns, and returns what it promised."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from spikecore.data.batch import Batch
from spikecore.data.kinds import Data
from spikecore.errors import PluginError
from spikecore.plugin import guard
from spikecore.plugin.component import Component
from spikecore.runner.method import Method

Array = NDArray[Any]
_SHAPES = {
    Data.IMAGE: ("N", "C", "H", "W"),
    Data.VIDEO: ("N", "D", "C", "H", "W"),
    Data.DEPTH: ("N", 1, "H", "W"),
    Data.FLOW: ("N", 2, "H", "W"),
    Data.LABEL: ("N", "classes"),
}
_ENLARGED = (Data.IMAGE, Data.VIDEO)  # super-resolution gives k·H×k·W
_UNKNOWN = (Data.DEPTH, Data.FLOW)  # NaN says that a value is not known


def blamed(component: Component) -> AbstractContextManager[None]:
    """Turn whatever code of a component raises, an attempt to end the program included, into an error that names it.

    Raises:
        PluginError: With the id, and the class and text of the exception, which is its cause.
        KeyboardInterrupt: If the user pressed Ctrl-C.
    """
    return guard.blamed(component.id)


def checked(result: Any, method: Method, batch: Batch) -> dict[Data, Array]:
    """What a method gave for a batch, by kind, as arrays (N, …) on the CPU; extras under other names are left out.

    Raises:
        PluginError: If it is neither a tensor nor tensors by kind, the wanted kind is not among them, or one has not
            the shape of its kind (see `spikecore.data.sample`), or is not finite.
    """
    held = result if isinstance(result, Mapping) else {method.component.produces[0]: result}
    if method.produces not in held:
        raise _broken(method, method.produces, ", ".join(map(str, held)) or "nothing", "a result")
    return {kind: _checked(held[kind], kind, method, batch) for kind in method.component.produces if kind in held}


def _checked(value: Any, kind: Data, method: Method, batch: Batch) -> Array:
    if not isinstance(value, torch.Tensor | np.ndarray):
        raise _broken(method, kind, type(value).__name__, "a tensor")
    expected = _SHAPES.get(kind)
    sizes = _sizes(batch)
    if expected and not _fits(tuple(value.shape), kind, len(batch), sizes):
        known: dict[Any, Any] = {"N": len(batch), **dict(zip("HW", sizes[0], strict=True))} if sizes else {}
        text = ", ".join(str(known.get(name, name)) for name in expected)
        whole = " (or a whole multiple of the size)" if kind in _ENLARGED else ""
        raise _broken(method, kind, f"a tensor of shape {tuple(value.shape)}", f"({text}){whole}")
    array = value.detach().float().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value, np.float32)
    return _finite(array, kind, method)


def checked_image(image: Array, method: Method, size: tuple[int, int]) -> Array:
    """One picture (H, W) of a session, which promises what `reconstruct` does; errors as `checked`."""
    kind = method.produces
    if image.ndim != 2 or not _covers(image.shape, size, enlarged=True):
        raise _broken(method, kind, f"shape {image.shape} in a session", f"{size} (or a whole multiple of the size)")
    return _finite(image, kind, method)


def _finite(values: Array, kind: Data, method: Method) -> Array:
    right = ~np.isinf(values) if kind in _UNKNOWN else np.isfinite(values)
    if not right.all():
        wrong = values.size - int(right.sum())
        raise _broken(method, kind, f"{wrong} of {values.size} values that are NaN or infinite", "finite values")
    return values


def _fits(shape: tuple[int, ...], kind: Data, count: int, sizes: list[tuple[int, int]]) -> bool:
    expected = _SHAPES[kind]
    if len(shape) != len(expected) or shape[0] != count:
        return False
    if any(isinstance(length, int) and length != found for length, found in zip(expected, shape, strict=True)):
        return False
    if "H" not in expected or not sizes:
        return True
    return any(_covers(shape[-2:], size, enlarged=kind in _ENLARGED) for size in sizes)


def _covers(found: tuple[int, ...], size: tuple[int, int], *, enlarged: bool) -> bool:
    times = found[0] // size[0] if enlarged else 1
    return times > 0 and found == (times * size[0], times * size[1])


def _sizes(batch: Batch) -> list[tuple[int, int]]:
    """Heights and widths of what the batch holds; cameras side by side may differ in theirs."""
    sizes = [] if batch.spikes is None else [(s.layout.height, s.layout.width) for s in batch.spikes.streams[:1]]
    if batch.frames is not None:
        sizes.append((int(batch.frames.shape[-2]), int(batch.frames.shape[-1])))
    return [*sizes, *((one.height, one.width) for camera in batch.events for one in camera.streams[:1])]


def _broken(method: Method, kind: Data, found: str, expected: str) -> PluginError:
    return PluginError(f"{method.component.id} gave {found}, expected {expected} of kind {kind}")
