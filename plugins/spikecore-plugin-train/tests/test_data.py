"""What a model sees: the right window, and the same again whenever asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from spikecore_plugin_train.config import LoopConfig, Sampling
from spikecore_plugin_train.data import TrainingSet, calibrated, portable
from spikecore_plugin_train.loader import Places, batches
from spikecore_plugin_train.order import Order, Place

from spikecore import EventStream, Layout, PluginHost, Sample, SpikeStream, UsageError, Window
from spikecore.testing.tiny import TinySource

from .conftest import everything

AUGMENT = LoopConfig(crop=4, flips=True, rotations=True)


def drawn(batch):
    """What a batch holds, as plain values."""
    return [
        (stream.packed.tobytes(), batch.target["image"][n].tobytes()) for n, stream in enumerate(batch.spikes.streams)
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(workers):
    training = TrainingSet(TinySource(7), Window.centred(8), AUGMENT, seed=5)
    places = Places(Order(7, 3, 5), 0, 1, 5)
    alone = [drawn(batch) for batch in batches(training, places, 0, 5)]
    assert alone == [drawn(batch) for batch in batches(training, places, workers, 5)]
    assert len(alone) == 5


def test_what_is_drawn_depends_on_seed_epoch_and_sample_alone():
    def at(epoch, item, seed=0):
        return portable(TrainingSet(TinySource(), Window.centred(8), AUGMENT, seed)[Place(epoch, item)])

    first = at(3, 2)
    at(0, 1)
    np.random.seed(1)
    torch.manual_seed(1)
    again = at(3, 2)
    assert first.spikes.packed.tobytes() == again.spikes.packed.tobytes()
    others = [at(4, 2), at(3, 2, seed=1)]
    assert all(first.target["image"].tobytes() != other.target["image"].tobytes() for other in others)


def test_a_loader_leaves_the_global_random_numbers_alone():
    training = TrainingSet(TinySource(), Window.centred(8), LoopConfig(), 0)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for _ in batches(training, Places(Order(8, 4, 0), 0, 0, 2), 0, 0):
        pass
    assert torch.equal(before, torch.get_rng_state())


class Large:
    """One recording of 64x64 with rows that hold extra columns and lie upside down, as files do."""

    def __init__(self, gain=None, target=True):
        self.gain, self.target = gain, target

    def __len__(self):
        return 1

    def __getitem__(self, index):
        layout = Layout(64, 64, row_bits=80, columns=((0, 64),), flip=True)
        frames = np.random.default_rng(0).random((200, 64, 64)) < 0.3
        stream = SpikeStream(layout.pack(frames), layout, gain=self.gain)
        truth = {"image": np.full((1, 64, 64), 0.5, np.float32)} if self.target else {}
        return Sample(key="large", spikes=stream, at=100, target=truth)


class LargeWithImages(Large):
    """The same, with the exact image of every instant."""

    def image(self, index, at):
        return np.full((64, 64), at / 200, np.float32)


def test_spikes_stay_packed_and_only_the_window_travels():
    import multiprocessing.reduction as reduction

    training = TrainingSet(Large(), Window.centred(40), LoopConfig(), 0)
    training.source[0].spikes.layout.index  # noqa: B018  # a cached table, larger than the spikes
    (batch,) = batches(training, Places(Order(1, 1, 0), 0, 0, 1), 1, 0)
    assert batch.spikes.streams[0].packed.shape == (40, 64 * 80 // 8)
    truth = batch.target["image"].nbytes
    assert len(reduction.ForkingPickler.dumps(batch)) < 40 * 640 + truth + 4000


def test_a_cropped_window_is_packed_again():
    config = LoopConfig(crop=16)
    sample = TrainingSet(Large(), Window.centred(40), config, 0)[Place(0, 0)]
    assert sample.spikes.packed.shape == (40, 16 * 16 // 8)
    assert sample.spikes.shape == (40, 16, 16)


@pytest.mark.parametrize("source", [LargeWithImages(), Large(target=False)])
def test_random_instants_have_their_own_truth(source):
    training = TrainingSet(source, Window.centred(40), LoopConfig(sampling=Sampling.RANDOM), 0)
    samples = [training[Place(epoch, 0)] for epoch in range(30)]
    whole = source[0].spikes
    for sample in samples:
        assert len(sample.spikes) == 40
        starts = [at for at in range(161) if np.array_equal(whole[at : at + 40].packed, sample.spikes.packed)]
        if sample.target:
            assert starts == [pytest.approx(200 * float(sample.target["image"][0, 0, 0]) - 20)]
    assert len({sample.spikes.packed.tobytes() for sample in samples}) > 20


def test_random_instants_without_their_truth_are_refused():
    training = TrainingSet(Large(), Window.centred(40), LoopConfig(sampling=Sampling.RANDOM), 0)
    with pytest.raises(UsageError, match="known at instant 100 only"):
        training[Place(0, 0)]


def test_pictures_are_calibrated_to_spikes_per_frame():
    assert np.allclose(calibrated(Large(gain=2.0)[0]).target["image"], 0.25)
    assert np.allclose(TrainingSet(Large(2.0), Window(), LoopConfig(), 0)[Place(0, 0)].target["image"], 0.25)
    raw = TrainingSet(Large(2.0), Window(), LoopConfig(calibrate=False), 0)[Place(0, 0)]
    assert np.allclose(raw.target["image"], 0.5)
    assert np.array_equal(calibrated(everything()).target["video"], everything().target["video"]), "camera frames"


def test_events_read_lazily_travel_as_arrays():
    class Lazy(list):
        """Like a data set of a file: an array once it is looked at."""

        def __array__(self, dtype=None, copy=None):
            return np.array(list(self), dtype)

    camera = EventStream(x=Lazy([0]), y=Lazy([0]), t=Lazy([5]), p=Lazy([True]), height=2, width=2)
    owned = portable(Sample(key="lazy", events=[camera])).events[0]
    assert all(isinstance(getattr(owned, field), np.ndarray) for field in "xytp")


def test_scenes_give_exact_images_at_random_instants():
    host = PluginHost.discover(allow=["builtin"])
    scene = host.build(host.find("builtin/scene"), {"height": 16, "width": 16, "length": 30, "shapes": 3})
    training = TrainingSet(scene, Window.centred(9), LoopConfig(sampling=Sampling.RANDOM), 0)
    rate = np.mean([training[Place(n, 0)].spikes.unpack().mean() for n in range(10)])
    truth = np.mean([training[Place(n, 0)].target["image"].mean() for n in range(10)])
    assert rate == pytest.approx(truth, rel=0.1)
