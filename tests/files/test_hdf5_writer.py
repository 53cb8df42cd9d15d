"""HDF5 as it is written: whole, or an error that is no crash; a full disk among them."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

import h5py
import numpy as np
import pytest

from spikecore.files.atomic import atomic
from spikecore.files.hdf5 import open_dataset, open_file, refuse_hollow
from spikecore.files.hdf5_writer import Writer

VALUES = np.random.default_rng(0).integers(0, 2**15, (40, 9, 11)).astype(np.int16)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.h5"


def written(path):
    with Writer(path) as file:
        file.group("group")
        file.dataset("group/a", "<i2", (0, 9, 11), (3, 9, 11), grows=True, shuffle=True)
        for start in range(0, 40, 7):
            file.write("group/a", start, VALUES[start : start + 7])
        file.dataset("none", "<f8", (0,), (1,))
        file.write("none", 0, [])
        file.texts("names", ["grün", ""])
        file.describe("group/a", {"rate": 20_000.5, "frames": 40, "note": "grün"})
        file.describe("", {"digest": "ab"}, fixed=True)


def test_what_is_written_is_read(path):
    written(path)
    with h5py.File(path) as file:
        assert np.array_equal(file["group/a"], VALUES)
        assert file["group/a"].fletcher32
        assert dict(file["group/a"].attrs) == {"rate": 20_000.5, "frames": 40, "note": "grün"}
        assert file["none"].shape == (0,)
        assert [name.decode() for name in file["names"]] == ["grün", ""]
        assert file.attrs["digest"] == b"ab"
    with open_file(path) as file:
        dataset = open_dataset(path, file, "group/a", "numbers")
        refuse_hollow(path, dataset)
        assert np.array_equal(dataset[:], VALUES)


def test_two_files_at_once_and_one_after_another(tmp_path):
    with Writer(tmp_path / "a.h5") as one, Writer(tmp_path / "b.h5") as other:
        for file, factor in ((one, 1), (other, 2)):
            file.dataset("a", "<i4", (40, 9, 11), (8, 9, 11))
            file.write("a", 0, factor * VALUES)
    written(tmp_path / "c.h5")
    for name, factor in (("a", 1), ("b", 2)):
        with open_file(tmp_path / f"{name}.h5") as file:
            assert np.array_equal(file["a"][:], factor * VALUES)


def test_a_file_that_is_given_up_is_not_finished(path):
    with suppress(KeyError), atomic(path) as temporary, Writer(temporary) as file:
        file.dataset("a", "<i2", (40,), (8,))
        raise KeyError
    assert not list(path.parent.iterdir())
    with pytest.raises(OSError, match="given up"):
        file.close()
    written(path)


@pytest.mark.parametrize("name", ["none/a.h5", "."])
def test_what_cannot_be_written_is_an_os_error(tmp_path, name):
    with pytest.raises(OSError, match=r"No such file|Is a directory|[Ee]rror"):
        written(tmp_path / name)


FULL = """
import resource, sys
from pathlib import Path
from spikecore.errors import OutputError
from spikecore.files.atomic import atomic
sys.path.insert(0, sys.argv[1])
from test_hdf5_writer import written
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    with atomic(Path(sys.argv[2])) as temporary:
        written(temporary)
except OutputError as error:
    print(error, end="")
"""


@pytest.mark.parametrize("part", [0, 0.001, 0.02, 0.2, 0.5, 0.9, 0.999, 1])
def test_a_full_disk_is_an_error(path, part):
    written(path.with_name("whole.h5"))
    limit = int(part * path.with_name("whole.h5").stat().st_size)
    here = os.path.dirname(os.path.abspath(__file__))
    command = [sys.executable, "-c", FULL, here, str(path), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    if part == 1:
        assert path.read_bytes() == path.with_name("whole.h5").read_bytes()
    else:
        assert done.stdout == f"{path} could not be written: File too large"
        assert [one.name for one in path.parent.iterdir()] == ["whole.h5"]
