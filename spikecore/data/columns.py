"""What the columns of events must be, and what to type where they are something else. NumPy only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore.errors import UsageError, shown

BLOCK = 2**18
"""Events looked at together: what fits a processor's cache."""
_CLOCKS = (16, 23, 24, 31, 32, 34)
_SECONDS = "for seconds: t = (t * 1e6).round().astype(np.int64); for milliseconds * 1e3, for parts of microseconds * 1"
_SORT = 'to sort them: order = np.argsort(t, kind="stable"); x, y, t, p = x[order], y[order], t[order], p[order]'


def as_column(value: Any, field: str, name: str) -> Any:
    """An array (N,) of whole numbers (`t` int64, `p` bool), converted only where nothing is lost; or a lazy column.

    Lazy is what is neither an array nor a list nor a tuple: it has a length and slices that become arrays.

    Raises:
        UsageError: If it is neither, or holds what is no such number.
    """
    if not isinstance(value, np.ndarray | list | tuple):
        return _lazy(value, field, name)
    values = _array(value, field, name)
    if values.ndim != 1:
        raise UsageError(f"{name}: {field} has shape {values.shape}; expected one row of events, (N,)")
    if field == "p":
        return _polarity(values, name)
    kind = values.dtype.kind
    if kind not in "iuf" or (kind == "u" and values.size and values.max() > 2**63 - 1):
        hint = '\n  try: t.astype("m8[us]").astype(np.int64)' if kind in "mM" else ""
        raise UsageError(f"{name}: {field} holds {values.dtype}; expected whole numbers of at most 63 bits{hint}")
    if kind == "f":
        _refuse_fractions(values, field, name)
    return values.astype(np.int64, copy=False) if field == "t" or kind == "f" else values


def _array(value: Any, field: str, name: str) -> NDArray[Any]:
    try:
        values = np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise UsageError(f"{name}: {field} is no array: {shown(error)}") from None
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise UsageError(f"{name}: {np.ma.getmaskarray(value).sum()} values of {field} are masked; leave them out")
    return values


def _lazy(value: Any, field: str, name: str) -> Any:
    kind = getattr(getattr(value, "dtype", None), "kind", "i")
    if not hasattr(value, "__len__") or not hasattr(value, "__getitem__") or isinstance(value, str | bytes | dict):
        raise UsageError(f"{name}: {field} is {type(value).__name__}; expected an array (N,)")
    if getattr(value, "ndim", 1) != 1:
        raise UsageError(f"{name}: {field} has shape {shown(value.shape)}; expected one row of events, (N,)")
    if kind not in ("iub" if field == "p" else "iu"):
        hint = f"; {_SECONDS}" if field == "t" and kind == "f" else ""
        raise UsageError(f"{name}: {field} holds {value.dtype}; expected whole numbers where it is read lazily{hint}")
    return value


def _refuse_fractions(values: NDArray[Any], field: str, name: str) -> None:
    whole = np.isfinite(values) & (np.rint(values) == values)
    exact = 2.0 ** min(np.finfo(values.dtype).nmant + 1, 62)
    hint = f"\n  {_SECONDS}" if field == "t" else ""
    if not whole.all():
        bad = int(np.argmin(whole))
        expected = "whole microseconds" if field == "t" else "whole pixels"
        raise UsageError(f"{name}: {field}[{bad}] is {values[bad]}; expected {expected}{hint}")
    if len(values) and np.abs(values).max() >= exact:
        found = f"{field} holds {values.dtype} from {exact:.0f} on, where it no longer tells whole numbers apart"
        raise UsageError(f"{name}: {found}; expected int64")


def _polarity(values: NDArray[Any], name: str) -> NDArray[np.bool_]:
    """True where brightness rose, of bool, 0/1 or -1/+1."""
    if values.dtype == np.bool_ or not values.size:
        return values.astype(np.bool_, copy=False)
    if values.dtype.kind not in "iuf":
        raise UsageError(f"{name}: polarity p holds {values.dtype}; expected bool, 0 and 1, or -1 and +1")
    low, high = values.min(), values.max()
    whole = values.dtype.kind != "f" or bool((np.rint(values) == values).all())
    if not whole or high > 1 or low < -1 or (low == -1 and (values == 0).any()):
        states = np.unique(values)
        hint = f"\n  if {states[1]} means that brightness rose: p = p == {states[1]}" if len(states) == 2 else ""
        found = ", ".join(map(str, states[:4]))
        raise UsageError(f"{name}: polarity p holds {found}; expected bool, 0 and 1, or -1 and +1{hint}")
    return np.asarray(values > 0)


def outside(x: NDArray[Any], y: NDArray[Any], size: tuple[int, int], number: int = 0) -> tuple[int, str]:
    """How many events lie outside the sensor, and where the first does ("" if none).

    Args:
        x: Columns.
        y: Rows.
        size: Rows and columns of the sensor.
        number: Of the first of these events in its recording.
    """
    height, width = size
    if not len(x) or (x.min() >= 0 and y.min() >= 0 and x.max() < width and y.max() < height):
        return 0, ""
    wrong = (x < 0) | (y < 0) | (x >= width) | (y >= height)
    first = int(np.argmax(wrong))
    return int(wrong.sum()), f"event {number + first} at column {x[first]}, row {y[first]}"


def refuse_outside(x: NDArray[Any], y: NDArray[Any], size: tuple[int, int], name: str) -> None:
    """Refuse events that no pixel of a sensor (height, width) can have seen."""
    count, first = outside(x, y, size)
    if not count:
        return
    height, width = size
    if x.min() >= 0 <= y.min() and x.max() < height and y.max() < width:
        hint = "x and y swapped? x is the column, y the row"
    elif x.min() >= 1 <= y.min() and x.max() <= width and y.max() <= height:
        hint = "counted from 1? x = x - 1; y = y - 1"
    else:
        hint = "state the size of the sensor, or leave those events out"
    expected = f"expected columns 0..{width - 1}, rows 0..{height - 1}"
    raise UsageError(f"{name}: {count} events outside the {height}x{width} sensor, first {first}; {expected}\n  {hint}")


def refuse_disorder(t: NDArray[np.int64], name: str, number: int = 0) -> None:
    """Refuse times that decrease; a clock that wrapped round is told from events out of order.

    Args:
        t: Times.
        name: Of the events, for messages.
        number: Of the first of these events in its recording.
    """
    for start, late in _blocks(t):
        if late.any():
            raise UsageError(f"{name}: {_disorder(t, start + int(np.argmax(late)), number)}")


def _blocks(t: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    for start in range(0, len(t) - 1, BLOCK):
        part = t[start : start + BLOCK + 1]
        yield start, part[1:] < part[:-1]


def _disorder(t: NDArray[np.int64], at: int, number: int) -> str:
    before, after = int(t[at]), int(t[at + 1])
    found = f"times that are not sorted: event {number + at + 1} is at {after} after {before} microseconds"
    step = np.diff(t)
    drop = -int(step.min())
    for bits in _CLOCKS:
        if not 0.97 * 2**bits < drop <= 2**bits:
            continue
        unwrap = f"t = t.astype(np.int64); t += 2**{bits} * np.cumsum(np.diff(t, prepend=t[0]) < -(2**{bits - 1}))"
        turned = t[1:] + 2**bits * np.cumsum(step < -(2 ** (bits - 1)))
        if (np.diff(turned) >= 0).all() and turned[0] >= t[0]:
            return f"{found}: a clock of {bits} bits wrapped round; do not sort them\n  unwrap: {unwrap}"
        return f"{found}\n  if a clock of {bits} bits wrapped round, first unwrap: {unwrap}\n  {_SORT}"
    if (step < 0).sum() == 1:
        last = number + at + 1
        return f"{found}, and only there\n  if a second recording begins there: cut it at event {last}\n  else {_SORT}"
    return f"{found}\n  {_SORT}"
