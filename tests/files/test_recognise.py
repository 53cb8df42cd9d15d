"""Files whose names fit several sources are opened by the one that recognises what they hold."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

import spikecore as sc
from spikecore import Component, PluginHost, PluginInfo, SpikeFormatError, UsageError, hookimpl
from spikecore.plugin import recognise as recognition

MODULE = '''
"""Two formats of one suffix: files that begin with "ONE", and with "TWO"."""
import sys, time
from pathlib import Path
import attrs
import numpy as np
from spikecore import Sample, SpikeStream, option
from spikecore.files.recording_source import OneRecording

HEADS = []

@attrs.frozen
class Config:
    path: Path = option(help="the recording")

class Read(OneRecording):
    length = 1

    def __init__(self, config):
        super().__init__(config.path)

    def read(self):
        return Sample(key=self.path.stem, spikes=SpikeStream.from_frames(np.zeros((self.length, 2, 2), bool)))

class One(Read):
    length = 1

class Two(Read):
    length = 2

def one(path, head):
    HEADS.append(head)
    return 1 if head.startswith(b"ONE") else 0

def two(path, head):
    return 1 if head.startswith(b"TWO") else 0

def third(path, head): return 0.3
def surely(path, head): return 1.0
def folder(path, head): return float(path.is_dir() and (path / "two").exists())
def raises(path, head): raise KeyError("half")
def leaves(path, head): sys.exit(3)
def hangs(path, head): time.sleep(60)
def boasts(path, head): return 7
def nan(path, head): return float("nan")
def word(path, head): return "very"
def prints(path, head): print("hello"); return 1
'''


@pytest.fixture
def module(tmp_path, clean_path):
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "spikecore_formats.py").write_text(MODULE)
    clean_path(folder)
    import spikecore_formats

    return spikecore_formats


@pytest.fixture
def make_host(module):
    """make_host(one={...}, two={...}): a host with sources of these names, which read "*.rec"; values override."""

    def make_host(**sources):
        host = PluginHost()
        for name, changed in sources.items():
            declared = {
                "target": f"spikecore_formats:{'One' if name == 'one' else 'Two'}",
                "config": module.Config,
                "summary": "a format",
                "produces": ("spikes",),
                "patterns": ("*.rec",),
                "recognise": f"spikecore_formats:{name}",
            }
            source = Component("source", name, **declared | changed)
            plugin = SimpleNamespace(
                spikecore_info=hookimpl(lambda: PluginInfo("formats", license="MIT")),
                spikecore_components=hookimpl(lambda source=source: [source]),
            )
            host.register(plugin, name)
        return host

    return make_host


@pytest.fixture
def path(tmp_path):
    return tmp_path / "night.rec"


def openers(host, path):
    return [found.name for found in host.openers(path)]


def use(function):
    return {"recognise": f"spikecore_formats:{function}" if function else ""}


def test_each_file_is_opened_by_the_source_that_knows_it(make_host, path):
    host = make_host(one={}, two={})
    for data, frames in ((b"ONE 123", 1), (b"TWO 123", 2)):
        path.write_bytes(data)
        assert len(sc.open(path, host=host)) == frames


def test_where_none_is_surer_the_user_chooses(make_host, path):
    host = make_host(one={}, two={})
    path.write_bytes(b"anything else")
    with pytest.raises(UsageError, match=r"can be read by one/one or two/two; choose one with source=ID"):
        sc.open(path, host=host)
    assert len(sc.open(path, source="two/two", host=host)) == 2


def test_the_first_4096_bytes_are_shown(make_host, path, module):
    host = make_host(one={}, two={})
    path.write_bytes(b"ONE" + bytes(5000))
    host.openers(path)
    assert [b"ONE" + bytes(4093)] == module.HEADS


@pytest.mark.parametrize(
    ("first", "second", "data", "expected"),
    [
        ("one", "", b"ONE", ["one"]),  # sure, against one that does not say
        ("one", "", b"TWO", ["two"]),  # says that it is another's
        ("third", "", b"", ["two"]),
        ("", "", b"", ["one", "two"]),
        ("third", "third", b"", ["one", "two"]),
        ("third", "surely", b"", ["two"]),
    ],
)
def test_the_surest_wins(make_host, path, first, second, data, expected):
    path.write_bytes(data)
    assert openers(make_host(one=use(first), two=use(second)), path) == expected


@pytest.mark.parametrize("fault", ["raises", "leaves", "boasts", "nan", "word", "absent"])
def test_a_recogniser_that_fails_does_not_take_the_others_away(make_host, path, fault):
    path.write_bytes(b"TWO")
    assert openers(make_host(one=use(fault), two={}), path) == ["two"]
    assert openers(make_host(one=use(fault), two=use("third")), path) == ["two"]
    path.write_bytes(b"unknown")
    assert openers(make_host(one=use(fault), two={}), path) == ["one", "two"]


def test_a_recogniser_that_hangs_does_not_take_the_others_away(make_host, path, monkeypatch):
    monkeypatch.setattr(recognition, "_PATIENCE", 0.05)
    path.write_bytes(b"TWO")
    start = time.perf_counter()
    assert openers(make_host(one=use("hangs"), two={}), path) == ["two"]
    assert time.perf_counter() - start < 10


def test_a_source_alone_is_not_asked(make_host, path, module):
    host = make_host(one={}, two={"patterns": ("*.other",)})
    path.write_bytes(b"TWO")
    assert openers(host, path) == ["one"]
    assert module.HEADS == []


def test_a_recogniser_works_without_the_modules_that_reading_needs(make_host, path):
    host = make_host(one={"requires": ("spikecore_no_such_module",)}, two=use("third"))
    path.write_bytes(b"ONE")
    with pytest.raises(sc.PluginError, match="pip install spikecore_no_such_module"):
        sc.open(path, host=host)


def test_where_equally_sure_the_most_specific_name_wins(make_host, path):
    host = make_host(one={**use(""), "patterns": ("*.rec", "night.*")}, two=use(""))
    path.write_bytes(b"1")
    assert openers(host, path) == ["one"]
    assert openers(host, path.with_name("day.rec")) == ["one", "two"]


def test_content_wins_over_names(make_host, path):
    host = make_host(one={"patterns": ("*.night.rec",)}, two={})
    path = path.with_name("a.night.rec")
    for data, expected in ((b"TWO", "two"), (b"ONE", "one"), (b"unknown", "one")):
        path.write_bytes(data)
        assert openers(host, path) == [expected]


def test_folders_are_recognised_too(make_host, tmp_path):
    places = {"patterns": ("*/",)}
    host = make_host(one={**places, **use("third")}, two={**places, **use("folder")})
    assert openers(host, tmp_path) == ["one"]
    (tmp_path / "two").touch()
    assert openers(host, tmp_path) == ["two"]


def test_pipes_and_devices_are_never_opened(make_host, path, module):
    host = make_host(one={}, two={})
    os.mkfifo(path)
    assert openers(host, path) == ["one", "two"]
    assert module.HEADS == []
    with pytest.raises(SpikeFormatError, match="a named pipe"):
        sc.open(path, host=host)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(SpikeFormatError, match="a device"):
        sc.open(path, host=host)


def test_what_stands_in_for_a_file_is_named_before_readers_are(make_host, path):
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(SpikeFormatError, match="git lfs pull"):
        sc.open(path, host=make_host(one={}, two={}))


def test_files_that_are_not_there_or_may_not_be_read_are_told_by_name(make_host, path, monkeypatch):
    host = make_host(one={}, two={**use("surely"), "patterns": ("*.rec", "n*.rec")})
    assert openers(host, path) == ["two"]
    assert openers(host, path.with_name("day.rec")) == ["one", "two"]


def test_what_a_recogniser_prints_is_no_result(make_host, path, capsys):
    path.write_bytes(b"1")
    assert openers(make_host(one=use("prints"), two={}), path) == ["one"]
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "hello\n")


@pytest.mark.parametrize("plugin", ["vidar", "simulate"])
def test_recognisers_import_nothing_heavy(plugin):
    code = (
        "import sys, spikecore as sc\n"
        f"for found in sc.list_components('source'):\n"
        f"    if found.plugin == '{plugin}' and found.recognise: found.load_recogniser()\n"
        "print(sorted({'torch', 'numba', 'cv2', 'av', 'h5py'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
