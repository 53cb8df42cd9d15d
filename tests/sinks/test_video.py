from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from spikecore import Target
from spikecore.errors import OutputError
from spikecore.sinks.open import open_sink
from spikecore.sinks.video import without_lines


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".webm"])
@pytest.mark.parametrize("size", [(18, 24), (17, 23)])
@pytest.mark.parametrize("channels", [None, 3])
def test_videos_hold_every_frame(tmp_path, pictures, write, read_video, suffix, size, channels):
    path = write(tmp_path / f"v{suffix}", pictures(*size, channels)).commit()
    frames = read_video(path)
    assert frames.shape == (5, size[0] + size[0] % 2, size[1] + size[1] % 2, 3)
    for frame, picture in zip(frames, pictures(*size, channels), strict=True):
        seen = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)[: size[0], : size[1]]
        expected = picture if channels is None else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        assert np.abs(seen / 255 - expected).mean() < 0.02


def test_webm_is_written_without_a_word_and_others_are_heard(tmp_path, pictures, write, capfd):
    write(tmp_path / "v.webm", pictures()).commit()
    assert capfd.readouterr().err == ""
    with without_lines(b"a known"):
        os.write(2, b"a known line\nan unknown line\nno end")
    assert capfd.readouterr().err == "an unknown line\nno end"


def test_mp4_is_h264_with_its_index_first(tmp_path, pictures, write):
    import av

    path = write(tmp_path / "v.mp4", pictures()).commit()
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_mp4_without_pyav_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("spikecore.sinks.video.find_spec", lambda name: None)
    with pytest.raises(OutputError, match=r"spikecore\[video\].*webm"):
        open_sink(None, Target(tmp_path / "v.mp4", 5))
    assert list(tmp_path.iterdir()) == []
