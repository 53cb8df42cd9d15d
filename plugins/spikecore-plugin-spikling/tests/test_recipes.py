"""The recipes are valid, and those that need no download train."""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pytest
import spikecore_plugin_spikling
from spikecore_plugin_spikling.simulator import write_pair

from spikecore import Experiment

RECIPES = Path(spikecore_plugin_spikling.__file__).parent / "recipes"


@pytest.fixture
def data(tmp_path, monkeypatch, vgg_file):
    """data/ and eval/ with tiny pairs, and VGG's weights, in the current folder."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for folder, count in (("data", 4), ("eval", 1)):
        Path(folder).mkdir()
        for number in range(count):
            picture = random.integers(0, 256, (16, 16), np.uint8)
            write_pair(Path(folder, f"sp{number}.npz"), random.random((32, 16, 16)) < picture / 255, picture)
    Path("vgg19-conv.pth").symlink_to(vgg_file)
    return tmp_path


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_recipes_are_valid(path, host, data):
    experiment = Experiment.from_file(path, host)
    assert experiment.parts["model"].component.id == "spikling/semi-unet"
    assert len(experiment.parts["source"].build()) > 3
    assert len(experiment.parts["validation"].build()) > 0


@pytest.mark.parametrize("name", ["original", "without-vgg"])
def test_the_originals_recipes_train(name, host, data, tmp_path):
    settings = ["trainer.batch=2", "trainer.device=cpu"]
    experiment = Experiment.from_file(RECIPES / f"{name}.toml", host, settings)
    assemble = pytest.importorskip("spikecore_plugin_train.assemble").assemble
    stages = tuple(attrs.evolve(stage, epochs=1) for stage in experiment.stages)
    trainer, run = assemble(attrs.evolve(experiment, stages=stages), tmp_path / "run")
    result = trainer.fit(run)
    assert result.steps == 2
    assert result.losses[1] < result.losses[0]
    assert (tmp_path / "run" / "weights.safetensors").is_file()
