"""A recording that is mapped from a file which changes under it: an error, never silence and never a dead process."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from spikecore import Layout, SpikeBatch, SpikeFormatError, SpikeStream

SHRINKS = """
import os, sys
import numpy as np
from spikecore import Layout, SpikeBatch, SpikeFormatError, SpikeStream, spike_statistics

path, size = sys.argv[1], int(sys.argv[2])
frames = np.random.default_rng(0).integers(0, 256, (4000, 80), np.uint8)
frames.tofile(path)
stream = SpikeStream(np.memmap(path, np.uint8, "r", shape=frames.shape), Layout(16, 40), name=path)
batch = SpikeBatch((stream[:3999],), at=(2000,))
os.truncate(path, size)
asks = {
    "packed": lambda: stream.packed.any(),
    "slice": lambda: stream[10:20].packed.any(),
    "frame": lambda: stream[3999],
    "unpack": lambda: stream.unpack(),
    "counts": lambda: stream.counts(3000, 4000),
    "intervals": lambda: stream.intervals(3999),
    "neighbours": lambda: stream.neighbours(3999),
    "sliding": lambda: stream.sliding_counts(3),
    "sliding intervals": lambda: stream.sliding_intervals(),
    "statistics": lambda: spike_statistics(stream),
    "batch": lambda: batch.counts(),
    "tensor": lambda: batch.tensor(),
}
for name, ask in asks.items():
    try:
        ask()
    except SpikeFormatError as error:
        assert path in str(error) and "shrank" in str(error), error
    else:
        raise SystemExit(f"{name}: no error")
print(len(asks), "refused")
"""


@pytest.mark.parametrize("size", [0, 319_999, 4096, 100_000])
def test_file_that_shrinks_is_refused_in_every_way(tmp_path, size):
    done = subprocess.run(
        [sys.executable, "-c", SHRINKS, str(tmp_path / "clip"), str(size)], capture_output=True, text=True, timeout=240
    )
    assert done.stdout == "12 refused\n", (done.returncode, done.stderr[-2000:])


@pytest.mark.parametrize("ask", ["counts", "unpack"])
def test_file_that_shrinks_while_it_is_counted(tmp_path, monkeypatch, ask):
    """What is read past the end of a file in its last page is zero; the look afterwards notices."""
    import spikecore.kernels

    path = tmp_path / "clip"
    np.full((50, 80), 255, np.uint8).tofile(path)
    stream = SpikeStream(np.memmap(path, np.uint8, "r", shape=(50, 80)), Layout(16, 40), name=str(path))
    kernel = getattr(spikecore.kernels, ask)

    def slow(*args, **options):
        path.write_bytes(bytes(10))
        return kernel(*args, **options)

    monkeypatch.setattr(spikecore.kernels, ask, slow)
    with pytest.raises(SpikeFormatError, match="shrank to 10 bytes"):
        getattr(stream, ask)()


def test_mapping_that_begins_in_the_middle_and_memory_that_is_no_file(tmp_path):
    path = tmp_path / "clip"
    np.arange(2**15, dtype=np.uint8).tofile(path)
    mapped = np.memmap(path, np.uint8, "r", offset=5000, shape=(300, 80))
    stream = SpikeStream(mapped, Layout(16, 40), name=str(path))
    assert np.array_equal(stream[7:9].unpack(), SpikeStream(np.array(mapped), Layout(16, 40))[7:9].unpack())
    with path.open("r+b") as file:
        file.truncate(5000 + 300 * 80 - 1)
    with pytest.raises(
        SpikeFormatError, match=f"shrank to {5000 + 300 * 80 - 1} bytes(.|\n)*expected {5000 + 300 * 80}"
    ):
        stream[7:9].counts()
    assert SpikeBatch((SpikeStream.from_frames(np.ones((3, 2, 4), bool)),), at=(1,)).counts().sum() == 24


def test_frames_come_one_after_another():
    frames = np.random.default_rng(0).random((5, 3, 4)) < 0.5
    assert np.array_equal(list(SpikeStream.from_frames(frames)), frames)
