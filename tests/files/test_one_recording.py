"""Sources of one recording, and the order of file names."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecore import Sample, SpikeStream
from spikecore.files.names import natural
from spikecore.files.recording_source import OneRecording


class Counted(OneRecording):
    """Counts how often it is read."""

    def __init__(self, path):
        super().__init__(path)
        self.reads = 0

    def read(self):
        self.reads += 1
        return Sample(key=self.path.stem, spikes=SpikeStream.from_frames(np.ones((3, 2, 2), bool)))


def test_one_recording():
    source = Counted(Path("night.dat"))
    assert len(source) == 1
    assert source.reads == 0
    assert [sample.key for sample in source] == ["night"]
    assert source.reads == 1


@pytest.mark.parametrize("index", [1, -1, 7])
def test_there_is_no_other(index):
    source = Counted(Path("night.dat"))
    with pytest.raises(IndexError, match=f"night.dat is one recording, there is no number {index}"):
        source[index]
    assert source.reads == 0


def test_sources_can_be_sent_to_other_processes():
    copy = pickle.loads(pickle.dumps(Counted(Path("night.dat"))))  # noqa: S301  # our own
    assert copy[0].key == "night"


def test_how_to_read_must_be_said():
    with pytest.raises(TypeError, match="read"):
        OneRecording(Path("night.dat"))


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_numbers_in_names_count_as_numbers(numbers):
    names = [f"clip{number}.dat" for number in numbers]
    assert sorted(names, key=natural) == [f"clip{number}.dat" for number in sorted(numbers)]


@given(st.lists(st.text(max_size=8)))
def test_any_names_have_an_order(names):
    assert sorted(sorted(names, key=natural), key=natural) == sorted(reversed(names), key=natural)


def test_leading_zeros_and_case_do_not_matter_first():
    names = ["b.png", "A.png", "a2.png", "a10.png", "A02.png"]
    assert sorted(names, key=natural) == ["A02.png", "a2.png", "a10.png", "A.png", "b.png"]
