"""Data sets that are stopped, killed or made twice: they are gone on with, or refused; nothing is mixed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.util import find_spec

import pytest
from spikecore_plugin_simulate import writing
from spikecore_plugin_simulate.class_folder import write_class_folder
from spikecore_plugin_simulate.config import ClassesConfig
from spikecore_plugin_simulate.unfinished import MARK

import spikecore as sc
from spikecore import Interrupted, UsageError
from spikecore.files.held import held

pytestmark = pytest.mark.skipif(
    not find_spec("spikecore_plugin_vidar"), reason="needs spikecore-plugin-vidar to write files"
)
OPTIONS = {"height": 12, "width": 16, "length": 11, "seed": 3, "clips": 3}
CLIPS = """
import os, signal, sys
from pathlib import Path
import spikecore as sc
from spikecore_plugin_simulate import writing

root, limit, options = Path(sys.argv[1]), int(sys.argv[2]), eval(sys.argv[3])
count = 0

def counted(change):
    def call(*names, **given):
        global count
        count += 1
        if count > limit:
            os.kill(os.getpid(), signal.SIGKILL)
        return change(*names, **given)
    return call

host = sc.PluginHost.discover()
samples = host.build(host.find("simulate/scenes", "source"), options)
for name in ("replace", "link", "unlink"):
    setattr(os, name, counted(getattr(os, name)))
print(len(list(writing.write_data_set(host, samples, root, {"options": options}))))
"""


def files(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def write(root, **options):
    host = sc.default_host()
    options = {**OPTIONS, **options}
    samples = host.build(host.find("simulate/scenes", "source"), options)
    return list(writing.write_data_set(host, samples, root, {"options": options}))


@pytest.mark.parametrize("limit", [0, 1, 2, 4, 5, 6, 8, 11, 13])
def test_a_killed_data_set_goes_on_and_is_the_same(tmp_path, limit):
    write(tmp_path / "whole")
    command = [sys.executable, "-c", CLIPS, tmp_path / "set", str(limit), repr(OPTIONS)]
    assert subprocess.run(command, timeout=120).returncode == -signal.SIGKILL
    kept = files(tmp_path / "set")
    for name in kept:  # no picture of another clip, no recording under its name that is not whole
        if name.startswith(("spike/0", "gt/0")):
            assert kept[name] == files(tmp_path / "whole")[name]
    if MARK in kept:
        with pytest.raises(UsageError, match="unfinished set that was made otherwise: seed=3"):
            write(tmp_path / "set", seed=4)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "set" / "spike").glob("0*.dat")}
    assert len(write(tmp_path / "set")) == 3
    assert files(tmp_path / "set") == files(tmp_path / "whole")
    complete = [path for path in times if {f"gt/{path.stem}.png", f"spike/{path.name}.toml"} <= kept.keys()]
    assert all(path.stat().st_mtime_ns == times[path] for path in complete)


def test_a_stopped_data_set_says_how_many_are_complete(tmp_path, monkeypatch):
    host = sc.default_host()
    samples = host.build(host.find("simulate/scenes", "source"), OPTIONS)

    class Stopped:
        def __len__(self):
            return 3

        def __getitem__(self, index):
            if index == 1:
                raise KeyboardInterrupt
            return samples[index]

    with pytest.raises(Interrupted, match="1 of 3 clips are complete; the same command goes on"):
        list(writing.write_data_set(host, Stopped(), tmp_path / "set", {"options": OPTIONS}))
    assert len(write(tmp_path / "set")) == 3


@pytest.mark.parametrize("change", [{}, {"seed": 4}])
def test_a_complete_data_set_is_left_alone(tmp_path, change):
    write(tmp_path / "set")
    before = files(tmp_path / "set")
    assert MARK not in before
    with pytest.raises(UsageError, match=r"spike holds 0000\d\.dat.* already; give a new folder"):
        write(tmp_path / "set", **change)
    assert files(tmp_path / "set") == before


def test_two_do_not_fill_one_folder(tmp_path):
    (tmp_path / "set").mkdir()
    with held(tmp_path / "set"), pytest.raises(UsageError, match=f"in use by process {os.getpid()}"):
        write(tmp_path / "set")


def test_a_recording_its_picture_and_its_description_are_replaced_together(tmp_path, monkeypatch):
    host = sc.default_host()
    path = tmp_path / "a.dat"

    def simulate(seed):
        made = host.build(host.find("simulate/scenes", "source"), {**OPTIONS, "seed": seed, "clips": 1})
        return list(writing.write_recording(host, made[0], path))

    assert [one.name for one in simulate(3)] == ["a.gt.png", "a.dat"]
    before = files(tmp_path)
    replace, count = os.replace, 0

    def failing(source, target):
        nonlocal count
        count += 1
        if count == limit:
            raise OSError(5, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    for limit in range(1, 20):  # noqa: B007  # read by `failing`
        count = 0
        try:
            simulate(4)
        except sc.OutputError:
            assert files(tmp_path) == before
        else:
            break
    assert limit > 4
    after = files(tmp_path)
    assert after.keys() == before.keys() == {"a.dat", "a.dat.toml", "a.gt.png"}
    assert after["a.dat"] != before["a.dat"]
    assert after["a.gt.png"] != before["a.gt.png"]


def test_class_folders_are_finished_or_refused(tmp_path):
    config = ClassesConfig(num_train=1, num_test=1, num_frames=4, seed=2)
    whole = list(write_class_folder(tmp_path / "whole", config))
    begun = write_class_folder(tmp_path / "set", config)
    next(begun), next(begun)
    begun.close()
    with pytest.raises(UsageError, match="made otherwise: seed=2"):
        list(write_class_folder(tmp_path / "set", ClassesConfig(num_train=1, num_test=1, num_frames=4, seed=5)))
    assert len(list(write_class_folder(tmp_path / "set", config))) == len(whole)
    assert files(tmp_path / "set").keys() == files(tmp_path / "whole").keys()
    with pytest.raises(UsageError, match=r"holds manifest\.json already"):
        list(write_class_folder(tmp_path / "set", config))
