"""spikling's simulator, bit by bit."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from spikecore_plugin_simulate.spikling import initial_charge, video_to_spike

from spikecore import SpikeFormatError, UsageError


@pytest.fixture(scope="module")
def golden(shared):
    return shared / "golden" / "spikling"


def test_initial_charges(golden):
    with np.load(golden / "sim_init_adder.npz") as held:
        assert np.array_equal(initial_charge(np.random.RandomState(0), 48, 64), held["adder"])


def test_pairs(golden, tmp_path):
    written = video_to_spike(golden / "sim_src.avi", (64, 48), 32, str(tmp_path / "sp{:04d}.npz"))
    assert [path.name for path in written] == ["sp0001.npz", "sp0002.npz"]
    for path in written:
        with np.load(path) as ours, np.load(golden / f"sim_{path.stem[2:]}.npz") as theirs:
            assert sorted(ours.files) == sorted(theirs.files)
            for key in theirs.files:
                assert ours[key].dtype == theirs[key].dtype
                assert np.array_equal(ours[key], theirs[key])


def test_preset(build, golden):
    options = {"path": str(golden / "sim_src.avi"), "height": 48, "width": 64, "length": 32, "preset": "spikling"}
    sample = build("spikes", **options)[0]
    with np.load(golden / "sim_0001.npz") as theirs:
        assert np.array_equal(np.packbits(sample.spikes.unpack(), axis=0, bitorder="little"), theirs["seq"])
        assert np.array_equal(sample.target["image"][0], theirs["tag"].astype(np.float32) / np.float32(255))
    assert (sample.at, sample.spikes.gain, sample.meta["rate"]) == (16, 1.0, 1.0)


def test_charges_go_on_between_windows_and_a_rest_is_dropped(video, tmp_path):
    one = video_to_spike(video, (20, 15), 10, str(tmp_path / "one{}.npz"))
    two = video_to_spike(video, (20, 15), 5, str(tmp_path / "two{}.npz"), first=7)
    assert [path.name for path in (*one, *two)] == ["one1.npz", "two7.npz", "two8.npz"]
    whole, halves = (
        np.concatenate([np.unpackbits(np.load(path)["seq"], axis=0, bitorder="little")[:length] for path in paths])
        for paths, length in ((one, 10), (two, 5))
    )
    assert np.array_equal(whole, halves)


def test_any_generator_draws_the_charges(video, tmp_path):
    made = [video_to_spike(video, (20, 15), 12, str(tmp_path / f"{n}.npz"), random=r)[0] for n, r in enumerate(
        (np.random.default_rng(5), np.random.default_rng(5), np.random.default_rng(6)))]  # fmt: skip
    spikes = [np.load(path)["seq"] for path in made]
    assert np.array_equal(spikes[0], spikes[1])
    assert not np.array_equal(spikes[0], spikes[2])


def test_what_it_cannot_do_is_said(build, video, tmp_path):
    with pytest.raises(SpikeFormatError, match="fewer frames than one window"):
        video_to_spike(video, (20, 15), 13, str(tmp_path / "x{}.npz"))
    with pytest.raises(UsageError, match="must be above 0"):
        video_to_spike(video, (20, 15), 0)
    with pytest.raises(UsageError, match=r"fixes photons, dark; leave them out"):
        build("spikes", path=str(video), preset="spikling", photons=10.0, dark=0.1)
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((6, 8), np.uint16))
    with pytest.raises(SpikeFormatError, match="8 bits"):
        build("spikes", path=str(tmp_path), preset="spikling")[0]
