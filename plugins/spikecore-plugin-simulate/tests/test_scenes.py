"""simulate/scenes: exact, repeatable, and like real recordings in what can be counted."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from spikecore import spike_statistics


def slope(image):
    """Exponent of the power spectrum of the picture's square middle part, between 3 cycles and 0.35 cycles a pixel."""
    side = min(image.shape)
    window = np.hanning(side)[:, None] * np.hanning(side)
    power = np.abs(np.fft.fft2((image[:side, :side] - image.mean()) * window)) ** 2
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None])
    bounds = np.geomspace(3 / side, 0.35, 16)
    ring = np.digitize(frequency.ravel(), bounds)
    mean = [power.ravel()[ring == number].mean() for number in range(1, 16)]
    return np.polyfit(np.log(np.sqrt(bounds[1:] * bounds[:-1])), np.log(mean), 1)[0]


def test_same_seed_same_bytes_whatever_else_is_asked(build):
    noisy = {"height": 24, "width": 33, "length": 30, "photons": 30.0, "dark": 0.01}
    one, other = build("scenes", clips=3, **noisy), build("scenes", clips=1000, **noisy)
    other[0]
    for index in (2, 0):
        assert np.array_equal(one[index].spikes.packed, other[index].spikes.packed)
        assert np.array_equal(one[index].target["image"], other[index].target["image"])


def test_other_clips_and_seeds_are_different(build):
    clips = {}
    for seed in (0, 1):
        source = build("scenes", height=24, width=32, length=30, clips=3, seed=seed)
        clips |= {(seed, index): source[index].spikes.packed.tobytes() for index in range(3)}
    assert len(set(clips.values())) == 6


def test_target_is_the_picture_the_middle_frame_sees(build):
    source = build("scenes", height=24, width=32, length=41)
    sample = source[0]
    assert sample.at == 20
    assert np.array_equal(sample.target["image"][0], source.image(0, 20.0))
    with pytest.raises(IndexError):
        source.image(1, 0.0)


def test_spikes_are_the_sum_of_the_pictures(build):
    source = build("scenes", height=24, width=32, length=300, rate=[0.2, 0.5], seed=4)
    sample = source[0]
    light = np.mean([source.image(0, t) for t in range(300)], axis=0)
    assert 0.2 <= sample.meta["rate"] <= 0.5
    assert sample.spikes.gain == pytest.approx(1 / sample.meta["rate"])
    assert np.abs(sample.spikes.counts() - 300 * sample.meta["rate"] * light).max() < 1.01


def test_rates_and_exposures_are_drawn_from_their_ranges(build):
    source = build("scenes", height=16, width=16, length=2, clips=40, rate=[0.05, 0.5], exposure=[0.5, 0.5])
    rates = [source[index].meta["rate"] for index in range(40)]
    assert 0.05 <= min(rates) < 0.1
    assert 0.3 < max(rates) <= 0.5
    assert max(source.image(index, 0).max() for index in range(40)) <= 0.5001


def test_targets_on_request(build):
    sample = build("scenes", height=24, width=32, length=20, flow=True, depth=True)[0]
    assert {kind: value.shape for kind, value in sample.target.items()} == {
        "image": (1, 24, 32),
        "flow": (2, 24, 32),
        "depth": (1, 24, 32),
    }
    assert all(np.isfinite(value).all() for value in sample.target.values())


def test_power_spectra_are_those_of_real_pictures(build, shared):
    pictures = [cv2.imread(str(path), 0) / 255 for path in sorted((shared / "data/base/train/gt").glob("*.png"))]
    with np.load(shared / "data/uhsr/04144_helicopter.npz") as held:
        pictures.append(held["spk"].mean(0))
    real = [slope(picture) for picture in pictures]
    source = build("scenes", clips=8)
    ours = [slope(source.image(index, 0.0)) for index in range(8)]
    assert min(real) == pytest.approx(-2.59, abs=0.01)
    assert np.mean(ours) == pytest.approx(np.mean(real), abs=0.4)
    assert -3.2 < min(ours) < max(ours) < -1.6


def test_optics(build, shared):
    """Power above a quarter of a cycle a pixel; photographs are sharper than the default."""

    def fine(picture):
        power = np.abs(np.fft.fft2(picture - picture.mean())) ** 2
        across, down = np.fft.fftfreq(picture.shape[1])[None], np.fft.fftfreq(picture.shape[0])[:, None]
        return power[np.hypot(across, down) > 0.25].sum() / power.sum()

    def scenes(**options):
        source = build("scenes", clips=6, **options)
        return [fine(source.image(index, 0.0)) for index in range(6)]

    real = [fine(cv2.imread(str(path), 0) / 255) for path in sorted((shared / "data/base/train/gt").glob("*.png"))]
    sharp, usual = scenes(blur=(0.2, 0.2)), scenes()
    assert np.mean(sharp) > 2 * np.mean(usual)
    assert abs(np.log(np.mean(sharp) / np.mean(real))) < abs(np.log(np.mean(usual) / np.mean(real)))
    assert np.mean(usual) < np.mean(scenes(blur=(0.2, 0.5))) < np.mean(sharp)


def test_spike_statistics_are_those_of_a_real_recording(build, shared):
    """The U-HSR capture: 0.031 spikes a frame, intervals of a pixel vary by 0.03, no silent pixels."""
    with np.load(shared / "data/uhsr/04144_helicopter.npz") as held:
        from spikecore import SpikeStream

        real = spike_statistics(SpikeStream.from_frames(held["spk"]))
    slow = {"speed": [0.01, 0.03], "object_speed": [0.0, 0.03], "threshold_spread": 0.06, "dark": 0.005}
    source = build("scenes", height=125, width=125, length=200, rate=[0.06, 0.1], clips=4, **slow)
    ours = [spike_statistics(source[index].spikes) for index in range(4)]
    mean = {key: np.mean([report[key] for report in ours]) for key in ("spike_rate", "interval_variation")}
    assert mean["spike_rate"] == pytest.approx(real["spike_rate"], rel=0.35)
    assert mean["interval_variation"] == pytest.approx(real["interval_variation"], abs=0.02)
    assert real["silent_pixels"] < 1e-4
    assert max(report["silent_pixels"] for report in ours) < 1e-3


def test_moving_scenes_vary_as_the_reds_clips_do(build, shared):
    reports = []
    for name in ("203_part2", "203_part3"):
        packed = np.fromfile(shared / f"data/base/train/spike/{name}_key_id151.dat", np.uint8).reshape(301, -1)
        from spikecore import Layout, SpikeStream

        reports.append(spike_statistics(SpikeStream(packed, Layout(250, 400, flip=True))))
    source = build("scenes", clips=3)
    ours = [spike_statistics(source[index].spikes) for index in range(3)]
    for key, tolerance in (("spike_rate", 0.08), ("interval_variation", 0.3)):
        assert np.mean([r[key] for r in ours]) == pytest.approx(np.mean([r[key] for r in reports]), abs=tolerance)
    assert max(report["silent_pixels"] for report in (*ours, *reports)) == 0
