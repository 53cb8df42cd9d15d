"""Where weights are found."""

from __future__ import annotations

from hashlib import sha256
from types import SimpleNamespace

import attrs
import pytest

from spikecore.errors import WeightsError
from spikecore.plugin.component import Component, PluginInfo, Weights
from spikecore.plugin.hookspecs import hookimpl
from spikecore.plugin.host import PluginHost
from spikecore.weights.find import cache_folder, locate


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
