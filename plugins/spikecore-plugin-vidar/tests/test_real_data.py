"""Numbers on real and simulated recordings that others have published or stored."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import spikecore as sc


def psnr(image, truth):
    return -10 * np.log10(np.mean((image - truth) ** 2))


@pytest.fixture
def truth(clips):
    return cv2.imread(str(clips / "gt" / "203_part2_key_id151.png"), cv2.IMREAD_UNCHANGED) / 255


def mean_image(stream):
    return np.clip(stream.counts(130, 171) / 41 / 0.6, 0, 1)


def test_counts_fit_the_ground_truth(clips, truth):
    stream = sc.open(clips / "spike" / "203_part2_key_id151.dat", height=250, width=400)
    assert stream.shape == (301, 250, 400)
    assert psnr(mean_image(stream), truth) == pytest.approx(23.50, abs=0.01)


@pytest.mark.parametrize("wrong", [{"flip": False}, {"bit_order": "big"}])
def test_other_readings_do_not(clips, truth, wrong):
    path = clips / "spike" / "203_part2_key_id151.dat"
    stream = sc.open(path, height=250, width=400, check=False, **wrong)
    assert psnr(mean_image(stream), truth) < 20


def test_folder_with_ground_truth(clips):
    source = sc.open_source(clips, source="vidar/folder", height=250, width=400, gain=1 / 0.6)
    assert [source[n].key for n in range(len(source))] == ["203_part2_key_id151", "203_part3_key_id151"]
    for n, expected in enumerate((23.50, 23.72)):
        sample = source[n]
        image = np.clip(sample.spikes.counts(sample.at - 20, sample.at + 21) / 41 * sample.spikes.gain, 0, 1)
        assert sample.at == 150
        assert psnr(image, sample.target["image"][0]) == pytest.approx(expected, abs=0.01)


def test_uhsr(shared):
    path = shared / "data" / "uhsr" / "04144_helicopter.npz"
    sample = sc.open_source(path)[0]
    assert (sample.key, sample.label, sample.text) == ("04144_helicopter", 47, "4144_helicopter.jpg")
    with np.load(path) as archive:
        assert np.array_equal(sample.spikes.unpack(), archive["spk"])


def test_uhsr_folder(shared):
    options = {"pattern": "*.npz", "spikes": ".", "targets": ""}
    source = sc.open_source(shared / "data" / "uhsr", source="vidar/folder", **options)
    assert (len(source), source[0].label, source[0].spikes.shape) == (1, 47, (200, 250, 250))


def test_spikling_pair(shared):
    folder = shared / "golden" / "spikling"
    sample = sc.open_source(folder / "sp_len13.npz")[0]
    with np.load(folder / "sp_len13_expected.npz") as expected:
        assert np.array_equal(sample.spikes.unpack(), expected["seq"])
        assert np.array_equal(sample.target["image"], expected["tag"][None].astype(np.float32) / 255)
    assert (sample.at, sample.spikes.gain) == (6, 1.0)


@pytest.mark.parametrize("suffix", [".dat", ".npz", ".npy", ".h5"])
def test_real_recordings_come_back(clips, tmp_path, suffix):
    source = clips / "spike" / "203_part3_key_id151.dat"
    stream = sc.open(source, height=250, width=400)
    path = sc.save(stream, tmp_path / f"copy{suffix}")
    assert np.array_equal(sc.open(path).unpack(), stream.unpack())
    if suffix == ".dat":
        assert path.read_bytes() == source.read_bytes()
    if suffix == ".h5":
        assert path.stat().st_size < 0.6 * source.stat().st_size
