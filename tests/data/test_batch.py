from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecore.data.batch import SpikeBatch, collate
from spikecore.data.events import EventStream
from spikecore.data.sample import Sample
from spikecore.data.spikes import SpikeStream
from spikecore.errors import UsageError

from .videos import videos


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


def test_a_batch_knows_the_instants_that_its_spikes_know():
    stream = SpikeStream.from_frames(np.zeros((40, 2, 8), bool))
    samples = [
        Sample(key="a", spikes=stream, at=3),
        Sample(key="b", spikes=stream[:20]),
        Sample(key="c", spikes=stream),
    ]
    batch = collate(samples)
    assert batch.at == batch.spikes.at == (3, 10, 20)
    assert batch.to("cpu").at == batch.to("cpu").spikes.at == (3, 10, 20)
    times = np.arange(100, 200)
    night = Sample(key="night", events=(EventStream(times % 5, times % 3, times, times > 0, 3, 5),), at=120)
    assert collate([night]).at == (120,)
