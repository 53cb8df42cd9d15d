"""A plugin is admitted whole or not at all."""

from __future__ import annotations

import signal
import sys
import threading
from types import SimpleNamespace

import attrs
import pytest

from spikecore.errors import ConfigError, PluginError
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


def test_a_converter_hook_that_fails_leaves_nothing_behind():
    def take_over(converter):
        converter.register_structure_hook(int, lambda value, _: 7)
        raise KeyboardInterrupt

    host = PluginHost()
    host.register(plugin(component()), "mine")
    with pytest.raises(PluginError, match="'bad': spikecore_converter failed: KeyboardInterrupt"):
        host.register(plugin(spikecore_converter=lambda converter: take_over(converter)), "bad")
    assert host.configure(host.find("mean"), {"window": 3}).window == 3
    with pytest.raises(ConfigError, match="expected int"):
        host.configure(host.find("mean"), {"window": "3"})


def test_the_hooks_of_two_plugins_for_option_types_live_side_by_side():
    class Celsius(float):
        pass

    class Metres(float):
        pass

    host = PluginHost()
    warm = plugin(
        spikecore_converter=lambda converter: converter.register_structure_hook(Celsius, lambda v, _: Celsius(v))
    )
    wide = plugin(
        spikecore_converter=lambda converter: converter.register_structure_hook(Metres, lambda v, _: Metres(v))
    )
    host.register(warm, "warm")
    host.register(wide, "wide")
    assert isinstance(host.converter.structure(3, Celsius), Celsius)
    assert isinstance(host.converter.structure(3, Metres), Metres)


@pytest.mark.parametrize("name", ["../../etc", "a/b", "", "\x1b[31m", "a" * 101, 3, None])
def test_a_plugin_has_a_name_that_can_stand_in_an_id(name):
    with pytest.raises(PluginError, match="plugin name"):
        PluginHost().register(plugin(), name)


def test_one_object_is_one_plugin():
    host, one = PluginHost(), plugin(component())
    host.register(one, "mine")
    with pytest.raises(PluginError, match="'yours' is registered already under another name"):
        host.register(one, "yours")


def test_the_alarm_of_the_caller_goes_on():
    heard = []
    before = signal.signal(signal.SIGALRM, lambda *_: heard.append(1))
    timer = signal.setitimer(signal.ITIMER_REAL, 1000, 7)
    try:
        PluginHost().register(plugin(component()), "mine")
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left <= 1000
        assert interval == 7
        signal.raise_signal(signal.SIGALRM)
        assert heard == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)


def test_outside_the_main_thread_a_plugin_that_hangs_is_named(monkeypatch, capsys):
    monkeypatch.setenv("SPIKECORE_PLUGIN_SECONDS", "0.05")
    go_on, named = threading.Event(), threading.Event()
    written = sys.stderr.write
    monkeypatch.setattr(sys.stderr, "write", lambda text: (written(text), named.set()))
    slow = plugin(component(), spikecore_converter=lambda converter: go_on.wait(30) and None)
    thread = threading.Thread(target=lambda: PluginHost().register(slow, "slow"))
    thread.start()
    assert named.wait(30)
    go_on.set()
    thread.join(30)
    assert "warning: plugin 'slow' takes longer than 0.05 seconds to be loaded" in capsys.readouterr().err


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
