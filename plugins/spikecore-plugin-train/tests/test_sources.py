"""What a source may do besides giving samples: see them in ways of its own, name its classes."""

from __future__ import annotations

import attrs
import numpy as np
from spikecore_plugin_train.config import LoopConfig, Sampling
from spikecore_plugin_train.data import TrainingSet
from spikecore_plugin_train.loader import Places, batches
from spikecore_plugin_train.order import Order, Place

from spikecore import Sample, Window
from spikecore.testing.data import random_spikes
from spikecore.testing.tiny import TinyMetric, TinySource

WINDOW = Window.centred(8)
CROPPED = LoopConfig(crop=4, flips=True, rotations=True)


class Noisy(TinySource):
    """Adds a random level to the truth, after the trainer's crop."""

    def augment(self, sample, random):
        assert sample.spikes.shape[1:] == sample.target["image"].shape[1:]
        image = sample.target["image"] + np.float32(random.random())
        return attrs.evolve(sample, target={"image": image}, meta={"size": image.shape[1:]})


def levels(config, places, seed=0):
    """What `augment` added to the truth at each place, and the sizes that it saw."""
    noisy, plain = (TrainingSet(source, WINDOW, config, seed) for source in (Noisy(8), TinySource(8)))
    added = [noisy[place].target["image"] - plain[place].target["image"] for place in places]
    assert all(np.ptp(one) < 1e-6 for one in added), "the crops and turns are the same with it"
    return [round(float(one.mean()), 5) for one in added], {noisy[place].meta["size"] for place in places}


def test_a_source_augments_what_the_trainer_cropped():
    places = [Place(epoch, item) for epoch in range(3) for item in range(8)]
    found, sizes = levels(CROPPED, places)
    assert sizes == {(4, 4)}
    assert len(set(found)) == 24, "every sample in every epoch is seen in another way"
    assert levels(CROPPED, places[::-1])[0] == found[::-1]
    assert levels(LoopConfig(), places)[0] == found, "whatever the trainer itself drew"
    assert levels(CROPPED, places, seed=1)[0] != found


def test_workers_augment_alike():
    training, places = TrainingSet(Noisy(7), WINDOW, CROPPED, 5), Places(Order(7, 3, 5), 0, 0, 4)
    here, there = ([b.target["image"].tobytes() for b in batches(training, places, n, 5)] for n in (0, 2))
    assert here == there


def test_validation_is_not_augmented(task, tmp_path):
    class Refusing(TinySource):
        def augment(self, sample, random):
            raise AssertionError("validation samples are whole and as they are")

    result, _ = task.train(tmp_path, 4, validation=Refusing(1), metrics={"mae": TinyMetric()})
    assert result.scores


class Named(TinySource):
    """A source that names its classes."""

    def __init__(self, items, labels):
        super().__init__(items)
        self.labels = labels


class Told:
    """Notes the names that it is told."""

    told = ()

    def set_labels(self, labels):
        assert not self.told
        self.told = labels


def test_who_wants_the_names_of_classes_is_told_them_once(task, tmp_path):
    class Model(Told, task.Net):
        pass

    class Loss(Told, task.L2):
        def forward(self, output, batch):
            assert self.told, "before the first step"
            return super().forward(output, batch)

    class Metric(Told, TinyMetric):
        pass

    model, loss, metric = Model(), Loss(), Metric()
    named = {"source": Named(10, ["car", "tree"]), "validation": Named(2, ("dog", "cat", "cow"))}
    losses = {"l2": loss, "other": task.L2()}
    task.train(tmp_path, 6, model=model, losses=losses, metrics={"one": metric, "two": TinyMetric()}, **named)
    assert (model.told, loss.told) == (("car", "tree"), ("car", "tree"))
    assert metric.told == ("dog", "cat", "cow")


def test_without_names_nobody_is_told(task, tmp_path):
    class Model(Told, task.Net):
        pass

    model, metric = Model(), type("Metric", (Told, TinyMetric), {})()
    task.train(tmp_path, 2, model=model, source=Named(4, ["car"]), validation=task.TinySource(1), metrics={"m": metric})
    assert (model.told, metric.told) == (("car",), ())


class Between:
    """One recording whose true image lies between two frames."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        spikes = random_spikes(0.3, 60, (4, 4))
        return Sample(
            key="between", spikes=spikes, at=30, delay=0.75, target={"image": np.zeros((1, 4, 4), np.float32)}
        )

    def image(self, index, at):
        return np.full((4, 4), at, np.float32)


def test_models_that_see_between_frames_train_on_the_instant_of_the_truth():
    fractional = attrs.evolve(WINDOW, fractional=True)
    assert TrainingSet(Between(), fractional, LoopConfig(), 0)[Place(0, 0)].at == 4.75
    assert TrainingSet(Between(), WINDOW, LoopConfig(), 0)[Place(0, 0)].at == 4
    clipped = TrainingSet(Between(), fractional, LoopConfig(clip_length=20), 0)[Place(0, 0)]
    assert clipped.at == 4.75
    drawn = TrainingSet(Between(), fractional, LoopConfig(sampling=Sampling.RANDOM), 0)[Place(0, 0)]
    assert drawn.at == 4, "an exact image belongs to its frame"


def test_validation_judges_at_the_instant_of_the_truth(task, tmp_path):
    seen = []

    class Fractional(task.Net):
        window = attrs.evolve(WINDOW, fractional=True)

        def forward(self, batch):
            seen.append(batch.at)
            return super().forward(batch)

    given = {"source": Between(), "validation": Between(), "metrics": {"mae": TinyMetric()}}
    task.train(tmp_path, 2, model=Fractional(), options={"batch": 1, "crop": 0}, **given)
    assert len(seen) > 2
    assert set(seen) == {(4.75,)}
