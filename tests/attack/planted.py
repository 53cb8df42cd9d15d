"""Readers with faults on purpose, to see that the campaign finds them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from inputs import Target

from spikecore import SpikeFormatError

GOOD = b"good and long enough to be damaged in many places"


def _build(root: Path) -> None:
    (root / "seed").mkdir()
    (root / "seed" / "file").write_bytes(GOOD)


def _target(damaged: Callable[[bytes], object], checked: bool = False) -> Target:
    """A reader that does something else with damaged files than with good ones."""

    def use(path: Path) -> str:
        data = path.read_bytes()
        return "good" if data == GOOD else str(damaged(data))

    return Target(_build, "file", use, checked=checked)


def _refuse(data: bytes) -> None:
    raise SpikeFormatError("file", "damage")


def _take(data: bytes) -> int:
    return len(np.ones(2**30 + 2**27, np.uint8))


def _spin(data: bytes) -> None:
    while True:
        pass


TARGETS = {
    "refuses": _target(_refuse, checked=True),
    "raw": _target(lambda data: {}[data]),
    "crash": _target(lambda data: os.abort()),
    "hang": _target(_spin),
    "memory": _target(_take),
    "claims": _target(lambda data: np.zeros(2**50, np.uint8)),
    "different": _target(lambda data: data, checked=True),
    "other": _target(lambda data: data),
}
