"""Training sees spikes and nothing else, and what comes of it can be used."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import numpy as np
import pytest
import spikecore_plugin_ssml
import torch
from click.testing import CliRunner

import spikecore as sc
from spikecore import Stage, TrainRun
from spikecore.cli import cli
from spikecore.testing import data

PACKAGE = Path(spikecore_plugin_ssml.__file__).parent
HOST = sc.PluginHost.discover()
EVERY_LOSS = {"ssml/reconstruction": 1.0, "ssml/mutual": 0.01, "ssml/motion": 0.1, "ssml/smoothness": 0.1}
PRETEXT = Stage("pretext", steps=1, losses={"ssml/reconstruction": 1.0}, trains={"network.bsn.*": 1.0})
MUTUAL = Stage("mutual", steps=1, losses=EVERY_LOSS)


class Clips:
    """Random spikes; ground truth as told."""

    def __init__(self, truth=None) -> None:
        self.truth = truth

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> sc.Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        target = {} if self.truth is None else {"image": np.full((1, 12, 12), self.truth, np.float32)}
        spikes = data.random_spikes(0.3, 41, (12, 12), seed=index)
        return sc.Sample(key=f"clip-{index}", spikes=spikes, at=20, target=target)


def fit(folder: Path, source, stages=(PRETEXT, MUTUAL), name="ssml/mutual", **options):
    torch.manual_seed(0)
    model = HOST.build(HOST.find(name, "model"), {"variant": "a", **options})
    stages = stages or [attrs.evolve(stage, steps=1) for stage in model.stages()]
    names = {name for stage in stages for name in stage.losses}
    run = TrainRun(
        model=model,
        source=source,
        losses={name: HOST.build(HOST.find(name, "loss"), {}) for name in names},
        stages=stages,
        directory=folder,
        host=HOST,
    )
    trainer = HOST.build(HOST.find("train/loop", "trainer"), {"batch": 2, "device": "cpu"})
    return trainer.fit(run), model


def test_it_trains_without_ground_truth_and_reads_none_that_is_there(tmp_path):
    results = [fit(tmp_path / str(n), Clips(truth))[0].losses for n, truth in enumerate((None, 0.5, np.nan))]
    assert len(results[0]) == 2
    assert np.isfinite(results[0]).all()
    assert results[0] == results[1] == results[2]


def test_the_pretext_stage_changes_the_blind_network_alone(tmp_path):
    torch.manual_seed(0)
    before = HOST.build(HOST.find("ssml/mutual", "model"), {"variant": "a"}).state_dict()
    _, model = fit(tmp_path, Clips(), stages=(PRETEXT,))
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {key for key in before if key.startswith("network.bsn.")}


def test_the_real_blind_network_is_what_the_other_learns_from(tmp_path):
    """In the published file the blind network's output is a copy of the other's, so that it never learns."""
    _, model = fit(tmp_path, Clips(), stages=(MUTUAL,))
    for branch in (model.network.bsn, model.network.nbsn):
        assert any(bool(one.grad is not None and one.grad.any()) for one in branch.parameters())


def test_masked_pixels_are_another_pretext(tmp_path):
    result, model = fit(tmp_path, Clips(), pretext="masked", masked=0.2)
    assert np.isfinite(result.losses).all()
    batch = sc.collate([Clips()[0]]).to("cpu")
    output = model.train()(batch)
    assert 0.02 < float(output["mask"].float().mean()) < 0.5
    assert "mask" not in model.eval()(batch)
    assert not model.network.bsn.blind


def test_variant_e_cannot_do_without_blindness():
    with pytest.raises(sc.ConfigError, match="needs a variant that can do without blindness"):
        HOST.configure(HOST.find("ssml/mutual", "model"), {"pretext": "masked"})


def test_variant_e_trains_by_its_own_loss_and_reads_no_ground_truth_either(tmp_path):
    stages = (
        Stage("pretext", steps=2, losses={"ssml/fusion": 1.0}, trains={"network.bsn.*": 1.0}),
        Stage("mutual", steps=2, losses={"ssml/fusion": 1.0, "ssml/mutual": 5.0}),
    )
    results = [
        fit(tmp_path / str(n), Clips(truth), stages, variant="e")[0].losses for n, truth in enumerate((None, np.nan))
    ]
    assert np.isfinite(results[0]).all()
    assert results[0] == results[1]


def test_hidden_pixels_show_a_neighbours_spikes():
    from spikecore_plugin_ssml.masking import masked

    spikes = torch.arange(2 * 9 * 11.0).view(2, 1, 9, 11).expand(2, 3, 9, 11)  # every pixel has a number of its own
    torch.manual_seed(0)
    seen, mask = masked(spikes, 0.3)
    assert mask.shape == (2, 1, 9, 11)
    assert torch.equal((seen != spikes).any(1, keepdim=True), mask)
    for item, _, y, x in mask.nonzero().tolist():
        number = int(seen[item, 0, y, x])
        assert torch.equal(seen[item, :, y, x], spikes[item, :, y, x] * 0 + number)
        source_y, source_x = number % 99 // 11, number % 11
        assert number // 99 == item
        assert min((source_y - y) % 9, (y - source_y) % 9) <= 2
        assert min((source_x - x) % 11, (x - source_x) % 11) <= 2


def spikecore(*words: str) -> None:
    CliRunner().invoke(cli, words, catch_exceptions=False, standalone_mode=False)


def test_adapting_to_an_own_recording_and_using_the_result(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rates = np.linspace(0.1, 0.6, 48)[None].repeat(44, axis=0)
    sc.save(data.constant_rate(rates, 90, (44, 48)), tmp_path / "own.dat")
    recipe = str(PACKAGE / "adapt.toml")
    options = ["stage.0.steps=6", "stage.1.steps=12", "source.path=own.dat", "trainer.log_every=1", "trainer.crop=24"]
    settings = [word for text in options for word in ("--set", text)]
    spikecore("train", recipe, *settings, "--set", 'run.weights=""', "-o", "anew")
    anew = blind_losses(tmp_path / "anew")
    assert len(anew) == 18
    assert np.mean(anew[-3:]) < 0.9 * np.mean(anew[:3])
    spikecore("train", recipe, *settings, "-o", "run")
    assert np.mean(blind_losses(tmp_path / "run")) < 0.5 * np.mean(anew[:3]), "it goes on from the shipped weights"
    spikecore("ssml", "split", "run/weights.safetensors")
    whole = spikecore_image(tmp_path, "ssml/mutual", "weights")
    assert np.allclose(spikecore_image(tmp_path, "ssml/nbsn", "nbsn"), whole, atol=1e-4)
    assert not np.allclose(spikecore_image(tmp_path, "ssml/bsn", "bsn"), whole, atol=1e-4)
    card = json.loads((tmp_path / "run" / "nbsn.json").read_text())
    assert card["options"]["variant"] == "e"
    (tmp_path / "run" / "bsn.safetensors").write_bytes((tmp_path / "run" / "weights.safetensors").read_bytes())
    (tmp_path / "run" / "bsn.json").unlink()
    with pytest.raises(sc.UsageError, match="is the input itself"):
        spikecore("ssml", "split", "run/bsn.safetensors")


def blind_losses(run: Path) -> list[float]:
    lines = (run / "log.csv").read_text().splitlines()
    return [float(line.split(",")[2]) for line in lines if line.split(",")[1] == "ssml/fusion:blind"]


def spikecore_image(folder: Path, model: str, weights: str) -> np.ndarray:
    path = folder / f"{weights}.npy"
    words = ("-m", model, "--weights", f"run/{weights}.safetensors", "--at", "40", "--display", "raw", "-o", path.name)
    spikecore("reconstruct", "own.dat", *words)
    return np.load(path)


@pytest.mark.parametrize("variant", ["a", "e"])
@pytest.mark.parametrize("name", ["ssml/nbsn", "ssml/bsn", "ssml/mutual"])
def test_the_models_own_recipes_run(tmp_path, name, variant):
    result, model = fit(tmp_path, Clips(), stages=None, name=name, variant=variant)
    assert len(result.losses) == len(model.stages())
    assert np.isfinite(result.losses).all()


@pytest.mark.parametrize("recipe", sorted(path.name for path in PACKAGE.glob("*.toml")))
def test_recipes_fit_together(recipe):
    experiment = sc.Experiment.from_file(PACKAGE / recipe, HOST)
    assert experiment.stages
    assert not any(loss.component.targets for loss in map(experiment.loss, experiment.stages[-1].losses))
    assert experiment.stages[-1].losses.get("ssml/smoothness", 0) == 0
