"""Raw recordings of spike cameras: bit-packed frames back to back, opened as a memory map."""

from __future__ import annotations

import errno
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore import Layout, Sample, SpikeFormatError, SpikeStream, UsageError
from spikecore.files.boundary import file_size, refusing
from spikecore.files.foreign import identify
from spikecore.files.pictures import read_image
from spikecore.files.recording_source import OneRecording
from spikecore_plugin_vidar.config import DEFAULT_RATE, FOLDER_HINT, LARGEST_LIMIT, DatConfig
from spikecore_plugin_vidar.described import Description, describe_recording
from spikecore_plugin_vidar.geometry import Geometry, choose, count_frames
from spikecore_plugin_vidar.packing import blocks
from spikecore_plugin_vidar.plausibility import warn_if_implausible

_EXPECTED = "a spike recording"
_NO_MAPPING = (errno.ENODEV, errno.EINVAL, errno.EOPNOTSUPP, errno.EACCES, errno.EPERM, errno.ENOSYS)


class Dat(OneRecording):
    """One raw recording (`.dat`, `.raw`, `.bin`): a source of one sample whose spikes are a read-only memory map.

    Opening reads nothing but the first bytes and the files that may describe it; any size costs milliseconds.

    Args:
        config: Path, geometry and how it is stored; see `DatConfig`.

    Raises:
        SpikeFormatError: If it is no recording, its geometry is unknown, or its size does not fit.
    """

    def __init__(self, config: DatConfig) -> None:
        super().__init__(config.path)
        self.config = config
        self._size = file_size(config.path, _EXPECTED, FOLDER_HINT)
        foreign = identify(config.path)
        if foreign and (foreign.sure or config.check):
            raise foreign.error(config.path, f"{_EXPECTED}, without a header")
        stated = config.height is not None and config.width is not None
        self._known = describe_recording(config.path, geometry=not stated and not config.camera.startswith("1000x1000"))
        self._geometry = choose(config, self._known, self._size)
        self._frames, left = count_frames(config.path, self._size, self._geometry, config.allow_truncated)
        _refuse_missing_frames(config, self._known, self._geometry, self._frames)
        if left:
            text = f"{config.path}: the last {left} bytes, part of a frame, are left out"
            warnings.warn(text, UserWarning, stacklevel=2)

    def read(self) -> Sample:
        """A memory map of the frames, and the ground truth if there is one."""
        stream = self._open()
        if self.config.check:
            warn_if_implausible(self.config.path, stream, self._geometry, self._size)
        return Sample(key=self.config.path.stem, spikes=stream, target=self._truth(stream), at=self._setting("at"))

    def _truth(self, stream: SpikeStream) -> dict[str, Any]:
        path = self.config.image
        if path is None and self._known is not None and self._known.image is not None:
            path = self.config.path.with_name(self._known.image)
        if path is None:
            return {}
        if self._setting("at") is None:
            hint = "state the frame that the picture belongs to: at=N (--in at=N)"
            raise SpikeFormatError(path, "a ground truth of no stated frame", expected="its frame", hint=hint)
        return {"image": read_image(path, stream.shape[1:])[None]}

    def _open(self) -> SpikeStream:
        path = self.config.path
        layout = self._geometry.layout(self._setting("flip"), self._setting("bit_order"))
        with refusing(path, _EXPECTED):
            packed = _mapped(path, (self._frames, layout.frame_bytes))
        rate, gain = self._setting("rate") or DEFAULT_RATE, self._setting("gain")
        return SpikeStream(packed, layout, rate=rate, gain=gain, name=str(path))

    def _setting(self, name: str) -> Any:
        """An option that is stated, else what the description says, else None."""
        stated = getattr(self.config, name)
        return getattr(self._known, name, None) if stated is None else stated


def _mapped(path: Path, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The frames as a memory map, or in memory where files cannot be mapped, as on some network and virtual disks."""
    try:
        return np.memmap(path, np.uint8, mode="r", shape=shape)
    except OSError as error:
        if error.errno not in _NO_MAPPING:
            raise
    size = shape[0] * shape[1]
    hint = "copy it to a local disk and open the copy"
    if size > LARGEST_LIMIT:
        found = f"{size} bytes on a disk that refuses memory maps"
        raise SpikeFormatError(path, found, expected=f"at most {LARGEST_LIMIT} there", hint=hint)
    packed = np.fromfile(path, np.uint8, size)
    if len(packed) < size:
        found = f"{len(packed)} of {size} bytes could be read, and memory maps are refused"
        raise SpikeFormatError(path, found, expected="an ordinary file", hint=hint)
    return packed.reshape(shape)


def _refuse_missing_frames(config: DatConfig, known: Description | None, geometry: Geometry, frames: int) -> None:
    """A file shorter or longer than its description says was cut, or is another recording."""
    if known is None or known.frames in (None, frames):
        return
    if (known.height, known.width) != (geometry.height, geometry.width):
        return
    if not config.allow_truncated:
        hint = "if that is as it should be: allow_truncated=True (--allow-truncated)"
        raise SpikeFormatError(config.path, f"{frames} frames", expected=f"the {known.frames} described", hint=hint)
    text = f"{config.path}: it holds {frames} frames, not the {known.frames} described beside it"
    warnings.warn(text, UserWarning, stacklevel=3)


def write_dat(stream: SpikeStream, path: Path, config: DatConfig) -> dict[str, str]:
    """Write the frames back to back as cameras do, each filled up to whole bytes; in blocks.

    Args:
        stream: What to write.
        path: Where to.
        config: `flip` and `bit_order` are obeyed; `height` and `width`, if given, must be the stream's.

    Returns:
        The text of the side-car file that describes it, by what its name adds to the recording's.

    Raises:
        UsageError: If the stream is empty or the options ask for another geometry.
    """
    if config.header_columns or config.camera not in ("auto", "plain"):
        raise UsageError("raw recordings are written with plain rows; leave out camera and header_columns")
    asked = (config.height or stream.height, config.width or stream.width)
    if asked != stream.shape[1:]:
        raise UsageError(f"{stream.name} has pictures of {stream.height}x{stream.width}, not {asked[0]}x{asked[1]}")
    layout = Geometry(stream.height, stream.width).layout(config.flip, config.bit_order)
    with path.open("wb") as file:
        for block in blocks(stream, layout):
            file.write(np.ascontiguousarray(block).data)
    return {".toml": sidecar(stream, layout, config)}


def sidecar(stream: SpikeStream, layout: Layout, config: DatConfig) -> str:
    """The text that says what a `.dat` cannot: geometry, length, rate, gain, row and bit order."""
    return Description(
        height=layout.height,
        width=layout.width,
        frames=len(stream),
        rate=config.rate or stream.rate,
        gain=config.gain or stream.gain,
        flip=layout.flip,
        bit_order=layout.bit_order,
    ).to_toml()
