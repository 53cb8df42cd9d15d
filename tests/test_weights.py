from __future__ import annotations

from hashlib import sha256
from types import SimpleNamespace

import attrs
import pytest
import torch
from safetensors.torch import save_file

from spikecore.component import Component, PluginInfo, Weights
from spikecore.errors import WeightsError
from spikecore.hookspecs import hookimpl
from spikecore.host import PluginHost
from spikecore.weights import cache_folder, load_tensors, locate


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
    with pytest.raises(WeightsError, match=r"not on this machine\n.*download https"):
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
