"""Ctrl-C keeps what is finished."""

from __future__ import annotations

import contextlib
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest

from spikecore.errors import (
    Interrupted,
)
from spikecore.plugin.component import PluginInfo
from spikecore.plugin.hookspecs import hookimpl
from spikecore.runner.execute import execute
from spikecore.runner.stopping import postponed

from .mean import expected, experiment


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(host, tmp_path):
    seen = []

    class Watcher:
        @hookimpl
        def spikecore_info(self):
            return PluginInfo("watcher")

        @hookimpl
        def spikecore_run_end(self, run, result):
            seen.append(dict(result))

    host.register(Watcher(), "watcher")
    with pytest.raises(Interrupted, match=r"stopped after 9 of 36 .*v.partial.npy\n.*--start 11 --stop 38"):
        execute(experiment(host, options={"stop_after": 9}, output=str(tmp_path / "v.npy"), read_ahead=0))
    assert [p.name for p in tmp_path.iterdir()] == ["v.partial.npy"]
    assert np.allclose(np.load(tmp_path / "v.partial.npy"), expected(host)[:9], atol=1e-6)
    assert seen == [{"state": "interrupted", "results": 9}]
    assert not [thread for thread in threading.enumerate() if thread.name == "spikecore-ahead"]


@pytest.fixture
def swallowing(monkeypatch):
    """Ctrl-C while the ninth picture is written falls into a callback, which swallows what the handler raises."""
    from spikecore.sinks.arrays import Hdf5

    append = Hdf5._append

    def swallow(sink, picture):
        append(sink, picture)
        if sink.written == 8:
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Hdf5, "_append", swallow)


def test_ctrl_c_is_heard_wherever_it_falls(host, tmp_path, swallowing):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match=r"stopped after 9 of 36 .*v.partial.h5\n.*--start 11 --stop 38"):
        execute(experiment(host, output=str(tmp_path / "v.h5")))
    assert signal.getsignal(signal.SIGINT) is before
    with h5py.File(tmp_path / "v.partial.h5") as file:
        assert np.allclose(file["images"], expected(host)[:9], atol=1e-6)


def test_ctrl_c_at_the_last_picture_leaves_a_whole_file(host, tmp_path, swallowing):
    with pytest.raises(Interrupted, match=r"v\.h5 was complete"):
        execute(experiment(host, output=str(tmp_path / "v.h5"), start=2, stop=11))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v.h5", "v.h5.run.json"]


def test_a_second_ctrl_c_stops_at_once():
    with postponed() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_handlers_of_others_are_left_alone():
    mine = []
    before = signal.signal(signal.SIGINT, lambda *_: mine.append(1))
    try:
        with postponed() as stop:
            signal.raise_signal(signal.SIGINT)
        assert (mine, stop.is_set()) == ([1], False)
        with ThreadPoolExecutor() as pool:
            assert pool.submit(lambda: postponed().__enter__().is_set()).result() is False
    finally:
        signal.signal(signal.SIGINT, before)
