"""Whatever a plugin does while it is loaded, it is named and the others are admitted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import EntryPoint

import pytest

from spikecore.errors import UsageError
from spikecore.plugin.host import GROUP, PluginHost

from .hostile_plugins import ADMITTED, ENDS, LIMIT, PLUGINS, attack, fault, met, put

GOOD = "from spikecore import PluginInfo, hookimpl\n\n@hookimpl\ndef spikecore_info(): return PluginInfo('good')\n"
REFUSED = sorted(PLUGINS.keys() - ADMITTED - ENDS - {"streams-closed"})  # that one closes streams of pytest
HANGING = {"sleeps", "busy", "reads", "components-hang"}
RUN = ["leaves-at-once", "streams-closed", "prints", "exit-code", "commands-ours", *sorted(ENDS)]


@pytest.fixture
def points(tmp_path, clean_path):
    clean_path(tmp_path)

    def points(name):
        put(tmp_path, name, PLUGINS[name])
        put(tmp_path, "zero", GOOD)
        return [EntryPoint(one, f"hostile_{one.replace('-', '_')}", GROUP) for one in (name, "zero")]

    return points


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_plugin_is_refused_and_the_next_one_admitted(points, monkeypatch, capfd, name):
    monkeypatch.setenv("SPIKECORE_PLUGIN_SECONDS", "0.5" if name in HANGING else "30")
    found = points(name)
    process = (os.getcwd(), sys.getrecursionlimit(), os._exit, sys.stdout, sys.stderr)
    handlers = [signal.getsignal(one) for one in signal.valid_signals()]
    host = PluginHost()
    host.admit(found)
    assert {one: status.state for one, status in host.statuses.items()} == {name: "failed", "zero": "ok"}
    assert 0 < len(host.statuses[name].reason) < 3000
    assert [component for component in host.components() if component.plugin == name] == []
    assert (os.getcwd(), sys.getrecursionlimit(), os._exit, sys.stdout, sys.stderr) == process
    assert [signal.getsignal(one) for one in signal.valid_signals()] == handlers
    assert signal.getitimer(signal.ITIMER_REAL)[1] == 0
    os.write(1, b"out")
    sys.stderr.write("err")
    assert capfd.readouterr() == ("out", "err")


@pytest.mark.parametrize("name", RUN)
def test_the_command_line_names_it(tmp_path, name):
    found = attack(name, tmp_path)
    assert fault(name, found) == "", found.said


@pytest.mark.slow
@pytest.mark.parametrize("name", PLUGINS)
def test_the_command_line_names_every_one(tmp_path, name):
    found = attack(name, tmp_path)
    assert fault(name, found) == "", found.said


def test_broken_distributions_do_not_hide_the_others(tmp_path):
    put(tmp_path, "good", GOOD)
    for name, text in {"lines": b"no equals sign\n", "bytes": b"\xff = a\n"}.items():
        info = tmp_path / f"broken_{name}-1.0.dist-info"
        info.mkdir()
        (info / "entry_points.txt").write_bytes(b"[spikecore.plugins]\n" + text)
    nameless = tmp_path / "nameless-1.0.dist-info"
    nameless.mkdir()
    (nameless / "entry_points.txt").write_text("[spikecore.plugins]\nnameless = a b c\n../../evil = hostile_good\n")
    found = met(tmp_path, "good", "--plugins", "good,nameless,../../evil", "plugins")
    assert (found.code, found.traceback) == (0, False), found.said
    rows = {line.split()[0]: line.split()[1] for line in found.output.splitlines()[1:]}
    assert rows["good"] == "ok"
    assert (rows["nameless"], rows["../../evil"]) == ("failed", "failed")


def test_ctrl_c_stops_a_plugin_that_is_being_loaded(tmp_path):
    ready = tmp_path / "ready"
    body = f"import pathlib, time\npathlib.Path({str(ready)!r}).touch()\n"
    put(tmp_path, "slow", f"{body}try: time.sleep(100)\nexcept KeyboardInterrupt: pass\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "SPIKECORE_PLUGIN_SECONDS": str(LIMIT)}
    line = [sys.executable, "-m", "spikecore", "list"]
    process = subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while not ready.exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=LIMIT)
    assert (process.returncode, said.strip()) == (130, "stopped")


@pytest.mark.parametrize("seconds", ["soon", "0", "nan", "inf", "-3"])
def test_the_time_limit_is_a_positive_number(tmp_path, seconds, monkeypatch):
    monkeypatch.setenv("SPIKECORE_PLUGIN_SECONDS", seconds)
    with pytest.raises(UsageError, match=r"SPIKECORE_PLUGIN_SECONDS=.* is no positive number"):
        PluginHost.discover()
