"""Recordings in `.npz` archives: U-HSR, spikling, our own, or any array of 0 and 1."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from numpy.lib import format as npy_format

from spikecore import Layout, Sample, SpikeFormatError, SpikeStream
from spikecore.files.recording_source import OneRecording
from spikecore_plugin_vidar.archive import Archive, open_archive
from spikecore_plugin_vidar.config import DEFAULT_RATE, NpzConfig
from spikecore_plugin_vidar.packing import blocks, refuse_larger
from spikecore_plugin_vidar.recognise import NPZ_KINDS

_SPIKLING_GAIN = 1.0
"""spikling's simulator fires grey / 255 spikes per frame, so that intensity is the spike rate itself."""


class Npz(OneRecording):
    """One `.npz` file: a source of one sample. It is read and packed when the sample is asked for.

    The kind is known by the names of the arrays; `key` names any other array (frames, height, width):

    - U-HSR: `spk` (frames, height, width), `label` (class number), `label_name` (text);
    - spikling: `seq` (ceil(length / 8), height, width), bits along time, the lowest the earliest; `tag`, the ground
      truth of frame length // 2; `length`;
    - our own: `packed` (length, ceil(height × width / 8)), `height`, `width`, `length`, `rate`, and `gain` if known.

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
    hint = "name the array (frames, height, width) of spikes: key=NAME (--in key=NAME)"
    expected = "spk, label, label_name (U-HSR), or seq, tag, length (spikling), or our own"
    raise SpikeFormatError(config.path, f"arrays {', '.join(archive.names) or 'none'}", expected=expected, hint=hint)


def _read_array(archive: Archive, config: NpzConfig) -> Sample:
    packed, (_, height, width) = archive.spikes(config.key, config.binarise)
    stream = SpikeStream(packed, Layout(height, width), config.rate or DEFAULT_RATE, config.gain, str(config.path))
    return Sample(key=config.path.stem, spikes=stream)


def _read_uhsr(archive: Archive, config: NpzConfig) -> Sample:
    packed, (_, height, width) = archive.spikes("spk", config.binarise)
    stream = SpikeStream(packed, Layout(height, width), config.rate or DEFAULT_RATE, config.gain, str(config.path))
    label = _whole(archive, "label", least=0)
    return Sample(key=config.path.stem, spikes=stream, label=label, text=archive.text("label_name"))


def _read_spikling(archive: Archive, config: NpzConfig) -> Sample:
    length = _whole(archive, "length", least=1)
    planes, tag = archive.array("seq", config.limit), archive.array("tag", config.limit)
    size = planes.shape[1:]
    if planes.dtype != np.uint8 or planes.ndim != 3 or 0 in size or len(planes) != -(-length // 8):
        expected = f"uint8 (ceil({length} / 8), height, width)"
        raise SpikeFormatError(config.path, f"seq is {planes.dtype} {planes.shape}", expected=expected)
    if tag.dtype != np.uint8 or tag.shape != size:
        raise SpikeFormatError(config.path, f"tag is {tag.dtype} {tag.shape}", expected=f"uint8 {size}")
    refuse_larger(config.path, f"{length} frames unpacked", length * tag.size, config.limit)
    frames = np.unpackbits(planes, axis=0, count=length, bitorder="little")
    gain = _SPIKLING_GAIN if config.gain is None else config.gain
    stream = SpikeStream.from_frames(
        frames.view(np.bool_), rate=config.rate or DEFAULT_RATE, gain=gain, name=str(config.path)
    )
    image = tag[None].astype(np.float32) / 255
    return Sample(key=config.path.stem, spikes=stream, target={"image": image}, at=length // 2)


def _read_packed(archive: Archive, config: NpzConfig) -> Sample:
    height, width, length = (_whole(archive, name, least=1) for name in ("height", "width", "length"))
    packed = np.ascontiguousarray(archive.array("packed", config.limit))
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
    with ZipFile(path, "w", ZIP_STORED) as archive:
        with archive.open("packed.npy", "w", force_zip64=True) as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(stream), layout.frame_bytes)}
            npy_format.write_array_header_1_0(file, header)
            for block in blocks(stream, layout):
                file.write(np.ascontiguousarray(block).data)
        for name, value in facts.items():
            with archive.open(f"{name}.npy", "w") as file:
                npy_format.write_array(file, np.array(value), allow_pickle=False)
