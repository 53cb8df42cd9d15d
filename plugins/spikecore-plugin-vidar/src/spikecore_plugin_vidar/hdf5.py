"""Recordings in HDF5: our own compressed format, packed along time, or any data set of 0 and 1.

Arrays that MATLAB saved (version 7.3) lie with their axes reversed; they are read in the order that MATLAB shows.

Our own (written by `hdf5_writer`): data set `spikes`, uint32 (ceil(length / 32), height, width), frame t is bit t % 32
of word t // 32; attributes `format`, `version`, `length`, `height`, `width`, `rate`, `gain` if known, `sha256` of
the frames packed as uint8 (length, ceil(height × width / 8)), top row first, lowest bit leftmost, and `digest`: sha256
of the other attributes as JSON in the order of their names. Version 1 had no digest. What other programs wrote has no
checksum of its own, unless its chunks have.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikecore import Layout, Sample, SpikeFormatError, SpikeStream, UsageError
from spikecore.files.boundary import file_size, first_bytes, refusing
from spikecore.files.foreign import refuse_events
from spikecore.files.hdf5 import Dataset, Group, number, open_dataset, open_file, refuse_hollow, shown_names, text
from spikecore.files.recording_source import OneRecording
from spikecore_plugin_vidar.axes import warn_of_axes
from spikecore_plugin_vidar.config import DEFAULT_RATE, FOLDER_HINT, Hdf5Config
from spikecore_plugin_vidar.packing import WORD, block_length, from_words
from spikecore_plugin_vidar.recognise import HDF5_DATASET
from spikecore_plugin_vidar.values import check_spikes, memory_limit, pack_values, refuse_larger

FORMAT = "spikecore spikes"
VERSION = 2

_EXPECTED = "a recording in HDF5"
_MISSING_HINT = "where only spikes were written: allow_missing=true (--in allow_missing=true) takes the rest as 0"
_OLD_MATLAB = b"MATLAB 5.0 MAT-file"
_FACTS = ("format", "version", "length", "height", "width", "rate", "gain", "sha256")


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
        self._limit = memory_limit(file_size(config.path, _EXPECTED, FOLDER_HINT), config.limit)
        _refuse_old_matlab(config)
        with refusing(config.path, _EXPECTED), open_file(config.path, _EXPECTED) as file:
            self._check(file)

    def read(self) -> Sample:
        """The recording, decompressed and packed."""
        with refusing(self.path, _EXPECTED), open_file(self.path, _EXPECTED) as file:
            dataset = self._check(file)
            stream = self._read_own(dataset) if _is_own(dataset) else self._read_values(dataset)
        return Sample(key=self.path.stem, spikes=stream)

    def _check(self, file: Group) -> Dataset:
        config = self.config
        if not config.key and HDF5_DATASET not in file:
            refuse_events(config.path, _EXPECTED)
        held = ", ".join(shown_names(file)) or "nothing, the file is empty"
        hint = f"choose with key=NAME (--in key=NAME) among: {held}"
        dataset = open_dataset(config.path, file, config.key or HDF5_DATASET, _EXPECTED, hint)
        if _is_own(dataset):
            if config.axes != "thw":
                raise UsageError(f"{config.path} says itself how its spikes lie; leave out axes={config.axes}")
            _own_shape(config.path, dataset, self._limit)
        elif not config.key:
            hint = f"to read it as spikes all the same: key={HDF5_DATASET} (--in key={HDF5_DATASET})"
            raise SpikeFormatError(config.path, f"{HDF5_DATASET!r} is not in our format", expected=FORMAT, hint=hint)
        else:
            stored, unit = _stored_axes(dataset, config.axes), dataset.chunks[0] if dataset.chunks else 1
            shape, dtype = dataset.shape, dataset.dtype
            check_spikes(config.path, config.key, shape, dtype, config.binarise, self._limit, stored, unit)
            dataset.holes = config.allow_missing
        refuse_hollow(config.path, dataset, _MISSING_HINT)
        return dataset

    def _read_own(self, dataset: Dataset) -> SpikeStream:
        path, config = self.config.path, self.config
        length, height, width = _own_shape(path, dataset, self._limit)
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

    def _read_values(self, dataset: Dataset) -> SpikeStream:
        config, shape = self.config, dataset.shape
        stored, unit = _stored_axes(dataset, config.axes), dataset.chunks[0] if dataset.chunks else 1
        packed = pack_values(config.path, shape, config.binarise, lambda start, stop: dataset[start:stop], stored, unit)
        height, width = (shape[stored.index(axis)] for axis in "hw")
        stream = SpikeStream(packed, Layout(height, width), config.rate or DEFAULT_RATE, config.gain, str(config.path))
        if config.check:
            warn_of_axes(config.path, stream, config.axes)
        return stream


def _stored_axes(dataset: Dataset, axes: str) -> str:
    """The axes in the order of the file, which for arrays of MATLAB is the other way round."""
    return axes[::-1] if "MATLAB_class" in dataset.attrs else axes


def _refuse_old_matlab(config: Hdf5Config) -> None:
    """Before version 7.3, MATLAB's files were no HDF5."""
    if first_bytes(config.path, _EXPECTED).startswith(_OLD_MATLAB):
        name = config.key or "spikes"
        hint = (
            f"save it anew, in MATLAB with save('{config.path.name}', '{name}', '-v7.3'), or in Python:\n"
            f"    numpy.save('{config.path.stem}.npy', scipy.io.loadmat('{config.path.name}')['{name}'])"
        )
        found = "a MATLAB file of version 5, which is no HDF5"
        raise SpikeFormatError(config.path, found, expected="MATLAB's version 7.3, or another HDF5 file", hint=hint)


def _is_own(dataset: Dataset) -> bool:
    return text(dataset, "format") == FORMAT or {"digest", "length"} <= set(dataset.attrs)


def digest_of(facts: Mapping[str, str | int | float]) -> str:
    """The digest of the other attributes of our format."""
    return hashlib.sha256(json.dumps(dict(facts), sort_keys=True).encode()).hexdigest()


def _own_shape(path: Path, dataset: Dataset, limit: int) -> tuple[int, int, int]:
    """(length, height, width) of a data set in our format, compared with what is stored."""
    version = number(path, dataset, "version")
    if version not in (1, VERSION):
        hint = "upgrade spikecore-plugin-vidar" if version > VERSION else ""
        raise SpikeFormatError(path, f"version {version} of our format", expected=f"version {VERSION}", hint=hint)
    _check_facts(path, dataset, int(version))
    length, height, width = (int(number(path, dataset, name)) for name in ("length", "height", "width"))
    wanted = (-(-length // WORD), height, width)
    if min(wanted) < 1 or dataset.shape != wanted or dataset.dtype != np.dtype("<u4"):
        found = f"{dataset.name} is {dataset.dtype} {dataset.shape}"
        expected = f"uint32 {wanted} for {length} frames of {height}x{width}"
        raise SpikeFormatError(path, found, expected=expected)
    refuse_larger(path, f"{length} frames of {height}x{width}", length * -(-height * width // 8), limit)
    refuse_larger(path, f"{WORD} frames of {height}x{width}, unpacked,", WORD * height * width, limit)
    return length, height, width


def _check_facts(path: Path, dataset: Dataset, version: int) -> None:
    """Compare the attributes with their digest."""
    stated = text(dataset, "digest")
    if stated is None and version == 1:
        strange = sorted(set(dataset.attrs) - set(_FACTS))
        if strange:
            found = f"attributes called {', '.join(strange)}"
            raise SpikeFormatError(path, found, expected=f"{', '.join(_FACTS)}: the file was altered")
        return
    facts = {}
    for name in _FACTS:
        value = dataset.attrs.get(name)
        if isinstance(value, np.number):
            facts[name] = value.item()
        elif value is not None:
            facts[name] = text(dataset, name)
    if stated != digest_of(facts):
        raise SpikeFormatError(path, f"attributes {facts}", expected=f"digest {stated}: the file was altered")


def _compare_digest(path: Path, dataset: Dataset, packed: NDArray[np.uint8]) -> None:
    stated = text(dataset, "sha256")
    found = hashlib.sha256(packed.data).hexdigest()
    if stated != found:
        raise SpikeFormatError(path, f"spikes with sha256 {found}", expected=f"sha256 {stated}: the file was altered")
