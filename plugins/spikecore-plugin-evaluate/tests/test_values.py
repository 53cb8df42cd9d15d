"""`spikecore evaluate`: every value is the right one."""

from __future__ import annotations

import json
import math
from pathlib import Path

import attrs
import cv2
import numpy as np
import pytest
import torch
from spikecore_plugin_evaluate.evaluation import CALLS, Evaluation

import spikecore
from spikecore import Experiment, PluginHost, UsageError, write_weights

TFP, TFI = "classic/tfp window=21", "classic/tfi"
OPTIONS = {"height": 24, "width": 32, "length": 60, "clips": 3, "seed": 5}


def expected(method, clip):
    """PSNR computed by hand."""
    host = PluginHost.discover()
    sample = host.build(host.find("builtin/scene"), OPTIONS)[clip]
    words = dict(word.split("=") for word in method.split()[1:])
    options = {name: int(value) for name, value in words.items()}
    image = spikecore.reconstruct(sample.spikes, method.split()[0], at=sample.at, host=host, **options)
    return -10 * math.log10(float(((image - sample.target["image"][0]).astype(float) ** 2).mean()))


def test_a_scene_gives_table_files_and_pictures(evaluate, scene, read):
    shown = evaluate(scene).out
    folder = Path("evaluate-night")
    rows = read(folder / "scores.csv")
    assert set(rows) == {(f"scene-5-{clip}", method) for clip in range(3) for method in (TFP, TFI)}
    for (item, method), row in rows.items():
        assert row["builtin/psnr"] == pytest.approx(expected(method, int(item[-1])), abs=1e-4)
        assert row["time ms (median)"] > 0
        assert row["memory MB"] >= 0
    means = read(folder / "means.csv")
    for method in (TFP, TFI):
        mean = np.mean([rows[f"scene-5-{clip}", method]["builtin/psnr"] for clip in range(3)])
        assert means["mean", method]["builtin/psnr"] == pytest.approx(mean)
        assert f"{mean:.4f}" in shown
    assert "scene-5-2" in shown
    assert "scene-5-2" in (folder / "scores.md").read_text()
    assert len(json.loads((folder / "scores.json").read_text())) == 6
    assert json.loads((folder / "run.json").read_text())["experiment"]["source"]["seed"] == 5
    for clip in range(3):
        picture = cv2.imread(str(folder / "pictures" / f"scene-5-{clip}.png"), cv2.IMREAD_GRAYSCALE)
        assert picture.shape[1] == 3 * 32  # two methods and the ground truth; below, where they err
        assert picture.shape[0] > 2 * 24
        assert picture.max() > 0


def test_json_and_another_folder(evaluate, scene):
    rows = json.loads(evaluate(scene, "--json", "-o", "deep/out", "-s", "source.clips=1").out)
    assert [(row["item"], row["method"]) for row in rows] == [
        ("scene-5-0", TFP),
        ("scene-5-0", TFI),
        ("mean", TFP),
        ("mean", TFI),
    ]
    assert Path("deep/out/scores.csv").is_file()


def test_two_workers_give_what_one_gives(evaluate, scene, psnr):
    evaluate(scene, "-o", "one")
    evaluate(scene, "-o", "two", "--workers", "2")
    one, two = (psnr(f"{name}/scores.csv") for name in ("one", "two"))
    assert list(one) == list(two)
    assert one == two
    pictures = [sorted(Path(name, "pictures").iterdir()) for name in ("one", "two")]
    assert [path.name for path in pictures[0]] == [path.name for path in pictures[1]]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(*pictures, strict=True))


def test_python_gives_the_same_values(evaluate, scene, psnr):
    evaluate(scene)
    scores = spikecore.evaluate(scene, output="mine")
    held = {(score.item, score.method): score.value for score in scores if score.metric == "builtin/psnr"}
    means = {("", method): value for (_, method), value in psnr("evaluate-night/means.csv").items()}
    assert held == psnr("evaluate-night/scores.csv") | means
    assert len(list(Path("mine/pictures").iterdir())) == 3


def test_python_says_what_is_missing(scene):
    experiment = Experiment.from_file(scene, PluginHost.discover())
    for role in ("source", "method"):
        parts = {key: part for key, part in experiment.parts.items() if not key.startswith(role)}
        with pytest.raises(UsageError, match=r"needs \[source\] and at least one method"):
            spikecore.evaluate(attrs.evolve(experiment, parts=parts))


def test_a_metric_without_reference_judges_the_ground_truth_too(evaluate, judges, scene, read):
    shown = evaluate(scene, "--metric", "judges/brightness").out
    assert "ground truth" in shown
    host = PluginHost.discover()
    clips = host.build(host.find("builtin/scene"), OPTIONS)
    rows = read("evaluate-night/scores.csv")
    for number in range(3):
        row = rows[f"scene-5-{number}", "ground truth"]
        assert row["judges/brightness"] == pytest.approx(clips[number].target["image"].mean(), rel=1e-5)
        assert row["builtin/psnr"] is None


def test_the_plugin_of_a_metric_is_found_in_workers(evaluate, judges, scene, read):
    evaluate(scene, "--metric", "judges/brightness", "--workers", "2")
    assert all(row["judges/brightness"] > 0 for row in read("evaluate-night/scores.csv").values())


def test_at_another_instant_there_is_no_ground_truth(evaluate, judges, scene):
    errors = evaluate(scene, "--at", "20", code=1).err
    assert "builtin/psnr needs ground truth of kind image, which scene-5-0 lacks" in errors
    evaluate(scene, "--at", "30")  # the instant of the ground truth


@pytest.mark.parametrize(("clips", "calls"), [(1, 1 + CALLS), (CALLS, 2 * CALLS)])
def test_times_are_medians_of_several_calls(evaluate, players, scene, clips, calls):
    evaluate(scene, "-m", "players/mean", "-s", f"source.clips={clips}")
    import spikecore_players

    assert spikecore_players.Mean.calls == calls


@pytest.fixture
def seer(install, tmp_path):
    """An experiment of a model that gives an image and a label, and a function that writes weights that say `label`."""
    install("seers")
    path = tmp_path / "seer.toml"
    path.write_text('[source]\nuse = "seers/labelled"\n')

    def weights(label, model="seers/seer"):
        tensors = {"weight": torch.zeros(5, 1), "bias": torch.nn.functional.one_hot(torch.tensor(label), 5).float()}
        made = {"component": model, "options": {}, "training": "none"}
        return write_weights(tmp_path / f"says-{label}.safetensors", tensors, made)

    return path, weights


@pytest.mark.parametrize("model", ["seers/seer", "seers/teller"])
@pytest.mark.parametrize(("label", "accuracy"), [(2, 100.0), (3, 0.0)])
def test_a_metric_is_given_the_kind_that_it_consumes(evaluate, seer, read, model, label, accuracy):
    experiment, weights = seer
    judged = ["--metric", "seers/accuracy", "--metric", "builtin/psnr"]
    evaluate(experiment, "-m", model, *judged, "--weights", weights(label, model), "-o", "out")
    (row,) = read("out/scores.csv").values()
    assert row["seers/accuracy"] == accuracy
    spikes = np.random.default_rng(0).random((41, 16, 24))[10:31] < 0.5
    assert row["builtin/psnr"] == pytest.approx(-10 * math.log10(((spikes.mean(0) - 0.5) ** 2).mean()), abs=1e-4)
    assert [path.name for path in Path("out/pictures").iterdir()] == ["clip.png"]


@pytest.mark.parametrize("at", [[], ["--at", 20]])
def test_a_method_is_judged_where_the_ground_truth_really_lies(evaluate, seer, psnr, at):
    """Naming the instant of the ground truth changes nothing."""
    evaluate(seer[0], "-m", "seers/clock", "--metric", "builtin/psnr", "-o", "out", *at)
    assert psnr("out/scores.csv") == {("clip", "seers/clock"): pytest.approx(-20 * math.log10(0.25))}


def test_weights_are_hashed_once_and_the_experiment_is_dumped_once(evaluate, seer, monkeypatch):
    experiment, weights = seer
    path = weights(2)
    hashed, dumped = [], []
    file_hash, dump = spikecore.file_hash, Experiment.dump

    def counted_hash(one):
        hashed.append(Path(one))
        return file_hash(one)

    def counted_dump(self):
        dumped.append(self)
        return dump(self)

    for module in ("files", "find", "load"):
        monkeypatch.setattr(f"spikecore.weights.{module}.file_hash", counted_hash)
    monkeypatch.setattr(Experiment, "dump", counted_dump)
    evaluate(experiment, "-m", "seers/seer", "--metric", "seers/accuracy", "--weights", path)
    assert hashed.count(path) == 1
    assert len(dumped) == 1


def test_methods_and_metrics_are_told_the_names_of_classes(seer):
    """From the source, once, before they are used."""
    experiment, weights = seer
    host = PluginHost.discover()
    table = spikecore.experiment_table(experiment)
    table |= {"model": {"use": "seers/seer"}, "metric": [], "run": {"weights": str(weights(2))}}
    evaluation = Evaluation(spikecore.settled(Experiment.from_dict(table, host)))
    evaluation.judged(0)
    model = evaluation.pipeline(evaluation.experiment.methods[0]).model
    assert model.labels == ("cat", "dog", "owl", "fox", "hen")
