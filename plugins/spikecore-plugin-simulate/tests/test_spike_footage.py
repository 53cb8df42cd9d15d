"""Spikes that were kept as pictures are not taken for a scene without a word; scenes are taken without one."""

from __future__ import annotations

import warnings

import cv2
import numpy as np
import pytest
from spikecore_plugin_simulate.spike_footage import SpikeFootageWarning

LIGHT = 0.05 + 0.6 * np.mgrid[:48, :64][1] / 64


def spikes(light, count=10):
    """Integrate and fire, bool (count, H, W)."""
    charge = np.random.default_rng(0).random(light.shape) + light * np.arange(1, count + 1)[:, None, None]
    return np.diff(np.floor(charge), axis=0, prepend=np.floor(charge[:1] - light)) > 0


def write(path, frames, codec):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 25, frames.shape[:0:-1])
    assert writer.isOpened()
    for frame in frames:
        writer.write(np.dstack([frame] * 3))
    writer.release()
    return path


def folder(path, frames):
    for number, frame in enumerate(frames):
        cv2.imwrite(str(path / f"{number}.png"), frame)
    return path


@pytest.fixture(params=["spikes", "events"])
def taken(build, request):
    """taken(path, **options): what either camera warns of."""

    def taken(path, **options):
        options |= {"fps": 25.0} if request.param == "events" else {}
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            build(request.param, path=str(path), **options)[0]
        return [one for one in seen if one.category is SpikeFootageWarning]

    return taken


@pytest.mark.parametrize("dim", [1, 0.05], ids=["bright", "dim"])
@pytest.mark.parametrize("codec", ["FFV1", "MJPG", "XVID"])
def test_videos_of_spikes(taken, tmp_path, codec, dim):
    frames = spikes(LIGHT * dim).astype(np.uint8) * 255
    (warning,) = taken(write(tmp_path / "a.avi", frames, codec))
    assert str(tmp_path / "a.avi") in str(warning.message)
    assert "SpikeStream.from_frames(array)" in str(warning.message)
    assert not taken(tmp_path / "a.avi", check=False)


@pytest.mark.parametrize("white", [1, 255, 65535])
def test_images_of_spikes(taken, tmp_path, white):
    frames = spikes(LIGHT).astype(np.uint16 if white > 255 else np.uint8) * white
    assert taken(folder(tmp_path, frames))


def test_the_preset_warns_too(build, tmp_path):
    path = folder(tmp_path, spikes(LIGHT).astype(np.uint8) * 255)
    with pytest.warns(SpikeFootageWarning, match="--no-check"):
        build("spikes", path=str(path), preset="spikling")[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build("spikes", path=str(path), preset="spikling", check=False)[0]


def moving(picture, step=2):
    return np.stack([np.roll(picture, step * number, axis=1) for number in range(10)])


def scenes():
    random, square = np.random.default_rng(1), np.zeros((48, 64), np.uint8)
    square[10:30, 20:50] = 255
    yield "square", moving(square)
    yield "square out of focus", moving(cv2.GaussianBlur(square, (0, 0), 1.5))
    yield "stripes", moving((np.mgrid[:48, :64][1] // 8 % 2 * 255).astype(np.uint8))
    yield "black", np.zeros((10, 48, 64), np.uint8)
    yield "white", np.full((10, 48, 64), 255, np.uint8)
    yield "noise", random.integers(0, 256, (10, 48, 64), np.uint8)
    yield "gradient", moving((LIGHT * 255).astype(np.uint8))
    yield "night", np.clip(random.normal(8, 5, (10, 48, 64)) + moving(square // 4), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("name", "frames"), [*scenes()], ids=lambda part: part if isinstance(part, str) else "")
def test_scenes_are_taken_without_a_word(taken, tmp_path, name, frames):
    assert not taken(folder(tmp_path, frames))
    (tmp_path / "b").mkdir()
    assert not taken(write(tmp_path / "b" / "a.avi", frames, "XVID"))


def test_one_picture_says_nothing(build, tmp_path):
    path = folder(tmp_path, spikes(LIGHT)[:1].astype(np.uint8) * 255)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build("spikes", path=str(path))[0]
