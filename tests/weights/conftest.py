"""Packages with weights."""

from __future__ import annotations

from hashlib import sha256
from types import SimpleNamespace

import pytest
from safetensors.torch import save_file

from spikecore.plugin.component import Component, PluginInfo, Weights
from spikecore.plugin.hookspecs import hookimpl
from spikecore.plugin.host import PluginHost

from .nets import NET, NetOptions, tensors_of


@pytest.fixture
def package(tmp_path, clean_path):
    folder = tmp_path / "spikecore_shipping"
    (folder / "weights").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    clean_path(tmp_path)
    return folder


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
