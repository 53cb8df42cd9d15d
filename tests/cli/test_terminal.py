"""What files hold does not steer the terminal, and nothing that is printed stops a command."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from spikecore.cli.terminal import Cleaned, clean_streams

HOSTILE = "a\x1b]0;OWNED\x07\x9b31m\u202eb\r"
STEERING = ("\x1b", "\x07", "\x9b", "\u202e", "\r")


@pytest.fixture
def labelled(tmp_path):
    """A recording whose description would change the title of a terminal, in a file whose name would clear it."""
    spikes = np.random.default_rng(0).random((20, 8, 8)) < 0.5
    np.savez(tmp_path / "a\x1b[2J.npz", spk=np.packbits(spikes), length=20, shape=[8, 8], text=HOSTILE)
    np.savez(tmp_path / "b.npz", **{HOSTILE: spikes, f"{HOSTILE}2": spikes})
    return tmp_path / "a\x1b[2J.npz"


def steers(text):
    return [sign for sign in STEERING if sign in text]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["info", "b.npz"], 1),
        (["info", "none\x1b[2J.dat"], 1),
        (["reconstruct", "a\x1b[2J.npz", "-m", f"classic/{HOSTILE}"], 2),
        (["show", HOSTILE], 2),
        ([HOSTILE], 2),
        (["list", f"--{HOSTILE}"], 2),
        (["--strict", "--plugins", HOSTILE, "show", HOSTILE], 2),
        (["run", "a.toml"], 2),
    ],
)
def test_messages_are_cleaned(run, labelled, tmp_path, arguments, code):
    (tmp_path / "a.toml").write_text(f"'a\\u202e{chr(0x202E)}' = 1")
    said = run(*arguments, code=code)
    assert said
    assert not steers(said)


def test_results_are_cleaned_and_json_stays_json(run, labelled, recording, tmp_path):
    os.rename(recording, tmp_path / "x\x1b]0;\x07y.dat")
    os.rename(f"{recording}.toml", tmp_path / "x\x1b]0;\x07y.dat.toml")
    said = run("info", "x\x1b]0;\x07y.dat")
    assert r"x\x1b]0;\x07y" in said
    assert json.loads(run("info", "x\x1b]0;\x07y.dat", "--json"))["recording"] == "x\x1b]0;\x07y"


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_on_a_terminal_too(tmp_path, recording):
    os.rename(recording, tmp_path / "x\x1b]0;\x07y.dat")
    os.rename(f"{recording}.toml", tmp_path / "x\x1b]0;\x07y.dat.toml")
    master, slave = os.openpty()
    command = [sys.executable, "-m", "spikecore", "info", "x\x1b]0;\x07y.dat"]
    done = subprocess.run(command, cwd=tmp_path, stdout=slave, stderr=slave, timeout=60, check=False)
    os.close(slave)
    shown = os.read(master, 1 << 16)
    os.close(master)
    assert done.returncode == 0
    assert rb"x\x1b]0;\x07y" in shown
    assert b"\x1b" not in shown


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_a_stream_cannot_encode_is_spelt_out(monkeypatch, encoding):
    held = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(held, encoding=encoding))
    with clean_streams():
        assert isinstance(sys.stdout, Cleaned)
        sys.stdout.writelines(["λ ", "\udcff\n"])
        sys.stdout.flush()
    assert held.getvalue().decode() in ("λ \\udcff\n", "\\u03bb \\udcff\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device")
@pytest.mark.parametrize("arguments", [["list"], ["--help"], ["doctor", "--json"]])
def test_output_that_does_not_arrive_is_an_error(arguments):
    command = [sys.executable, "-m", "spikecore", *arguments]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-"])
def test_closed_streams_are_no_failure(closed):
    command = ["sh", "-c", f'"$0" -m spikecore list {closed}', sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("error", [RecursionError("deep"), MemoryError(), OverflowError("large"), UnicodeError("odd")])
def test_whatever_happens_is_one_message(run, recording, monkeypatch, error):
    def broken(*_, **__):
        raise error

    monkeypatch.setattr("spikecore.cli.recording.source_table", broken)
    said = run("info", recording, code=1)
    assert said.startswith(f"error: {type(error).__name__}")
    assert "Traceback" not in said


def test_a_message_of_a_megabyte_is_cut(run, tmp_path):
    (tmp_path / "a.toml").write_text("".join(f"unknown{number} = 1\n" for number in range(20_000)))
    assert len(run("run", "a.toml", code=2)) < 20_000
