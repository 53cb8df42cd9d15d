"""The source spikling/pairs: a folder of simulated spikes and their pictures, as spikling trains on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from spikecore import Sample, SpikeFormatError, default_host
from spikecore_plugin_spikling.companions import companion

if TYPE_CHECKING:
    from spikecore_plugin_spikling.config import PairsConfig

READER = "vidar/npz"
"""The component that reads a single file; it looks at what strangers wrote before it believes it."""


class Pairs:
    """The `.npz` files of a folder, in natural order of their names ("sp2.npz" before "sp10.npz").

    Each holds `seq` (uint8 (ceil(length / 8), height, width), frame t in bit t % 8 of plane t // 8), `tag` (uint8
    (height, width), the picture of frame length // 2) and `length`. Only names are read when the folder is opened.

    Raises:
        SpikeFormatError: If there is no such folder, or no `.npz` in it.
        UnknownComponent: If the plugin that reads them is not installed.
    """

    def __init__(self, config: PairsConfig) -> None:
        self.config = config
        companion(default_host(), READER)
        if not config.path.is_dir():
            raise SpikeFormatError(config.path, "no such folder", expected="a folder of .npz files")
        self._files = sorted(config.path.glob("*.npz"), key=_natural)
        if not self._files:
            hint = "spikecore spikling-pairs VIDEO -o FOLDER makes them"
            raise SpikeFormatError(
                config.path, "no .npz files", expected="arrays seq, tag and length in each", hint=hint
            )

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int, /) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"{self.config.path} holds {len(self)} pairs, there is no number {index}")
        path = self._files[index]
        host = default_host()
        sample: Sample = host.build(companion(host, READER), {"path": str(path), "gain": self.config.gain})[0]
        if not sample.target:
            raise SpikeFormatError(path, "no picture", expected="the arrays seq, tag and length of a simulated pair")
        return attrs.evolve(sample, key=path.stem)


def _natural(path: Path) -> list[int | str]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]
