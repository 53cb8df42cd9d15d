"""Window and interval are the original's, to the bit, also at the ends of a recording."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import spikecore as sc

shapes = st.tuples(st.integers(1, 14), st.integers(1, 3), st.integers(1, 9))
clips = arrays(np.uint8, shapes, elements=st.integers(0, 1), fill=st.nothing())


def naive_interval(pixel, at):
    """(next, previous) frame of one pixel, written as the rule is told."""
    spikes = [int(t) for t in np.flatnonzero(pixel)]
    following = next((t for t in spikes if t >= at), len(pixel) - 1)
    return following, -1 if at == 0 else next((t for t in reversed(spikes) if t < at), 0)


@settings(deadline=None, max_examples=50)  # the first call compiles
@given(clips)
def test_interval_is_that_of_a_plain_loop(build, image, clip):
    ours, theirs = build("interval"), build("interval", compat=True)
    for at in range(len(clip)):
        rate, grey = image(ours, clip, at), image(theirs, clip, at)
        for y, x in np.ndindex(rate.shape):
            following, previous = naive_interval(clip[:, y, x], at)
            silent = not clip[:, y, x].any()
            assert rate[y, x] == np.float32(0 if silent else 1 / (following - previous))
            assert grey[y, x] == np.float32(np.uint8(255 / (following - previous)) / 255)


@settings(deadline=None, max_examples=30)
@given(clips, st.integers(1, 6))
def test_a_search_is_a_shorter_recording(build, image, clip, search):
    for name in ("interval", "brightness-curve", "integral-curve"):
        for at in range(len(clip)):
            start = max(at - search, 0)
            part = image(build(name, compat=True), clip[start : at + search], at - start)
            np.testing.assert_array_equal(image(build(name, compat=True, search=search), clip, at), part)


@settings(deadline=None)
@given(clips, st.integers(1, 6), st.data())
def test_window_is_numpys_mean(build, image, clip, frames, data):
    at = data.draw(st.integers(0, len(clip) - 1))
    part = clip[max(at - frames // 2, 0) : at - frames // 2 + frames]
    rate = image(build("window", window=frames, clip=True), clip, at)
    np.testing.assert_array_equal(rate, part.mean(axis=0).astype(np.float32))
    grey = image(build("window", window=frames, clip=True, compat=True), clip, at)
    np.testing.assert_array_equal(np.rint(255 * grey), (part.mean(axis=0) * 255).astype(np.uint8))


@pytest.mark.parametrize("at", [0, 1, 5, 9])
def test_interval_is_the_originals(build, image, golden, at):
    with np.load(golden / "edge_and_curves.npz") as held:
        ours = np.rint(255 * image(build("interval", compat=True), held["edge"], at))
        assert np.array_equal(ours, held[f"interval_mid{at}"])


@pytest.mark.parametrize(("frames", "level"), [(10, 28), (400, 0)])
def test_a_silent_pixel_shows_the_length_of_the_recording_in_the_original(build, image, frames, level):
    clip = np.zeros((frames, 2, 3), np.uint8)
    assert (image(build("interval", compat=True), clip, frames // 2) == np.float32(level / 255)).all()
    assert (image(build("interval"), clip, frames // 2) == 0).all()


def test_items_of_a_batch_have_ends_of_their_own(build, image):
    random = np.random.default_rng(0)
    streams = [sc.SpikeStream.from_frames(random.random((40, 5, 7)) < rate) for rate in (0.01, 0.03, 0.1)]
    samples = [sc.Sample(key="s", spikes=stream, at=at) for stream, at in zip(streams, (0, 20, 39), strict=True)]
    for name in ("interval", "brightness-curve", "integral-curve"):
        method = build(name)
        together = method.reconstruct(sc.collate(samples).to("cpu"))
        for result, sample in zip(together, samples, strict=True):
            np.testing.assert_array_equal(result[0], image(method, sample.spikes, sample.at))


def test_a_window_outside_the_recording_is_refused(build, image):
    with pytest.raises(sc.UsageError, match=r"instants 16\.\.24 have one"):
        image(build("window"), np.zeros((40, 5, 7), np.uint8), 8)
    with pytest.raises(sc.UsageError, match="longer than the recording of 31"):
        image(build("window"), np.zeros((31, 5, 7), np.uint8), 16)
    uncut = sc.collate([sc.Sample(key="s", spikes=sc.SpikeStream.from_frames(np.zeros((40, 5, 7), np.uint8)))])
    with pytest.raises(sc.UsageError, match="got 40 frames for a window of 32"):
        build("window").reconstruct(uncut.to("cpu"))


def test_scores_on_clips_with_known_truth(build, image, shared):
    data = sc.open_source(shared / "data" / "base" / "train", height=250, width=400)
    for sample in (data[0], data[1]):
        truth = sample.target["image"][0]
        for name, least in (("window", 24.5), ("interval", 24.0), ("brightness-curve", 26.0), ("integral-curve", 26.0)):
            picture = np.clip(image(build(name), sample.spikes, sample.at) / 0.6, 0, 1)
            assert -10 * np.log10(np.mean((picture - truth) ** 2)) > least, name
