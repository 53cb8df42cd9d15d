"""Videos: MP4 that browsers play, WebM and AVI."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from importlib.util import find_spec
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikecore.errors import OutputError
from spikecore.plugin.sink import Picture, Target
from spikecore.sinks.aside import AsideFile
from spikecore.sinks.png import to_integers


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
        self._writer.write(values[..., ::-1] if values.ndim == 3 else cv2.cvtColor(values, cv2.COLOR_GRAY2BGR))
        self.written += 1

    def _close(self) -> None:
        import cv2

        if self._writer is None:
            return
        self._writer.release()
        check = cv2.VideoCapture(str(self.temporary))
        found = int(check.get(cv2.CAP_PROP_FRAME_COUNT)) if check.isOpened() else 0
        check.release()
        if self.temporary.suffix == ".avi" and found < self.written:  # OpenCV reports no error when the disk is full
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


def _even(values: NDArray[Any]) -> NDArray[np.uint8]:
    extra = [(0, values.shape[0] % 2), (0, values.shape[1] % 2)] + [(0, 0)] * (values.ndim - 2)
    return np.ascontiguousarray(np.pad(values, extra, mode="edge"))


@contextmanager
def without_lines(text: bytes) -> Iterator[None]:
    """Lines that contain `text` do not reach the process's standard error; all others do, when the block ends."""
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # there is no standard error to keep clean
        yield
        return
    with TemporaryFile() as held:
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
