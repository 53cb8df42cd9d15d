from __future__ import annotations

import numpy as np
import pytest

from spikecore import Target
from spikecore.sinks.open import open_sink
from spikecore.sinks.png import picture_name


@pytest.mark.parametrize("bits", [8, 16])
def test_a_folder_holds_one_file_per_instant(tmp_path, pictures, write, read_png, bits):
    assert write(tmp_path / "out", pictures(), bits=bits).commit() == tmp_path / "out"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"{10 * n:08d}.png" for n in range(5)]
    top = 2**bits - 1
    for number, picture in enumerate(pictures()):
        assert np.array_equal(read_png(tmp_path / "out" / f"{10 * number:08d}.png"), np.rint(picture * top))


def test_colours_keep_their_order(tmp_path, pictures, write, read_png):
    picture = next(pictures(channels=3))
    write(tmp_path / "one.png", [picture], count=1).commit()
    assert np.array_equal(read_png(tmp_path / "one.png"), np.rint(picture * 255))


def test_names_of_instants_sort_by_time_and_are_different():
    instants = [0, 0.5, 9, 10, 149.999, 150, 150.05, 150.8, 150.85, 150.9, 151, 20_000, 1e-7 + 20_000, 12_345_678.25]
    names = [picture_name(instant) for instant in instants]
    assert sorted(names) == names
    assert len(set(names)) == len(names)
    assert picture_name(150.0) == picture_name(np.int64(150)) == picture_name(150) == "00000150.png"


def test_a_folder_takes_instants_between_frames(tmp_path, pictures):
    sink = open_sink(None, Target(tmp_path / "out", 3))
    for instant, picture in zip([150, 150.85, 151], pictures(), strict=False):
        sink.write(instant, picture)
    assert sink.interrupt() == tmp_path / "out"
    assert sink.written == 3
    found = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert found == ["00000150.png", "00000150_85.png", "00000151.png"]
