"""How the frames of a `.dat` lie in the file: what is stated, what is known, and what would fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs

from spikecore import Layout, SpikeFormatError, UsageError
from spikecore_plugin_vidar.config import BitOrder, Camera, DatConfig
from spikecore_plugin_vidar.described import Description

_COMMON = (
    (250, 400), (1000, 1000), (500, 800), (360, 640), (480, 640), (396, 640), (240, 320), (250, 250), (720, 1280)
)  # fmt: skip
"""Height × width of the cameras and data sets in use."""

_CAMERAS_OF: dict[tuple[int, int], tuple[Camera, ...]] = {(250, 400): ("head16",), (1000, 1000): ("1000x1000",)}
"""Cameras of which raw recordings with other than plain rows are in use."""

_EXPECTED = "a spike recording: frames back to back, one bit per pixel, no header"


@attrs.frozen
class Geometry:
    """The size of the picture and how its rows are stored.

    Args:
        height: Rows of the picture.
        width: Columns of the picture.
        camera: How rows are stored, not "auto".
        header_columns: Stored columns right of the picture, for plain rows.
    """

    height: int
    width: int
    camera: Camera = "plain"
    header_columns: int = 0

    def layout(self, flip: bool | None = None, bit_order: BitOrder | None = None) -> Layout:
        """The layout of a frame; rows are bottom row first where `flip` is not said, except for the 1000x1000 camera.

        The 1000x1000 camera sends each row as two lines of 512 bits, 500 pixels and 12 bits of line number and channel.
        SpikeCV drops columns 500..511 and 1000..1011 instead of 500..511 and 1012..1023: "1000x1000-spikecv".
        """
        bits = self.width
        columns: tuple[tuple[int, int], ...] = ()
        if self.camera == "plain" and self.header_columns:
            bits, columns = self.width + self.header_columns, ((0, self.width),)
        elif self.camera == "head16":
            bits, columns = self.width + 16, ((0, self.width),)
        elif self.camera == "1000x1000":
            bits, columns = 1024, ((0, 500), (512, 1012))
        elif self.camera == "1000x1000-spikecv":
            bits, columns = 1024, ((0, 500), (512, 1000), (1012, 1024))
        upside_down = not self.camera.startswith("1000x1000") if flip is None else flip
        return Layout(self.height, self.width, bits, columns, upside_down, bit_order or "little")

    @property
    def words(self) -> str:
        """How to ask for this geometry, in Python and on the command line."""
        options = f"height={self.height}, width={self.width}"
        flags = f"--height {self.height} --width {self.width}"
        if self.camera != "plain":
            return f'{options}, camera="{self.camera}" ({flags} --in camera={self.camera})'
        return f"{options} ({flags})"


def fitting(size: int) -> Iterator[Geometry]:
    """The common geometries of which a file of `size` bytes holds a whole number of frames."""
    for height, width in _COMMON:
        for camera in ("plain", *_CAMERAS_OF.get((height, width), ())):
            geometry = Geometry(height, width, camera)
            if size % geometry.layout().frame_bytes == 0:
                yield geometry


def choose(config: DatConfig, known: Description | None, size: int) -> Geometry:
    """The geometry that is stated or known, with rows stored in the way that fits the file.

    Raises:
        SpikeFormatError: If nothing says what the geometry is; names the common ones that fit.
        UsageError: If options contradict each other.
    """
    height = config.height or (known.height if known else None)
    width = config.width or (known.width if known else None)
    if config.camera.startswith("1000x1000"):
        height, width = height or 1000, width or 1000
        if (height, width) != (1000, 1000):
            raise UsageError(f"camera={config.camera} sends pictures of 1000x1000, not {height}x{width}")
    if config.header_columns and config.camera not in ("auto", "plain"):
        raise UsageError(f"header_columns={config.header_columns} and camera={config.camera} contradict each other")
    if height is None or width is None:
        raise _unknown(config.path, size)
    if config.camera != "auto":
        return Geometry(height, width, config.camera, config.header_columns)
    plain = Geometry(height, width, header_columns=config.header_columns)
    others = [Geometry(height, width, camera) for camera in _cameras(plain)]
    fits = [geometry for geometry in (plain, *others) if size % geometry.layout().frame_bytes == 0]
    return fits[0] if fits else plain


def _cameras(plain: Geometry) -> tuple[Camera, ...]:
    if plain.header_columns:
        return ()
    return ("1000x1000",) if (plain.height, plain.width) == (1000, 1000) else ("head16",)


def _unknown(path: Path, size: int) -> SpikeFormatError:
    return SpikeFormatError(
        path,
        "its height and width are stated nowhere",
        expected="both, or a description beside it",
        hint=suggestions(size),
    )


def suggestions(size: int) -> str:
    """What to type for each common geometry that fits a file of `size` bytes."""
    fits = [f"{found.words}: {size // found.layout().frame_bytes} frames" for found in fitting(size)]
    if not fits:
        return "no common geometry fits the file size; state yours: height=250, width=400 (--height 250 --width 400)"
    return "the file size fits\n    " + "\n    ".join(fits)


def count_frames(path: Path, size: int, geometry: Geometry, truncated: bool) -> tuple[int, int]:
    """Whole frames in the file, and bytes left over.

    Raises:
        SpikeFormatError: If there is no whole frame, or bytes are left over and `truncated` is not allowed.
    """
    frame_bytes = geometry.layout().frame_bytes
    frames, left = divmod(size, frame_bytes)
    shape = f"{geometry.height}x{geometry.width}"
    if not frames:
        found = f"{size} bytes, shorter than one frame of {shape} ({frame_bytes} bytes)"
        raise SpikeFormatError(path, found, expected=_EXPECTED, hint=suggestions(size))
    if left and not truncated:
        found = f"{size} bytes are {frames} whole frames of {shape} ({frame_bytes} bytes each) and {left} bytes more"
        hint = f"{suggestions(size)}\n  or drop the {left} bytes: allow_truncated=True (--allow-truncated)"
        raise SpikeFormatError(path, found, expected="a whole number of frames", hint=hint)
    return frames, left
