"""How much memory a piece of work needs at most."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@contextmanager
def peak_of(device: str = "cpu") -> Iterator[Callable[[], float]]:
    """Yield a function that says by how many MB the peak memory has grown since; of the GPU for a CUDA device.

    On the CPU this is the kernel's high-water mark of the process, reset first where the system allows it (Linux).
    """
    if torch.device(device).type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield lambda: (torch.cuda.max_memory_allocated(device) - before) / 1e6
        return
    _give_back()
    with suppress(OSError):  # the mark is then that of the whole process so far, and growth beyond it is still seen
        _RESET.write_text("5")
    start = _high_water()
    yield lambda: _high_water() - start


def _give_back() -> None:
    """Return freed memory to the system, where the C library can; else earlier work would hide what this one needs."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _high_water() -> float:
    if _STATUS.is_file():
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
