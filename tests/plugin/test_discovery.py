"""Plugins are found; what is wrong with one becomes its status."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from spikecore.errors import UnknownComponent
from spikecore.plugin.host import GROUP, PluginHost

from .fakes import GOOD, owned, write_plugin


def test_discovery_never_raises_and_says_why(tmp_path, clean_path):
    clean_path(tmp_path)
    points = [
        write_plugin(tmp_path, "good", GOOD),
        write_plugin(tmp_path, "missing", "import a_module_that_is_not_there"),
        write_plugin(tmp_path, "syntax", "def broken(:"),
        write_plugin(tmp_path, "raises", "raise SystemError('at import')"),
        write_plugin(tmp_path, "empty", ""),
    ]
    host = PluginHost()
    host.admit(points)
    states = {name: status.state for name, status in host.statuses.items()}
    assert states == {"good": "ok", "missing": "failed", "syntax": "failed", "raises": "failed", "empty": "failed"}
    assert "a_module_that_is_not_there" in host.statuses["missing"].reason
    assert "spikecore_info" in host.statuses["empty"].reason
    assert isinstance(host.statuses["raises"].error, SystemError)


def test_the_reason_of_a_broken_plugin_reaches_whoever_asks_for_its_component(tmp_path, clean_path):
    clean_path(tmp_path)
    host = PluginHost()
    host.admit([write_plugin(tmp_path, "missing", "import a_module_that_is_not_there")])
    with pytest.raises(UnknownComponent, match=r"(?s)failed.*a_module_that_is_not_there.*spikecore doctor"):
        host.find("missing/net")


def test_two_distributions_that_claim_one_name_are_both_refused(tmp_path, clean_path):
    clean_path(tmp_path)
    point = write_plugin(tmp_path, "same", GOOD)
    other = EntryPoint("same", "elsewhere", GROUP)
    host = PluginHost()
    host.admit([owned(point, "dist-a"), owned(other, "dist-b"), write_plugin(tmp_path, "good", GOOD)])
    assert host.statuses["same"].state == "failed"
    assert "dist-a and dist-b" in host.statuses["same"].reason
    assert host.statuses["good"].state == "ok"
    assert [name for name, _ in host.plugins()] == ["good"]


def test_one_distribution_seen_twice_is_no_conflict(tmp_path, clean_path):
    clean_path(tmp_path)
    point = write_plugin(tmp_path, "good", GOOD)
    host = PluginHost()
    host.admit([owned(point, "dist-a"), owned(point, "dist-a")])
    assert host.statuses["good"].state == "ok"


@pytest.mark.parametrize(
    ("variable", "value", "states"),
    [
        ("SPIKECORE_PLUGINS", " good , ", {"good": "ok", "other": "disabled"}),
        ("SPIKECORE_PLUGINS", "", {"good": "disabled", "other": "disabled"}),
        ("SPIKECORE_DISABLE", "good", {"good": "disabled", "other": "ok"}),
        ("SPIKECORE_DISABLE", "", {"good": "ok", "other": "ok"}),
    ],
)
def test_allow_and_block_lists(tmp_path, clean_path, monkeypatch, variable, value, states):
    clean_path(tmp_path)
    points = [write_plugin(tmp_path, name, GOOD) for name in ("good", "other")]
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr("spikecore.plugin.host.entry_points", lambda group: points)
    host = PluginHost.discover()
    assert {name: status.state for name, status in host.statuses.items()} == states
    assert all(variable in status.reason for status in host.statuses.values() if status.state == "disabled")


def test_lists_given_as_arguments_win_over_the_environment(monkeypatch, tmp_path, clean_path):
    clean_path(tmp_path)
    monkeypatch.setenv("SPIKECORE_PLUGINS", "")
    monkeypatch.setattr("spikecore.plugin.host.entry_points", lambda group: [write_plugin(tmp_path, "good", GOOD)])
    assert PluginHost.discover(allow=["good"]).statuses["good"].state == "ok"


def test_lists_are_kept_for_other_processes(monkeypatch, tmp_path, clean_path):
    clean_path(tmp_path)
    points = [write_plugin(tmp_path, name, GOOD) for name in ("good", "other")]
    monkeypatch.setattr("spikecore.plugin.host.entry_points", lambda group: points)
    monkeypatch.delenv("SPIKECORE_PLUGINS", raising=False)
    monkeypatch.delenv("SPIKECORE_DISABLE", raising=False)
    host = PluginHost.discover()
    assert (host.allow, host.block) == (None, ())
    monkeypatch.setenv("SPIKECORE_DISABLE", "other")
    host = PluginHost.discover(allow=["good", "other"])
    assert (host.allow, host.block) == (("good", "other"), ("other",))
    again = PluginHost.discover(allow=host.allow, block=host.block)
    assert again.statuses == host.statuses


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "SPIKECORE_PLUGINS",
            "good,othr",
            r"SPIKECORE_PLUGINS \(--plugins\) names a plugin 'othr' .*did you mean other",
        ),
        ("SPIKECORE_DISABLE", "godo", r"SPIKECORE_DISABLE \(--disable\) names a plugin 'godo' .*did you mean good"),
    ],
)
def test_a_list_that_names_no_plugin_is_a_warning(tmp_path, clean_path, monkeypatch, variable, value, message):
    clean_path(tmp_path)
    points = [write_plugin(tmp_path, name, GOOD) for name in ("good", "other")]
    monkeypatch.setattr("spikecore.plugin.host.entry_points", lambda group: points)
    monkeypatch.setenv(variable, value)
    with pytest.warns(UserWarning, match=message):
        PluginHost.discover()
