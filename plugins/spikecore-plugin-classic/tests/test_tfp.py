from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from spikecore import Sample, SpikeStream, UsageError, collate

clips = arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=9), elements=st.integers(0, 1))


def test_is_spikecvs_picture_bit_for_bit(build, image, recording, golden):
    rate = image(build("tfp", window=41), recording, 150)
    assert (np.floor(np.round(rate * 41) * 255 / 41) == golden["tfp41_t150"]).all()


@pytest.mark.parametrize("window", [7, 11])
def test_is_the_label_of_ssml(build, image, labels, window):
    stream, arrays = labels
    np.testing.assert_array_equal(image(build("tfp", window=window), stream, 20), arrays[f"tfp{window}_m20"])


def test_scores_23_50_db(build, image, recording, truth):
    error = np.clip(image(build("tfp"), recording, 150) / 0.6, 0, 1) - truth
    assert -10 * np.log10(np.mean(error**2)) == pytest.approx(23.50, abs=0.01)


@settings(deadline=None)  # the first call compiles
@given(clips, st.integers(1, 12), st.data())
def test_is_the_mean_of_the_window(build, image, clip, window, data):
    at = data.draw(st.integers(0, len(clip) - 1))
    start, stop = at - window // 2, at - window // 2 + window
    strict, clipping = build("tfp", window=window), build("tfp", window=window, clip=True)
    expected = clip[max(start, 0) : stop].mean(0)
    np.testing.assert_allclose(image(clipping, clip, at), expected, rtol=1e-6)
    if start >= 0 and stop <= len(clip):
        np.testing.assert_array_equal(image(strict, clip, at), image(clipping, clip, at))
    else:
        with pytest.raises(UsageError, match=r"window of|longer than the recording"):
            image(strict, clip, at)


@settings(deadline=None)  # the first call compiles
@given(clips, st.integers(1, 6), st.booleans(), st.data())
def test_a_session_gives_the_same_images(build, image, clip, window, ends, data):
    method, stream = build("tfp", window=window, clip=ends, gamma=2.2), SpikeStream.from_frames(clip)
    valid = method.window.valid(len(clip))
    if valid:
        session = method.session(stream)
        for at in sorted(data.draw(st.lists(st.sampled_from(valid)))):
            np.testing.assert_allclose(session.image(at), image(method, stream, at), rtol=1e-6)


def test_a_session_goes_on_from_block_to_block(build, image, monkeypatch):
    monkeypatch.setattr("spikecore_plugin_classic.tfp.BLOCK_BYTES", 8 * 7 * 5)
    clip = np.random.default_rng(0).random((40, 5, 11)) < 0.3
    method, stream = build("tfp", window=4), SpikeStream.from_frames(clip)
    session = method.session(stream)
    for at in method.window.valid(40):
        np.testing.assert_array_equal(session.image(at), image(method, stream, at))


def test_items_of_a_batch_are_independent(build, image):
    rng, method = np.random.default_rng(1), build("tfp", window=6, clip=True)
    streams = [SpikeStream.from_frames(rng.random((20, 3, 7)) < rate) for rate in (0.0, 0.4, 1.0)]
    samples = [Sample(key="s", spikes=stream, at=at) for stream, at in zip(streams, (1, 10, 19), strict=True)]
    batch = method.reconstruct(collate([sample.around(method.window) for sample in samples]))
    for result, sample in zip(batch, samples, strict=True):
        np.testing.assert_array_equal(result[0], image(method, sample.spikes, sample.at))


def test_refuses_frames_that_were_not_cut_to_its_window(build):
    sample = Sample(key="s", spikes=SpikeStream.from_frames(np.ones((50, 2, 2), bool)), at=25)
    with pytest.raises(UsageError, match="50 frames for a window of 41"):
        build("tfp").reconstruct(collate([sample]))


def test_refuses_samples_without_spikes(build):
    with pytest.raises(UsageError, match="carry no spikes"):
        build("tfp").reconstruct(collate([Sample(key="s", label=1)]))


def test_gamma_is_applied_to_the_rate(build, image):
    clip = np.arange(16).reshape(16, 1, 1) % 4 == 0
    assert image(build("tfp", window=16, gamma=2.0), clip, 8)[0, 0] == pytest.approx(0.5)
