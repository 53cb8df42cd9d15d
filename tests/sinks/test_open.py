from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from spikecore import PluginHost, PluginInfo, Target, hookimpl
from spikecore.data.kinds import Data
from spikecore.errors import OutputError, UsageError
from spikecore.sinks.open import open_sink, openers, write_picture


class Lines:
    """A fake sink: a file with a line for each result."""

    def __init__(self, target):
        self.target, self.lines = target, []

    @property
    def written(self):
        return len(self.lines)

    def write(self, instant, result):
        self.lines.append(f"{instant} {result.shape}")

    def commit(self):
        self.target.path.write_text("\n".join(self.lines))
        return self.target.path

    def interrupt(self):
        return None


@pytest.fixture
def host():
    @hookimpl
    def spikecore_info():
        return PluginInfo("lines")

    @hookimpl
    def spikecore_sink(target, kind):
        return Lines(target) if target.path.suffix == ".lines" and kind in (Data.IMAGE, Data.FLOW) else None

    host = PluginHost.discover(allow=["builtin"], block=[])
    host.register(SimpleNamespace(spikecore_info=spikecore_info, spikecore_sink=spikecore_sink), "lines")
    return host


@pytest.mark.parametrize(("kind", "shape"), [(Data.IMAGE, (4, 5)), (Data.FLOW, (2, 4, 5))])
def test_a_plugin_may_offer_a_new_suffix(tmp_path, host, kind, shape):
    sink = open_sink(host, Target(tmp_path / "v.lines", 2), kind)
    sink.write(3, np.zeros(shape, np.float32))
    sink.write(4.5, np.zeros(shape, np.float32))
    assert sink.written == 2
    assert sink.commit().read_text() == f"3 {shape}\n4.5 {shape}"


def test_a_plugin_is_asked_by_write_picture(tmp_path, host):
    assert write_picture(np.zeros((4, 5), np.float32), tmp_path / "v.lines", host).read_text() == "0 (4, 5)"


def test_what_no_plugin_takes_is_left_to_the_core(tmp_path, host):
    assert open_sink(host, Target(tmp_path / "v.npy", 1)).interrupt() is None
    with pytest.raises(UsageError, match=r"cannot write \.lines"):
        open_sink(host, Target(tmp_path / "v.lines", 1), Data.DEPTH)


def test_a_plugin_is_asked_before_the_core(tmp_path, host):
    class Own:
        @hookimpl
        def spikecore_info(self):
            return PluginInfo("own")

        @hookimpl
        def spikecore_sink(self, target, kind):
            return Lines(target)

    host.register(Own(), "own")
    assert isinstance(open_sink(host, Target(tmp_path / "v.npy", 1)), Lines)


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (Data.IMAGE, {"", ".png", ".mp4", ".webm", ".avi", ".npy", ".h5", ".hdf5"}),
        (Data.VIDEO, {"", ".png", ".mp4", ".webm", ".avi", ".npy", ".h5", ".hdf5"}),
        (Data.DEPTH, {"", ".png", ".mp4", ".webm", ".avi", ".npy", ".h5", ".hdf5"}),
        (Data.LABEL, {".csv", ".json", ".npy", ".h5", ".hdf5"}),
        (Data.FLOW, {".npy", ".h5", ".hdf5"}),
        (Data.FEATURES, {".npy", ".h5", ".hdf5"}),
    ],
)
def test_each_kind_is_written_to_what_suits_it_and_refusals_list_that(tmp_path, kind, known):
    assert set(openers(kind)) == known
    for suffix in {"", ".png", ".mp4", ".webm", ".avi", ".npy", ".h5", ".hdf5", ".csv", ".json", ".gif"}:
        target = Target(tmp_path / f"v{suffix}", 1)
        if suffix in known:
            sink = open_sink(None, target, kind)
            assert sink.written == 0
            sink.interrupt()
            continue
        with pytest.raises(UsageError) as refusal:
            open_sink(None, target, kind)
        listed = str(refusal.value).rpartition("can be written to ")[2]
        folder = ["or a folder of PNG files"] if "" in known else []
        assert sorted(listed.split(", ")) == sorted([*(known - {""}), *folder])


@pytest.mark.parametrize(
    ("name", "kind", "raw", "message"),
    [
        ("v.gif", Data.IMAGE, False, r"cannot write \.gif"),
        ("v.png", Data.IMAGE, False, "cannot hold 5 images"),
        ("v.png", Data.DEPTH, False, "cannot hold 5 images"),
        ("v.mp4", Data.IMAGE, True, "raw intensities are no pictures"),
        ("v", Data.IMAGE, True, "raw intensities are no pictures"),
        ("v.mp4", Data.LABEL, False, r"kind label are no pictures; they can be written to \.csv, \.json, \.npy"),
        ("v.png", Data.FLOW, False, r"kind flow are no pictures, and none are made of them yet; .* \.npy, \.h5"),
        ("v", Data.FEATURES, False, "no pictures"),
        ("v.csv", Data.IMAGE, False, r"cannot write \.csv files; results of kind image can be written to \.png"),
    ],
)
def test_outputs_that_do_not_fit_are_refused(tmp_path, name, kind, raw, message):
    with pytest.raises(UsageError, match=message):
        open_sink(None, Target(tmp_path / name, 5), kind, raw=raw)
    assert list(tmp_path.iterdir()) == []


def test_raw_intensities_are_written_as_arrays(tmp_path):
    sink = open_sink(None, Target(tmp_path / "v.npy", 1), raw=True)
    sink.write(0, np.full((2, 3), 7.5, np.float32))
    assert (np.load(sink.commit()) == 7.5).all()


@pytest.mark.parametrize(("suffix", "kind"), [
    (".mp4", Data.IMAGE), (".avi", Data.DEPTH), (".npy", Data.IMAGE), (".h5", Data.FLOW),
    (".csv", Data.LABEL), (".json", Data.LABEL),
])  # fmt: skip
def test_a_missing_folder_is_named(tmp_path, suffix, kind):
    with pytest.raises(OutputError, match="mkdir -p"):
        open_sink(None, Target(tmp_path / "none" / f"v{suffix}", 5), kind)


def test_a_folder_in_the_way_is_named(tmp_path):
    (tmp_path / "v.npy").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        open_sink(None, Target(tmp_path / "v.npy", 5))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="folder cannot be made"):
        open_sink(None, Target(tmp_path / "file" / "sub", 5))


def test_an_unwritable_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(OutputError, match="cannot be written to"):
        open_sink(None, Target(tmp_path / "v.npy", 5))
