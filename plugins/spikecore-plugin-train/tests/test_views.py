"""Crops, mirror images and turns: the same for everything in a sample."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from spikecore_plugin_train.config import LoopConfig
from spikecore_plugin_train.data import TrainingSet
from spikecore_plugin_train.order import Place
from spikecore_plugin_train.view import View, see

from spikecore import EventStream, Sample, UsageError, Window
from spikecore.testing.tiny import TinySource

from .conftest import everything


def turned(picture, mode):
    """The reference: quarter turns counter-clockwise, then a mirror."""
    for _ in range(mode % 4):
        picture = np.stack([picture[..., :, column] for column in reversed(range(picture.shape[-1]))], axis=-2)
    return picture[..., ::-1] if mode >= 4 else picture


def pictures(sample):
    """The numbered picture, as each part of a sample shows it."""
    spikes = (sample.spikes.unpack().astype(int) << np.arange(6)[:, None, None]).sum(0)
    (camera,) = sample.events
    events = np.zeros((camera.height, camera.width), int)
    np.add.at(events, (camera.y, camera.x), 1)
    return {
        "spikes": spikes,
        "events": events,
        "frames": sample.frames[0, 0],
        "later frames": sample.frames[1, 0] - 1,
        "video": sample.target["video"][0, 0],
        "depth": sample.target["depth"][0],
    }


@pytest.mark.parametrize("mode", range(8))
@pytest.mark.parametrize("box", [(0, 0, 6, 9), (1, 3, 4, 4), (2, 0, 3, 9), (5, 8, 1, 1)])
def test_everything_is_seen_alike_in_all_eight_ways(mode, box):
    top, left, height, width = box
    whole = np.arange(54).reshape(6, 9)
    wanted = turned(whole[top : top + height, left : left + width], mode)
    sample = see(everything(), View(*box, mode))
    for name, picture in pictures(sample).items():
        assert np.array_equal(picture, wanted), name
    assert np.array_equal(sample.target["image"][0], wanted)
    assert sample.target["features"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("mode", range(8))
def test_larger_targets_are_cut_larger(mode):
    sample = see(everything(factor=3), View(1, 2, 4, 4, mode))
    small = pictures(sample)["spikes"]
    assert np.array_equal(sample.target["image"][0], np.kron(small, np.ones((3, 3))))


def test_sizes_that_do_not_fit_are_refused():
    sample = everything()
    odd = attrs.evolve(sample, target={"image": np.zeros((1, 8, 9))})
    with pytest.raises(UsageError, match="8x9 is no whole multiple of the sample's 6x9"):
        see(odd, View(0, 0, 4, 4))


@pytest.mark.parametrize("mode", range(8))
def test_flow_is_turned_with_its_picture(mode):
    """A pixel displaced by its vector lands where the turned vector takes the turned pixel."""
    size = 5
    start, end = np.zeros((size, size)), np.zeros((size, size))
    start[1, 2], end[3, 1] = 1, 1  # it moves by x -1, y +2
    flow = np.zeros((2, size, size))
    flow[:, 1, 2] = (-1, 2)
    seen = see(Sample(key="flow", target={"flow": flow, "depth": start[None]}), View(0, 0, size, size, mode))
    (place,) = np.argwhere(turned(start, mode))
    (landed,) = np.argwhere(turned(end, mode))
    assert np.array_equal(np.argwhere(seen.target["depth"][0]), [place])
    dx, dy = seen.target["flow"][:, place[0], place[1]]
    assert (place[0] + dy, place[1] + dx) == tuple(landed)


@pytest.mark.parametrize(
    ("config", "cameras", "size", "modes"),
    [
        (LoopConfig(flips=True, rotations=True), 1, (8, 8), set(range(8))),
        (LoopConfig(flips=True), 1, (8, 8), {0, 2, 4, 6}),
        (LoopConfig(rotations=True), 1, (8, 8), {0, 1, 2, 3}),
        (LoopConfig(rotations=True), 1, (8, 10), {0, 2}),
        (LoopConfig(flips=True, rotations=True, crop=6), 1, (8, 10), set(range(8))),
        (LoopConfig(flips=True, rotations=True), 2, (8, 8), {0, 6}),
        (LoopConfig(flips=True), 2, (8, 10), {0, 6}),
        (LoopConfig(crop=3), 1, (8, 10), {0}),
    ],
)
def test_only_turns_that_keep_shapes_and_stereo_are_drawn(config, cameras, size, modes):
    event = np.zeros(1, np.int64)
    camera = EventStream(x=event, y=event, t=event, p=event > 0, height=size[0], width=size[1])
    training = TrainingSet(TinySource(), Window(), config, 0)
    sample = Sample(key="any", events=[camera] * cameras)
    views = [training._view(sample, np.random.default_rng(seed)) for seed in range(200)]
    assert {view.mode for view in views} == modes
    corners = {(view.top, view.left) for view in views}
    side = config.crop
    assert len(corners) == ((size[0] - side + 1) * (size[1] - side + 1) if side else 1)


def test_a_crop_larger_than_the_picture_is_refused():
    with pytest.raises(UsageError, match="item-0 is 6x7, too small for crop = 7"):
        TrainingSet(TinySource(), Window.centred(8), LoopConfig(crop=7), 0)[Place(0, 0)]
