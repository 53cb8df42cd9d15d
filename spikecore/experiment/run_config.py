"""Options of the runner: the table [run] of an experiment."""

from __future__ import annotations

from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar, get_type_hints

import attrs
from attrs.validators import and_, ge, gt, le, optional

from spikecore.errors import ConfigError, closest
from spikecore.plugin.converter import as_path, make_converter
from spikecore.plugin.options import option

T = TypeVar("T")


class Display(StrEnum):
    """How intensities become picture values; min-max and percentile are for looking, not for measuring."""

    CLIP = "clip"
    RAW = "raw"
    MINMAX = "minmax"
    PERCENTILE = "percentile"


class Precision(StrEnum):
    """Arithmetic of learned methods."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


def strict(kind: type[T]) -> type[T]:
    """Class decorator: options stated in Python are read like those of a file, and refused by a ConfigError."""
    made, hints, converter = kind.__init__, get_type_hints(kind), make_converter()

    @wraps(made)
    def __init__(self: T, *values: Any, **options: Any) -> None:
        given = dict(zip(hints, values, strict=False)) | options
        name = ""
        try:
            for name in given:
                if name not in hints:
                    raise ConfigError(f"unknown option {name!r}: {closest(name, hints)}")
                given[name] = converter.structure(given[name], hints[name])
            name = ""
            made(self, **given)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{name and name + ': '}{error.args[0] if error.args else error}") from None

    kind.__init__ = __init__  # type: ignore[assignment, method-assign]
    return kind


@strict
@attrs.frozen
class RunConfig:
    """Options of the runner: the table [run] of an experiment and the flags of `spikecore reconstruct`."""

    at: int | float | None = option(
        None, help="this one instant: a frame number (events: microseconds)", validator=optional(ge(0))
    )
    start: int | None = option(None, help="first instant of a video", validator=optional(ge(0)))
    stop: int | None = option(None, help="the video ends before this instant", validator=optional(ge(1)))
    stride: int | None = option(
        None,
        help="spike frames (microseconds) between two instants; 1, for events the method's window",
        validator=optional(ge(1)),
    )
    result: str = option("", help="the kind that is written of a method that gives several; its first by default")
    gain: float | None = option(None, help="intensity per spike rate (spikes per frame)", validator=optional(gt(0.0)))
    display: Display = option(
        Display.CLIP, help="clip to [0, 1]; raw (.npy, .h5); or stretch each image by min-max or percentile"
    )
    near: float | None = option(None, help="metres where the colours of depth begin", validator=optional(gt(0.0)))
    far: float | None = option(None, help="metres where the colours of depth end", validator=optional(gt(0.0)))
    gamma: float = option(1.0, help="pictures are intensity ** (1 / gamma)", validator=gt(0.0))
    batch: int = option(1, help="instants computed together", validator=ge(1))
    device: str = option("cpu", help="cpu, cuda or cuda:N")
    precision: Precision = option(Precision.FLOAT32, help="arithmetic of learned methods")
    weights: str = option("", help="name or file of trained weights; the method's first that fit by default")
    tile: int = option(0, help="compute learned methods in squares of this side, 0 for whole pictures", validator=ge(0))
    overlap: int = option(16, help="pixels that neighbouring tiles share", validator=ge(0))
    tile_frames: int = option(0, help="compute videos in clips of this many frames, 0 for whole", validator=ge(0))
    overlap_frames: int = option(2, help="frames that neighbouring clips share", validator=ge(0))
    read_ahead: int = option(2, help="batches prepared while one is computed", validator=and_(ge(0), le(64)))
    output: str | None = option(None, help="what to write: .png .mp4 .webm .avi .npy .h5 .csv .json or a folder")
    fps: float = option(30.0, help="frames per second of a written video", validator=and_(ge(0.25), le(100_000.0)))
    bits: int = option(8, help="bits per value of PNG files, 8 or 16", validator=attrs.validators.in_((8, 16)))

    def __attrs_post_init__(self) -> None:
        video = [
            f"{name}={value}" for name in ("start", "stop", "stride") if (value := getattr(self, name)) is not None
        ]
        if self.at is not None and video:
            raise ValueError(f"at={self.at} is one instant, {', '.join(video)} mean a video: give one or the other")
        for path in filter(None, (self.output, self.weights)):
            as_path(path)
        if self.start is not None and self.stop is not None and self.stop <= self.start:
            raise ValueError(f"stop={self.stop} is not after start={self.start}")
        if self.near is not None and self.far is not None and self.far <= self.near:
            raise ValueError(f"far={self.far} is not beyond near={self.near}")
        for size, overlap in (("tile", "overlap"), ("tile_frames", "overlap_frames")):
            if getattr(self, size) and getattr(self, overlap) >= getattr(self, size):
                raise ValueError(
                    f"{overlap}={getattr(self, overlap)} must be smaller than {size}={getattr(self, size)}"
                )
