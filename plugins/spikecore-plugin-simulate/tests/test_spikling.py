"""spikling's simulator, bit by bit."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from spikecore_plugin_simulate.spikling import initial_charge

from spikecore import SpikeFormatError, UsageError


@pytest.fixture(scope="module")
def golden(shared):
    return shared / "golden" / "spikling"


def test_initial_charges(golden):
    with np.load(golden / "sim_init_adder.npz") as held:
        assert np.array_equal(initial_charge(np.random.RandomState(0), 48, 64), held["adder"])


def test_preset(build, golden):
    options = {"path": str(golden / "sim_src.avi"), "height": 48, "width": 64, "length": 32, "preset": "spikling"}
    sample = build("spikes", **options)[0]
    with np.load(golden / "sim_0001.npz") as theirs:
        assert np.array_equal(np.packbits(sample.spikes.unpack(), axis=0, bitorder="little"), theirs["seq"])
        assert np.array_equal(sample.target["image"][0], theirs["tag"].astype(np.float32) / np.float32(255))
    assert (sample.at, sample.spikes.gain, sample.meta["rate"]) == (16, 1.0, 1.0)


def test_pictures_come_in_one_pass(build, video):
    for preset in ("none", "spikling"):
        footage = build("spikes", path=str(video), preset=preset)
        pictures = list(footage.images())
        assert len(pictures) == len(footage[0].spikes)
        assert all(np.array_equal(pictures[at], footage.image(at)) for at in (0, 5, len(pictures) - 1))


def test_what_it_cannot_do_is_said(build, video, tmp_path):
    with pytest.raises(UsageError, match="has no frame 1000"):
        build("spikes", path=str(video), preset="spikling").image(1000)
    with pytest.raises(UsageError, match=r"fixes photons, dark; leave them out"):
        build("spikes", path=str(video), preset="spikling", photons=10.0, dark=0.1)
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((6, 8), np.uint16))
    with pytest.raises(SpikeFormatError, match="8 bits"):
        build("spikes", path=str(tmp_path), preset="spikling")[0]
