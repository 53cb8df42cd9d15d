from __future__ import annotations

import json
from hashlib import sha256
from types import SimpleNamespace

import attrs
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from spikecore.adapter import import_weights, load_model
from spikecore.component import Component, PluginInfo, Weights
from spikecore.config import option
from spikecore.errors import ConfigError, PluginError, WeightsError
from spikecore.experiment import Bound, Experiment
from spikecore.hookspecs import hookimpl
from spikecore.host import PluginHost
from spikecore.jobs import Job
from spikecore.record import record
from spikecore.weights import cache_folder, imported_paths, imported_weights, load_tensors, locate, write


@attrs.frozen
class Options:
    pass


def make_host(*weights):
    @hookimpl
    def spikecore_info():
        return PluginInfo("fakes")

    @hookimpl
    def spikecore_components():
        yield Component("model", "net", "spikecore_shipping.net:Net", Options, "net", weights=weights)

    host = PluginHost.discover(allow=["builtin"], block=[])
    host.register(SimpleNamespace(spikecore_info=spikecore_info, spikecore_components=spikecore_components), "fake")
    return host


def of(content, name="base", **where):
    return Weights(name, sha256(content).hexdigest(), len(content), **where)


@pytest.fixture
def package(tmp_path, clean_path):
    folder = tmp_path / "spikecore_shipping"
    (folder / "weights").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    clean_path(tmp_path)
    return folder


def test_weights_in_the_wheel_are_found_and_checked(package):
    (package / "weights" / "a.safetensors").write_bytes(b"right")
    host = make_host(of(b"right", file="weights/a.safetensors"), of(b"other", "second", file="weights/a.safetensors"))
    net = host.find("net")
    assert locate(host, net) == (package / "weights" / "a.safetensors", sha256(b"right").hexdigest())
    with pytest.raises(WeightsError, match="is not that of weights 'second'"):
        locate(host, net, "second")
    with pytest.raises(WeightsError, match="did you mean base"):
        locate(host, net, "bass")


def test_weights_in_the_cache_are_found(tmp_path, monkeypatch, package):
    monkeypatch.setenv("SPIKECORE_CACHE", str(tmp_path / "cache"))
    weights = of(b"fetched", url="https://nowhere.example/b.safetensors")
    host = make_host(weights)
    with pytest.raises(WeightsError, match=r"not on this machine\n.*spikecore weights fetch fake/net base"):
        locate(host, host.find("net"))
    path = cache_folder() / weights.sha256 / "b.safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"fetched")
    assert locate(host, host.find("net"))[0] == path


def test_a_file_of_ones_own(tmp_path):
    host = make_host()
    path = tmp_path / "mine.safetensors"
    path.write_bytes(b"x")
    assert locate(host, host.find("net"), str(path)) == (path, sha256(b"x").hexdigest())
    with pytest.raises(WeightsError, match=r"no weights file 'none\.safetensors'"):
        locate(host, host.find("net"), "none.safetensors")
    with pytest.raises(WeightsError, match="it ships none"):
        locate(host, host.find("net"))


def test_tensors_are_read_from_safetensors_and_legacy_files(tmp_path):
    tensors = {"a": torch.arange(3.0), "b": torch.ones(2, 2, dtype=torch.int64)}
    save_file(tensors, tmp_path / "w.safetensors")
    torch.save(tensors, tmp_path / "w.pth")
    for name in ("w.safetensors", "w.pth"):
        read = load_tensors(tmp_path / name)
        assert read.keys() == tensors.keys()
        assert all(torch.equal(read[key], tensors[key]) for key in tensors)


class Payload:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code ran')",))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b"<!DOCTYPE html>", "web page"),
        (b"\x80\x04garbage", "not a plain weights file"),
        (b"\xff" * 100, "not a plain weights file"),
    ],
)
def test_impostors_are_refused(tmp_path, suffix, content, message):
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as caught:
        load_tensors(path)
    assert str(path) in str(caught.value)


def test_code_in_a_legacy_file_never_runs(tmp_path):
    torch.save({"a": Payload()}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="not a plain weights file"):
        load_tensors(tmp_path / "w.pth")


def test_what_is_no_finite_tensor_is_refused(tmp_path):
    torch.save({"a": torch.tensor([1.0, float("nan")])}, tmp_path / "nan.pth")
    torch.save({"a": {"b": torch.ones(1)}}, tmp_path / "nested.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="'a' holds NaN"):
        load_tensors(tmp_path / "nan.pth")
    with pytest.raises(WeightsError, match="entry 'a' is a dict"):
        load_tensors(tmp_path / "nested.pth")
    with pytest.raises(WeightsError, match="not a plain weights file"):
        load_tensors(tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="no such file"):
        load_tensors(tmp_path / "none.pth")


# Weights that need options of their component: a network whose width is one, in a package made here.

NET = """
import torch
from spikecore.errors import WeightsError
from spikecore.sample import Window
from spikecore.weights import Imported

class Net(torch.nn.Module):
    window = Window.centred(3)

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.network = torch.nn.Sequential(torch.nn.Conv2d(1, config.width, 1), torch.nn.Conv2d(config.width, 1, 1))

    def forward(self, batch):
        return {"image": self.network(batch.spikes.tensor().mean(1, keepdim=True)) * config.gain}

    def stages(self):
        return []

def imported(checkpoint):
    if "model" not in checkpoint:
        raise WeightsError("holds no 'model'")
    if checkpoint["epoch"] < 0:
        return "nothing"
    tensors = {key.replace("conv", ""): value for key, value in checkpoint["model"].items()}
    return Imported(tensors, {"width": len(tensors["0.bias"])})
"""


@attrs.frozen
class NetOptions:
    width: int = option(4, help="channels", validator=attrs.validators.ge(1))
    gain: float = option(1.0, help="of the output")
    speed: int = option(1, help="how it is used", adjustable=True)


def tensors_of(width, value=0.5):
    shapes = {"0.weight": (width, 1, 1, 1), "0.bias": (width,), "1.weight": (1, width, 1, 1), "1.bias": (1,)}
    return {key: torch.full(shape, value) for key, shape in shapes.items()}


@pytest.fixture
def nets(package, tmp_path, monkeypatch):
    """A host with a net of declared weights: narrow (width 2), wide (8), plain (4, nothing stated)."""
    monkeypatch.setenv("SPIKECORE_CACHE", str(tmp_path / "cache"))
    (package / "net.py").write_text(NET)
    weights = []
    for name, width, options in (("narrow", 2, {"width": 2}), ("wide", 8, {"width": 8}), ("plain", 4, {})):
        path = package / "weights" / f"{name}.safetensors"
        save_file(tensors_of(width), path)
        content = path.read_bytes()
        file = f"weights/{name}.safetensors"
        weights.append(Weights(name, sha256(content).hexdigest(), len(content), file=file, options=options))

    def component(name, **extra):
        target = "spikecore_shipping.net:Net"
        return Component("model", name, target, NetOptions, name, "spikes", "image", license="MIT", **extra)

    @hookimpl
    def spikecore_components():
        yield component("net", weights=tuple(weights), importer="spikecore_shipping.net:imported")
        yield component("bare")
        yield component("misread", importer="spikecore_shipping.net:nothing_there")

    host = PluginHost.discover(allow=["builtin"], block=[])
    info = hookimpl(lambda: PluginInfo("fakes"))
    host.register(SimpleNamespace(spikecore_info=info, spikecore_components=spikecore_components), "fake")
    return host


def bind(host, name="net", weights="", **options):
    return Experiment.from_dict({"model": {"use": f"fake/{name}", **options}, "run": {"weights": weights}}, host)


def trained(host, name="net", weights="", **options):
    return load_model(host, bind(host, name, weights, **options).parts["model"], weights)


def test_a_model_is_built_with_the_options_of_its_weights(nets):
    assert trained(nets).model.config.width == 2, "the first of the component's"
    assert trained(nets, weights="wide").model.config.width == 8
    assert trained(nets, weights="plain").model.config.width == 4
    assert trained(nets, weights="wide", gain=3.0).bound.config == NetOptions(8, 3.0)
    assert trained(nets, weights="wide", width=8).bound.config.width == 8
    assert torch.equal(trained(nets).model.network[0].bias, torch.full((2,), 0.5))


def test_without_a_name_the_first_weights_that_fit_what_was_given_are_taken(nets):
    _, wide = locate(nets, nets.find("net"), "wide")
    assert trained(nets, width=8).weights == wide
    assert trained(nets, width=4).model.config.width == 4, "weights that state no options fit all"


def test_weights_that_contradict_what_was_given_are_refused_with_both(nets):
    with pytest.raises(ConfigError, match=r"fake/net: width=4 was given, but weights 'wide' were made with width=8"):
        bind(nets, weights="wide", width=4)
    component = attrs.evolve(nets.find("net"), weights=nets.find("net").weights[:2])
    with pytest.raises(ConfigError, match=r"width=3 was given, but weights 'narrow'"):
        load_model(nets, Bound(component, NetOptions(width=3)))
    odd = attrs.evolve(component.weights[0], name="odd", options={"depth": 3})
    with pytest.raises(ConfigError, match=r"unknown option 'depth'.*options of weights 'odd'"):
        load_model(nets, Bound(attrs.evolve(component, weights=(odd,)), NetOptions()))


@pytest.mark.parametrize(("weights", "width"), [("", 2), ("wide", 8), ("plain", 4)])
def test_a_record_holds_the_options_of_the_weights_and_their_hash(nets, weights, width):
    experiment = bind(nets, weights=weights)
    recipe = json.loads(json.dumps(record(experiment)))
    assert recipe["experiment"]["model"]["width"] == width
    assert recipe["weights"] == {"fake/net": trained(nets, weights=weights).weights}
    again = Experiment.from_dict(recipe["experiment"], nets)
    assert again.dump() == experiment.dump()
    assert load_model(nets, again.parts["model"], weights).bound.config.width == width


def test_a_model_that_is_trained_anew_keeps_its_own_defaults(nets):
    experiment = bind(nets)
    parts = {"model": experiment.parts["model"].fixed()}
    recipe = record(attrs.evolve(experiment, parts=parts), {})
    assert recipe["experiment"]["model"]["width"] == 4
    assert recipe["weights"] == {}


def test_a_file_says_what_it_is_for(nets, tmp_path):
    path = tmp_path / "mine.safetensors"
    made = {"component": "fake/net", "options": {"width": 3, "gain": 2.0}, "training": "one step"}
    write(path, tensors_of(3), made, scores={"psnr": 30.0})
    card = Weights(**json.loads(path.with_suffix(".json").read_text()))
    digest = sha256(path.read_bytes()).hexdigest()
    assert card == Weights("mine", digest, path.stat().st_size, "mine.safetensors", training="one step",
                           scores={"psnr": 30.0}, options=made["options"])  # fmt: skip
    assert trained(nets, weights=str(path)).bound.config == NetOptions(3, 2.0)
    with pytest.raises(ConfigError, match=r"gain=5.0 was given, but .*mine.safetensors were made with gain=2.0"):
        bind(nets, weights=str(path), gain=5.0)
    with pytest.raises(WeightsError, match="holds weights of fake/net, not of fake/bare"):
        trained(nets, "bare", str(path))


def test_a_file_may_have_any_name_but_that_of_declared_weights(nets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(foreign(5), "theirs")
    assert trained(nets, weights="theirs").bound.config.width == 5
    torch.save(foreign(5), "wide")
    assert trained(nets, weights="wide").bound.config.width == 8
    assert trained(nets, weights="./wide").bound.config.width == 5


def test_adjustable_options_may_differ_from_those_of_the_weights(nets, tmp_path):
    path = tmp_path / "mine.safetensors"
    write(path, tensors_of(3), {"component": "fake/net", "options": {"width": 3, "speed": 2}, "training": "one step"})
    assert trained(nets, weights=str(path)).bound.config == NetOptions(3, speed=2)
    assert trained(nets, weights=str(path), speed=5).bound.config == NetOptions(3, speed=5)
    assert bind(nets, weights=str(path), speed=5).parts["model"].config == NetOptions(3, speed=5)
    again = Experiment.from_dict(bind(nets, weights=str(path), speed=5).dump(), nets)
    assert again.parts["model"].config.speed == 5


def test_what_is_kept_under_a_name_anew_makes_another_job(nets, tmp_path):
    fingerprints = []
    for number in range(2):
        save_file(tensors_of(4, float(number)), tmp_path / "theirs.safetensors")
        import_weights(nets, nets.find("bare"), tmp_path / "theirs.safetensors", "mine")
        fingerprints.append(Job.of("evaluate", bind(nets, "bare", "mine"), tmp_path).fingerprint)
    assert fingerprints[0] != fingerprints[1]


@pytest.mark.parametrize("text", ["no json", "[]", "{}", '{"component": "fake/net", "options": 3}'])
def test_a_file_that_says_nonsense_is_refused(nets, tmp_path, text):
    path = tmp_path / "odd.safetensors"
    save_file(tensors_of(4), path, metadata={"spikecore": text})
    with pytest.raises(WeightsError, match=r"odd.safetensors is not a plain weights file"):
        trained(nets, weights=str(path))


def foreign(width, prefix="conv"):
    return {"model": {f"{prefix}{key}": value for key, value in tensors_of(width).items()}, "epoch": 3}


def test_an_importer_reads_foreign_checkpoints(nets, tmp_path):
    torch.save(foreign(5), tmp_path / "theirs.pth")
    result = trained(nets, weights=str(tmp_path / "theirs.pth"), gain=2.0)
    assert result.bound.config == NetOptions(5, 2.0)
    assert result.weights == sha256((tmp_path / "theirs.pth").read_bytes()).hexdigest()
    with pytest.raises(ConfigError, match=r"width=4 was given, but .*theirs.pth were made with width=5"):
        bind(nets, weights=str(tmp_path / "theirs.pth"), width=4)
    assert record(bind(nets, weights=str(tmp_path / "theirs.pth")))["experiment"]["model"]["width"] == 5


@pytest.mark.parametrize(
    ("checkpoint", "error", "message"),
    [
        ({"weights": {}}, WeightsError, "odd.pth: holds no 'model'"),
        ({"model": {}}, WeightsError, "odd.pth is not for fake/net: KeyError: 'epoch'"),
        ({**foreign(4), "epoch": -1}, PluginError, "gave 'nothing', expected a spikecore Imported"),
        ({"model": tensors_of(4, float("nan")), "epoch": 3}, WeightsError, "holds NaN"),
        ({"model": {"0.bias": torch.ones(3)}, "epoch": 3}, WeightsError, "missing 0.weight"),
        (
            {"model": {"0.bias": torch.ones(1).expand(10**12)}, "epoch": 3},
            WeightsError,
            r"\(1000000000000,\) is a view",
        ),
    ],
)
def test_checkpoints_that_an_importer_does_not_know_are_refused(nets, tmp_path, checkpoint, error, message):
    torch.save(checkpoint, tmp_path / "odd.pth")
    with pytest.raises(error, match=message):
        trained(nets, weights=str(tmp_path / "odd.pth"))


def test_an_importer_that_is_not_there_is_named(nets, tmp_path):
    torch.save(foreign(4), tmp_path / "theirs.pth")
    with pytest.raises(WeightsError, match=r"fake/misread: spikecore_shipping.net:nothing_there cannot be imported"):
        trained(nets, "misread", str(tmp_path / "theirs.pth"))


def test_without_an_importer_tensors_are_taken_as_they_are(nets, tmp_path):
    torch.save({f"module.{key}": value for key, value in tensors_of(4).items()}, tmp_path / "parallel.pth")
    assert trained(nets, "bare", str(tmp_path / "parallel.pth")).model.config.width == 4
    torch.save(foreign(4), tmp_path / "nested.pth")
    with pytest.raises(WeightsError, match="entry 'model' is a dict, expected only named tensors"):
        trained(nets, "bare", str(tmp_path / "nested.pth"))


def test_imported_weights_are_kept_with_their_options(nets, tmp_path):
    torch.save(foreign(6), tmp_path / "theirs.pth")
    net = nets.find("net")
    path = import_weights(nets, net, tmp_path / "theirs.pth", "theirs")
    assert path == cache_folder() / "imported" / "fake" / "net" / "theirs.safetensors"
    assert {key: value.shape for key, value in load_file(path).items()} == {
        key: value.shape for key, value in tensors_of(6).items()
    }
    with safe_open(str(path), framework="numpy") as opened:
        said = json.loads(opened.metadata()["spikecore"])
    assert (said["component"], said["options"]) == ("fake/net", {"width": 6})
    assert sha256((tmp_path / "theirs.pth").read_bytes()).hexdigest() in said["training"]
    assert trained(nets, weights="theirs", gain=2.0).bound.config == NetOptions(6, 2.0)
    assert [(one.name, one.options) for one in imported_weights(net)] == [("theirs", {"width": 6})]
    for card in ("[]", "no json", '{"colour": "red"}'):
        (path.parent / "odd.safetensors").write_bytes(b"odd")
        (path.parent / "odd.json").write_text(card)
        assert [one.name for one in imported_weights(net)] == ["theirs"]
    with pytest.raises(WeightsError, match="is not that of weights 'odd'"):
        locate(nets, net, "odd")
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(WeightsError, match=r"is not that of weights 'theirs' of fake/net.*remove the file"):
        locate(nets, net, "theirs")
    assert imported_paths(nets.find("bare")) == {}


def test_a_checkpoint_that_does_not_fit_is_not_kept(nets, tmp_path):
    torch.save(tensors_of(4) | {"2.bias": torch.ones(1)}, tmp_path / "odd.pth")
    with pytest.raises(WeightsError, match=r"unexpected 2.bias"):
        import_weights(nets, nets.find("bare"), tmp_path / "odd.pth", "odd")
    assert imported_paths(nets.find("bare")) == {}
