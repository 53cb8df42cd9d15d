"""Unpacked spikes in NumPy's `.npy` files, one value per pixel and frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format

from spikecore import Layout, Sample, SpikeStream
from spikecore.files.boundary import file_size, refusing
from spikecore.files.foreign import refuse_events
from spikecore.files.recording_source import OneRecording
from spikecore_plugin_vidar.arrays import ArrayHeader, check_header, pack_array, read_header
from spikecore_plugin_vidar.axes import warn_of_axes
from spikecore_plugin_vidar.config import DEFAULT_RATE, FOLDER_HINT, NpyConfig
from spikecore_plugin_vidar.packing import blocks, unpack
from spikecore_plugin_vidar.values import memory_limit

_EXPECTED = "a NumPy array file (.npy)"


class Npy(OneRecording):
    """One `.npy` file (frames, height, width) of 0 and 1: a source of one sample.

    The file is read and packed in blocks; the result takes frames × height × width / 8 bytes.

    Args:
        config: See `NpyConfig`.

    Raises:
        SpikeFormatError: If it is not such an array.
    """

    def __init__(self, config: NpyConfig) -> None:
        super().__init__(config.path)
        self.config = config
        self._header = self._read_header()

    def _read_header(self) -> ArrayHeader:
        path = self.config.path
        size = file_size(path, _EXPECTED, FOLDER_HINT)
        self._limit = memory_limit(size, self.config.limit)
        refuse_events(path, "spikes (frames, height, width)")
        with refusing(path, _EXPECTED), path.open("rb") as file:
            header = read_header(path, "the array", file, size)
        check_header(path, "the array", header, self.config.binarise, self.config.axes, self._limit)
        return header

    def read(self) -> Sample:
        """The recording, packed."""
        config = self.config
        with refusing(config.path, _EXPECTED), config.path.open("rb") as file:
            file.seek(self._header.offset)
            packed, (_, height, width) = pack_array(
                config.path, "the array", file, self._header, config.binarise, config.axes, self._limit
            )
        stream = SpikeStream(
            packed, Layout(height, width), config.rate or DEFAULT_RATE, gain=config.gain, name=str(config.path)
        )
        if config.check:
            warn_of_axes(config.path, stream, config.axes)
        return Sample(key=config.path.stem, spikes=stream)


def write_npy(stream: SpikeStream, path: Path, config: NpyConfig) -> None:
    """Write the spikes unpacked, uint8 (frames, height, width), in blocks: eight times the size of a `.dat`."""
    layout = Layout(stream.height, stream.width)
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": stream.shape}
        npy_format.write_array_header_1_0(file, header)
        for block in blocks(stream, layout):
            file.write(np.ascontiguousarray(unpack(block, layout)).data)
