"""How this plugin's loops over pixels are compiled."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function on its first call: without the GIL, division as in NumPy, kept on disk for later processes."""
    result: Function
    try:
        result = numba.njit(function, nogil=True, error_model="numpy", cache=True)
    except RuntimeError as error:  # numba found no directory that it may write to
        warnings.warn(f"kernels are compiled anew in every process: {error}; set NUMBA_CACHE_DIR", stacklevel=2)
        result = numba.njit(function, nogil=True, error_model="numpy")
    return result
