"""Damaged HDF5 that libhdf5 crashes of, spins on, or reads zeros from: an error, and everything else goes on."""

from __future__ import annotations

import os
import pickle
import signal
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context

import h5py
import numpy as np
import pytest

from spikecore import SpikecoreError, SpikeFormatError
from spikecore.files import hdf5_file, hdf5_process
from spikecore.files.hdf5 import open_dataset, open_file, refuse_hollow

VALUES = np.arange(200, dtype=np.uint8)
KEY = struct.calcsize("<IIQQQ")


@pytest.fixture
def path(tmp_path):
    return stored(tmp_path / "a.h5")


def stored(path, values=VALUES):
    """A file whose data set has four chunks, with checksums."""
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=values, chunks=(64,), compression=4, fletcher32=True)
    return path


def change_chunk(path, number, field, value):
    """Give another size (0), mask (1), place in the array (2), or address (4) to a chunk of the only data set."""
    data = bytearray(path.read_bytes())
    at = data.rindex(b"TREE") + 24 + KEY * number
    key = list(struct.unpack_from("<IIQQQ", data, at))
    key[field] = value
    struct.pack_into("<IIQQQ", data, at, *key)
    path.write_bytes(data)


def crashing(path):
    """A chunk without bytes, of which the checksum at their end is read."""
    change_chunk(stored(path), 2, 0, 0)
    return path


def test_a_crash_is_an_error_and_other_files_go_on(path, tmp_path):
    with open_file(path) as other, open_file(crashing(tmp_path / "b.h5"), "numbers") as file:
        before, dataset = other["a"], file["a"]
        for _ in range(2):
            with pytest.raises(SpikeFormatError, match=r"b.h5: cannot be read: libhdf5 crashed(.|\n)*expected numbers"):
                dataset[:]
        assert np.array_equal(before, VALUES)
    with pytest.raises(SpikeFormatError, match="crashed"):
        open_file(tmp_path / "b.h5")
    stored(tmp_path / "b.h5", VALUES[::-1])
    with open_file(tmp_path / "b.h5") as file:  # another file of the name
        assert np.array_equal(file["a"], VALUES[::-1])


def test_crashes_in_threads_and_forks_are_their_own(path, tmp_path):
    crashing(tmp_path / "b.h5")
    with open_file(path) as file, ThreadPoolExecutor(4) as pool:
        dataset = file["a"]
        found = list(
            pool.map(lambda number: ends(tmp_path / "b.h5") if number % 3 == 0 else dataset[number], range(30))
        )
        assert found == ["SpikeFormatError" if number % 3 == 0 else number for number in range(30)]
        with get_context("fork").Pool(2) as workers:
            assert workers.map(part_of, [(path, 5), (path, 7)]) == [5, 7]
        with get_context("spawn").Pool(1) as workers:
            assert workers.apply(ends, (tmp_path / "b.h5",)) == "SpikeFormatError"
            assert workers.apply(len, (dataset,)) == 200
        assert np.array_equal(dataset[:], VALUES)


def ends(path):
    try:
        with open_file(path) as file:
            file["a"][:]
    except SpikecoreError as error:
        return type(error).__name__
    return "read"


def part_of(given):
    path, number = given
    with open_file(path) as file:
        return file["a"][number]


def test_a_fork_goes_on_with_what_was_open(path):
    with open_file(path) as file:
        dataset = file["a"]
        assert dataset[0] == 0
        child = os.fork()
        if not child:
            os._exit(0 if np.array_equal(dataset[:], VALUES) else 1)
        assert np.array_equal(dataset[:], VALUES)
        assert os.waitpid(child, 0)[1] == 0
        assert np.array_equal(dataset[:], VALUES)


def test_open_data_sets_can_be_sent(path):
    with open_file(path) as file:
        dataset = pickle.loads(pickle.dumps(file["a"]))  # noqa: S301  # our own
    assert np.array_equal(dataset[:], VALUES)
    os.replace(stored(path.with_name("b.h5"), VALUES[::-1]), path)
    with pytest.raises(SpikeFormatError, match="it was changed while it was read"):
        pickle.loads(pickle.dumps(dataset))[:]  # noqa: S301


def test_what_does_not_end_is_ended(path, tmp_path, monkeypatch):
    program = tmp_path / "child.py"
    said = hdf5_process._PROGRAM.read_text()
    program.write_text(
        said.replace("    def do_survey(", "    def do_survey(*_):\n        while True: pass\n    def _(")
    )
    monkeypatch.setattr(hdf5_process, "_PROGRAM", program)
    monkeypatch.setattr(hdf5_file, "_PATIENCE", 0.5)
    hdf5_process.reader().stop()
    with open_file(path) as file:
        dataset = open_dataset(path, file, "a", "numbers")
        with pytest.raises(SpikeFormatError, match="libhdf5 did not come to an end"):
            refuse_hollow(path, dataset)
        with pytest.raises(SpikeFormatError, match="libhdf5 did not come to an end"):
            dataset[:]
    hdf5_process.reader().stop()


@pytest.mark.parametrize("program", ["import sys; sys.exit(3)", "import none_such"])
def test_a_process_that_cannot_run_is_an_error(path, tmp_path, monkeypatch, program):
    (tmp_path / "child.py").write_text(program)
    monkeypatch.setattr(hdf5_process, "_PROGRAM", tmp_path / "child.py")
    hdf5_process.reader().stop()
    with pytest.raises(SpikecoreError, match="cannot be read"):
        open_file(path)
    monkeypatch.setattr(sys, "executable", "")
    hdf5_process.reader().stop()
    with pytest.raises(SpikecoreError, match="no process could be started"):
        open_file(stored(tmp_path / "b.h5"))


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize(("field", "value"), [(2, 2**62), (2, 1), (3, 200), (4, 2**64 - 1), (4, 2**40), (1, 3), (1, 2)])
def test_chunks_that_are_lost_are_no_zeros(path, number, field, value):
    change_chunk(path, number, field, value)
    with suppress(SpikeFormatError), open_file(path) as file:
        dataset = open_dataset(path, file, "a", "numbers")
        refuse_hollow(path, dataset)
        assert np.array_equal(dataset[:], VALUES)


def test_one_chunk_in_the_place_of_another(path):
    with h5py.File(path) as file:
        address = file["a"].id.get_chunk_info(0).byte_offset
    change_chunk(path, 2, 4, address)
    with open_file(path) as file, pytest.raises(SpikeFormatError, match="chunks that lie in one another"):
        refuse_hollow(path, open_dataset(path, file, "a", "numbers"))


def test_a_file_that_shrinks_is_noticed(path, tmp_path):
    with h5py.File(path, "w") as file:
        file["a"] = np.arange(10**5)
    with open_file(path) as file:
        dataset = file["a"]
        assert dataset[10] == 10
        os.truncate(path, 4000)
        with pytest.raises(SpikeFormatError, match="changed while it was read"):
            dataset[:]


def test_ctrl_c_is_heard_while_it_reads(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", data=np.zeros(10**8, np.uint8), chunks=(10**6,), compression=1)
    code = (
        "import sys; from pathlib import Path; from spikecore.files.hdf5 import open_file\n"
        "with open_file(Path(sys.argv[1])) as file:\n"
        "    print('open', flush=True)\n"
        "    while True: file['a'][:]\n"
    )
    for _ in range(3):
        command = [sys.executable, "-c", code, str(tmp_path / "a.h5")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
            assert running.stdout.readline() == "open\n"
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=20)
            assert said.endswith("KeyboardInterrupt\n")
            assert "ignored" not in said
