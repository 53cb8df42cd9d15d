"""What the original's README types works, on any size."""

from __future__ import annotations

import numpy as np
import pytest
from spikecore_plugin_spikling import compat

import spikecore as sc


@pytest.fixture(scope="module")
def frames():
    """Spikes (48, 256, 256), a size at which the original's network fails."""
    return (np.random.default_rng(0).random((48, 256, 256)) < np.linspace(0.05, 0.6, 256)).astype(np.uint8)


def test_the_readmes_session(frames, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    (tmp_path / "result").mkdir()
    sc.save(sc.SpikeStream.from_frames(frames[:, :250, :200].repeat(2, axis=2)), "raw/operacut.dat")
    seq = compat.load_spike_raw("raw/operacut.dat")
    assert seq.shape == (48, 250, 400)
    assert np.array_equal(seq[:, :, ::2], frames[:, :250, :200])
    middle = compat.interval_method(seq, len(seq) // 2)
    window = compat.window_method(seq, 8, 32)
    assert middle.shape == window.shape == (250, 400)
    assert middle.dtype == window.dtype == np.uint8
    assert np.array_equal(window, (seq[8:40].mean(axis=0) * 255).astype(np.uint8))
    for function, arguments in (
        (compat.transform_raw, (2,)),
        (compat.transform_interval, (2,)),
        (compat.transform_window, (32, 2)),
        (compat.transfrom_window, (32, 2)),
    ):
        function(seq[:36], *arguments, "result/operacut.avi")


def test_the_network_takes_any_size(frames, tmp_path):
    generator = compat.Generator()
    for size in ((256, 256), (33, 50)):
        picture = compat.generate(generator, frames[:, : size[0], : size[1]], 16)
        assert picture.shape == size
        assert picture.dtype == np.uint8
    compat.transform_gen(generator, frames[:36, :24, :24], 2, tmp_path / "gen.avi")
    assert (tmp_path / "gen.avi").stat().st_size > 0


def test_streams_do_as_well_as_arrays(frames):
    stream = sc.SpikeStream.from_frames(frames)
    for function in (compat.interval_method, compat.window_method, compat.brightness_polynome):
        assert np.array_equal(function(frames, 13), function(stream, 13))


def test_a_window_at_the_end_takes_the_frames_that_exist(frames):
    assert np.array_equal(compat.window_method(frames, 45, 32), (frames[45:].mean(axis=0) * 255).astype(np.uint8))


def test_frames_outside_are_an_error(frames):
    for start in (48, -1):
        with pytest.raises(sc.UsageError, match=r"holds none of 0\.\.47"):
            compat.window_method(frames, start)
        with pytest.raises(sc.UsageError, match=r"frames are 0\.\.47"):
            compat.interval_method(frames, start)
    with pytest.raises(sc.UsageError, match="32 frames from frame 17 on are needed"):
        compat.generate(compat.Generator(), frames, 17)
    with pytest.raises(sc.UsageError, match="make no video frame"):
        compat.transform_raw(frames[:32], 2, "raw.avi")
    with pytest.raises(sc.UsageError, match="spikes must be 0 or 1"):
        compat.interval_method(frames + 1, 4)


def test_recordings_that_are_not_there_are_an_error(tmp_path):
    with pytest.raises(sc.SpikeFormatError, match=r"none\.dat"):
        compat.load_spike_raw(tmp_path / "none.dat")


def test_an_incomplete_last_frame_is_left_out_with_a_warning(tmp_path):
    (tmp_path / "a.dat").write_bytes(np.random.default_rng(0).bytes(3 * 8 + 5))
    with pytest.warns(UserWarning, match="incomplete"):
        assert compat.load_spike_raw(tmp_path / "a.dat", width=8, height=8).shape == (3, 8, 8)


def test_every_name_is_there():
    assert all(callable(getattr(compat, name)) for name in compat.__all__)
