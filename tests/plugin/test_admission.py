"""A plugin is admitted whole or not at all."""

from __future__ import annotations

from types import SimpleNamespace

import attrs
import pytest

from spikecore.errors import PluginError
from spikecore.plugin.component import API_VERSION, Component, Kind, PluginInfo, Weights
from spikecore.plugin.hookspecs import hookimpl
from spikecore.plugin.host import PluginHost

from .fakes import component, plugin


def test_a_registered_plugin_offers_its_components_under_its_name():
    host = PluginHost()
    host.register(plugin(component(), component("mean", Kind.LOSS)), "mine")
    assert [(str(c.kind), c.id) for c in host.components()] == [("reconstructor", "mine/mean"), ("loss", "mine/mean")]
    assert host.find("mean", Kind.LOSS).kind is Kind.LOSS
    assert host.components("loss") == [host.find("mine/mean", "loss")]


@pytest.mark.parametrize("api", [(API_VERSION[0] + 1, 0), (API_VERSION[0], API_VERSION[1] + 1), (0, 9)])
def test_another_api_version_is_refused(api):
    with pytest.raises(PluginError, match="is written for API"):
        PluginHost().register(plugin(info=PluginInfo("old", api=api)), "old")


def bad_components():
    @hookimpl
    def spikecore_components():
        yield component("fine")
        raise RuntimeError("half way")

    return spikecore_components


def raising_converter(converter):
    raise RuntimeError("no")


def extra_argument(run, colour):
    pass


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (plugin(component(), component()), "declares the reconstructor 'bad/mean' twice"),
        (plugin("not a component"), "expected a Component"),
        (plugin(component(), spikecore_run_begin=lambda run: None), "unknown hook spikecore_run_begin.*run_start"),
        (plugin(component(), spikecore_run_start=extra_argument), "colour"),
        (plugin(component(), spikecore_converter=raising_converter), "no"),
        (SimpleNamespace(**{**vars(plugin()), "spikecore_components": bad_components()}), "half way"),
    ],
    ids=["twice", "no-component", "typo", "argument", "converter", "half-way"],
)
def test_admission_is_all_or_nothing(broken, message):
    host = PluginHost()
    with pytest.raises((PluginError, RuntimeError), match=message):
        host.register(broken, "bad")
    assert host.components() == []
    assert list(host.plugins()) == []
    host.hook.spikecore_run_start(run=None)
    host.register(plugin(component()), "bad")
    assert [c.id for c in host.components()] == ["bad/mean"]


def test_a_name_is_registered_once():
    host = PluginHost()
    host.register(plugin(), "mine")
    with pytest.raises(PluginError, match="registered already"):
        host.register(plugin(), "mine")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: component("Upper Case"), "lower-case"),
        (lambda: component(consumes=("spike",)), "data kinds are"),
        (lambda: Component("reconstructor", "a", "m:C", int, "x"), "attrs class"),
        (lambda: Weights("w", sha256="0" * 64, size=1), "neither a file"),
    ],
)
def test_malformed_declarations_are_refused(make, message):
    with pytest.raises(PluginError, match=message):
        make()


def test_options_without_help_are_refused():
    @attrs.frozen
    class Bare:
        window: int = 3

    with pytest.raises(PluginError, match="without help text: window"):
        Component("loss", "a", "m:C", Bare, "x")
