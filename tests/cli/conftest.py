"""The command line as its user meets it: commands run in this process."""

from __future__ import annotations

import signal
import sys

import pytest

import spikecore
from spikecore.cli import main
from spikecore.plugin.host import PluginHost


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def run(capsys, monkeypatch):
    import warnings

    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def run(*arguments, code=0):
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            with pytest.raises(SystemExit) as end:
                main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert (end.value.code or 0) == code, captured.err
        return captured.out if code == 0 else captured.err

    return run


@pytest.fixture
def recording(tmp_path):
    host = PluginHost.discover()
    options = {"height": 40, "width": 64, "length": 120}
    return spikecore.save(host.build(host.find("builtin/scene"), options)[0].spikes, tmp_path / "scene.dat", host=host)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on the path to install plugins in; they are forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in [
        name for name in sys.modules if name.startswith(("spikecore_plugin_noisy", "spikecore_plugin_learned"))
    ]:
        del sys.modules[name]
