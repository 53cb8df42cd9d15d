"""How loops over pixels are compiled, in the core and in plugins. Imports numba: import this only where loops are."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function on its first call: without the GIL, division as in NumPy, kept on disk for later processes.

    Python's division would look at every divisor first, one pixel at a time.
    """
    result: Function
    try:
        result = numba.njit(function, nogil=True, error_model="numpy", cache=True)
    except RuntimeError as error:  # numba found no directory that it may write to
        warnings.warn(f"kernels are compiled anew in every process: {error}; set NUMBA_CACHE_DIR", stacklevel=2)
        result = numba.njit(function, nogil=True, error_model="numpy")
    return result
