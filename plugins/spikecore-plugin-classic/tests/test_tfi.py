from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spikecore import ConfigError, Sample, SpikeStream, collate

RULES = ("frame", "sequence", "ssml", "spikling")
shapes = st.tuples(st.integers(1, 14), st.integers(1, 3), st.integers(1, 9))
clips = arrays(np.uint8, shapes, elements=st.integers(0, 1), fill=st.nothing())
searches = st.one_of(st.none(), st.integers(1, 5), st.integers(6, 16))


def grey(rate):
    """As the originals wrote it: 255 / interval, truncated; from a rate in float32 back to the whole interval first."""
    interval = np.round(1 / np.where(rate > 0, rate, np.inf))
    return np.where(rate > 0, 255 // np.maximum(interval, 1), 0)


def naive(pixel, at, rule, search):
    """The interval of one pixel, written as the rules are told; 0 for none."""
    spikes = [int(t) for t in np.flatnonzero(pixel)]
    total = len(pixel)
    if rule == "frame":
        h = search or 20
        former = [t for t in spikes if max(at - h + 1, 1) <= t <= at]
        latter = [t for t in spikes if at + 1 <= t <= min(at + h, total - 1)]
        return latter[0] - former[-1] if former and latter else 2 * h
    if rule == "ssml":
        w = search or 12
        left = [t for t in spikes if at - w + 1 <= t <= at and t != 0]
        right = [t for t in spikes if at + 1 <= t <= at + w]
        return (right[0] if right else at + w) - (left[-1] if left else at - w)
    if rule == "sequence":
        previous, following = [t for t in spikes if t < at], [t for t in spikes if t >= at]
        interval = following[0] - previous[-1] if previous and following else 0
        return interval if interval <= (search or 255) else 0
    first, last = (0, total - 1) if search is None else (max(at - search, 0), min(at + search - 1, total - 1))
    up = next((t for t in spikes if at <= t <= last), last)
    down = -1 if at == 0 else next((t for t in reversed(spikes) if first <= t < at), first)
    return up - down


@settings(deadline=None)  # the first call compiles
@given(clips, st.sampled_from(RULES), searches)
def test_is_one_over_the_interval_of_the_rule(build, image, clip, rule, search):
    method = build("tfi", rule=rule, **({} if search is None else {"search": search}))
    for at in range(len(clip)):
        rate = image(method, clip, at)
        for y, x in np.ndindex(rate.shape):
            interval = naive(clip[:, y, x], at, rule, search)
            assert rate[y, x] == np.float32(1 / interval if interval else 0)


@settings(deadline=None)  # the first call compiles
@given(clips, st.sampled_from(RULES), searches, st.sampled_from(["rule", "zero"]), st.data())
def test_a_session_gives_the_same_images(build, image, clip, rule, search, silent, data):
    options = {} if search is None else {"search": search}
    method, stream = build("tfi", rule=rule, silent=silent, **options), SpikeStream.from_frames(clip)
    session = method.session(stream)
    for at in sorted(data.draw(st.lists(st.integers(0, len(clip) - 1)))):
        np.testing.assert_array_equal(session.image(at), image(method, stream, at))


def test_a_session_applies_gamma(build, image):
    clip = np.random.default_rng(6).random((50, 3, 5)) < 0.3
    method = build("tfi", gamma=2.2)
    ours = method.session(SpikeStream.from_frames(clip)).image(25)
    np.testing.assert_allclose(ours, image(method, clip, 25), rtol=1e-6)
    np.testing.assert_allclose(ours, image(build("tfi"), clip, 25) ** (1 / 2.2), rtol=1e-6)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("value", [0, 1])
def test_ends_of_silent_and_saturated_recordings(build, image, rule, value):
    clip = np.full((30, 3, 5), value, np.uint8)
    for at in (0, 1, 15, 28, 29):
        interval = naive(clip[:, 0, 0], at, rule, None)
        assert (image(build("tfi", rule=rule), clip, at) == np.float32(1 / interval if interval else 0)).all()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("interval", [1, 2, 3, 7, 11])
def test_a_constant_rate_is_found_exactly(build, image, rule, interval):
    clip = np.add.outer(np.arange(120), np.arange(15).reshape(3, 5)) % interval == 0
    for at in (60, 61, 66):
        assert (image(build("tfi", rule=rule), clip, at) == np.float32(1 / interval)).all()


@pytest.mark.parametrize(("interval", "rate"), [(254, 1 / 254), (255, 1 / 255), (256, 0)])
def test_a_sequence_tells_255_lengths_apart(build, image, interval, rate):
    clip = np.zeros((600, 1, 1), bool)
    clip[[20, 20 + interval]] = True
    for at in (21, 100, 20 + interval):
        assert image(build("tfi", rule="sequence"), clip, at)[0, 0] == np.float32(rate)


def test_the_rate_keeps_every_interval_of_an_8_bit_picture():
    interval = np.arange(1, 256)
    assert (grey((1 / interval).astype(np.float32)) == 255 // interval).all()


@pytest.mark.parametrize("rule", RULES)
def test_silent_pixels_can_be_zero(build, image, rule):
    clip = np.zeros((60, 1, 3), bool)
    clip[30, 0, 1] = clip[25, 0, 2] = clip[31, 0, 2] = True
    kept, zeroed = (image(build("tfi", rule=rule, silent=silent), clip, 28) for silent in ("rule", "zero"))
    assert zeroed[0, 0] == 0
    assert (zeroed[0, 1:] == kept[0, 1:]).all()
    assert kept[0, 2] == np.float32(1 / 6)


def test_items_of_a_batch_are_independent(build, image):
    rng = np.random.default_rng(2)
    streams = [SpikeStream.from_frames(rng.random((50, 3, 7)) < rate) for rate in (0.0, 0.1, 0.4, 1.0)]
    samples = [Sample(key="s", spikes=stream, at=at) for stream, at in zip(streams, (0, 5, 25, 49), strict=True)]
    for rule in RULES:
        method = build("tfi", rule=rule)
        batch = method.reconstruct(collate([sample.around(method.window) for sample in samples]))
        for result, sample in zip(batch, samples, strict=True):
            np.testing.assert_array_equal(result[0], image(method, sample.spikes, sample.at))


@pytest.mark.parametrize(("rule", "name"), [("frame", "tfi_frame_t150"), ("sequence", "tfi_seq_t150")])
def test_is_spikecvs_picture_bit_for_bit(build, image, recording, golden, rule, name):
    assert (grey(image(build("tfi", rule=rule), recording, 150)) == golden[name]).all()


@pytest.mark.parametrize(("at", "search"), [(20, 12), (20, 50), (6, 12), (34, 12), (13, 12)])
def test_is_the_label_of_ssml(build, image, labels, at, search):
    stream, arrays = labels
    ours = image(build("tfi", rule="ssml", search=search), stream, at)
    np.testing.assert_array_equal(ours, arrays[f"tfi_m{at}_w{search}"])


@pytest.mark.parametrize("at", [0, 1, 5, 9])
def test_is_spiklings_interval(build, image, shared, at):
    with np.load(shared / "golden/spikling/edge_and_curves.npz") as arrays:
        assert (grey(image(build("tfi", rule="spikling"), arrays["edge"], at)) == arrays[f"interval_mid{at}"]).all()


@pytest.mark.parametrize(("rule", "score"), [("ssml", 24.27), ("frame", 24.68)])
def test_scores_of_the_rules(build, image, recording, truth, rule, score):
    error = np.clip(image(build("tfi", rule=rule), recording, 150) / 0.6, 0, 1) - truth
    assert -10 * np.log10(np.mean(error**2)) == pytest.approx(score, abs=0.01)


def test_refuses_unknown_rules(build):
    with pytest.raises(ConfigError, match="expected one of 'frame', 'sequence', 'ssml', 'spikling'"):
        build("tfi", rule="median")
