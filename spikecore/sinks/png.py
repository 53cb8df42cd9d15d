"""PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from spikecore.errors import OutputError
from spikecore.plugin.sink import Picture, Target
from spikecore.sinks.aside import AsideFile


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


def picture_name(instant: float) -> str:
    """The file name of an instant's picture; different instants have different names, which sort by time.

    >>> picture_name(150), picture_name(150.85), picture_name(151.0)
    ('00000150.png', '00000150_85.png', '00000151.png')
    """
    whole, _, rest = np.format_float_positional(float(instant), trim="-").partition(".")
    return f"{int(whole):08d}{'_' if rest else ''}{rest}.png"  # "_" sorts after ".", so 150 comes before 150.85


class PngFile(AsideFile):
    """One image."""

    def write(self, instant: float, result: Picture) -> None:
        """See `Sink`."""
        self._guard(lambda: self.temporary.write_bytes(encode_png(result, self.target.bits)))
        self.written += 1

    def _close(self) -> None:
        pass


class PngFolder:
    """One file per instant, named by it; each appears only when complete."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.written = 0
        try:
            target.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{target.path}: the folder cannot be made: {error.strerror or error}") from error

    def write(self, instant: float, result: Picture) -> None:
        """See `Sink`."""
        try:
            sink = PngFile(attrs.evolve(self.target, path=self.target.path / picture_name(instant)))
            sink.write(instant, result)
            sink.commit()
        except OutputError as error:
            raise OutputError(f"{error}\n  {self.written} pictures before it are complete") from error
        self.written += 1

    def commit(self) -> Path:
        """See `Sink`."""
        return self.target.path

    def interrupt(self) -> Path | None:
        """See `Sink`."""
        return self.target.path
