"""Video files and folders of images as pictures, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import attrs
import cv2
from numpy.typing import NDArray

from spikecore import SpikeFormatError
from spikecore.files.boundary import first_bytes, local, refusing
from spikecore.files.names import natural
from spikecore.files.pictures import SUFFIXES, read_pixels

_EXPECTED = "a video: MP4, MOV, AVI, MKV or WebM"
_MAX_PIXELS = 4096 * 3072
"""Of a frame: some dozen copies of it are held by the decoder and by what follows."""
_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_EBML = b"\x1aE\xdf\xa3"


class Footage(Protocol):
    """Pictures in order; each pass reads them anew."""

    @property
    def path(self) -> Path:
        """The file or folder."""
        ...

    @property
    def fps(self) -> float | None:
        """Pictures per second, if the file says."""
        ...

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Pictures (height, width) or (height, width, 3) in blue, green, red, as stored; all of one size."""
        ...


def open_footage(path: Path, allow_truncated: bool = False) -> Footage:
    """A folder of images or a video file; only looked at, not decoded.

    Raises:
        UsageError: If `path` is an address or a numbered pattern.
        SpikeFormatError: If it is missing, or neither a video nor a folder of images.
    """
    place = local(path)
    return ImageFolder.find(place) if place.is_dir() else Video.find(place, allow_truncated)


@attrs.frozen
class ImageFolder:
    """The images of a folder, in natural order of their names; hidden files and files of other kinds are left out."""

    path: Path
    names: tuple[str, ...]
    fps: float | None = None

    @classmethod
    def find(cls, path: Path) -> ImageFolder:
        """List the images of a folder."""
        with refusing(path, "a folder of images"):
            found = [entry.name for entry in path.iterdir() if entry.suffix.lower() in SUFFIXES]
        names = sorted((name for name in found if not name.startswith(".")), key=natural)
        if not names:
            raise SpikeFormatError(path, "a folder without images", expected=f"files {' '.join(SUFFIXES)}")
        return cls(path, tuple(names))

    def __iter__(self) -> Iterator[NDArray[Any]]:
        first: tuple[int, ...] | None = None
        for name in self.names:
            picture = read_pixels(self.path / name)
            first = first or picture.shape[:2]
            if picture.shape[:2] != first:
                found = f"a picture of {picture.shape[0]}x{picture.shape[1]}"
                raise SpikeFormatError(self.path / name, found, expected=f"{first[0]}x{first[1]} as {self.names[0]}")
            yield picture


@attrs.frozen
class Video:
    """A video file decoded by OpenCV; the start of the file was looked at before any decoder does."""

    path: Path
    allow_truncated: bool = False

    @classmethod
    def find(cls, path: Path, allow_truncated: bool = False) -> Video:
        """Look at the first bytes: a text file with a video's name could make the decoder open other files."""
        start = first_bytes(path, _EXPECTED)
        known = start[4:8] in _ATOMS or (start[:4] == b"RIFF" and start[8:12] == b"AVI ") or start.startswith(_EBML)
        if not known:
            found = f"no video, it starts with {start[:12]!r}"
            raise SpikeFormatError(path, found, expected=_EXPECTED, hint="images are given as the folder they are in")
        return cls(path, allow_truncated)

    @property
    def fps(self) -> float | None:
        """Frames per second that the file states."""
        capture = self._open()
        value = float(capture.get(cv2.CAP_PROP_FPS))
        capture.release()
        return value if 0 < value < 1e6 else None

    def __iter__(self) -> Iterator[NDArray[Any]]:
        capture = self._open()
        decoded = 0
        try:
            while True:
                more, picture = capture.read()
                if not more:
                    break
                decoded += 1
                yield picture
            claimed = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        finally:
            capture.release()
        self._compare(decoded, claimed)

    def _open(self) -> cv2.VideoCapture:
        with refusing(self.path, _EXPECTED):
            capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
            if not capture.isOpened():
                found = "a damaged or incomplete video, or a codec that OpenCV does not know"
                raise SpikeFormatError(self.path, found, expected=_EXPECTED, hint="try: ffprobe to see what it is")
            size = capture.get(cv2.CAP_PROP_FRAME_WIDTH) * capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
            if size > _MAX_PIXELS:
                raise SpikeFormatError(self.path, f"frames of {size:.0f} pixels", expected=f"at most {_MAX_PIXELS}")
        return capture

    def _compare(self, decoded: int, claimed: int) -> None:
        """Decoders stop at damage without a word; Matroska states a duration, which may be one frame more."""
        tolerance = 1 if self.path.suffix.lower() in (".mkv", ".webm") else 0
        if decoded == 0:
            raise SpikeFormatError(self.path, "no frame could be decoded", expected=_EXPECTED)
        if decoded < claimed - tolerance and not self.allow_truncated:
            found = f"{decoded} of {claimed} frames could be decoded; the file is cut or damaged"
            hint = "to take those: allow_truncated=True (--set allow_truncated=true)"
            raise SpikeFormatError(self.path, found, expected="a complete video", hint=hint)
