"""Recordings in HDF5: our own compressed format, packed along time, or any data set of 0 and 1.

Our own (written by `hdf5_writer`): data set `spikes`, uint32 (ceil(length / 32), height, width), frame t is bit t % 32
of word t // 32; attributes `format`, `version`, `length`, `height`, `width`, `rate`, `gain` if known, and `sha256` of
the frames packed as uint8 (length, ceil(height × width / 8)), top row first, lowest bit leftmost.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from spikecore import Layout, Sample, SpikeFormatError, SpikeStream
from spikecore.files.boundary import file_size, refusing
from spikecore.files.hdf5 import number, open_dataset, open_file, refuse_hollow, shown_names
from spikecore.files.recording_source import OneRecording
from spikecore_plugin_vidar.config import DEFAULT_RATE, FOLDER_HINT, Hdf5Config
from spikecore_plugin_vidar.packing import WORD, block_length, check_spikes, from_words, pack_values, refuse_larger
from spikecore_plugin_vidar.recognise import HDF5_DATASET

FORMAT = "spikecore spikes"
VERSION = 1

_EXPECTED = "a recording in HDF5"


class Hdf5(OneRecording):
    """One HDF5 file: a source of one sample, decompressed and packed into memory when it is asked for.

    The result takes frames × height × width / 8 bytes, so recordings can be as long as memory allows; longer ones are
    better kept as `.dat`, which is never read whole.

    Args:
        config: See `Hdf5Config`.

    Raises:
        SpikeFormatError: If there is no such data set, or it could be harmful to read.
    """

    def __init__(self, config: Hdf5Config) -> None:
        super().__init__(config.path)
        self.config = config
        file_size(config.path, _EXPECTED, FOLDER_HINT)
        with refusing(config.path, _EXPECTED), open_file(config.path) as file:
            self._check(file)

    def read(self) -> Sample:
        """The recording, decompressed and packed."""
        with refusing(self.path, _EXPECTED), open_file(self.path) as file:
            dataset = self._check(file)
            stream = self._read_own(dataset) if _is_own(dataset) else self._read_values(dataset)
        return Sample(key=self.path.stem, spikes=stream)

    def _check(self, file: h5py.File) -> h5py.Dataset:
        config = self.config
        held = ", ".join(shown_names(file)) or "nothing, the file is empty"
        hint = f"choose with key=NAME (--in key=NAME) among: {held}"
        dataset = open_dataset(config.path, file, config.key or HDF5_DATASET, _EXPECTED, hint)
        if _is_own(dataset):
            _own_shape(config.path, dataset, config.limit)
        elif not config.key:
            hint = f"to read it as spikes all the same: key={HDF5_DATASET} (--in key={HDF5_DATASET})"
            raise SpikeFormatError(config.path, f"{HDF5_DATASET!r} is not in our format", expected=FORMAT, hint=hint)
        else:
            check_spikes(config.path, config.key, dataset.shape, dataset.dtype, config.binarise, config.limit)
        refuse_hollow(config.path, dataset)
        return dataset

    def _read_own(self, dataset: h5py.Dataset) -> SpikeStream:
        path, config = self.config.path, self.config
        length, height, width = _own_shape(path, dataset, config.limit)
        packed = np.empty((length, -(-height * width // 8)), np.uint8)
        step = block_length(height, width)
        for start in range(0, length, step):
            stop = min(start + step, length)
            frames = from_words(dataset[start // WORD : -(-stop // WORD)], stop - start)
            packed[start:stop] = np.packbits(frames.reshape(stop - start, -1), axis=1, bitorder="little")
        _compare_digest(path, dataset, packed)
        rate = config.rate or number(path, dataset, "rate")
        gain = config.gain or (number(path, dataset, "gain") if "gain" in dataset.attrs else None)
        if rate <= 0 or (gain is not None and gain <= 0):
            raise SpikeFormatError(path, f"rate {rate} and gain {gain}", expected="numbers above 0")
        return SpikeStream(packed, Layout(height, width), float(rate), gain, str(path))

    def _read_values(self, dataset: h5py.Dataset) -> SpikeStream:
        config = self.config
        shape = dataset.shape
        packed = pack_values(config.path, shape, config.binarise, lambda start, stop: dataset[start:stop])
        return SpikeStream(packed, Layout(*shape[1:]), config.rate or DEFAULT_RATE, config.gain, str(config.path))


def _is_own(dataset: h5py.Dataset) -> bool:
    return "format" in dataset.attrs and dataset.attrs["format"] == FORMAT


def _own_shape(path: Path, dataset: h5py.Dataset, limit: int) -> tuple[int, int, int]:
    """(length, height, width) of a data set in our format, compared with what is stored."""
    version = number(path, dataset, "version")
    if version != VERSION:
        hint = "upgrade spikecore-plugin-vidar" if version > VERSION else ""
        raise SpikeFormatError(path, f"version {version} of our format", expected=f"version {VERSION}", hint=hint)
    length, height, width = (int(number(path, dataset, name)) for name in ("length", "height", "width"))
    wanted = (-(-length // WORD), height, width)
    if min(wanted) < 1 or dataset.shape != wanted or dataset.dtype != np.dtype("<u4"):
        found = f"{dataset.name} is {dataset.dtype} {dataset.shape}"
        expected = f"uint32 {wanted} for {length} frames of {height}x{width}"
        raise SpikeFormatError(path, found, expected=expected)
    refuse_larger(path, f"{length} frames of {height}x{width}", length * -(-height * width // 8), limit)
    refuse_larger(path, f"{WORD} frames of {height}x{width}, unpacked,", WORD * height * width, limit)
    return length, height, width


def _compare_digest(path: Path, dataset: h5py.Dataset, packed: NDArray[np.uint8]) -> None:
    stated = dataset.attrs.get("sha256")
    found = hashlib.sha256(packed.data).hexdigest()
    if stated != found:
        raise SpikeFormatError(path, f"spikes with sha256 {found}", expected=f"sha256 {stated}: the file was altered")
