"""What cannot be done is one clear message."""

from __future__ import annotations

import pytest

import spikecore
from spikecore.cli import main


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["lst"], 2, "did you mean list"),
        (["show", "classic/tfpp"], 2, "did you mean classic/tfp"),
        (["reconstruct", "none.dat", "-m", "classic/tfp"], 1, "no such file"),
        (["reconstruct", "scene.dat", "-m", "classic/tfpp"], 2, "did you mean classic/tfp"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "--at", "500"], 2, "frames are 0..119"),
        (
            ["reconstruct", "scene.dat", "-m", "classic/tfp window=500"],
            2,
            "500 frames is longer than the recording of 120",
        ),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "-s", "window='a'"], 2, "expected int, got str 'a'"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "-s", "widow=3"], 2, "did you mean window"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "-o", "v.gif"], 2, "cannot write .gif"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "-o", "none/v.mp4"], 1, "mkdir -p none"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "--stride", "0"], 2, "stride"),
        (["reconstruct", "scene.txt", "-m", "classic/tfp"], 1, "no installed plugin reads"),
        (["convert", "scene.dat", "scene.xyz"], 1, "no installed plugin writes"),
        (["convert", "scene.dat", "scene.dat"], 2, "is the input itself"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp 'window=3"], 2, "No closing quotation"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "--at", "nan"], 2, "finite"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "--at", "9" * 400], 2, "64 bits"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "--gain", "inf"], 2, "finite"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "--at", "50", "--stride", "2"], 2, "stride=2 mean a video"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "--at", "50", "--stop", "60"], 2, "stop=60 mean a video"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "--executor", "nope"], 2, "no executor 'nope'"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "-s", "window=" + "[" * 5000], 2, "recursion"),
        (["convert", "scene.dat", "a.npz", "--start", "9", "--stop", "300"], 2, "not inside 0..119"),
        (["compare", "scene.dat"], 2, "give the methods"),
        (["compare", "scene.dat", "-m", "classic/tfp", "-m", "classic/tfp"], 2, "given twice"),
        (["compare", "scene.dat", "-m", "classic/tfp", "--truth", "none.png"], 1, "no such file"),
        (["run", "none.toml"], 1, "no such file"),
        (["info", "."], 1, "no such folder"),
    ],
)
def test_what_cannot_be_done_is_one_clear_message(run, recording, tmp_path, arguments, code, message):
    (tmp_path / "scene.txt").write_text("no spikes")
    said = run(*arguments, code=code)
    assert message in said
    assert "Traceback" not in said


def test_any_other_error_is_one_message_too(run, recording, monkeypatch):
    def broken(*_, **__):
        raise OSError(28, "No space left on device", "scene.dat")

    monkeypatch.setattr("spikecore.cli.recording.source_table", broken)
    said = run("info", recording, code=1)
    assert said.startswith("error: OSError: [Errno 28] No space left on device: 'scene.dat'\n")
    assert "--debug" in said
    assert "Traceback" not in said
    with pytest.raises(OSError, match="No space left"):
        main(["--debug", "info", str(recording)])


def test_debug_shows_the_traceback(recording):
    with pytest.raises(spikecore.SpikecoreError):
        main(["--debug", "show", "nothing"])
