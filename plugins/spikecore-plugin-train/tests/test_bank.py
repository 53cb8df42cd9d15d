"""A second source, whose samples belong to none of those that are trained on."""

from __future__ import annotations

import numpy as np
import pytest
from spikecore_plugin_train.assemble import assemble
from spikecore_plugin_train.bank import Bank
from spikecore_plugin_train.config import LoopConfig
from spikecore_plugin_train.data import TrainingSet
from spikecore_plugin_train.loader import Places, batches
from spikecore_plugin_train.order import Order

from spikecore import Experiment, LossTerms, PluginHost, Sample, UsageError, Window
from spikecore.testing.tiny import TinySource

WINDOW = Window.centred(8)


class Pictures:
    """Clean pictures, numbered in their corner, without spikes."""

    def __init__(self, count=7):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if not 0 <= index < self.count:
            raise IndexError(index)
        return Sample(key=f"picture-{index}", target={"image": np.full((1, 6, 7), index / 10, np.float32)})


class Wanting:
    """A loss that pulls results towards the mean of the bank, and notes what it was given."""

    wants_bank = True

    def __init__(self):
        self.seen = []

    def forward(self, output, batch):
        self.seen.append((batch.keys, batch.bank.keys))
        assert batch.bank.target["image"].device == output["image"].device
        total = (output["image"].mean() - batch.bank.target["image"].mean()).square()
        return LossTerms(total, {"l2": total})


class Blind(Wanting):
    """A loss beside it that did not ask."""

    wants_bank = False

    def forward(self, output, batch):
        assert batch.bank is None
        total = output["image"].square().mean()
        return LossTerms(total, {"l2": total})


def keys(bank, count):
    return [bank[position].key for position in range(count)]


def test_every_picture_comes_once_a_round_in_another_order():
    bank = Bank(Pictures(), WINDOW, LoopConfig(), 3)
    found = keys(bank, 21)
    rounds = [found[start : start + 7] for start in (0, 7, 14)]
    assert all(sorted(one) == [f"picture-{n}" for n in range(7)] for one in rounds)
    assert rounds[0] != rounds[1] != rounds[2]
    assert keys(Bank(Pictures(), WINDOW, LoopConfig(), 3), 21) == found
    assert keys(Bank(Pictures(), WINDOW, LoopConfig(), 4), 21) != found
    assert [bank[position].key for position in (20, 0, 9)] == [found[20], found[0], found[9]]


def test_its_order_and_views_are_not_those_of_the_training_samples():
    order = Order(7, 1, 3)
    assert [int(key[-1]) for key in keys(Bank(Pictures(), WINDOW, LoopConfig(), 3), 7)] != order.permutation(0).tolist()
    config = LoopConfig(crop=4)
    training, bank = TrainingSet(TinySource(7), WINDOW, config, 3), Bank(TinySource(7), WINDOW, config, 3)
    places = {place.item: place for share in order.shares(0, 0, 7) for micro in share.micros for place in micro}
    pairs = [(bank[n], training[places[int(bank[n].key[-1])]]) for n in range(7)]
    assert all(one.key == other.key for one, other in pairs)
    assert any(one.target["image"].tobytes() != other.target["image"].tobytes() for one, other in pairs)


def paired(order, workers=0, start=(0, 0), steps=9):
    """(training keys, bank keys) of each micro-batch."""
    training, bank = TrainingSet(TinySource(10), WINDOW, LoopConfig(), 3), Bank(Pictures(), WINDOW, LoopConfig(), 3)
    return [(b.keys, b.bank.keys) for b in batches(training, Places(order, *start, steps), workers, 3, bank)]


def test_the_same_picture_goes_with_a_sample_on_any_number_of_processes():
    def flat(found):
        return [pair for micro in found for pair in zip(*micro, strict=True)]

    alone = flat(paired(Order(10, 4, 3)))
    assert alone == flat(paired(Order(10, 4, 3), workers=2))
    assert [bank for _, bank in alone[:14]] == keys(Bank(Pictures(), WINDOW, LoopConfig(), 3), 14), "it wraps around"
    together = [paired(Order(10, 4, 3, rank, 2, 2)) for rank in (0, 1)]
    assert sorted(alone) == sorted(flat(together[0]) + flat(together[1]))
    assert flat(paired(Order(10, 4, 3), start=(1, 1), steps=3)) == alone[14:24], "begun in the middle"


def recipe(task, steps):
    return task.recipe(steps, losses={"want": 1.0, "blind": 0.1})


def test_only_who_asks_is_given_the_bank_and_a_resumed_run_goes_on_with_it(task, tmp_path):
    whole, part, rest = Wanting(), Wanting(), Wanting()

    def train(name, loss, **changes):
        losses = {"want": loss, "blind": Blind()}
        given = {"bank": Pictures(), "stages": recipe(task, 24), "losses": losses, **changes}
        return task.train(tmp_path / name, **given)[0]

    first = train("whole", whole)
    assert len(whole.seen) == 24
    assert {len(samples) == len(pictures) for samples, pictures in whole.seen} == {True}
    train("part", part)
    for step in (20, 24):
        (tmp_path / "part" / "checkpoints" / f"step-{step:09d}.pt").unlink()
    assert train("part", rest, resume="auto").losses == first.losses
    assert rest.seen == whole.seen[15:]
    with pytest.raises(UsageError, match="samples of the bank was 7, is 6"):
        train("part", Wanting(), resume="auto", bank=Pictures(6))


def test_a_model_may_ask_for_it_and_validates_without(task, tmp_path):
    class Model(task.Net):
        wants_bank = True

        def forward(self, batch):
            assert (batch.bank is not None) == self.training
            return super().forward(batch)

    from spikecore.testing.tiny import TinyMetric

    given = {"validation": task.TinySource(1), "metrics": {"mae": TinyMetric()}}
    result, _ = task.train(tmp_path, 6, model=Model(), bank=Pictures(), **given)
    assert result.steps == 6
    assert result.scores


def test_what_does_not_go_together_is_refused(task, tmp_path):
    with pytest.raises(UsageError, match=r"want asks for samples of a second source(.|\n)*\[bank\]"):
        task.train(tmp_path, stages=recipe(task, 4), losses={"want": Wanting(), "blind": Blind()})
    with pytest.raises(UsageError, match="neither the model nor a loss asks"):
        task.train(tmp_path, bank=Pictures())
    with pytest.raises(UsageError, match="the bank holds no samples"):
        task.train(tmp_path, stages=recipe(task, 4), losses={"want": Wanting(), "blind": Blind()}, bank=Pictures(0))


def test_an_experiment_names_it(tiny, tmp_path):
    host = PluginHost.discover(allow=["builtin", "train"])
    host.register(tiny, "tiny")
    table = {
        "source": {"use": "tiny/drive"},
        "bank": {"use": "builtin/scene", "clips": 3, "length": 12},
        "model": {"use": "tiny/depth"},
    }
    _, run = assemble(Experiment.from_dict(table, host), tmp_path)
    assert len(run.bank) == 3
    assert run.recipe["experiment"]["bank"]["clips"] == 3
    with pytest.raises(UsageError, match="neither the model nor a loss"):
        assemble(Experiment.from_dict(table, host), tmp_path)[0].fit(run)
