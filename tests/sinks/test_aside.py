"""Nothing incomplete has the final name, whatever happens."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from spikecore import Target
from spikecore.data.kinds import Data
from spikecore.errors import OutputError
from spikecore.sinks.open import open_sink

KINDS = {".csv": Data.LABEL, ".json": Data.LABEL}


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".npy", ".h5"])
def test_an_interrupted_sink_keeps_what_is_finished_under_a_partial_name(tmp_path, pictures, write, read_video, suffix):
    path = tmp_path / f"v{suffix}"
    path.write_text("an older result")
    shown = list(pictures())[:3]
    kept = write(path, shown).interrupt()
    assert kept == tmp_path / f"v.partial{suffix}"
    assert path.read_text() == "an older result"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([path.name, kept.name])
    if suffix == ".npy":
        assert np.array_equal(np.load(kept, allow_pickle=False), np.array(shown))
    elif suffix == ".h5":
        with h5py.File(kept) as file:
            assert np.array_equal(file["images"][:], np.array(shown))
    else:
        assert len(read_video(kept)) == 3


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".npy", ".h5", ".png", ".csv", ".json"])
def test_nothing_is_left_of_a_sink_interrupted_at_once(tmp_path, suffix):
    count = 1 if suffix == ".png" else 5
    sink = open_sink(None, Target(tmp_path / f"v{suffix}", count), KINDS.get(suffix, Data.IMAGE))
    assert sink.interrupt() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".npy", ".h5", ".png", ".csv", ".json"])
def test_until_commit_nothing_has_the_final_name(tmp_path, pictures, write, suffix):
    path = tmp_path / f"v{suffix}"
    count = 1 if suffix == ".png" else 5
    kind = KINDS.get(suffix, Data.IMAGE)
    results = [picture[0] if kind is Data.LABEL else picture for picture in pictures()]
    sink = write(path, results[:count], count, kind)
    assert not path.exists()
    sink.commit()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".webm", ".npy", ".h5", ".csv", ".json"])
def test_a_result_of_another_shape_is_refused_and_those_before_it_are_kept(tmp_path, suffix):
    kind = KINDS.get(suffix, Data.IMAGE)
    sink = open_sink(None, Target(tmp_path / f"v{suffix}", 2), kind)
    sink.write(0, np.full((3,) if kind is Data.LABEL else (16, 16), 0.5, np.float32))
    with pytest.raises(OutputError, match=r"result 1 has the shape .*, those before it"):
        sink.write(1, np.full((4,) if kind is Data.LABEL else (16, 32), 0.5, np.float32))
    assert sink.written == 1
    assert sink.interrupt() == tmp_path / f"v.partial{suffix}"
    assert [path.name for path in tmp_path.iterdir()] == [f"v.partial{suffix}"]
