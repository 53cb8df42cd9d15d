"""Recordings in `.npz` archives: U-HSR, spikling, our own, or any array of 0 and 1."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from spikecore import Layout, Sample, SpikeFormatError, SpikeStream, UsageError
from spikecore.files.foreign import refuse_events
from spikecore.files.recording_source import OneRecording
from spikecore_plugin_vidar.archive import Archive, open_archive
from spikecore_plugin_vidar.axes import warn_of_axes
from spikecore_plugin_vidar.config import DEFAULT_RATE, NpzConfig
from spikecore_plugin_vidar.packing import blocks
from spikecore_plugin_vidar.recognise import NPZ_KINDS
from spikecore_plugin_vidar.values import check_spikes, pack_values

_FORMAT = "spikecore spikes 1"
_SEQ = "uint8 (ceil(length / 8), height, width)"
_SPIKLING_GAIN = 1.0
"""spikling's simulator fires grey / 255 spikes per frame, so that intensity is the spike rate itself."""


class Npz(OneRecording):
    """One `.npz` file: a source of one sample. It is read and packed when the sample is asked for.

    The kind is known by the names of the arrays; `key` names any other array (frames, height, width):

    - U-HSR: `spk` (frames, height, width), `label` (class number), `label_name` (text);
    - spikling: `seq` (ceil(length / 8), height, width), bits along time, the lowest the earliest; `tag`, the ground
      truth of frame length // 2; `length`;
    - our own: `packed` (length, ceil(height × width / 8)), `height`, `width`, `length`, `rate`, `gain` if known, and
      `format`, which says what else there must be; files without it are older.

    Args:
        config: See `NpzConfig`.

    Raises:
        SpikeFormatError: If it is none of these.
    """

    def __init__(self, config: NpzConfig) -> None:
        super().__init__(config.path)
        self.config = config
        with open_archive(config.path, config.limit) as archive:
            self._kind = _kind(archive, config)

    def read(self) -> Sample:
        """The recording, packed."""
        with open_archive(self.config.path, self.config.limit) as archive:
            return _READERS[self._kind](archive, self.config)


def _kind(archive: Archive, config: NpzConfig) -> str:
    names = set(archive.names)
    if config.key:
        if config.key in names:
            return "array"
        hint = f"it has: {', '.join(archive.names) or 'nothing'}"
        raise SpikeFormatError(config.path, f"no array {config.key!r}", expected="the array of spikes", hint=hint)
    for kind, wanted in NPZ_KINDS.items():
        if wanted <= names:
            return kind
    refuse_events(config.path, "spikes")
    name = archive.names[0] if len(archive.names) == 1 else "NAME"
    hint = f"name the array (frames, height, width) of spikes: key={name} (--in key={name})"
    expected = "spk, label, label_name (U-HSR), or seq, tag, length (spikling), or our own"
    raise SpikeFormatError(config.path, f"arrays {', '.join(archive.names) or 'none'}", expected=expected, hint=hint)


def _read_array(archive: Archive, config: NpzConfig) -> Sample:
    return Sample(key=config.path.stem, spikes=_read_values(archive, config, config.key))


def _read_uhsr(archive: Archive, config: NpzConfig) -> Sample:
    stream = _read_values(archive, config, "spk")
    label = _whole(archive, "label", least=0)
    return Sample(key=config.path.stem, spikes=stream, label=label, text=archive.text("label_name"))


def _read_values(archive: Archive, config: NpzConfig, name: str) -> SpikeStream:
    packed, (_, height, width) = archive.spikes(name, config.binarise, config.axes)
    stream = SpikeStream(packed, Layout(height, width), config.rate or DEFAULT_RATE, config.gain, str(config.path))
    if config.check:
        warn_of_axes(config.path, stream, config.axes)
    return stream


def _read_spikling(archive: Archive, config: NpzConfig) -> Sample:
    _refuse_axes(config)
    length = _whole(archive, "length", least=1)
    tag = archive.array("tag", archive.limit)
    with archive.slices("seq") as (header, read):
        if header.dtype != np.uint8 or len(header.shape) != 3 or header.fortran or 0 in header.shape:
            raise SpikeFormatError(config.path, f"seq is {header.dtype} {header.shape}", expected=_SEQ)
        size = header.shape[1:]
        if header.shape[0] != -(-length // 8):
            raise SpikeFormatError(config.path, f"seq is {header.shape} for {length} frames", expected=_SEQ)
        if tag.dtype != np.uint8 or tag.shape != size:
            raise SpikeFormatError(config.path, f"tag is {tag.dtype} {tag.shape}", expected=f"uint8 {size}")
        check_spikes(config.path, "seq", (length, *size), header.dtype, None, archive.limit)

        def frames(start: int, stop: int) -> NDArray[np.uint8]:
            planes = read(-(-stop // 8) - start // 8)
            return np.unpackbits(planes, axis=0, count=stop - start, bitorder="little")

        packed = pack_values(config.path, (length, *size), None, frames, unit=8)
    gain = _SPIKLING_GAIN if config.gain is None else config.gain
    stream = SpikeStream(packed, Layout(*size), config.rate or DEFAULT_RATE, gain, str(config.path))
    image = tag[None].astype(np.float32) / 255
    return Sample(key=config.path.stem, spikes=stream, target={"image": image}, at=length // 2)


def _read_packed(archive: Archive, config: NpzConfig) -> Sample:
    _refuse_axes(config)
    _refuse_missing(archive)
    height, width, length = (_whole(archive, name, least=1) for name in ("height", "width", "length"))
    packed = np.ascontiguousarray(archive.array("packed", archive.limit))
    wanted = (length, -(-height * width // 8))
    if packed.dtype != np.uint8 or packed.shape != wanted:
        found = f"packed is {packed.dtype} {packed.shape}"
        raise SpikeFormatError(config.path, found, expected=f"uint8 {wanted} for {length} frames of {height}x{width}")
    rate = config.rate or float(archive.number("rate"))
    gain = config.gain
    if gain is None and "gain" in archive.names:
        gain = float(archive.number("gain"))
    if rate <= 0 or (gain is not None and gain <= 0):
        raise SpikeFormatError(config.path, f"rate {rate} and gain {gain}", expected="numbers above 0")
    return Sample(key=config.path.stem, spikes=SpikeStream(packed, Layout(height, width), rate, gain, str(config.path)))


def _refuse_axes(config: NpzConfig) -> None:
    if config.axes != "thw":
        raise UsageError(f"{config.path} says itself how its spikes lie; leave out axes={config.axes}")


def _refuse_missing(archive: Archive) -> None:
    """Compare the arrays with those that the file says it has."""
    if "format" not in archive.names:
        return
    kind, _, names = archive.text("format").partition(": ")
    if kind != _FORMAT:
        hint = "upgrade spikecore-plugin-vidar" if kind.startswith("spikecore") else ""
        raise SpikeFormatError(archive.path, f"the format {kind!r}", expected=repr(_FORMAT), hint=hint)
    if set(names.split()) != set(archive.names) - {"format"}:
        found = f"arrays {', '.join(archive.names)}"
        raise SpikeFormatError(archive.path, found, expected=f"{names}: the file was altered")


_READERS = {"array": _read_array, "uhsr": _read_uhsr, "spikling": _read_spikling, "packed": _read_packed}


def _whole(archive: Archive, name: str, least: int) -> int:
    value = archive.number(name)
    if not isinstance(value, int) or value < least:
        raise SpikeFormatError(archive.path, f"{name} is {value}", expected=f"a whole number from {least}")
    return value


def write_npz(stream: SpikeStream, path: Path, config: NpzConfig) -> None:
    """Write packed frames (top row first, lowest bit leftmost) with their geometry, rate and gain; in blocks.

    Stored, not compressed: as large as a `.dat`, and no archive of ours can be mistaken for a zip bomb. For small
    files write `.h5`.
    """
    layout = Layout(stream.height, stream.width)
    facts = {"height": stream.height, "width": stream.width, "length": len(stream), "rate": config.rate or stream.rate}
    gain = config.gain or stream.gain
    if gain is not None:
        facts["gain"] = gain
    held = {name: np.array(value) for name, value in facts.items()}
    held["format"] = np.array(f"{_FORMAT}: packed {' '.join(facts)}")
    with ZipFile(path, "w", ZIP_STORED) as archive:
        with archive.open("packed.npy", "w", force_zip64=True) as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(stream), layout.frame_bytes)}
            npy_format.write_array_header_1_0(file, header)
            for block in blocks(stream, layout):
                file.write(np.ascontiguousarray(block).data)
        for name, value in held.items():
            with archive.open(f"{name}.npy", "w") as file:
                npy_format.write_array(file, value, allow_pickle=False)
