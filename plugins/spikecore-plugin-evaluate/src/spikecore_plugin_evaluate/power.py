"""Electric power of a GPU, as its driver reports it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from time import monotonic, sleep

import torch

_EVERY_MS = 50


def mean_power(device: str, work: Callable[[], None], seconds: float = 1.0) -> float | None:
    """Mean power in W while `work` is repeated for at least `seconds`, above the idle power just before.

    Returns:
        None for a device that does not tell: CPUs, and machines without NVIDIA's `nvidia-smi`.
    """
    tool = shutil.which("nvidia-smi")
    if torch.device(device).type != "cuda" or tool is None:
        return None
    torch.cuda.synchronize(device)
    number = torch.device(device).index or 0
    idle = _sampled(tool, number, lambda: sleep(0.5))
    busy = _sampled(tool, number, lambda: _repeat(work, seconds))
    return None if idle is None or busy is None else max(busy - idle, 0.0)


def _sampled(tool: str, number: int, action: Callable[[], None]) -> float | None:
    query = [tool, f"--id={number}", "--query-gpu=power.draw", "--format=csv,noheader,nounits", f"-lms={_EVERY_MS}"]
    with subprocess.Popen(query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        action()
        process.terminate()
        lines, _ = process.communicate()
    return mean_of(lines)


def mean_of(lines: str) -> float | None:
    r"""The mean of the numbers among lines of text; None if there are none (drivers print "[N/A]").

    >>> mean_of("100.5\n[N/A]\n99.5\n"), mean_of("[N/A]")
    (100.0, None)
    """
    values = []
    for line in lines.splitlines():
        try:
            values.append(float(line))
        except ValueError:
            continue
    return sum(values) / len(values) if values else None


def _repeat(work: Callable[[], None], seconds: float) -> None:
    end = monotonic() + seconds
    while monotonic() < end:
        work()
