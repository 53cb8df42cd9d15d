"""Frames joined in the dark."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from spikecore_plugin_spikling.binning import COUNTS, fitting, joined

import spikecore as sc

FRAMES = 192


def firing(light, frames=FRAMES, seed=0):
    """Spikes (frames, height, width) of pixels that integrate `light`, (height, width) or one picture a frame."""
    light = np.broadcast_to(light, (frames, *np.shape(light)[-2:]))
    start = np.random.default_rng(seed).random(light.shape[1:])
    return torch.from_numpy(np.diff(np.floor(start + light.cumsum(0)), axis=0, prepend=0) > 0).to(torch.uint8)


def bars(shift):
    """Vertical bars of differing width, moved to the right."""
    bright = np.random.default_rng(0).random(20)[((np.arange(48) - shift) // 8).astype(int)] < 0.5
    return np.broadcast_to(np.where(bright, 0.07, 0.01), (32, 48))


@given(count=st.integers(1, 6), at=st.integers(96, 110), seed=st.integers(0, 9))
def test_joined_frames_hold_a_spike_where_any_of_theirs_does(count, at, seed):
    spikes = np.random.default_rng(seed).random((210, 2, 3)) < 0.1
    found = joined(torch.from_numpy(spikes.astype(np.uint8)), at, count).numpy()
    start = at - 16 * count
    for number in range(32):
        assert np.array_equal(found[number], spikes[start + number * count : start + (number + 1) * count].any(0))


@pytest.mark.parametrize(("light", "most"), [(0.02, 6), (0.15, 4), (0.35, 2), (0.6, 1)])
def test_still_light_is_joined_as_far_as_spikes_do_not_fall_together(light, most):
    assert fitting(firing(np.full((32, 48), light)), 96) == most


@pytest.mark.parametrize(("around", "most"), [(16, 1), (31, 1), (32, 2), (63, 3), (64, 4), (95, 4), (96, 6)])
def test_no_more_frames_than_there_are(around, most):
    spikes = firing(bars(0))
    assert fitting(spikes[96 - around :], around) == most
    assert fitting(spikes[: 96 + around], 96) == most


def test_the_faster_the_fewer():
    chosen = [fitting(firing(np.stack([bars(speed * t) for t in range(FRAMES)])), 96) for speed in (0, 0.06, 0.12, 0.3)]
    assert chosen[0] == COUNTS[-1]
    assert chosen == sorted(chosen, reverse=True)
    assert chosen[-1] < 3


def test_a_picture_smaller_than_a_block_and_a_black_one():
    assert fitting(torch.zeros(FRAMES, 3, 9, dtype=torch.uint8), 96) == 1
    assert fitting(torch.zeros(FRAMES, 8, 9, dtype=torch.uint8), 96) == COUNTS[-1]


def test_the_model_gives_the_rate_of_single_frames(host):
    """The shipped network on a dark still scene: joined frames come nearer to the light, and are not brighter."""
    x = np.linspace(0, 3, 64)
    light = 0.03 + 0.015 * np.sin(x) * np.cos(x[:48, None])
    stream = sc.SpikeStream.from_frames(firing(light).numpy().astype(bool))
    images = {
        bin: sc.reconstruct(stream, "spikling/semi-unet", at=96, gain=1.0, **({"bin": bin} if bin else {}))
        for bin in (None, 1, 6)
    }
    assert np.array_equal(images[None], images[6])
    errors = {bin: float(np.sqrt(((image - light) ** 2).mean())) for bin, image in images.items()}
    assert errors[6] < 0.5 * errors[1]
    assert images[6].mean() == pytest.approx(light.mean(), rel=0.05)


def test_instants_near_the_ends_have_fewer_frames_and_those_nearer_are_refused():
    stream = sc.SpikeStream.from_frames(firing(bars(0), 80).numpy().astype(bool))
    near = sc.reconstruct(stream, "spikling/semi-unet", at=17, gain=1.0)
    assert np.array_equal(near, sc.reconstruct(stream, "spikling/semi-unet", at=17, gain=1.0, bin=1))
    with pytest.raises(sc.UsageError, match=r"window of 32 frames around instant 15"):
        sc.reconstruct(stream, "spikling/semi-unet", at=15)


def test_training_takes_frames_as_they_are(build):
    model = build("semi-unet")
    assert (model.window.length, model.eval().window.length) == (32, FRAMES)
