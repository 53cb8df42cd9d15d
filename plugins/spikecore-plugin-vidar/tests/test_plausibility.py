"""The warning about a wrong geometry or bit order: there when it must be, absent when it must not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from spikecore_plugin_vidar.plausibility import GeometryWarning

import spikecore as sc
from spikecore import SpikeStream

CLIPS = ["203_part2_key_id151", "203_part3_key_id151"]
WRONG = [
    ({"height": 400, "width": 250}, "--height 250 --width 400"),
    ({"height": 500, "width": 800, "allow_truncated": True}, "--height 250 --width 400"),
    ({"height": 250, "width": 400, "bit_order": "big"}, "--in bit_order=little"),
    ({"height": 250, "width": 400, "bit_order": "big", "flip": False}, "--in bit_order=little"),
]


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("flip", [True, False])
def test_real_clips_are_not_doubted(clips, name, flip):
    sc.open(clips / "spike" / f"{name}.dat", height=250, width=400, flip=flip)


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize(("options", "remedy"), WRONG)
@pytest.mark.filterwarnings("ignore:.*part of a frame:UserWarning")
def test_real_clips_read_wrongly_are_doubted(clips, name, options, remedy):
    with pytest.warns(GeometryWarning, match=remedy):
        sc.open(clips / "spike" / f"{name}.dat", **options)


def test_real_capture_is_not_doubted(shared, tmp_path):
    stream = sc.open(shared / "data" / "uhsr" / "04144_helicopter.npz")
    path = sc.save(stream, tmp_path / "clip.dat")
    sc.open(path)
    with pytest.warns(GeometryWarning, match="--in bit_order=little"):
        sc.open(path, bit_order="big")


def test_swapped_sides_of_a_made_scene(tmp_path, scene):
    path = sc.save(scene(), tmp_path / "clip.dat")
    sc.open(path)
    with pytest.warns(GeometryWarning, match="--height 64 --width 96"):
        sc.open(path, height=96, width=64)
    with pytest.warns(GeometryWarning, match="--in bit_order=little"):
        sc.open(path, bit_order="big")


def test_recording_in_the_other_order_is_not_doubted_when_said(tmp_path, scene):
    path = sc.save(scene(), tmp_path / "clip.dat", bit_order="big")
    sc.open(path)
    with pytest.warns(GeometryWarning, match="--in bit_order=big"):
        sc.open(path, bit_order="little")


def test_check_can_be_turned_off(tmp_path, scene):
    path = sc.save(scene(), tmp_path / "clip.dat")
    sc.open(path, height=96, width=64, check=False)


def still(name):
    """Probabilities of a spike, (250, 400), of recordings that tell nothing or look odd."""
    y, x = np.mgrid[:250, :400]
    rng = np.random.default_rng(3)
    return {
        "silent": np.zeros((250, 400)),
        "full": np.ones((250, 400)),
        "noise": np.full((250, 400), 0.05),
        "pixel pattern": rng.uniform(0.1, 0.5, (250, 400)),
        "column pattern": np.tile(rng.uniform(0.1, 0.5, 400), (250, 1)),
        "row pattern": np.tile(rng.uniform(0.1, 0.5, (250, 1)), (1, 400)),
        "slope": y / 250 * 0.5,
        "side slope": x / 400 * 0.5,
        "fine stripes": y % 2 * 0.6,
        "fine bars": x % 2 * 0.6,
        "checkers": (x // 4 + y // 4) % 2 * 0.6,
    }[name]


@pytest.mark.parametrize("length", [1, 3, 64])
@pytest.mark.parametrize(
    "name",
    [
        "silent",
        "full",
        "noise",
        "pixel pattern",
        "column pattern",
        "row pattern",
        "slope",
        "side slope",
        "fine stripes",
        "fine bars",
        "checkers",
    ],
)
def test_odd_recordings_are_not_doubted(tmp_path, name, length):
    chance = still(name)
    frames = np.random.default_rng(4).random((length, 250, 400)) < chance
    path = sc.save(SpikeStream.from_frames(frames), tmp_path / "clip.dat")
    with warnings.catch_warnings():
        warnings.simplefilter("error", GeometryWarning)
        sc.open(path)


@pytest.mark.parametrize("size", [(1, 1), (1, 64), (64, 1), (2, 3), (8, 8)])
def test_tiny_pictures_are_not_doubted(tmp_path, size):
    frames = np.random.default_rng(5).random((9, *size)) < 0.5
    sc.open(sc.save(SpikeStream.from_frames(frames), tmp_path / "clip.dat"))
