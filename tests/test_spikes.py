from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecore.batch import SpikeBatch, collate
from spikecore.errors import UsageError
from spikecore.sample import Sample, Window
from spikecore.spikes import Layout, SpikeStream

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 9), st.integers(1, 21))


@st.composite
def videos(draw):
    shape = draw(SIZES)
    rate = draw(st.sampled_from([0.0, 0.05, 0.3, 0.9, 1.0]))
    return (np.random.default_rng(draw(st.integers(0, 99))).random(shape) < rate).astype(np.uint8)


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


def test_windows_are_cut_around_their_instant():
    video = np.arange(10)[:, None, None] % 2 * np.ones((10, 1, 8), int)
    stream = SpikeStream.from_frames(video, name="clip")
    part, position = Window(5, 2).cut(stream, 4)
    assert (len(part), position) == (5, 2)
    assert np.array_equal(part.unpack(), video[2:7])
    assert Window(5, 2).valid(10) == range(2, 8)
    assert Window.centred(4) == Window(4, 2)
    part, position = Window(5, 2, clip=True).cut(stream, 9)
    assert (len(part), position) == (3, 2)
    part, position = Window(5, 2, clip=True).cut(stream, 1)
    assert (len(part), position) == (4, 1)
    longer = Window(7, 3, needs=Window(3, 1))
    assert longer.valid(10) == range(1, 9)
    part, position = longer.cut(stream, 8)
    assert (len(part), position) == (5, 3)
    with pytest.raises(UsageError, match=r"the window of 3 frames around instant 9.*instants 1\.\.8 have one"):
        longer.cut(stream, 9)
    whole, position = Window().cut(stream, 7)
    assert (len(whole), position) == (10, 7)
    with pytest.raises(UsageError, match=r"instants 2..7 have one"):
        Window(5, 2).cut(stream, 8)
    with pytest.raises(UsageError, match=r"outside the recording; frames are 0\.\.9"):
        Window(5, 2, clip=True).cut(stream, 10)
    with pytest.raises(UsageError, match="a window of 11 frames is longer than the recording of 10"):
        Window(11, 5).cut(stream, 5)
    with pytest.raises(UsageError, match="no frame 3"):
        Window(3, 3)


@given(st.lists(videos(), min_size=1, max_size=3), st.data())
def test_a_batch_answers_like_its_streams(clips, data):
    size = (min(c.shape[1] for c in clips), min(c.shape[2] for c in clips))
    streams = [SpikeStream.from_frames(clip[:, : size[0], : size[1]]) for clip in clips]
    flipped = attrs.evolve(streams[0], layout=attrs.evolve(streams[0].layout, flip=True))
    streams = [*streams, flipped]
    at = tuple(data.draw(st.integers(0, len(stream) - 1)) for stream in streams)
    batch = SpikeBatch(tuple(streams), at)
    assert np.array_equal(batch.counts().numpy()[:, 0], [s.counts() for s in streams])
    assert np.array_equal(batch.intervals().numpy()[:, 0], [s.intervals(t) for s, t in zip(streams, at, strict=True)])
    before, after = batch.neighbours()
    expected = [s.neighbours(t) for s, t in zip(streams, at, strict=True)]
    assert np.array_equal(before.numpy()[:, 0], [pair[0] for pair in expected])
    assert np.array_equal(after.numpy()[:, 0], [pair[1] for pair in expected])
    if len({len(s) for s in streams}) == 1:
        assert np.array_equal(batch.tensor().numpy(), [s.unpack() for s in streams])
        assert batch.tensor().shape == batch.shape
    else:
        with pytest.raises(UsageError, match="differ in length"):
            batch.tensor()


def test_the_path_for_other_devices_gives_the_same_answers():
    """The tensors a CUDA batch holds, here on the CPU."""
    import torch

    video = (np.random.default_rng(1).random((9, 5, 11)) < 0.3).astype(np.uint8)
    stream = SpikeStream.from_frames(video)
    flipped = attrs.evolve(stream, layout=attrs.evolve(stream.layout, flip=True))
    here = SpikeBatch((stream, flipped), (4, 2))
    moved = attrs.evolve(here, on_device=tuple(torch.from_numpy(s.packed.copy()) for s in here.streams))
    assert torch.equal(moved.counts(2, 8), here.counts(2, 8))
    assert torch.equal(moved.intervals(), here.intervals())
    assert torch.equal(moved.tensor(), here.tensor())
    for one, other in zip(moved.neighbours(3), here.neighbours(3), strict=True):
        assert torch.equal(one, other)


@pytest.mark.gpu
def test_a_cuda_batch_gives_the_same_answers():
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    stream = SpikeStream.from_frames(np.random.default_rng(1).random((60, 31, 45)) < 0.3)
    batch = SpikeBatch((stream, stream), (30, 2))
    moved = batch.to("cuda")
    assert torch.equal(moved.counts().cpu(), batch.counts())
    assert torch.equal(moved.intervals().cpu(), batch.intervals())
    assert torch.equal(moved.tensor().cpu(), batch.tensor())
    assert moved.counts().device.type == "cuda"


def test_collate_refuses_what_does_not_fit():
    stream = SpikeStream.from_frames(np.zeros((4, 2, 8), bool))
    other = SpikeStream.from_frames(np.zeros((4, 3, 8), bool))
    with pytest.raises(UsageError, match="at least one"):
        collate([])
    with pytest.raises(UsageError, match="'a' and 'b' do not fit"):
        collate([Sample(key="a", spikes=stream), Sample(key="b", spikes=stream, label=3)])
    with pytest.raises(UsageError, match="one size"):
        collate([Sample(key="a", spikes=stream), Sample(key="b", spikes=other)])
    target = {"image": np.zeros((1, 2, 8))}
    with pytest.raises(UsageError, match="target image"):
        collate([Sample(key="a", target=target), Sample(key="b", target={"image": np.zeros((1, 3, 8))})])


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
