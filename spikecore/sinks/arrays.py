"""Arrays: NPY and HDF5, for results of every kind."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from spikecore.files.hdf5_writer import Writer
from spikecore.plugin.sink import Target
from spikecore.sinks.aside import AsideFile


class Npy(AsideFile):
    """float32 (count, *shape of a result), streamed."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._file: BinaryIO = self._guard(lambda: self.temporary.open("wb"))

    def write(self, instant: float, result: NDArray[np.float32]) -> None:
        """See `Sink`."""
        self._alike(result)
        if not self.written:
            self._guard(self._header)
        self._guard(lambda: self._file.write(np.ascontiguousarray(result, np.float32).tobytes()))
        self.written += 1

    def _header(self) -> None:
        self._file.seek(0)
        shape = (self.written or self.target.count, *self._shape)
        head = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, head)  # padded, so that a smaller count fits as well

    def _close(self) -> None:
        if self.written and self.written != self.target.count:
            self._header()
        self._file.close()


class Hdf5(AsideFile):
    """Data set `images` float32 (count, *shape of a result) with gzip and checksums, and attributes of the run.

    `instants` are int64, or float64 if one of them is not whole; `labels` are the names of classes, where known.
    """

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._file: Writer = self._guard(lambda: Writer(self.temporary))
        self._instants: list[float] = []

    def write(self, instant: float, result: NDArray[np.float32]) -> None:
        """See `Sink`."""
        self._alike(result)
        self._guard(lambda: self._append(result))
        self._instants.append(instant)
        self.written += 1

    def _append(self, result: NDArray[np.float32]) -> None:
        if not self.written:
            shape, chunk = (0, *result.shape), (1, *result.shape)
            self._file.dataset("images", "<f4", shape, chunk, compression=1, shuffle=True, grows=True)
        self._file.write("images", self.written, result[np.newaxis])

    def _close(self) -> None:
        whole = all(float(instant).is_integer() for instant in self._instants)
        instants = np.array(self._instants, np.int64 if whole else np.float64)
        self._file.dataset("instants", instants.dtype, instants.shape, (max(len(instants), 1),))
        self._file.write("instants", 0, instants)
        if self.target.labels:
            self._file.texts("labels", self.target.labels)
        self._file.describe("", self.target.attributes)
        self._file.close()
