"""What the kernels accept, and the messages for what they do not."""

from __future__ import annotations

import operator
import sys
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Closed = Literal["left", "right"]
LARGE = 16 << 20  # bytes: about what last-level caches hold for one core


def is_tensor(packed: Any) -> bool:
    """Whether this is a torch tensor; imports nothing."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(packed, torch.Tensor)


def packed_frames(packed: Any) -> Any:
    """The packed frames, each in neighbouring bytes; copied only where they are not.

    Raises:
        TypeError: If this is no array or tensor of bytes.
        ValueError: If it has no two dimensions, or frames of no bytes.
    """
    if not is_tensor(packed) and not isinstance(packed, np.ndarray):
        raise TypeError(f"packed frames must be a uint8 array or tensor, got {type(packed).__name__}")
    if str(packed.dtype).removeprefix("torch.") != "uint8":
        raise TypeError(f"packed frames must be uint8, got {packed.dtype}; pack(frames) packs frames of 0 and 1")
    if packed.ndim != 2 or packed.shape[1] == 0:
        raise ValueError(f"packed frames must have shape (frames, bytes per frame), got {tuple(packed.shape)}")
    if isinstance(packed, np.ndarray) and packed.shape[1] > 1 and packed.strides[1] != 1:
        return np.ascontiguousarray(packed)
    return packed


def whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """A whole number between limits.

    Raises:
        TypeError: If it is no whole number.
        ValueError: If it is outside.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, got {value!r}") from None
    if number < least or (most is not None and number > most):
        limits = f"{least} or more" if most is None else f"{least} or more and at most {most}"
        raise ValueError(f"{name} must be {limits}, got {number}")
    return number


def shift(closed: str) -> int:
    """How many frames earlier an interval closed on this side covers than one closed on the right.

    Raises:
        ValueError: If the side is neither "left" nor "right".
    """
    if closed not in ("left", "right"):
        raise ValueError(f"closed must be 'left' or 'right', got {closed!r}")
    return int(closed == "left")


def reach(frames: int, at: Any, search: Any) -> tuple[int, int]:
    """The frame number, and how many frames are looked at on either side of it.

    Raises:
        IndexError: If the frame is outside the stream.
        ValueError: If `search` is less than 1.
    """
    number = operator.index(at)
    if not 0 <= number < frames:
        raise IndexError(f"frame {number} is outside the stream; its {frames} frames are 0..{frames - 1}")
    return number, frames if search is None else whole("search", search, 1)


def result(out: NDArray[Any] | None, shape: tuple[int, int], dtype: Any) -> NDArray[Any]:
    """Room for the result: `out`, if it fits, or a new array.

    Raises:
        TypeError: If `out` is no array of this dtype.
        ValueError: If it has another shape, is not C-contiguous or may not be written.
    """
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray) or out.dtype != dtype:
        found = out.dtype if isinstance(out, np.ndarray) else type(out).__name__
        raise TypeError(f"out must be an array of {np.dtype(dtype)}, got {found}")
    if out.shape != shape or not out.flags.carray:
        raise ValueError(
            f"out must be a C-contiguous, writeable array of shape {shape}, got shape {out.shape}"
            f"{'' if out.flags.c_contiguous else ', not contiguous'}{'' if out.flags.writeable else ', read-only'}"
        )
    return out


def unsigned(most: int) -> Any:
    """The smallest unsigned dtype that holds a number."""
    return np.uint8 if most <= 255 else np.uint16 if most <= 65535 else np.uint32


def past_cache(out: NDArray[Any]) -> bool:
    """Whether to write a result past the caches: it does not fit there anyway, and its rows allow it."""
    return bool(out.nbytes >= LARGE and out.ctypes.data % 8 == 0 and out.strides[0] % 8 == 0)
