"""Files that belong together: a kill, a full disk or an error at any moment mixes nothing and loses nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from spikecore.errors import OutputError, UsageError
from spikecore.files.atomic import aside, atomic, together, write_text
from spikecore.files.partial import owner, partial_name, tidied

NAMES = ("a.dat", "a.dat.toml", "a.gt.png")


def in_child(action):
    """The exit code of a forked process that does this as one that has just started."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            tidied.cache_clear()
            action()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def write(path, value, limit=10**9):
    """Write a recording and two companions in a process that is killed at its change number `limit` + 1."""

    def action():
        count = 0

        def counted(change):
            def call(*names, **options):
                nonlocal count
                count += 1
                if count > limit:
                    os.kill(os.getpid(), signal.SIGKILL)
                return change(*names, **options)

            return call

        for name in ("replace", "rename", "unlink", "link"):
            setattr(os, name, counted(getattr(os, name)))
        with together(path) as files:
            files[path].write_text(value)
            for name in NAMES[1:]:
                files[path.with_name(name)] = aside(path)
                files[path.with_name(name)].write_text(value)

    return in_child(action)


def held(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.mark.parametrize("old", [True, False])
def test_killed_at_any_moment_no_file_stands_beside_another_ones_companion(tmp_path, old):
    path = tmp_path / "a.dat"
    for limit in range(100):
        for left in tmp_path.iterdir():
            left.unlink()
        if old:
            for name in NAMES:
                (tmp_path / name).write_text("old")
            (tmp_path / "a.dat.run.json").write_text("old")
        code = write(path, "new", limit)
        found = held(tmp_path)
        if code == 0:
            assert found == dict.fromkeys(NAMES, "new")
            break
        assert code == -signal.SIGKILL
        assert len(set(found.values())) < 2, (limit, found)
        assert ("a.dat" in found) or not old, "the old recording stays until the new one takes its place"
        assert in_child(lambda: aside(tmp_path / "other.txt")) == 0  # whoever writes next in this folder
        after = held(tmp_path)
        if found.get("a.dat") == "old":
            assert after == {**dict.fromkeys(NAMES, "old"), "a.dat.run.json": "old"}
        else:
            assert after == found
        assert write(path, "new") == 0
        assert {one.name for one in tmp_path.iterdir()} == {*NAMES}
        assert held(tmp_path) == dict.fromkeys(NAMES, "new")
    assert limit > 3


@pytest.mark.parametrize("links", [True, False])
def test_an_error_at_any_moment_brings_the_old_files_back(tmp_path, monkeypatch, links):
    path, beside = tmp_path / "a.dat", tmp_path / "a.dat.toml"
    replace = os.replace

    def attempt(limit):
        count = 0

        def failing(source, target):
            nonlocal count
            count += 1
            if count == limit:
                raise OSError(5, "Input/output error")
            replace(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", failing)
            if not links:
                patch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(38, "not here")))
            with together(path) as files:
                files[path].write_text("new")
                files[beside] = aside(beside)
                files[beside].write_text("new")

    for limit in range(1, 20):
        for one in (path, beside, tmp_path / "a.dat.run.json"):
            one.write_text("old")
        try:
            attempt(limit)
        except OutputError:
            found = held(tmp_path)
            assert len(set(found.values())) == 1, (limit, found)
            if links:
                assert found == dict.fromkeys(("a.dat", "a.dat.toml", "a.dat.run.json"), "old")
            assert "a.dat" in found
        else:
            assert held(tmp_path) == dict.fromkeys(("a.dat", "a.dat.toml"), "new")
            break
    assert limit > 3


def test_nothing_is_left_of_a_new_output_that_could_not_be_completed(tmp_path, monkeypatch):
    path, beside = tmp_path / "a.dat", tmp_path / "a.dat.toml"
    replace = os.replace

    def failing(source, target):
        if Path(target) == beside:
            raise KeyboardInterrupt
        replace(source, target)

    def attempt():
        with together(path) as files:
            files[path].write_text("new")
            files[beside] = aside(beside)
            files[beside].write_text("new")

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(KeyboardInterrupt):
        attempt()
    assert list(tmp_path.iterdir()) == []


def test_the_record_of_what_is_replaced_goes_with_it(tmp_path):
    (tmp_path / "a.npy.run.json").write_text("old")
    write_text(tmp_path / "a.npy", "new")
    assert held(tmp_path) == {"a.npy": "new"}


def test_a_link_is_written_through_and_nothing_old_stays_beside_it(tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    (store / "rec.dat").write_text("old")
    link = tmp_path / "a.dat"
    link.symlink_to(store / "rec.dat")
    (tmp_path / "a.dat.toml").write_text("old")
    beside = store / "rec.dat.toml"
    with together(link) as files:
        files[link].write_text("new")
        files[beside] = aside(beside)
        files[beside].write_text("new")
    assert link.is_symlink()
    assert held(store) == {"rec.dat": "new", "rec.dat.toml": "new"}
    assert not (tmp_path / "a.dat.toml").exists()


def test_what_ended_processes_left_is_cleared_away_and_nothing_else(tmp_path):
    note = tmp_path / "note"
    in_child(lambda: note.write_text(owner()))
    ended = note.read_text()
    note.unlink()
    machine, pid, started = owner().split(".")
    elsewhere = f"{int(machine, 16) ^ 1:08x}.{ended.split('.')[1]}.1"
    earlier = f"{machine}.{pid}.{int(started) + 1}"  # this number, once another process's
    path = tmp_path / "v.npy"
    dead, reused, alive, far = (partial_name(path, one) for one in (ended, earlier, owner(), elsewhere))
    others = [tmp_path / ".v-1.partial.npy", tmp_path / "v.partial.npy"]
    for one in (dead, reused, alive, far, *others):
        one.write_text("x")
    (tmp_path / ".v.npy-01234567.lock").write_text("of a killed process")
    write_text(tmp_path / "w.txt", "x")
    left = {alive, far, *others} if started != "0" else {alive, far, reused, *others}
    assert set(tmp_path.iterdir()) == {tmp_path / "w.txt", *left}


def test_long_names_can_be_written(tmp_path):
    path = tmp_path / ("n" * 250 + ".txt")
    write_text(path, "x")
    assert held(tmp_path) == {path.name: "x"}


@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_what_is_no_file_is_not_replaced_by_one(tmp_path, kind):
    path = Path("/dev/null")
    if kind == "fifo":
        path = tmp_path / "pipe"
        os.mkfifo(path)

    def attempt():
        with atomic(path) as temporary:
            temporary.write_text("x")

    with pytest.raises(OutputError, match="no regular file"):
        attempt()
    assert not path.is_file()


def test_two_do_not_write_the_same_files_at_once(tmp_path):
    path = tmp_path / "a.dat"
    with together(path) as files:
        files[path].write_text("first")
        with pytest.raises(UsageError, match=f"in use by process {os.getpid()}"):
            together(path).__enter__()
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"a.dat": "first"}
