"""Checkpoints hold what can change, and no big frozen encoder."""

from __future__ import annotations

import pytest
import torch
from spikecore_plugin_train.checkpoint import read
from spikecore_plugin_train.kept import Kept
from torch import nn

from spikecore import SpikeFormatError, Stage, UsageError
from spikecore.testing.tiny import TinyMetric

from .conftest import apart, weights

BIG = 300_000
"""Parameters of the frozen encoder, 1.2 MB."""


@pytest.fixture
def encoded(task):
    """encoded(seed=0): a model that sees through a big frozen encoder, with a head of its own beside the network."""

    class Encoded(task.Net):
        def __init__(self, seed=0):
            super().__init__(seed=seed)
            self.encoder = nn.ModuleDict({"wide": nn.Linear(1, BIG // 2), "norm": nn.BatchNorm2d(8)})
            self.encoder.requires_grad_(False)
            self.head = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))
            self.unused = nn.Linear(1, 1)
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, batch):
            self.seen += self.training
            spikes = self.encoder["norm"](batch.spikes.tensor())
            return {"image": self.head(self.network(spikes) + self.encoder["wide"].weight.mean())}

    return Encoded


TRAINED = {"network.*": 1.0, "head.*": 0.5}


def kept_of(model):
    names = [name for name, _ in model.named_parameters() if name.startswith(("network.", "head."))]
    return Kept(model, model.network, names)


def test_what_can_change_is_kept(encoded):
    model = encoded()
    left = model.state_dict().keys() - kept_of(model).state().keys()
    assert left == {
        *(f"encoder.wide.{name}" for name in ("weight", "bias")),
        *(f"encoder.norm.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")),
        *(f"unused.{name}" for name in ("weight", "bias")),
    }, "the head's running statistics and the model's own counter are kept"


def test_a_network_is_kept_whole_even_if_it_never_trains(task):
    model = task.Net()
    assert Kept(model, model.network, []).state().keys() == model.state_dict().keys()
    assert Kept(model, model.network, []).digest == ""


def test_checkpoints_are_small_and_go_on_exactly(task, encoded, tmp_path):
    stages = task.recipe(20, trains=TRAINED)
    given = {"validation": task.TinySource(2), "metrics": {"mae": TinyMetric()}, "stages": stages}
    whole, one = task.train(tmp_path / "whole", model=encoded(), **given)
    files = list((tmp_path / "whole" / "checkpoints").iterdir())
    assert {path.name for path in files} >= {"step-000000020.pt", "best.pt"}
    assert all(path.stat().st_size < BIG for path in files), "of 4 bytes a parameter, averages and optimiser besides"
    content = read(whole.checkpoint)
    assert content["model"].keys() == content["average"].keys()
    assert not any(name.startswith(("encoder.", "unused.")) for name in content["model"])
    task.train(tmp_path / "part", model=encoded(), **given)
    for step in (15, 20):
        (tmp_path / "part" / "checkpoints" / f"step-{step:09d}.pt").unlink()
    resumed, other = task.train(tmp_path / "part", model=encoded(), resume="auto", **given)
    assert resumed.losses == whole.losses
    assert weights(one).keys() == weights(other).keys()
    assert apart(weights(one), weights(other)) == 0
    assert apart(weights(one), {**weights(one), **{n: v for n, v in weights(encoded()).items() if "encoder" in n}}) == 0


def test_a_frozen_part_that_differs_is_refused(task, encoded, tmp_path):
    stages = task.recipe(4, trains=TRAINED)
    task.train(tmp_path, model=encoded(), stages=stages)
    with pytest.raises(UsageError, match="digest of what never trains was"):
        task.train(tmp_path, model=encoded(seed=1), stages=stages, resume="auto")


def test_a_part_that_trains_in_one_stage_only_is_kept(task, encoded, tmp_path):
    first, second = task.recipe(8, trains=TRAINED)
    result, _ = task.train(tmp_path, model=encoded(), stages=[first, Stage("last", steps=4, losses=second.losses)])
    assert "unused.weight" in read(result.checkpoint)["model"], "the last stage lets all train that can"
    assert not any(name.startswith("encoder.") for name in read(result.checkpoint)["model"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda held: held | {"encoder.wide.weight": torch.zeros(BIG // 2, 1)}, "unexpected encoder.wide.weight"),
        (lambda held: held | {"other": torch.zeros(1)}, "unexpected other"),
        (lambda held: {name: value for name, value in held.items() if name != "head.0.bias"}, "missing head.0.bias"),
        (lambda held: held | {"head.0.bias": torch.zeros(2)}, "size mismatch"),
    ],
)
def test_a_wrong_key_or_shape_is_refused(encoded, tmp_path, change, told):
    model = encoded()
    kept = kept_of(model)
    before = weights(model)
    held = {name: value + 1 for name, value in kept.state().items()}
    with pytest.raises(SpikeFormatError, match=f"a checkpoint of another model(.|\n)*{told}"):
        kept.load(change(held), tmp_path / "step.pt")
    if "size" not in told:
        assert apart(weights(model), before) == 0
    kept.load(held, tmp_path / "step.pt")
    assert apart(kept.state(), held) == 0


def test_what_changes_untrained_outside_the_network_is_told(task, encoded, tmp_path):
    class Following(encoded):
        """Its encoder follows the head, as a teacher does, and would be lost by a restart."""

        def forward(self, batch):
            self.unused.weight.data.lerp_(self.head[0].weight.data[:, :, 0, 0], 0.1)
            return super().forward(batch)

    with pytest.raises(UsageError, match=r"unused.weight changed, though no stage trains it(.|\n)*network hold it"):
        task.train(tmp_path, model=Following(), stages=task.recipe(8, trains=TRAINED))
