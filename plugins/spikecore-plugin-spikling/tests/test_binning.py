"""Frames joined in the dark."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from spikecore_plugin_spikling.binning import COUNTS, joined, lost, shares

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


def mean_count(spikes, at=96):
    return float(sum(count * torch.as_tensor(share).mean() for count, share in shares(spikes, at).items()))


@given(count=st.integers(1, 6), at=st.integers(96, 110), seed=st.integers(0, 9))
def test_joined_frames_hold_a_spike_where_any_of_theirs_does(count, at, seed):
    spikes = np.random.default_rng(seed).random((210, 2, 3)) < 0.2
    stack = torch.from_numpy(spikes.astype(np.uint8))
    found = joined(stack, at, count).numpy()
    pieces = spikes[at - 16 * count : at + 16 * count].reshape(32, count, 2, 3)
    assert np.array_equal(found, pieces.any(1))
    held, kept = pieces.sum((0, 1)), pieces.any(1).sum(0)
    assert lost(stack, at, count).numpy() == pytest.approx(np.where(kept > 0, held / np.maximum(kept, 1), 1))


@pytest.mark.parametrize(("light", "most"), [(0.02, 6), (0.15, 4), (0.35, 2), (0.6, 1)])
def test_still_light_is_joined_as_far_as_spikes_do_not_fall_together(light, most):
    assert shares(firing(np.full((32, 48), light)), 96) == {most: 1.0}


@pytest.mark.parametrize(("around", "most"), [(16, 1), (31, 1), (32, 2), (63, 2), (64, 4), (95, 4), (96, 6)])
def test_no_more_frames_than_there_are(around, most):
    spikes = firing(bars(0))
    assert shares(spikes[96 - around :], around) == {most: 1.0}
    assert shares(spikes[: 96 + around], 96) == {most: 1.0}


def test_the_faster_the_fewer():
    chosen = [mean_count(firing(np.stack([bars(speed * t) for t in range(FRAMES)]))) for speed in (0, 0.06, 0.12, 0.5)]
    assert chosen[0] == COUNTS[-1]
    assert chosen == sorted(chosen, reverse=True)
    assert chosen[-1] < 2


def test_what_moves_is_joined_less_than_the_still_rest():
    light = np.full((FRAMES, 64, 96), 0.03)
    for t in range(FRAMES):
        light[t, 26:38, t // 3 : t // 3 + 12] = 0.12
    held = shares(firing(light), 96)
    assert sum(held.values()).numpy() == pytest.approx(1)
    assert float(held[6][:16].mean()) > 0.95, "far from it"
    assert float(held[1][28:36, 34:42].mean()) > 0.8, "where it is at the instant"


def test_a_picture_smaller_than_a_block_and_a_black_one():
    assert shares(torch.zeros(FRAMES, 3, 9, dtype=torch.uint8), 96) == {1: 1.0}
    assert shares(torch.zeros(FRAMES, 8, 9, dtype=torch.uint8), 96) == {COUNTS[-1]: 1.0}


def reconstructed(light, frames=FRAMES, **options):
    stream = sc.SpikeStream.from_frames(firing(light, frames).numpy().astype(bool))
    return sc.reconstruct(stream, "spikling/semi-unet", at=96, gain=1.0, **options)


def error(image, light):
    return float(np.sqrt(np.mean((image - light) ** 2)))


def test_dark_and_still_light_is_found_better_and_no_brighter():
    light = 0.03 + 0.015 * np.sin(np.linspace(0, 3, 64)) * np.cos(np.linspace(0, 3, 48))[:, None]
    images = {count: reconstructed(light, **({"bin": count} if count else {})) for count in (None, 1, 6)}
    assert np.array_equal(images[None], images[6])
    assert error(images[6], light) < 0.5 * error(images[1], light)
    assert images[6].mean() == pytest.approx(light.mean(), rel=0.05)


@pytest.mark.parametrize("options", [{}, {"bin": 6}])
def test_a_lamp_in_the_dark_keeps_its_brightness(options):
    light = np.full((64, 80), 0.03)
    light[28:36, 36:44] = 0.8
    assert reconstructed(light, **options)[30:34, 38:42].mean() == pytest.approx(0.8, rel=0.1)


def test_each_item_of_a_batch_has_its_own_frames(build):
    streams = [sc.SpikeStream.from_frames(firing(light, 210).numpy().astype(bool)) for light in (bars(0), bars(3) * 8)]
    model = build("semi-unet").eval()
    samples = [sc.Sample(key=str(at), spikes=stream, at=at) for stream, at in zip(streams, (30, 100), strict=True)]
    with torch.inference_mode():
        together = model(sc.collate(samples).to("cpu"))["image"]
        alone = [model(sc.collate([sample]).to("cpu"))["image"][0] for sample in samples]
    assert torch.allclose(together, torch.stack(alone), atol=2e-3)


def test_instants_near_the_ends_have_fewer_frames_and_those_nearer_are_refused():
    stream = sc.SpikeStream.from_frames(firing(bars(0), 80).numpy().astype(bool))
    near = sc.reconstruct(stream, "spikling/semi-unet", at=17, gain=1.0)
    assert np.array_equal(near, sc.reconstruct(stream, "spikling/semi-unet", at=17, gain=1.0, bin=1))
    with pytest.raises(sc.UsageError, match=r"window of 32 frames around instant 15"):
        sc.reconstruct(stream, "spikling/semi-unet", at=15)


def test_training_takes_frames_as_they_are(build):
    model = build("semi-unet")
    assert (model.window.length, model.eval().window.length) == (32, FRAMES)
