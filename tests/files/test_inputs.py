"""What is read is not written over, by whatever name."""

from __future__ import annotations

import os

import pytest

from spikecore.errors import UsageError
from spikecore.files.inputs import Inputs


@pytest.fixture
def files(tmp_path):
    """A recording with what describes it, and a data set in a folder."""
    (tmp_path / "a.dat").write_bytes(b"x")
    (tmp_path / "a.dat.toml").write_text('height = 3\nwidth = 4\nimage = "truth.png"\n')
    (tmp_path / "a.json").write_text('{"height": 3, "width": 4}')
    (tmp_path / "truth.png").write_bytes(b"x")
    (tmp_path / "set" / "spike").mkdir(parents=True)
    (tmp_path / "set" / "spike" / "1.dat").write_bytes(b"x")
    (tmp_path / "set" / "out" / "deep" / "er").mkdir(parents=True)
    (tmp_path / "set" / "out" / "run.json").write_text("{}")
    (tmp_path / "set" / "out" / "deep" / "er" / "1.png").write_bytes(b"x")
    (tmp_path / "set" / "v.mp4").write_bytes(b"x")
    (tmp_path / "set" / "v.mp4.run.json").write_text("{}")
    os.link(tmp_path / "a.dat", tmp_path / "hard.npy")
    (tmp_path / "soft.npy").symlink_to("a.dat")
    os.link(tmp_path / "set" / "spike" / "1.dat", tmp_path / "deep.npy")
    return tmp_path


@pytest.mark.parametrize(
    "output",
    ["a.dat", "./set/../a.dat", "hard.npy", "soft.npy", "a.dat.toml", "a.json", "truth.png", "set", "set/spike",
     "set/spike/1.dat", "deep.npy"],
)  # fmt: skip
def test_it_is_refused(files, monkeypatch, output):
    monkeypatch.chdir(files)
    with pytest.raises(UsageError, match=r"is the input itself.*; give another name"):
        Inputs([files / "a.dat", files / "set"]).refuse(files / output)


@pytest.mark.parametrize(
    "output", ["b.dat", "a.npy", "b.json", "set/out", "set/out/deep/er/1.png", "set/v.mp4", "set/spike/2.dat", "."]
)
def test_all_else_may_be_written(files, output):
    (files / "b.json").write_text("[]")
    Inputs([files / "a.dat", files / "set"]).refuse(files / output)


@pytest.mark.parametrize("text", ["[1, 2]", '{"rows": []}', "not json"])
def test_a_result_beside_a_recording_is_no_description_of_it(files, text):
    (files / "a.json").write_text(text)
    Inputs([files / "a.dat"]).refuse(files / "a.json")
