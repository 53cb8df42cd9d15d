"""Weights are found, hashed and loaded once for all images of a pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import spikecore as sc
from spikecore.runner.prepare import prepared_experiment
from spikecore.runner.record import record
from spikecore.weights import files, find, load

from .nets import bind, settle, tensors_of


@pytest.fixture
def work(monkeypatch):
    """How often weights files were hashed and their tensors read, by file name."""
    done = {"hashed": [], "read": []}

    def counted(name, function):
        def call(path, *arguments):
            done[name].append(Path(path).name)
            return function(path, *arguments)

        return call

    hashed, read = counted("hashed", files.file_hash), counted("read", files._load)
    for module in (files, find, load):
        if hasattr(module, "file_hash"):
            monkeypatch.setattr(module, "file_hash", hashed)
    monkeypatch.setattr(files, "_load", read)
    return done


@pytest.fixture
def stream():
    return sc.SpikeStream.from_frames(np.random.default_rng(0).random((40, 6, 8)) < 0.4, name="clip")


def test_ten_images_from_one_pipeline(nets, stream, work):
    made = sc.prepare("fake/net", host=nets)
    images = [made.image(stream, at) for at in range(5, 15)]
    assert work == {"hashed": ["narrow.safetensors"], "read": ["narrow.safetensors"]}
    assert [len(list(made.stream(sc.Sample(key="clip", spikes=stream), range(5, 15)))) for _ in range(2)] == [10, 10]
    assert work == {"hashed": ["narrow.safetensors"], "read": ["narrow.safetensors"]}
    assert all(
        np.array_equal(image, sc.reconstruct(stream, "fake/net", at=at, host=nets))
        for at, image in zip(range(5, 15), images, strict=True)
    )


def test_a_pipeline_is_not_told_of_later_changes(nets, stream, work, package):
    made = sc.prepare("fake/net", host=nets)
    before = made.image(stream, 20)
    (package / "weights" / "narrow.safetensors").unlink()
    assert np.array_equal(made.image(stream, 20), before)


def test_an_experiment_that_is_settled_stays_so(nets, work):
    experiment = settle(nets, weights="wide")
    assert work == {"hashed": ["wide.safetensors"], "read": []}
    again = sc.settled(experiment)
    assert again.parts["model"] is experiment.parts["model"]
    recipe = record(experiment)
    made = prepared_experiment(experiment)
    assert work == {"hashed": ["wide.safetensors"], "read": ["wide.safetensors"]}
    assert recipe["weights"] == {"fake/net": made.weights} == {"fake/net": experiment.parts["model"].weights.sha256}


def test_a_run_over_several_recordings_loads_once(nets, work, tmp_path):
    experiment = {
        "source": {"use": "builtin/scene", "height": 8, "width": 8, "length": 9, "clips": 3},
        "model": {"use": "fake/net"},
        "run": {"weights": "wide", "at": 4, "output": str(tmp_path / "v.npy")},
    }
    assert len(sc.run(experiment, host=nets).outputs) == 3
    assert work == {"hashed": ["wide.safetensors"], "read": ["wide.safetensors"]}


def test_an_experiment_that_is_stated_is_settled_when_it_is_prepared(nets, work):
    assert sc.prepare(bind(nets, weights="wide")).model.config.width == 8
    assert sc.prepare(bind(nets).parts["model"], host=nets).model.config.width == 2
    assert sc.prepare("fake/net", host=nets, weights="wide").model.config.width == 8
    assert sc.prepare("fake/net", host=nets, width=8).model.config.width == 8
    assert len(work["hashed"]) == len(work["read"]) == 4


def test_what_cannot_be_settled_is_left_to_whoever_loads_it(nets, package):
    (package / "weights" / "narrow.safetensors").unlink()
    experiment = settle(nets)
    assert experiment.parts["model"].weights is None
    assert experiment.parts["model"].config.width == 2
    with pytest.raises(sc.WeightsError, match="reinstall the plugin"):
        sc.prepare(experiment)


def test_options_beside_an_experiment_are_refused(nets):
    with pytest.raises(sc.UsageError, match="width: stated already, by the experiment"):
        sc.prepare(bind(nets), width=4)
    with pytest.raises(sc.UsageError, match="neither a reconstructor nor a model"):
        sc.prepare({}, host=nets)


def test_the_tensors_are_those_of_the_file(nets):
    state = sc.prepare("fake/net", host=nets).model.network.state_dict()
    assert {key: value.tolist() for key, value in state.items()} == {
        key: value.tolist() for key, value in tensors_of(2).items()
    }
