from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import attrs
import pytest

from spikecore.errors import AmbiguousComponent, CompositionError, ConfigError, PluginError, UnknownComponent
from spikecore.experiment.experiment import Experiment
from spikecore.experiment.run_config import RunConfig
from spikecore.plugin.bound import Bound
from spikecore.plugin.component import Component, PluginInfo
from spikecore.plugin.hookspecs import hookimpl
from spikecore.plugin.host import PluginHost
from spikecore.plugin.options import option


@attrs.frozen
class Options:
    window: int = option(41, help="frames", validator=attrs.validators.ge(1))


def declare(kind, name, consumes=(), produces=(), targets=(), requires=()):
    return Component(
        kind,
        name,
        "nowhere:Thing",
        Options,
        name,
        consumes=consumes,
        produces=produces,
        targets=targets,
        requires=requires,
    )


@pytest.fixture
def host():
    @hookimpl
    def spikecore_info():
        return PluginInfo("fakes")

    @hookimpl
    def spikecore_components():
        yield declare("source", "camera", produces=("spikes",))
        yield declare("source", "labelled", produces=("spikes",), targets=("image",))
        yield declare("source", "stereo", produces=("events",), targets=("depth",))
        yield declare("reconstructor", "mean", ("spikes",), ("image",))
        yield declare("model", "depth", ("events",), ("depth",))
        yield declare("model", "deblur", ("frames", "spikes"), ("video",))
        yield declare("metric", "psnr", ("image",), targets=("image",))
        yield declare("metric", "niqe", ("image",))
        yield declare("loss", "l2", ("image",), targets=("image",))
        yield declare("trainer", "loop")
        yield declare("loss", "masked", ("depth",), targets=("depth",))
        yield declare("model", "absent", ("spikes",), ("image",), requires=("a_module_that_is_not_there",))

    host = PluginHost()
    host.register(SimpleNamespace(spikecore_info=spikecore_info, spikecore_components=spikecore_components), "fake")
    return host


def compose(host, **roles):
    table = {}
    for role, value in roles.items():
        table[role] = [{"use": one} for one in value] if role in ("loss", "metric") else {"use": value}
    return Experiment.from_dict(table, host)


@pytest.mark.parametrize(
    "roles",
    [
        {"source": "camera", "reconstructor": "mean", "metric": ["niqe"]},
        {"source": "labelled", "reconstructor": "mean", "metric": ["psnr", "niqe"], "loss": ["l2"]},
        {"source": "stereo", "model": "depth", "trainer": "loop"},
        {"reconstructor": "mean", "metric": ["psnr"]},
        {"source": "camera"},
    ],
)
def test_what_fits_is_accepted(host, roles):
    compose(host, **roles)


@pytest.mark.parametrize(
    ("roles", "one", "other", "what"),
    [
        ({"source": "camera", "model": "depth"}, "fake/depth", "fake/camera", "events"),
        ({"source": "camera", "model": "deblur"}, "fake/deblur", "fake/camera", "frames"),
        ({"source": "stereo", "model": "depth", "metric": ["niqe"]}, "fake/niqe", "fake/depth", "image"),
        ({"source": "camera", "reconstructor": "mean", "metric": ["psnr"]}, "fake/psnr", "fake/camera", "ground truth"),
        ({"source": "camera", "reconstructor": "mean", "loss": ["l2"]}, "fake/l2", "fake/camera", "ground truth"),
        ({"reconstructor": "mean", "model": "depth"}, "fake/mean", "fake/depth", "two methods"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_ids(host, roles, one, other, what):
    with pytest.raises(CompositionError) as caught:
        compose(host, **roles)
    assert one in str(caught.value)
    assert other in str(caught.value)
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ({"sauce": {"use": "camera"}}, ConfigError, "did you mean source"),
        ({"source": "camera"}, ConfigError, r"use = .* @ \$.source"),
        ({"source": {"window": 3}}, ConfigError, r"@ \$.source"),
        ({"source": {"use": "kamera"}}, UnknownComponent, "did you mean fake/camera"),
        ({"source": {"use": "mean"}}, UnknownComponent, "no source 'mean'"),
        ({"source": {"use": "camera", "window": "3"}}, ConfigError, r"expected int, got str '3' @ \$.source.window"),
        ({"metric": {"use": "psnr"}}, ConfigError, r"\[\[metric\]\]"),
        ({"metric": [{"use": "psnr", "window": 0}]}, ConfigError, r"\$.metric.0"),
        ({"seed": "0"}, ConfigError, r"\$.seed"),
        ({"seed": True}, ConfigError, r"\$.seed"),
        ({"name": 3}, ConfigError, r"\$.name"),
        ({"requires": "numpy"}, ConfigError, r"\$.requires"),
        ({"requires": ["not a requirement!"]}, ConfigError, "not a requirement"),
        ({"requires": ["a-distribution-that-is-not-there"]}, PluginError, "pip install"),
        ({"requires": ["numpy>=999"]}, PluginError, "installed is"),
        ({"model": {"use": "absent"}}, PluginError, "a_module_that_is_not_there"),
        ({"run": {"stride": 0}}, ConfigError, r"\$.run"),
        ({"run": {"start": 5, "stop": 5}}, ConfigError, "not after"),
        ({"run": {"tile": 8, "overlap": 8}}, ConfigError, "must be smaller"),
        ({"run": {"gain": -1.0}}, ConfigError, "gain"),
        ({"run": {"bits": 12}}, ConfigError, "bits"),
        ({"stage": {"name": "one"}}, ConfigError, r"\[\[stage\]\]"),
        ({"stage": [{"steps": 1, "losses": {"l2": 1.0}}]}, ConfigError, r"'name' is required @ \$.stage.0"),
        ({"stage": [{"name": "one", "losses": {"l2": 1.0}}]}, ConfigError, r"steps or epochs.* @ \$.stage.0"),
        ({"stage": [{"name": "one", "steps": 1, "epochs": 1, "losses": {"l2": 1.0}}]}, ConfigError, "steps or epochs"),
        ({"stage": [{"name": "one", "steps": 0, "losses": {"l2": 1.0}}]}, ConfigError, "above 0"),
        ({"stage": [{"name": "one", "steps": 1}]}, ConfigError, r"losses = .* @ \$.stage.0"),
        ({"stage": [{"name": "one", "steps": 1, "losses": {"l2": "1"}}]}, ConfigError, r"\$.stage.0.losses"),
        ({"stage": [{"name": "one", "steps": 1, "losses": {"l3": 1.0}}]}, UnknownComponent, "no loss 'l3'"),
    ],
)
def test_wrong_tables_are_refused(host, table, error, message):
    with pytest.raises(error, match=message):
        Experiment.from_dict(table, host)


def test_the_resolved_experiment_is_the_same_experiment(host):
    table = {
        "source": {"use": "labelled", "window": 7},
        "reconstructor": {"use": "mean"},
        "metric": [{"use": "psnr"}, {"use": "niqe", "window": 3}],
        "seed": 5,
        "requires": ["numpy>=1"],
        "run": {"at": 3, "display": "minmax"},
    }
    first = Experiment.from_dict(table, host)
    dumped = json.loads(json.dumps(first.dump()))
    assert dumped["source"] == {"use": "fake/labelled", "window": 7}
    assert dumped["reconstructor"] == {"use": "fake/mean", "window": 41}
    again = Experiment.from_dict(dumped, host)
    assert again.dump() == first.dump()
    assert again.fingerprint == first.fingerprint
    assert Experiment.from_dict({**table, "seed": 6}, host).fingerprint != first.fingerprint


def stage(*losses, **changes):
    return {"name": "one", "steps": 3, "losses": dict.fromkeys(losses, 1.0), **changes}


def test_stages_are_part_of_the_experiment(host):
    trains = {"flow.*": 0.1, "*": 1}
    table = {
        "source": {"use": "labelled"},
        "stage": [stage("l2", trains=trains, schedule={"use": "cosine"}), stage("fake/l2", steps=None, epochs=2)],
    }
    del table["stage"][1]["steps"]
    first = Experiment.from_dict(table, host)
    assert [one.steps for one in first.stages] == [3, None]
    assert list(first.stages[0].trains.items()) == [("flow.*", 0.1), ("*", 1.0)], "in the order stated"
    again = Experiment.from_dict(json.loads(json.dumps(first.dump())), host)
    assert again.stages == first.stages
    assert again.fingerprint == first.fingerprint
    assert "stage" not in Experiment.from_dict({}, host).dump()


def test_a_stage_names_a_loss_by_label_id_or_name(host):
    losses = [{"use": "l2", "window": 3}, {"use": "l2"}, {"use": "masked", "window": 5}]
    experiment = Experiment.from_dict({"loss": losses}, host)
    assert experiment.loss("fake/l2 window=3").config.window == 3
    assert experiment.loss("fake/l2").config.window == 41, "that of the bare label"
    assert experiment.loss("masked").config.window == 5
    assert Experiment.from_dict({}, host).loss("l2").config.window == 41, "with default options"
    with pytest.raises(AmbiguousComponent, match="'fake/l2 window=3', 'fake/l2'"):
        experiment.loss("l2")


def test_what_is_validated_on_fits_the_model_and_the_metrics(host):
    """The training source of a method without supervision has no ground truth; that of its validation is judged by."""
    table = {
        "source": {"use": "camera"},
        "validation": {"use": "labelled"},
        "reconstructor": {"use": "mean"},
        "metric": [{"use": "psnr"}],
    }
    experiment = Experiment.from_dict(table, host)
    assert experiment.parts["validation"].component.id == "fake/labelled"
    assert Experiment.from_dict(experiment.dump(), host).dump() == experiment.dump()
    for changes, one, other in [
        ({"validation": {"use": "camera"}}, "fake/psnr", "fake/camera"),
        ({"validation": {"use": "stereo"}}, "fake/mean", "fake/stereo"),
        ({"stage": [stage("l2")]}, "fake/l2", "fake/camera"),
        ({"stage": [stage("masked")]}, "fake/masked", "fake/mean"),
    ]:
        with pytest.raises(CompositionError, match=f"{one}.*{other}"):
            Experiment.from_dict({**table, **changes}, host)


@attrs.frozen
class Made:
    window: int = option(41, help="frames")
    sizes: list[int] = option(factory=list, help="made by a factory")


def test_a_label_names_the_options_that_are_not_at_their_defaults():
    component = Component("loss", "made", "nowhere:Thing", Made, "made")
    assert Bound(component, Made()).label == "made"
    assert Bound(component, Made(3, [1])).label == "made window=3 sizes=[1]"


def test_options_that_were_given_are_known(host):
    experiment = Experiment.from_dict(
        {"reconstructor": {"use": "mean", "window": 41}, "source": {"use": "camera"}}, host
    )
    assert experiment.parts["reconstructor"].explicit == {"window"}
    assert experiment.parts["source"].explicit == set()
    assert experiment.parts["source"].fixed().explicit == {"window"}
    component = host.find("mean")
    assert Bound(component, Options(3)).explicit == {"window"}, "nobody noted it, but it is not the default"
    assert Bound(component, Options()).explicit == set()


def test_weights_that_are_not_here_are_the_loaders_concern(host):
    table = {"model": {"use": "depth"}, "run": {"weights": "none.safetensors"}}
    assert Experiment.from_dict(table, host).dump()["model"] == {"use": "fake/depth", "window": 41}


@pytest.mark.parametrize("fps", [0.0, 0.1, -1.0])
def test_videos_too_slow_for_their_containers_are_refused(host, fps):
    with pytest.raises(ConfigError, match=r"'fps' must be >= 0\.25"):
        Experiment.from_dict({"run": {"fps": fps}}, host)


def test_toml_files_with_overrides(host, tmp_path):
    path = tmp_path / "e.toml"
    path.write_text('[source]\nuse = "camera"\n[reconstructor]\nuse = "mean"\nwindow = 3\n')
    experiment = Experiment.from_file(path, host, ["reconstructor.window=9", "run.gain=2", "source.use=labelled"])
    assert experiment.method.config.window == 9
    assert experiment.run == RunConfig(gain=2.0)
    assert experiment.parts["source"].component.id == "fake/labelled"


def test_checking_an_experiment_imports_no_torch(tmp_path):
    path = tmp_path / "e.toml"
    path.write_text('[source]\nuse = "builtin/scene"\n[[metric]]\nuse = "builtin/psnr"\n')
    code = (
        "import sys\nfrom spikecore import Experiment, PluginHost\n"
        f"Experiment.from_file({str(path)!r}, PluginHost.discover(allow=['builtin']))\n"
        "assert not {'torch', 'numba', 'cv2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
