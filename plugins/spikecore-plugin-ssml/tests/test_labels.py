"""Labels against a loop that follows the words of their definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from spikecore_plugin_ssml.labels import tfi_label, tfp_label

import spikecore as sc

from .conftest import random_spikes


def naive_tfi(frames, centre, window):
    """One pixel's spikes, frame by frame."""
    left, right = centre - window, centre + window
    for t in range(centre - window + 1, centre + 1):
        if 0 < t < len(frames) and frames[t]:
            left = t
    for t in range(centre + window, centre, -1):
        if t < len(frames) and frames[t]:
            right = t
    return 1 / (right - left)


@given(data=st.data())
def test_tfi_is_the_reciprocal_of_the_interval(data):
    length = data.draw(st.integers(1, 45))
    centre = data.draw(st.integers(0, length - 1))
    window = data.draw(st.integers(1, 50))
    seed, rate = data.draw(st.integers(0, 99)), data.draw(st.sampled_from([0.0, 0.03, 0.3, 1.0]))
    spikes = random_spikes(2, length, 3, 4, rate=rate, seed=seed)
    label = tfi_label(spikes, centre, window)
    assert label.shape == (2, 1, 3, 4)
    assert label.dtype == torch.float32
    pixels = spikes.permute(0, 2, 3, 1).reshape(-1, length).numpy()
    wanted = np.float32([naive_tfi(pixel, centre, window) for pixel in pixels])
    assert np.array_equal(label.numpy().ravel(), wanted)


@given(length=st.integers(7, 45), seed=st.integers(0, 99), half=st.integers(0, 3))
def test_tfp_is_the_mean_of_the_frames_around(length, seed, half):
    spikes = random_spikes(1, length, 3, 4, seed=seed)
    wanted = np.mean([spikes[0, length // 2 + step].numpy() for step in range(-half, half + 1)], axis=0)
    assert np.allclose(tfp_label(spikes, length=2 * half + 1)[0, 0], wanted, atol=1e-6)


def test_memory_layout_and_type_of_spikes_do_not_matter():
    spikes = random_spikes(2, 41, 5, 6)
    label = tfi_label(spikes)
    assert torch.equal(tfi_label(spikes.contiguous(memory_format=torch.channels_last)), label)
    assert torch.equal(tfi_label(spikes.bool()), label)


def test_nan_stays_nan_in_its_pixel_alone():
    spikes = random_spikes(1, 41, 5, 6)
    spikes[0, 15, 2, 3] = torch.nan
    for label in (tfi_label(spikes, window=12), tfp_label(spikes, length=11)):
        assert label.isnan().nonzero().tolist() == [[0, 0, 2, 3]]


def test_frames_that_are_not_there_are_refused():
    with pytest.raises(sc.UsageError, match=r"frame 41 is not among frames 0\.\.40"):
        tfi_label(random_spikes(1, 41, 4, 4), 41)
    with pytest.raises(sc.UsageError, match=r"expected \(N, T, H, W\)"):
        tfi_label(random_spikes(41, 4, 4))
    with pytest.raises(sc.UsageError, match="mean of 7 frames around frame 2"):
        tfp_label(random_spikes(1, 41, 4, 4), 2)
    with pytest.raises(sc.UsageError, match="mean of 6 frames"):
        tfp_label(random_spikes(1, 41, 4, 4), length=6)


@pytest.mark.gpu
def test_labels_are_the_same_on_a_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    spikes = random_spikes(2, 41, 30, 40)
    assert torch.equal(tfi_label(spikes.cuda()).cpu(), tfi_label(spikes))
