"""Videos have the original's number of frames, its values, and a name only when they are complete."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import spikecore_plugin_spikling.export as export
from spikecore_plugin_spikling.methods import Method, painter

import spikecore as sc
from spikecore import OutputError
from spikecore.cli import main


def frames_of(path):
    video = cv2.VideoCapture(str(path))
    facts = video.get(cv2.CAP_PROP_FPS), int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little")
    frames = []
    while (read := video.read())[0]:
        frames.append(read[1][..., 0].astype(int))
    return frames, facts


@pytest.fixture(scope="module")
def stream():
    rate = np.broadcast_to(np.linspace(0.1, 0.6, 36), (24, 36))
    return sc.SpikeStream.from_frames(np.random.default_rng(0).random((48, 24, 36)) < rate)


@pytest.mark.parametrize(
    ("frames", "stride", "last", "count"), [(48, 2, False, 8), (48, 2, True, 9), (49, 2, False, 8), (32, 5, True, 1)]
)
def test_number_of_frames(frames, stride, last, count):
    wanted = export.starts(frames, stride, last=last)
    assert list(wanted) == [stride * n for n in range(count)]
    assert wanted[-1] + 32 <= frames


@pytest.mark.parametrize("method", ["raw", "interval", "window"])
def test_videos_show_the_methods_pictures(stream, tmp_path, method):
    paint = painter(Method(method))
    pictures = [paint(stream, start) for start in export.starts(48, 2)]
    frames, facts = frames_of(export.write_grey_avi(tmp_path / "video.avi", pictures))
    assert len(frames) == len(pictures) == 8
    assert facts[0] == 30
    assert facts[1] in (b"XVID", b"FMP4", b"MPEG")
    assert all(np.abs(frame - picture).mean() < 25 for frame, picture in zip(frames, pictures, strict=True))


def test_too_short_recordings_are_refused():
    with pytest.raises(sc.UsageError, match="33 spike frames make no video frame with stride 2; at least 34"):
        export.starts(33, 2)
    with pytest.raises(sc.UsageError, match="at least 32 are needed"):
        export.starts(31, 2, last=True)
    with pytest.raises(sc.UsageError, match="stride 0"):
        export.starts(48, 0)


def test_a_video_that_cannot_be_written_is_an_error(tmp_path, monkeypatch):
    picture = np.zeros((8, 8), np.uint8)
    with pytest.raises(OutputError, match="no folder"):
        export.write_grey_avi(tmp_path / "none" / "a.avi", [picture])
    with pytest.raises(sc.UsageError, match=r"written as \.avi"):
        export.write_grey_avi(tmp_path / "a.mp4", [picture])
    monkeypatch.setattr(export, "CODEC", "????")
    with pytest.raises(OutputError, match="cannot encode"):
        export.write_grey_avi(tmp_path / "a.avi", [picture])
    assert not list(tmp_path.iterdir())


def test_frames_that_do_not_arrive_are_noticed(tmp_path, monkeypatch):
    class Forgetful:
        """Keeps the first frame only, and says nothing of it, as OpenCV does on a full disk."""

        fourcc = cv2.VideoWriter.fourcc

        def __init__(self):
            self.real, self.seen = real(), 0

        def open(self, *arguments):
            return self.real.open(*arguments)

        def write(self, picture):
            self.seen += 1
            if self.seen == 1:
                self.real.write(picture)

        def release(self):
            self.real.release()

    real = cv2.VideoWriter
    monkeypatch.setattr(cv2, "VideoWriter", Forgetful)
    monkeypatch.setattr(
        Forgetful, "fourcc", staticmethod(lambda *code: int.from_bytes("".join(code).encode(), "little"))
    )
    with pytest.raises(OutputError, match="only 1 of 3 frames arrived"):
        export.write_grey_avi(tmp_path / "a.avi", [np.zeros((8, 8), np.uint8)] * 3)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """run("spikling-video", …) in an empty folder: (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(list(map(str, arguments)))
        said = capsys.readouterr()
        return end.value.code, said.out, said.err

    return run


@pytest.mark.parametrize("method", ["raw", "interval", "window"])
def test_videos_from_the_command_line(run, stream, tmp_path, method):
    sc.save(stream, tmp_path / "a.dat")
    code, said, _ = run("spikling-video", "a.dat", "-o", "a.avi", "-m", method, "--stride", 3)
    assert (code, said) == (0, "a.avi\n")
    assert len(frames_of(tmp_path / "a.avi")[0]) == 5
    (tmp_path / "link.avi").hardlink_to(tmp_path / "a.dat")
    code, _, said = run("spikling-video", "a.dat", "-o", "link.avi", "-m", method)
    assert code == 2
    assert "link.avi is the input itself" in said
    code, _, said = run("spikling-video", "a.dat", "-o", "b.avi", "-m", method, "--stride", 30)
    assert code == 2
    assert "make no video frame with stride 30" in said


def test_pairs_from_the_command_line(run, video, tmp_path):
    code, said, _ = run("spikling-pairs", video, "-o", "data", "--size", 20, 16)
    assert (code, said.split()) == (0, ["data/sp0001.npz", "data/sp0002.npz"])
    code, said, _ = run("spikling-pairs", video, "-o", "data", "--size", 20, 16)
    assert said.split() == ["data/sp0003.npz", "data/sp0004.npz"]
    (tmp_path / "file").write_text("")
    code, _, said = run("spikling-pairs", video, "-o", "file")
    assert code == 1
    assert "the folder cannot be made" in said
