"""Where pictures go: PNG files, videos, NPY and HDF5, each finished aside and renamed.

A sink that is interrupted keeps what was finished under "NAME.partial.SUFFIX"; nothing incomplete has the final name.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.errors import OutputError, UsageError
from spikecore.output import aside, publish
from spikecore.quiet import without_lines

Picture = NDArray[np.float32]
PICTURES = (".png", ".mp4", ".webm", ".avi")
ARRAYS = (".npy", ".h5", ".hdf5")


class Sink(Protocol):
    """Takes results one by one, in order; `written` says how many it has taken whole."""

    written: int

    def write(self, instant: int, picture: Picture) -> None:
        """Take the result (H, W) or (H, W, 3) of one instant, pictures in [0, 1]."""
        ...

    def commit(self) -> Path:
        """All results are in: give the file its final name and return it."""
        ...

    def interrupt(self) -> Path | None:
        """Stop early: keep what is finished under a partial name and return it; None if there is nothing."""
        ...


@attrs.frozen
class Target:
    """What a sink is opened for.

    Args:
        path: The file, or a folder for PNG files.
        count: Number of results to come.
        fps: Frames per second of videos.
        bits: 8 or 16 bits per value in PNG files.
        attributes: Plain values to store in the file where the format can (HDF5).
    """

    path: Path
    count: int
    fps: float = 30.0
    bits: int = 8
    attributes: Mapping[str, str] = attrs.field(factory=dict)


def open_sink(target: Target, *, pictures: bool = True) -> Sink:
    """The sink for a file name.

    Args:
        target: The file and what will come.
        pictures: False for results that are no pictures (depth, labels): only NPY and HDF5 take those.

    Raises:
        UsageError: If the suffix is unknown or does not take such results.
        OutputError: If it cannot be written there, or the encoder is not installed.
    """
    suffix = target.path.suffix.lower()
    openers: dict[str, Callable[[Target], Sink]] = {
        "": PngFolder,
        ".png": PngFile if target.count == 1 else _refuse_png,
        ".mp4": Mp4,
        ".webm": lambda target: CvVideo(target, "VP80"),
        ".avi": lambda target: CvVideo(target, "XVID"),
        ".npy": Npy,
        ".h5": Hdf5,
        ".hdf5": Hdf5,
    }
    if suffix not in openers:
        known = ", ".join([*PICTURES, *ARRAYS])
        raise UsageError(
            f"{target.path}: cannot write {suffix} files; written can be {known}, or a folder of PNG files"
        )
    if not pictures and suffix not in ARRAYS:
        raise UsageError(f"{target.path}: these results are no pictures; write them to {' or '.join(ARRAYS[:2])}")
    return openers[suffix](target)


def _refuse_png(target: Target) -> Sink:
    raise UsageError(
        f"{target.path}: one PNG file cannot hold {target.count} images; give a folder, a video, or one instant (--at)"
    )


def to_integers(picture: Picture, bits: int = 8) -> NDArray[Any]:
    """[0, 1] → 0..2**bits-1, rounded to nearest."""
    top = 2**bits - 1
    return np.asarray(np.rint(np.clip(picture, 0, 1) * top), np.uint8 if bits == 8 else np.uint16)


def encode_png(picture: Picture, bits: int = 8) -> bytes:
    """A PNG file of a picture (H, W) or (H, W, 3) RGB in [0, 1]."""
    import cv2

    values = to_integers(picture, bits)
    done, data = cv2.imencode(".png", values[..., ::-1] if values.ndim == 3 else values)
    if not done:
        raise OutputError(f"a picture of shape {picture.shape} could not be encoded as PNG")
    return data.tobytes()


class _File:
    """A file written aside. Subclasses write to `self.temporary` and finish it in `_close`."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.temporary = aside(target.path)
        self.written = 0

    @abstractmethod
    def _close(self) -> None: ...

    def _guard(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except OSError as error:
            self.temporary.unlink(missing_ok=True)
            raise OutputError(f"{self.target.path} could not be written: {error.strerror or error}") from error

    def commit(self) -> Path:
        self._guard(self._close)
        self._guard(lambda: publish(self.temporary, self.target.path))
        return self.target.path

    def interrupt(self) -> Path | None:
        partial = self.target.path.with_name(f"{self.target.path.stem}.partial{self.target.path.suffix}")
        try:
            self._close()
            if not self.written:
                return None
            publish(self.temporary, partial)
        except (OSError, OutputError):
            return None
        finally:
            self.temporary.unlink(missing_ok=True)
        return partial


class PngFile(_File):
    """One image."""

    def write(self, instant: int, picture: Picture) -> None:
        """See `Sink`."""
        self._guard(lambda: self.temporary.write_bytes(encode_png(picture, self.target.bits)))
        self.written += 1

    def _close(self) -> None:
        pass


class PngFolder:
    """One file per instant, named by its frame number; each appears only when complete."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.written = 0
        try:
            target.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{target.path}: the folder cannot be made: {error.strerror or error}") from error

    def write(self, instant: int, picture: Picture) -> None:
        """See `Sink`."""
        sink = PngFile(attrs.evolve(self.target, path=self.target.path / f"{instant:08d}.png"))
        sink.write(instant, picture)
        sink.commit()
        self.written += 1

    def commit(self) -> Path:
        """See `Sink`."""
        return self.target.path

    def interrupt(self) -> Path | None:
        """See `Sink`."""
        return self.target.path


class CvVideo(_File):
    """AVI (XVID) or WebM (VP8) through OpenCV."""

    def __init__(self, target: Target, codec: str) -> None:
        super().__init__(target)
        self.codec = codec
        self._writer: Any = None

    def write(self, instant: int, picture: Picture) -> None:
        """See `Sink`."""
        import cv2

        values = _even(to_integers(picture))
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


class Mp4(_File):
    """H.264 in MP4 through PyAV, playable by browsers; odd sizes get their last row or column repeated."""

    def __init__(self, target: Target) -> None:
        if find_spec("av") is None:
            raise OutputError(
                f"{target.path}: writing .mp4 needs PyAV\n  try: pip install 'spikecore[video]', or write .webm"
            )
        super().__init__(target)
        self._container: Any = None
        self._stream: Any = None

    def write(self, instant: int, picture: Picture) -> None:
        """See `Sink`."""
        self._guard(lambda: self._encode(_even(to_integers(picture))))
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


class Npy(_File):
    """float32 (count, H, W[, 3]), streamed."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._file: BinaryIO = self._guard(lambda: self.temporary.open("wb"))
        self._shape: tuple[int, ...] = ()

    def write(self, instant: int, picture: Picture) -> None:
        """See `Sink`."""
        if not self.written:
            self._shape = picture.shape
            self._guard(self._header)
        self._guard(lambda: self._file.write(np.ascontiguousarray(picture, np.float32).tobytes()))
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


class Hdf5(_File):
    """Data set `images` float32 (count, H, W[, 3]) with gzip and checksums, `instants` int64, attributes of the run."""

    def __init__(self, target: Target) -> None:
        import h5py

        super().__init__(target)
        self._file = self._guard(lambda: h5py.File(self.temporary, "w"))
        self._images: Any = None
        self._instants: list[int] = []

    def write(self, instant: int, picture: Picture) -> None:
        """See `Sink`."""
        self._guard(lambda: self._append(picture))
        self._instants.append(instant)
        self.written += 1

    def _append(self, picture: Picture) -> None:
        if self._images is None:
            self._images = self._file.create_dataset(
                "images",
                shape=(0, *picture.shape),
                maxshape=(None, *picture.shape),
                chunks=(1, *picture.shape),
                dtype="<f4",
                compression="gzip",
                compression_opts=1,
                shuffle=True,
                fletcher32=True,
            )
        self._images.resize(self.written + 1, axis=0)
        self._images[self.written] = picture

    def _close(self) -> None:
        self._file["instants"] = np.array(self._instants, np.int64)
        self._file.attrs.update(self.target.attributes)
        self._file.close()


def _even(values: NDArray[Any]) -> NDArray[np.uint8]:
    extra = [(0, values.shape[0] % 2), (0, values.shape[1] % 2)] + [(0, 0)] * (values.ndim - 2)
    return np.ascontiguousarray(np.pad(values, extra, mode="edge"))
