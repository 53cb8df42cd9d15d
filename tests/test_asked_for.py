"""What is asked for is what is done, or refused: nothing that a caller states is dropped without a word."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
import torch
from torch import nn

import spikecore as sc

SIZE = (6, 8)


@attrs.frozen
class Nothing:
    """No options."""


class Level(nn.Module):
    """As bright as its one weight."""

    window = sc.Window.centred(5)

    def __init__(self, config):
        super().__init__()
        self.network = nn.Linear(1, 1, bias=False)

    def forward(self, batch):
        return {"image": batch.spikes.tensor()[:, :1] * 0 + self.network.weight[0, 0]}


class Five:
    """A video of five pictures at every instant."""

    window = sc.Window.centred(5)

    def __init__(self, config):
        pass

    def reconstruct(self, batch):
        return batch.spikes.tensor()[:, :, None]


class Both:
    """Spikes and, beside them, camera frames at the same times."""

    def __init__(self, config):
        pass

    def __len__(self):
        return 1

    def __getitem__(self, index):
        if index:
            raise IndexError(index)
        return both()


def both():
    spikes = np.random.default_rng(0).random((40, *SIZE)) < 0.5
    stream = sc.SpikeStream.from_frames(spikes, gain=1.5)
    frames, times = np.zeros((4, 1, *SIZE), np.float32), np.array([5.0, 15, 25, 35])
    return sc.Sample(key="both", spikes=stream, frames=frames, frame_times=times)


class Plugin:
    @sc.hookimpl
    def spikecore_info(self):
        return sc.PluginInfo("fakes", license="MIT")

    @sc.hookimpl
    def spikecore_components(self):
        common = {"config": Nothing, "summary": "a fake", "license": "MIT"}
        yield sc.Component("model", "level", f"{__name__}:Level", consumes="spikes", produces="image", **common)
        yield sc.Component("reconstructor", "five", f"{__name__}:Five", consumes="spikes", produces="video", **common)
        yield sc.Component("source", "both", f"{__name__}:Both", produces=("spikes", "frames"), **common)


@pytest.fixture
def host():
    host = sc.PluginHost.discover()
    host.register(Plugin(), "asked")
    return host


@pytest.fixture
def weights(tmp_path):
    def weights(name, value):
        path = tmp_path / f"{name}.safetensors"
        made = {"component": "asked/level", "options": {}, "training": "none"}
        return str(sc.write_weights(path, {"weight": torch.full((1, 1), value)}, made))

    return weights


def test_other_weights_than_those_that_were_settled(host, weights):
    one, two = weights("one", 0.25), weights("two", 0.75)
    table = {"source": {"use": "builtin/scene"}, "model": {"use": "asked/level"}, "run": {"weights": one}}
    settled = sc.settled(sc.Experiment.from_dict(table, host))
    stream = both().spikes[:20]
    gain = stream.gain
    assert sc.prepare(settled, host=host).image(stream, 8).max() == 0.25 * gain
    assert sc.prepare(settled.method, weights=two, host=host).image(stream, 8).max() == min(0.75 * gain, 1)
    other = sc.settled(attrs.evolve(settled, run=attrs.evolve(settled.run, weights=two)))
    assert other.method.weights.sha256 == sc.file_hash(other.method.weights.path) != settled.method.weights.sha256
    assert sc.record(other)["weights"] == {"asked/level": other.method.weights.sha256}


def test_weights_that_change_after_they_were_hashed_are_refused(host, weights):
    path = weights("one", 0.25)
    settled = sc.settled(sc.Experiment.from_dict({"model": {"use": "asked/level"}, "run": {"weights": path}}, host))
    weights("one", 0.5)
    with pytest.raises(sc.WeightsError, match=r"one.safetensors changed since it was looked at"):
        sc.prepare(settled)


def test_the_instant_that_is_asked_for_comes_before_that_of_the_run(host):
    stream = both().spikes
    made = sc.prepare("classic/tfp", run=sc.RunConfig(at=10), host=host, window=5)
    assert np.array_equal(made.image(stream), sc.reconstruct(stream, "classic/tfp", at=10, window=5, host=host))
    assert np.array_equal(made.image(stream, 30), sc.reconstruct(stream, "classic/tfp", at=30, window=5, host=host))


@pytest.mark.parametrize(
    ("given", "name"),
    [({"gain": 2.0}, "gain"), ({"device": "cpu"}, "device"), ({"weights": "x"}, "weights"), ({"window": 3}, "window")],
)
def test_what_an_experiment_or_a_run_states_cannot_be_stated_twice(host, given, name):
    experiment = sc.compose(source="builtin/scene", reconstructor="classic/tfp", host=host)
    with pytest.raises(sc.UsageError, match=f"^{name}: stated already"):
        sc.prepare(experiment, **given)
    if name == "window":
        with pytest.raises(sc.UsageError, match="window: stated already"):
            sc.prepare(experiment.method, host=host, **given)
    else:
        with pytest.raises(sc.UsageError, match=f"^{name}: stated already"):
            sc.prepare("classic/tfp", run=sc.RunConfig(), host=host, **given)


def test_inputs_that_a_method_does_not_take_say_nothing_about_its_instants(host):
    made = sc.prepare("classic/tfp", host=host, window=5)
    sample = both()
    alone = sc.Sample(key="alone", spikes=sample.spikes)
    assert made.instants(sample) == made.instants(alone) == range(2, 38)
    pictures = dict(made.stream(sample))
    assert np.array_equal(pictures[20], made.image(sample.spikes, 20))
    assert np.array_equal(made.outputs(sample, 20)["image"], pictures[20])


def test_videos_made_from_spikes_count_instants(host, tmp_path):
    told = []

    class Watcher:
        @sc.hookimpl
        def spikecore_step_end(self, step):
            told.append(step)

    table = {
        "source": {"use": "asked/both"},
        "reconstructor": {"use": "asked/five"},
        "run": {"start": 10, "stop": 13, "output": str(tmp_path / "v.npy")},
    }
    sc.run(table, observers=[Watcher()], host=host)
    assert told == [1, 2, 3]
    assert np.load(tmp_path / "v.npy").shape == (15, *SIZE)
    for name in ("pictures", "one.png"):
        with pytest.raises(sc.UsageError, match="every instant gives several pictures"):
            sc.run({**table, "run": {**table["run"], "output": str(tmp_path / name)}}, host=host)


def test_a_resolver_that_fails_costs_its_method_alone(host):
    class Broken:
        @sc.hookimpl
        def spikecore_info(self):
            return sc.PluginInfo("broken", license="MIT")

        @sc.hookimpl(tryfirst=True)
        def spikecore_resolve_weights(self):
            raise ConnectionError("no route")

    host.register(Broken(), "broken")
    table = {
        "source": {"use": "builtin/scene", "height": 24, "width": 24, "length": 80},
        "method": [{"use": "classic/tfp"}, {"use": "baseline/conv"}],
        "metric": [{"use": "builtin/psnr"}],
    }
    scores = {(s.method, s.metric): s for s in sc.evaluate(table, host=host) if not s.item}
    assert scores["classic/tfp", "builtin/psnr"].value > 10
    assert (
        "spikecore_resolve_weights failed: ConnectionError: no route" in scores["baseline/conv", "builtin/psnr"].reason
    )


def test_clips_keep_no_truth_of_another_time():
    truth = {"image": np.zeros((1, *SIZE), np.float32)}
    sample = attrs.evolve(both(), at=35, delay=0.5, target=truth)
    early, late = sample.clip(0, 2), sample.clip(2, 4)
    assert (early.target, early.delay) == ({}, 0.0)
    assert (set(late.target), late.at, late.delay) == ({"image"}, 15, 0.5)


def test_times_of_camera_frames_go_with_the_window():
    assert both().around(sc.Window.centred(5), 20).frame_times.tolist() == [-13, -3, 7, 17]
