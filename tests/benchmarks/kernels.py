"""How fast the kernels are, each beside the best plain NumPy way and the bandwidth of the memory, in the same run.

    python tests/benchmarks/kernels.py [--quick]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from spikecore import kernels

WINDOW = 41
GEOMETRIES = {"250x400": 12_500, "1000x1000": 125_000}  # bytes per frame


def spikes(frames: int, width: int) -> np.ndarray:
    """Packed random spikes: every pixel has a rate of its own, from none to one spike in three frames."""
    random = np.random.default_rng(0)
    rates = random.random(8 * width, dtype=np.float32) / 3
    return np.stack([np.packbits(random.random(8 * width, dtype=np.float32) < rates, bitorder="little") for _ in range(frames)])


def numpy_sliding_counts(packed: np.ndarray, out: np.ndarray) -> None:
    """A running sum: add the entering frame, take away the leaving one."""
    bits = [np.unpackbits(frame, bitorder="little") for frame in packed[:WINDOW]]
    out[0] = np.sum(bits, axis=0, dtype=np.uint8)
    for row in range(1, len(out)):
        np.add(out[row - 1], np.unpackbits(packed[row + WINDOW - 1], bitorder="little"), out=out[row])
        out[row] -= np.unpackbits(packed[row - 1], bitorder="little")


def numpy_sliding_intervals(packed: np.ndarray, out: np.ndarray) -> None:
    """The age of every pixel in a scan forwards, filled in backwards from every spike."""
    age = np.zeros(8 * packed.shape[1], np.uint8)  # 0: no spike yet, or too long ago
    for row, frame in enumerate(packed):
        out[row] = age
        age += age > 0
        age[np.unpackbits(frame, bitorder="little").view(bool)] = 1
    length = np.zeros_like(age)
    for row in range(len(packed) - 1, -1, -1):
        length = np.where(np.unpackbits(packed[row], bitorder="little").view(bool), out[row], length)
        out[row] = length
