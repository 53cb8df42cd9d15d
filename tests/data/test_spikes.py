from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecore.data.spikes import Layout, SpikeStream
from spikecore.errors import UsageError

from .videos import videos


@st.composite
def layouts(draw):
    height, width = draw(st.integers(1, 7)), draw(st.integers(1, 19))
    before, after = draw(st.integers(0, 3)), draw(st.integers(0, 9))
    columns = [(before, before + width)]
    if width > 1 and draw(st.booleans()):  # a gap in the middle of each row
        first = draw(st.integers(1, width - 1))
        columns = [(before, before + first), (before + first + 2, before + width + 2)]
    return Layout(
        height,
        width,
        row_bits=columns[-1][1] + after,
        columns=tuple(columns),
        flip=draw(st.booleans()),
        bit_order=draw(st.sampled_from(["little", "big"])),
    )


def naive(packed, layout):
    """Bit by bit, from the definition."""
    frames = np.zeros((len(packed), layout.height, layout.width), np.uint8)
    shown = [column for start, stop in layout.columns or [(0, layout.row_bits)] for column in range(start, stop)]
    for t, data in enumerate(packed):
        for row in range(layout.height):
            stored = layout.height - 1 - row if layout.flip else row
            for column, position in enumerate(shown):
                byte, bit = divmod(stored * layout.row_bits + position, 8)
                shift = bit if layout.bit_order == "little" else 7 - bit
                frames[t, row, column] = data[byte] >> shift & 1
    return frames


@given(layouts(), st.integers(1, 5), st.integers(0, 99))
def test_a_layout_shows_what_its_definition_says(layout, length, seed):
    packed = np.random.default_rng(seed).integers(0, 256, (length, layout.frame_bytes), np.uint8)
    stream = SpikeStream(packed, layout)
    expected = naive(packed, layout)
    assert np.array_equal(stream.unpack(), expected)
    assert np.array_equal(stream.counts(), expected.sum(0))
    flat = np.unpackbits(packed, axis=1, bitorder="little")
    assert np.array_equal(flat[:, layout.index], expected)
    assert np.array_equal(SpikeStream(layout.pack(expected), layout).unpack(), expected)


@given(layouts(), st.data())
def test_a_crop_shows_the_rectangle(layout, data):
    top = data.draw(st.integers(0, layout.height - 1))
    left = data.draw(st.integers(0, layout.width - 1))
    height = data.draw(st.integers(1, layout.height - top))
    width = data.draw(st.integers(1, layout.width - left))
    packed = np.random.default_rng(0).integers(0, 256, (2, layout.frame_bytes), np.uint8)
    whole = SpikeStream(packed, layout).unpack()
    part = SpikeStream(packed, layout.crop(top, left, height, width)).unpack()
    assert np.array_equal(part, whole[:, top : top + height, left : left + width])
    again = layout.crop(top, left, height, width).crop(0, 0, height, width)
    assert np.array_equal(SpikeStream(packed, again).unpack(), part)


@given(videos())
def test_packing_loses_nothing(video):
    stream = SpikeStream.from_frames(video)
    assert stream.shape == video.shape
    assert np.array_equal(stream.unpack(), video)
    assert stream.packed.nbytes == len(video) * -(-video[0].size // 8)


@given(videos(), st.data())
def test_slices_are_views_of_the_same_spikes(video, data):
    stream = SpikeStream.from_frames(video, rate=1000.0)
    start = data.draw(st.integers(0, len(video) - 1))
    stop = data.draw(st.integers(start + 1, len(video)))
    step = data.draw(st.integers(1, 3))
    part = stream[start:stop:step]
    assert np.shares_memory(part.packed, stream.packed)
    assert np.array_equal(part.unpack(), video[start:stop:step])
    assert np.array_equal(part.counts(), video[start:stop:step].sum(0))
    assert part.rate == 1000.0 / step
    assert np.array_equal(stream[start], video[start])
    assert np.array_equal(stream[start - len(video)], video[start])


@given(videos(), st.integers(1, 12))
def test_sliding_answers_are_the_single_ones(video, window):
    stream = SpikeStream.from_frames(video)
    if window <= len(video):
        sliding = stream.sliding_counts(window)
        assert [part.counts().tolist() for part in stream.windows(window)] == sliding.tolist()
    for closed in ("left", "right"):
        expected = np.stack([stream.intervals(t, closed=closed) for t in range(len(video))])
        assert np.array_equal(stream.sliding_intervals(closed=closed), expected)


def test_refused_streams_and_questions():
    with pytest.raises(UsageError, match="0 or 1, found"):
        SpikeStream.from_frames(np.array([[[0, 2]]]))
    with pytest.raises(UsageError, match="0 or 1"):
        SpikeStream.from_frames(np.array([[[0, np.nan]]]))
    with pytest.raises(UsageError, match=r"\(frames, height, width\)"):
        SpikeStream.from_frames(np.zeros((3, 4)))
    with pytest.raises(UsageError, match="picture of 4x4"):
        SpikeStream(np.zeros((3, 3), np.uint8), Layout(4, 4))
    with pytest.raises(UsageError, match="do not make 10 pixels"):
        Layout(4, 10, row_bits=12)
    stream = SpikeStream.from_frames(np.zeros((5, 2, 3), bool), name="clip")
    for ask in (lambda: stream.intervals(5), lambda: stream.neighbours(-1), lambda: stream[5], lambda: stream[-6]):
        with pytest.raises(UsageError, match=r"clip: frame .* frames are 0..4"):
            ask()
    for start, stop in ((0, 6), (3, 3), (-1, 2), (4, 2)):
        with pytest.raises(UsageError, match=r"clip: frames .* are not inside 0..4"):
            stream.counts(start, stop)
    with pytest.raises(UsageError, match="a window of 6 frames is longer than the stream of 5"):
        next(stream.windows(6))


def test_released_frames_leave_the_memory_and_read_the_same_again(tmp_path):
    def resident():
        lines = Path("/proc/self/status").read_text().splitlines()
        (line,) = [line for line in lines if line.startswith("RssFile")]
        return int(line.split()[1]) * 1024

    video = np.random.default_rng(0).integers(0, 256, (4000, 8000), np.uint8)
    video.tofile(tmp_path / "v")
    stream = SpikeStream(np.memmap(tmp_path / "v", np.uint8, "r", shape=video.shape), Layout(100, 640))
    before = stream.counts()
    full = resident()
    stream[10:].release(20, 3900)
    assert full - resident() > 0.9 * 3880 * 8000
    assert np.array_equal(stream.counts(), before)
    SpikeStream(video, Layout(100, 640)).release(0, 4000)
    assert video.any()
