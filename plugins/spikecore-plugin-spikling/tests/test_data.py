"""Pairs are simulated and read as by the original."""

from __future__ import annotations

import numpy as np
import pytest
from spikecore_plugin_spikling.simulator import video_to_spike, write_pair

from spikecore import OutputError, PluginHost, SpikeFormatError, UnknownComponent, UsageError
from spikecore.files.held import held


def test_simulated_pairs_are_the_originals(golden, tmp_path):
    written = video_to_spike(golden / "sim_src.avi", (64, 48), 32, str(tmp_path / "sp{:04d}.npz"))
    assert [path.name for path in written] == ["sp0001.npz", "sp0002.npz"]
    for path in written:
        with np.load(path) as ours, np.load(golden / f"sim_{path.stem[2:]}.npz") as theirs:
            assert sorted(ours.files) == sorted(theirs.files)
            for key in theirs.files:
                assert ours[key].dtype == theirs[key].dtype
                assert np.array_equal(ours[key], theirs[key])


def test_pairs_are_read_as_by_the_original(golden, tmp_path, build):
    (tmp_path / "sp.npz").write_bytes((golden / "sp_len13.npz").read_bytes())
    sample = build("pairs", path=str(tmp_path))[0]
    with np.load(golden / "sp_len13_expected.npz") as held:
        assert np.array_equal(sample.spikes.unpack(), held["seq"])
        assert np.array_equal(np.rint(255 * sample.target["image"][0]).astype(np.uint8), held["tag"])
    assert (sample.key, sample.at, sample.spikes.gain) == ("sp", 6, 1.0)


def test_what_is_simulated_is_read(video, tmp_path, build):
    written = video_to_spike(video, (20, 16), 32, str(tmp_path / "sp{:04d}.npz"))
    samples = build("pairs", path=str(tmp_path))
    assert len(samples) == len(written) == 2
    for sample in (samples[0], samples[1]):
        rate, truth = sample.spikes.counts() / 32, sample.target["image"][0]
        assert sample.spikes.shape == (32, 16, 20)
        assert sample.instant == 16
        assert abs(rate.mean() - truth.mean()) < 0.02
        assert np.corrcoef(rate.ravel(), truth.ravel())[0, 1] > 0.7


def test_numbers_go_on_after_the_last_file(video, tmp_path):
    pattern = str(tmp_path / "sp{:04d}.npz")
    first, second = video_to_spike(video, (8, 6), 32, pattern), video_to_spike(video, (8, 6), 32, pattern, seed=1)
    assert [path.name for path in (*first, *second)] == ["sp0001.npz", "sp0002.npz", "sp0003.npz", "sp0004.npz"]
    with np.load(first[0]) as one, np.load(second[0]) as two:
        assert np.array_equal(one["tag"], two["tag"])
        assert not np.array_equal(one["seq"], two["seq"])


def test_two_do_not_take_the_same_numbers(video, tmp_path):
    with held(tmp_path), pytest.raises(UsageError, match="in use by process"):
        video_to_spike(video, (16, 16), 4, str(tmp_path / "sp{:04d}.npz"))
    assert list(tmp_path.glob("*.npz")) == []


def test_files_are_in_natural_order_and_read_when_asked_for(tmp_path, build):
    for number in (10, 2, 1):
        write_pair(tmp_path / f"sp{number}.npz", np.zeros((8, 3, 4), bool), np.full((3, 4), number, np.uint8))
    (tmp_path / "sp30.npz").write_bytes(b"")
    samples = build("pairs", path=str(tmp_path), gain=2.0)
    assert [samples[n].key for n in range(3)] == ["sp1", "sp2", "sp10"]
    assert samples[0].spikes.gain == 2.0
    with pytest.raises(SpikeFormatError, match=r"sp30\.npz: empty"):
        samples[3]


def test_what_is_no_data_set_is_said(tmp_path, build):
    with pytest.raises(SpikeFormatError, match="no such folder"):
        build("pairs", path=str(tmp_path / "none"))
    with pytest.raises(SpikeFormatError, match=r"no \.npz files.*\n.*spikling-pairs"):
        build("pairs", path=str(tmp_path))
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    with pytest.raises(SpikeFormatError, match="arrays x"):
        build("pairs", path=str(tmp_path))[0]


def test_what_cannot_be_simulated_is_said(video, tmp_path):
    pattern = str(tmp_path / "sp{:04d}.npz")
    with pytest.raises(SpikeFormatError, match="70 frames; expected at least 71"):
        video_to_spike(video, (8, 6), 71, pattern)
    with pytest.raises(UsageError, match="no place for a number"):
        video_to_spike(video, (8, 6), 32, str(tmp_path / "sp.npz"))
    with pytest.raises(UsageError, match="no pattern for file names"):
        video_to_spike(video, (8, 6), 32, "sp{name}.npz")
    with pytest.raises(UsageError, match="must be above 0"):
        video_to_spike(video, (8, 6), 0, pattern)
    with pytest.raises(SpikeFormatError, match=r"none\.mp4"):
        video_to_spike(tmp_path / "none.mp4", (8, 6), 32, pattern)
    with pytest.raises(OutputError, match="no folder"):
        video_to_spike(video, (8, 6), 32, str(tmp_path / "none" / "sp{}.npz"))
    with pytest.raises(UnknownComponent, match="pip install spikecore-plugin-simulate"):
        video_to_spike(video, (8, 6), 32, pattern, host=PluginHost())
    assert not list(tmp_path.iterdir())
