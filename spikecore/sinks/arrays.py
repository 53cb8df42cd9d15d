"""Arrays: NPY and HDF5, for results of every kind."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

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
        import h5py

        super().__init__(target)
        self._file = self._guard(lambda: h5py.File(self.temporary, "w"))
        self._images: Any = None
        self._instants: list[float] = []

    def write(self, instant: float, result: NDArray[np.float32]) -> None:
        """See `Sink`."""
        self._alike(result)
        self._guard(lambda: self._append(result))
        self._instants.append(instant)
        self.written += 1

    def _append(self, result: NDArray[np.float32]) -> None:
        if self._images is None:
            self._images = self._file.create_dataset(
                "images",
                shape=(0, *result.shape),
                maxshape=(None, *result.shape),
                chunks=(1, *result.shape),
                dtype="<f4",
                compression="gzip",
                compression_opts=1,
                shuffle=True,
                fletcher32=True,
            )
        self._images.resize(self.written + 1, axis=0)
        self._images[self.written] = result

    def _close(self) -> None:
        import h5py

        whole = all(float(instant).is_integer() for instant in self._instants)
        self._file["instants"] = np.array(self._instants, np.int64 if whole else np.float64)
        if self.target.labels:
            self._file.create_dataset("labels", data=list(self.target.labels), dtype=h5py.string_dtype())
        self._file.attrs.update(self.target.attributes)
        self._file.close()
