"""Videos: MP4 that browsers play, WebM and AVI."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore.errors import OutputError
from spikecore.plugin.sink import Picture, Target
from spikecore.sinks.aside import AsideFile
from spikecore.sinks.png import to_integers

_SEGMENT = b"\x18\x53\x80\x67"
_ERRORS = 2  # cv2.utils.logging.LOG_LEVEL_ERROR


class CvVideo(AsideFile):
    """AVI (XVID) or WebM (VP8) through OpenCV."""

    def __init__(self, target: Target, codec: str) -> None:
        super().__init__(target)
        self.codec = codec
        self._writer: Any = None

    def write(self, instant: float, result: Picture) -> None:
        """See `Sink`."""
        import cv2

        self._alike(result)
        values = _even(to_integers(result))
        if self._writer is None:
            size = (values.shape[1], values.shape[0])
            codec = cv2.VideoWriter.fourcc(*self.codec)
            with without_lines(b"is not supported with codec id"):  # said of every code for WebM; it then takes VP8
                self._writer = cv2.VideoWriter(str(self.temporary), codec, self.target.fps, size, True)
            if not self._writer.isOpened():
                self.temporary.unlink(missing_ok=True)
                raise OutputError(
                    f"{self.target.path}: OpenCV cannot encode {self.codec} here; write .npy or PNG files"
                )
        with _unheard():
            self._writer.write(values[..., ::-1] if values.ndim == 3 else cv2.cvtColor(values, cv2.COLOR_GRAY2BGR))
        self.written += 1

    def _close(self) -> None:
        if self._writer is None:
            return
        with _unheard():
            self._writer.release()
            found = frames_in(self.temporary)
        if found != self.written:  # OpenCV reports no error when the disk is full
            raise OSError(f"only {found} of {self.written} frames arrived (is the disk full?)")


class Mp4(AsideFile):
    """H.264 in MP4 through PyAV, playable by browsers; odd sizes get their last row or column repeated."""

    def __init__(self, target: Target) -> None:
        if find_spec("av") is None:
            raise OutputError(
                f"{target.path}: writing .mp4 needs PyAV\n  try: pip install 'spikecore[video]', or write .webm"
            )
        super().__init__(target)
        self._container: Any = None
        self._stream: Any = None

    def write(self, instant: float, result: Picture) -> None:
        """See `Sink`."""
        self._alike(result)
        self._guard(lambda: self._encode(_even(to_integers(result))))
        self.written += 1

    def _encode(self, values: NDArray[np.uint8]) -> None:
        import av

        if self._container is None:
            self._container = av.open(str(self.temporary), "w", format="mp4", options={"movflags": "+faststart"})
            rate = Fraction(self.target.fps).limit_denominator(1001)
            self._stream = self._container.add_stream("libx264", rate=rate, options={"crf": "17", "preset": "veryfast"})
            self._stream.height, self._stream.width = values.shape[:2]
            self._stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(values, format="gray" if values.ndim == 2 else "rgb24")
        self._container.mux(self._stream.encode(frame))

    def _close(self) -> None:
        if self._container is not None:
            self._container.mux(self._stream.encode(None))
            self._container.close()

    def _abandon(self) -> None:
        self._container = self._stream = None  # FFmpeg dies where a video whose beginning failed is ended


def _even(values: NDArray[Any]) -> NDArray[np.uint8]:
    extra = [(0, values.shape[0] % 2), (0, values.shape[1] % 2)] + [(0, 0)] * (values.ndim - 2)
    return np.ascontiguousarray(np.pad(values, extra, mode="edge"))


def frames_in(path: Path) -> int:
    """How many frames a video has that OpenCV wrote; 0 if its end is missing."""
    import cv2

    webm = path.suffix.lower() == ".webm"
    if not (_webm_ends(path) if webm else _avi_ends(path)):
        return 0
    video = cv2.VideoCapture(str(path))
    try:
        return sum(1 for _ in iter(video.grab, False)) if webm else int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    finally:
        video.release()


def _webm_ends(path: Path) -> bool:
    """Whether a WebM file is as long as its segment says, which is written when all else is."""
    with path.open("rb") as file:
        head = file.read(4096)
    start = head.find(_SEGMENT) + len(_SEGMENT)
    size = int.from_bytes(head[start + 1 : start + 8], "big")  # eight bytes, of which the first tells that
    return start >= len(_SEGMENT) and start + 8 + size == path.stat().st_size


def _avi_ends(path: Path) -> bool:
    """Whether an AVI file is as long as its parts say, and the first of them has the index that is written last."""
    length, place, indexed = path.stat().st_size, 0, False
    with path.open("rb") as file:
        while place < length:
            file.seek(place)
            name, size = file.read(4), int.from_bytes(file.read(4), "little")
            indexed |= name == b"idx1"
            place += 8 + size + size % 2 if place else 12  # into the first part, over what it holds and over the others
    return indexed and place == length


@contextmanager
def _unheard() -> Iterator[None]:
    """OpenCV warns of every frame that a full disk does not take; the end of the video is looked at instead."""
    import cv2

    before = cv2.utils.logging.setLogLevel(_ERRORS)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)


@contextmanager
def without_lines(text: bytes) -> Iterator[None]:
    """Lines that contain `text` do not reach the process's standard error; all others do, when the block ends."""
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        held = TemporaryFile()  # noqa: SIM115  # closed below
    except OSError:  # no room; then they are heard
        yield
        return
    try:
        saved = os.dup(2)
    except OSError:  # there is no standard error to keep clean
        held.close()
        yield
        return
    with held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            for line in held:
                if text not in line:
                    os.write(2, line)
