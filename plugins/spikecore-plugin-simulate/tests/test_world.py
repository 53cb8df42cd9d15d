"""Generated worlds: drawn as said, exact at any instant, flow and depth that belong to the pictures."""

from __future__ import annotations

import attrs
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikecore_plugin_simulate.config import SceneOptions
from spikecore_plugin_simulate.motion import Motion
from spikecore_plugin_simulate.render import render
from spikecore_plugin_simulate.textures import grain
from spikecore_plugin_simulate.world import World


def world(seed=0, height=48, width=64, **options):
    return World.random(SceneOptions(**options), height, width, np.random.default_rng(seed))


def drawn_slowly(textures, maps, height, width):
    """What `render` says it does, in numpy, one plane after the other from the front."""
    rows, columns = np.mgrid[:height, :width]
    image, through = np.zeros((height, width)), np.ones((height, width))
    for texture, place in zip(textures.astype(float), maps, strict=True):
        period = np.array(texture.shape[:2]) - 1
        x = (place[0, 0] * columns + place[0, 1] * rows + place[0, 2]) % period[1]
        y = (place[1, 0] * columns + place[1, 1] * rows + place[1, 2]) % period[0]
        j, i = x.astype(int) % period[1], y.astype(int) % period[0]
        u, v = (x % 1)[..., None], (y % 1)[..., None]
        seen = (texture[i, j] * (1 - u) + texture[i, j + 1] * u) * (1 - v)
        seen += (texture[i + 1, j] * (1 - u) + texture[i + 1, j + 1] * u) * v
        image += through * seen[..., 0]
        through *= 1 - seen[..., 1]
    return image


@settings(max_examples=30)
@given(
    seed=st.integers(0, 50),
    affine=st.lists(st.floats(-3, 3, width=32), min_size=8, max_size=8),
    shift=st.floats(-500, 500, width=32),
)
def test_kernel_equals_its_description(seed, affine, shift):
    random = np.random.default_rng(seed)
    cover = random.random((2, 11, 14, 1))
    cover[1] = 1
    textures = np.concatenate([random.random((2, 11, 14, 1)) * cover, cover], axis=-1).astype(np.float32)
    textures[:, -1], textures[:, :, -1] = textures[:, 0], textures[:, :, 0]
    textures[:, -1, -1] = textures[:, 0, 0]
    maps = np.array(affine).reshape(2, 2, 2)
    maps = np.concatenate([maps, np.full((2, 2, 1), shift)], axis=2)
    image = np.empty((7, 9), np.float32)
    render(textures, maps, image)
    assert np.abs(image - drawn_slowly(textures, maps, 7, 9)).max() < 5e-4


@pytest.mark.parametrize("seed", range(4))
def test_pictures_are_intensities(seed):
    for t in (-3.5, 0.0, 17.25, 1e6):
        image = world(seed).image(t)
        assert image.dtype == np.float32
        assert image.shape == (48, 64)
        assert image.min() >= 0
        assert image.max() <= 1
        assert image.std() > 0.02


def test_no_motion_no_change():
    still = world(speed=(0, 0), object_speed=(0, 0), rotation=(0, 0), zoom=(0, 0))
    assert np.array_equal(still.image(0), still.image(123.4))
    assert not np.array_equal(world().image(0), world().image(123.4))


def test_motion_is_smooth_and_within_its_limits():
    moving = world(5, layers=1, speed=(0.2, 0.2), rotation=(0, 0), zoom=(0, 0))
    times = np.arange(0, 2000, 0.5)
    speed = np.hypot(*np.diff(moving.camera.at(times)[:, :2], axis=0).T) / 0.5
    assert speed.max() <= 0.2001
    assert speed.mean() == pytest.approx(0.14, abs=0.01)
    near, exact = moving.image(100.0), moving.image(100.01)
    assert np.abs(near - exact).max() < 0.01


def test_the_picture_moves_as_said():
    """A camera that goes one column to the right and two rows down a frame."""
    zero = np.zeros(4)
    steady = Motion(np.array([1.0, 2.0, 0.0, 0.0]), zero, zero + 1, zero)
    moving = attrs.evolve(world(2, layers=1), camera=steady)
    assert np.abs(moving.image(3.0)[:-6, :-3] - moving.image(0.0)[6:, 3:]).max() < 1e-4
    assert np.allclose(moving.flow(1.0), np.array([-1.0, -2.0])[:, None, None], atol=1e-5)


def errors_of_flow(moving, t=50.0, after=2.0):
    flow = moving.flow(t)
    rows, columns = np.mgrid[: moving.height, : moving.width].astype(np.float32)
    x, y = columns + after * flow[0], rows + after * flow[1]
    back = cv2.remap(moving.image(t + after), x, y, cv2.INTER_LANCZOS4)
    inside = (x > 3) & (y > 3) & (x < moving.width - 4) & (y < moving.height - 4)
    return np.abs(back - moving.image(t))[inside], np.abs(moving.image(t + after) - moving.image(t))[inside]


@pytest.mark.parametrize("options", [{}, {"speed": (0.3, 0.4), "zoom": (0.002, 0.004)}, {"rotation": (0.3, 0.5)}])
def test_flow_leads_from_one_picture_to_the_next(options):
    with_flow, without = errors_of_flow(world(3, 96, 128, **options))
    assert np.quantile(with_flow, 0.9) < 0.3 * np.quantile(without, 0.9)


def test_depth_is_that_of_the_nearest_plane():
    deep = world(1, 96, 128, layers=5, distance=(2.0, 20.0), zoom=(0, 0))
    depth = deep.depth(30.0)
    assert set(np.unique(depth)) <= set(deep.distance.astype(np.float32))
    assert depth.max() == pytest.approx(20)
    assert len(np.unique(depth)) >= 3
    assert np.isfinite(depth).all()


def test_coming_nearer_makes_depth_smaller_and_pictures_larger():
    nearing = world(7, 64, 64, layers=1, distance=(4, 4), speed=(0, 0), rotation=(0, 0), zoom=(0.01, 0.01))
    times = np.arange(0.0, 400.0)
    closest, farthest = (times[pick(nearing.camera.at(times)[:, 3])] for pick in (np.argmax, np.argmin))
    near, far = nearing.depth(closest)[0, 0], nearing.depth(farthest)[0, 0]
    assert near < far
    a, b = nearing.image(farthest), nearing.image(closest)
    grown = cv2.warpAffine(a, cv2.getRotationMatrix2D((31.5, 31.5), 0, float(far / near)), (64, 64))
    assert np.corrcoef(grown[16:48, 16:48].ravel(), b[16:48, 16:48].ravel())[0, 1] > 0.95


def test_a_moving_edge_is_antialiased():
    """Sub-pixel motion changes the mean of a picture little: no texel is skipped."""
    moving = world(4, 64, 64, layers=1, speed=(0.1, 0.1), rotation=(0, 0), zoom=(0, 0))
    means = np.array([image[8:-8, 8:-8].mean() for image in moving.images(np.arange(0, 20, 0.25))])
    assert np.abs(np.diff(means)).max() < 2e-3


def test_grain_has_a_power_law_spectrum():
    power = np.mean([np.abs(np.fft.fft2(grain(96, 96, np.random.default_rng(n)))) ** 2 for n in range(10)], axis=0)
    frequency = np.hypot(np.fft.fftfreq(96)[:, None], np.fft.fftfreq(96)[None])
    inside = (frequency > 0.02) & (frequency < 0.4)
    slope = np.polyfit(np.log(frequency[inside]), np.log(power[inside]), 1)[0]
    assert slope == pytest.approx(-2, abs=0.1)
