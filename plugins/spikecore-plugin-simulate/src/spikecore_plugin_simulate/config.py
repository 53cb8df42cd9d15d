"""Options of the components of this plugin. Imports no torch and no numpy."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import attrs
from attrs.validators import and_, ge, gt, le, optional

from spikecore import option


class Grey(Enum):
    """How colours become grey."""

    LUMA = "luma"
    SPIKLING = "spikling"


class Reset(Enum):
    """What is left of a pixel's charge after a spike."""

    SUBTRACT = "subtract"
    ZERO = "zero"


class Preset(Enum):
    """Simulators of other projects, followed exactly."""

    NONE = "none"
    SPIKLING = "spikling"


class Dataset(Enum):
    """The two class-labelled sets of SpikeCLIP."""

    CALTECH = "caltech"
    CIFAR = "cifar"


class Split(Enum):
    """Training or test items."""

    TRAIN = "train"
    TEST = "test"


_MOST = 1_000_000
_POSITIVE = and_(ge(1e-6), le(1e9))


def _between(low: float, high: float) -> Any:
    """Validate a range (from, to) inside low..high."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: tuple[float, float]) -> None:
        if not low <= value[0] <= value[1] <= high:
            raise ValueError(f"{attribute.name} must be [from, to] within {low:g}..{high:g}, got {list(value)}")

    return check


def _side(least: int) -> Any:
    return and_(ge(least), le(4096))


def _refuse_more_than_fits(height: int, width: int, layers: int, length: int) -> None:
    """Before anything is drawn: textures and recordings are held in memory."""
    if height * width * layers > 2**24:
        raise ValueError(f"{layers} layers of {height}x{width} pixels are too large; at most {2**24} pixels in all")
    if height * width * length > 2**34:
        raise ValueError(f"{length} frames of {height}x{width} pixels are more than 2 GiB; make shorter clips")


def _picture_sides(instance: object, attribute: attrs.Attribute[Any], value: tuple[int, int]) -> None:
    if not all(16 <= side <= 250 for side in value):
        raise ValueError(f"{attribute.name} must be rows and columns of 16..250, got {list(value)}")


@attrs.frozen(kw_only=True, slots=False)
class SpikeCameraOptions:
    """What a simulated spike camera does to light; charge is counted so that `rate` is charge per frame in white."""

    threshold: float = option(
        1.0, help="charge at which a pixel fires; 1 gives `rate` spikes a frame", validator=_POSITIVE
    )
    random_phase: bool = option(True, help="pixels start with a random charge; false: empty, all in step")
    photons: float = option(
        0.0,
        help="photons per spike: intervals vary by 1/sqrt(photons); 0: no shot noise",
        validator=and_(ge(0), le(1e9)),
    )
    dark: float = option(0.0, help="charge per frame without light", validator=and_(ge(0.0), le(1.0)))
    threshold_spread: float = option(
        0.0, help="fixed pattern: relative standard deviation of the pixels' thresholds", validator=and_(ge(0), le(0.3))
    )
    gain_spread: float = option(
        0.0, help="fixed pattern: relative standard deviation of the pixels' gains", validator=and_(ge(0), le(0.3))
    )
    hot_share: float = option(0.0, help="share of hot pixels", validator=and_(ge(0.0), le(1.0)))
    hot_rate: float = option(0.3, help="charge per frame that a hot pixel adds", validator=and_(ge(0.0), le(1.0)))
    reset: Reset = option(
        Reset.SUBTRACT,
        help='"subtract": charge beyond the threshold is kept; "zero": it is lost at the read-out, so that still '
        "pixels have intervals of whole frames",
    )
    frequency: float = option(20_000.0, help="spike frames per second, Hz", validator=_POSITIVE)


@attrs.frozen(kw_only=True, slots=False)
class EventCameraOptions:
    """What a simulated event camera does to light."""

    contrast_on: float = option(
        0.2, help="rise of log intensity that makes an event", validator=and_(ge(1e-3), le(100))
    )
    contrast_off: float = option(
        0.2, help="fall of log intensity that makes an event", validator=and_(ge(1e-3), le(100))
    )
    contrast_spread: float = option(
        0.03, help="standard deviation of the pixels' contrast thresholds, absolute", validator=and_(ge(0.0), le(100))
    )
    refractory: float = option(
        0.0, help="microseconds a pixel is silent after an event", validator=and_(ge(0.0), le(1e12))
    )
    leak: float = option(
        0.0, help="rises per second that each pixel reports without any change", validator=and_(ge(0.0), le(1e4))
    )
    shot: float = option(
        0.0, help="noise events per second of a pixel in the dark; a quarter in white", validator=and_(ge(0), le(1e4))
    )
    floor: float = option(
        0.01, help="added to the intensity (0..1) before its logarithm is taken", validator=and_(ge(1e-9), le(1))
    )


@attrs.frozen(kw_only=True, slots=False)
class SceneOptions:
    """A generated world of textured planes in front of a moving camera; speeds are the largest of a clip."""

    clips: int = option(1, help="number of clips; any number comes from one seed", validator=ge(1))
    layers: int = option(3, help="textured planes, the farthest without holes", validator=and_(ge(1), le(16)))
    distance: tuple[float, float] = option(
        (5.0, 15.0), help="metres of the nearest and of the farthest plane", validator=_between(0.01, 1e4)
    )
    speed: tuple[float, float] = option(
        (0.0, 0.2),
        help="camera: pixels per frame that the farthest plane moves; nearer ones move more",
        validator=_between(0, 20),
    )
    object_speed: tuple[float, float] = option(
        (0.0, 0.2), help="nearer planes: pixels per frame of their own", validator=_between(0, 20)
    )
    rotation: tuple[float, float] = option(
        (0.0, 0.05), help="camera and nearer planes: degrees per frame", validator=_between(0, 20)
    )
    zoom: tuple[float, float] = option(
        (0.0, 0.001), help="relative growth per frame of the nearest plane", validator=_between(0, 0.1)
    )
    exposure: tuple[float, float] = option((0.6, 1.0), help="intensity of white", validator=_between(0.01, 1))
    contrast: tuple[float, float] = option(
        (0.6, 1.0), help="1: full contrast, 0: uniform grey", validator=_between(0, 1)
    )
    blur: tuple[float, float] = option(
        (0.5, 0.5),
        help="optics: standard deviation in pixels; 0.2 is as sharp as photographs",
        validator=_between(0.1, 5),
    )
    seed: int = option(0, help="seed of everything random", validator=ge(0))


@attrs.frozen(kw_only=True, slots=False)
class SpikesConfig(SpikeCameraOptions):
    """Options of simulate/spikes."""

    path: Path = option(help="a video file or a folder of images")
    height: int | None = option(
        None, help="rows of the picture; the video's own by default", validator=optional(_side(1))
    )
    width: int | None = option(
        None, help="columns; images are cropped in the middle to this shape, then scaled", validator=optional(_side(1))
    )
    rate: float = option(0.6, help="spikes per frame at intensity 1", validator=and_(gt(0.0), le(1.0)))
    interpolate: int = option(
        1, help="spike frames per video frame; pictures between are linear mixtures", validator=and_(ge(1), le(10_000))
    )
    length: int | None = option(
        None, help="spike frames at most; all by default", validator=optional(and_(ge(1), le(_MOST)))
    )
    grey: Grey = option(
        Grey.LUMA, help='"luma": Rec. 601 weights; "spikling": the same with red and blue swapped, as that project does'
    )
    gamma: float = option(1.0, help="light = (picture value) ** gamma; 2.2 undoes display coding", validator=_POSITIVE)
    preset: Preset = option(
        Preset.NONE, help='"spikling": exactly its video_to_spike (rate 1); other camera options are then refused'
    )
    allow_truncated: bool = option(False, help="take what can be decoded of a video that ends too early")
    check: bool = option(True, help="warn if the footage looks like spikes rather than a scene")
    seed: int = option(0, help="seed of everything random", validator=ge(0))


@attrs.frozen(kw_only=True, slots=False)
class ScenesConfig(SpikeCameraOptions, SceneOptions):
    """Options of simulate/scenes."""

    height: int = option(250, help="rows of the picture", validator=_side(8))
    width: int = option(400, help="columns of the picture", validator=_side(8))
    length: int = option(301, help="spike frames of each clip", validator=and_(ge(1), le(_MOST)))
    rate: tuple[float, float] = option(
        (0.6, 0.6),
        help="spikes per frame at intensity 1, drawn for each clip (logarithmic)",
        validator=_between(1e-3, 1),
    )
    flow: bool = option(False, help="targets also hold optical flow")
    depth: bool = option(False, help="targets also hold depth")

    def __attrs_post_init__(self) -> None:
        _refuse_more_than_fits(self.height, self.width, self.layers, self.length)


@attrs.frozen(kw_only=True, slots=False)
class EventsConfig(EventCameraOptions, SceneOptions):
    """Options of simulate/events; those of scenes are for generated ones, without `path`."""

    path: Path | None = option(None, help="a video file or a folder of images; generated scenes by default")
    height: int | None = option(
        None, help="rows; the video's own by default, 180 of scenes", validator=optional(_side(8))
    )
    width: int | None = option(
        None, help="columns; the video's own by default, 240 of scenes", validator=optional(_side(8))
    )
    length: int | None = option(
        None,
        help="frames looked at; all of a video by default, 200 of scenes",
        validator=optional(and_(ge(2), le(_MOST))),
    )
    fps: float | None = option(
        None, help="frames per second; the video's own by default, 1000 of scenes", validator=optional(_POSITIVE)
    )
    grey: Grey = option(Grey.LUMA, help="how colours become grey, as in simulate/spikes")
    gamma: float = option(1.0, help="light = (picture value) ** gamma", validator=_POSITIVE)
    allow_truncated: bool = option(False, help="take what can be decoded of a video that ends too early")
    check: bool = option(True, help="warn if the footage looks like spikes rather than a scene")

    def __attrs_post_init__(self) -> None:
        if self.path is None:
            _refuse_more_than_fits(self.height or 180, self.width or 240, self.layers, self.length or 200)


@attrs.frozen(kw_only=True, slots=False)
class StereoEventsConfig(EventCameraOptions, SceneOptions):
    """Options of simulate/stereo-events; the defaults of size, focal length and baseline are MVSEC's."""

    height: int = option(260, help="rows of the picture", validator=_side(8))
    width: int = option(346, help="columns of the picture", validator=_side(8))
    length: int = option(51, help="frames looked at", validator=and_(ge(2), le(_MOST)))
    layers: int = option(6, help="textured planes, the farthest without holes", validator=and_(ge(1), le(16)))
    distance: tuple[float, float] = option(
        (1.5, 10.0), help="metres of the nearest and of the farthest plane", validator=_between(0.01, 1e4)
    )
    speed: tuple[float, float] = option(
        (0.01, 0.05),
        help="camera: pixels per frame that the farthest plane moves; nearer ones move more",
        validator=_between(0, 20),
    )
    object_speed: tuple[float, float] = option(
        (0.0, 0.05), help="nearer planes: pixels per frame of their own", validator=_between(0, 20)
    )
    fps: float = option(1000.0, help="frames looked at per second", validator=_POSITIVE)
    baseline: float = option(0.1, help="metres between the cameras", validator=_POSITIVE)
    focal: float = option(226.0, help="focal length in pixels", validator=_POSITIVE)

    def __attrs_post_init__(self) -> None:
        _refuse_more_than_fits(self.height, self.width, self.layers, self.length)


@attrs.frozen(kw_only=True, slots=False)
class EventFileConfig:
    """Options of simulate/event-file."""

    path: Path = option(help="an HDF5 file with /events/x, y, t, p")
    height: int | None = option(None, help="rows of the sensor, where the file does not say", validator=optional(gt(0)))
    width: int | None = option(
        None, help="columns of the sensor, where the file does not say", validator=optional(gt(0))
    )
    check: bool = option(True, help="read all times once to see that they are sorted")


@attrs.frozen(kw_only=True, slots=False)
class ClassesConfig:
    """Options of simulate/classes; names follow SpikeCLIP-SNN's generator."""

    dataset: Dataset = option(Dataset.CIFAR, help='"cifar": 10 classes; "caltech": 101')
    split: Split = option(Split.TRAIN, help='"train" or "test": never the same items')
    num_train: int = option(50, help="training items of each class", validator=and_(ge(1), le(_MOST)))
    num_test: int = option(10, help="test items of each class", validator=and_(ge(1), le(_MOST)))
    num_frames: int = option(200, help="spike frames of each item", validator=and_(ge(1), le(_MOST)))
    image_size: tuple[int, int] = option(
        (224, 224), help="rows and columns that the class's picture takes of 250x250", validator=_picture_sides
    )
    lowlight_ratio: float = option(0.5, help="share of items in low light", validator=and_(ge(0.0), le(1.0)))
    fast_ratio: float = option(0.5, help="share of items that move fast", validator=and_(ge(0.0), le(1.0)))
    images: Path | None = option(None, help="a folder CLASS/*.png|jpg of photographs; toy shapes by default")
    photons: float = option(
        0.0, help="photons per spike; 0: no shot noise, as the real set nearly has", validator=and_(ge(0), le(1e9))
    )
    threshold_spread: float = option(
        0.06, help="fixed pattern: relative standard deviation of thresholds", validator=and_(ge(0), le(0.3))
    )
    original: bool = option(False, help="the original generator's behaviour, faults included; see the README")
    seed: int = option(0, help="seed of everything random", validator=ge(0))
