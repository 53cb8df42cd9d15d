"""The best weights, and weights as files that others can use."""

from __future__ import annotations

import json

import pytest
import torch
from spikecore_plugin_train.checkpoint import read
from spikecore_plugin_train.config import NoOptions
from spikecore_plugin_train.progress import Progress

from spikecore import (
    Component,
    Kind,
    PluginHost,
    PluginInfo,
    Stage,
    Weights,
    hookimpl,
    load_network,
    locate,
)
from spikecore.testing.tiny import TinyMetric, TinyModel

from .conftest import apart

SGD = {"use": "sgd", "lr": 0.1}


def test_the_best_weights_are_kept_and_patience_ends_a_stage(task, tmp_path):
    class Scripted(TinyMetric):
        values = iter([0.5, 0.3, 0.4, 0.35, 0.6, 0.2, 0.9, 0.9, 0.9])

        def compute(self):
            return torch.tensor(next(self.values))

    options = {"patience": 2, "validate_every": 2, "batch": 5}
    stages = [Stage(name, steps=20, losses={"l2": 1.0}, optimiser=SGD) for name in ("first", "second")]
    result, _ = task.train(
        tmp_path, options=options, stages=stages, validation=task.TinySource(2), metrics={"mae": Scripted()}
    )
    assert result.steps == 8 + 8, "each stage ended after two worse scores"
    best = read(tmp_path / "checkpoints" / "best.pt")["progress"]
    assert (best["step"], best["best"]) == (12, pytest.approx(0.2))
    card = json.loads((tmp_path / "best.json").read_text())
    assert card["scores"] == {"mae": pytest.approx(0.2)}
    assert result.scores == {"mae": pytest.approx(0.9)}


def test_patience_compares_with_the_stage_and_best_with_all():
    progress = Progress()
    assert progress.judged({}, 0.2, False)
    progress.stage_step = 8
    progress.next_stage(20)
    assert not any(progress.judged({}, value, False) for value in (0.9, 0.8, 0.7))
    assert (progress.stale, progress.best, progress.ended) == (0, 0.2, [0])
    progress.judged({}, 0.75, False)
    assert progress.stale == 1
    assert progress.judged({}, 0.1, False)
    assert progress.stale == 0


def test_exported_weights_can_be_listed(task, tmp_path):
    model = TinyModel()
    task.train(tmp_path, plain=True, model=model, source=task.TinySource(4))
    card = json.loads((tmp_path / "weights.json").read_text())
    weights = Weights(
        **{key: value for key, value in card.items() if key != "file"}, url="https://example.org/" + card["file"]
    )
    component = Component(Kind.MODEL, "tiny", "nowhere:Tiny", NoOptions, "tiny", weights=(weights,))

    class Cache:
        @hookimpl
        def spikecore_info(self):
            return PluginInfo("finds weights")

        @hookimpl
        def spikecore_resolve_weights(self, weights):
            return tmp_path / "weights.safetensors"

    host = PluginHost()
    host.register(Cache(), "cache")
    path, _ = locate(host, component, "weights")
    fresh = TinyModel(seed=9)
    load_network(fresh, path)
    assert apart(fresh.network.state_dict(), model.network.state_dict()) == 0
