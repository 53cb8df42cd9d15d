"""Footage that is missing, damaged, or not what it is said to be: an error that names it, never wrong spikes."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from spikecore import SpikeFormatError, UsageError


@pytest.fixture(params=["spikes", "events"])
def refuses(build, request):
    """refuses(path, message): both cameras refuse the footage, naming it."""

    def refuses(path, message, kind=SpikeFormatError, **options):
        with pytest.raises(kind, match=message) as caught:
            build(request.param, path=str(path), **({"fps": 25.0} if request.param == "events" else {}), **options)[0]
        assert str(path) in str(caught.value)

    return refuses


def test_missing(refuses, tmp_path):
    refuses(tmp_path / "none.mp4", "no such file")


def test_empty(refuses, tmp_path):
    (tmp_path / "a.mp4").touch()
    refuses(tmp_path / "a.mp4", "empty file")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ffconcat version 1.0\nfile 'film.avi'\n", "no video, it starts with b'ffconcat"),
        ("#EXTM3U\n#EXTINF:1,\nfilm.avi\n", "no video"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        ("<!DOCTYPE html><html>404</html>", "web page"),
        ("v=0\no=- 0 0 IN IP4 127.0.0.1\n", "no video"),
    ],
)
def test_text_in_place_of_a_video_is_never_given_to_a_decoder(refuses, tmp_path, text, message):
    (tmp_path / "a.mp4").write_text(text)
    refuses(tmp_path / "a.mp4", message)


def test_addresses_and_patterns(build, images):
    with pytest.raises(UsageError, match="fetch the file first"):
        build("spikes", path="http://127.0.0.1/a.mp4")
    with pytest.raises(UsageError, match="fetch the file first"):
        build("events", path="rtsp://127.0.0.1/a")
    with pytest.raises(UsageError, match="give the folder that holds the images"):
        build("spikes", path=str(images / "frame%d.png"))
    with pytest.raises(UsageError, match="numbered pattern"):
        build("spikes", path=str(images / "frame%03d.png"))


def test_pipe(refuses, tmp_path):
    os.mkfifo(tmp_path / "a.mp4")
    refuses(tmp_path / "a.mp4", "a named pipe")


@pytest.mark.parametrize("share", [0.9, 0.5])
def test_truncated(build, refuses, video, tmp_path, share):
    path = tmp_path / "cut.avi"
    data = video.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    refuses(path, r"\d of 12 frames could be decoded")
    assert 1 < len(build("spikes", path=str(path), allow_truncated=True)[0].spikes) < 12


def test_index_lost(refuses, tmp_path, pictures):
    path = tmp_path / "a.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, (40, 30))
    for picture in pictures:
        writer.write(picture)
    writer.release()
    path.write_bytes(path.read_bytes()[:-400])
    refuses(path, "damaged or incomplete video")


def test_no_frames(refuses, tmp_path, video):
    path = tmp_path / "a.avi"
    data = video.read_bytes()
    path.write_bytes(data[: data.index(b"movi") + 4])
    refuses(path, "no frame could be decoded|damaged or incomplete", allow_truncated=True)


def test_folder_without_images(refuses, tmp_path):
    (tmp_path / "a.txt").write_text("x")
    refuses(tmp_path, "a folder without images")


def test_images_of_different_sizes(refuses, tmp_path):
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((20, 30), np.uint8))
    cv2.imwrite(str(tmp_path / "2.png"), np.zeros((20, 31), np.uint8))
    refuses(tmp_path, "2.png: a picture of 20x31; expected 20x30 as 1.png")


@pytest.mark.parametrize(
    ("value", "message"), [(np.nan, "not finite"), (np.inf, "not finite"), (1.5, "1.5"), (-0.5, "-0.5")]
)
def test_floating_point_values(refuses, tmp_path, value, message):
    image = np.zeros((16, 16), np.float32)
    image[3, 4] = value
    cv2.imwrite(str(tmp_path / "1.tiff"), image)
    refuses(tmp_path, message)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tiff"])
def test_truncated_images(refuses, tmp_path, suffix):
    path = tmp_path / f"1{suffix}"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:-300])
    refuses(tmp_path, "end is missing|damaged|cannot be read")


def test_image_that_is_text(refuses, tmp_path):
    (tmp_path / "1.png").write_text("hello, I am a picture")
    refuses(tmp_path, "which no picture does")


def test_image_that_claims_to_be_huge(refuses, tmp_path):
    path = tmp_path / "1.png"
    cv2.imwrite(str(path), np.zeros((8, 8), np.uint8))
    data = bytearray(path.read_bytes())
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    path.write_bytes(data)
    refuses(tmp_path, "30000x30000; expected at least one pixel, and at most")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tiff"])
def test_damaged_images_are_read_or_refused(build, tmp_path, suffix):
    path = tmp_path / f"1{suffix}"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (12, 14, 3), np.uint8))
    data, random = path.read_bytes(), np.random.default_rng(1)
    outcomes = set()
    for _ in range(60):
        mutant = bytearray(data)
        for _ in range(3):
            mutant[random.integers(len(mutant))] = random.integers(256)
        path.write_bytes(mutant[: random.integers(len(mutant))] if random.random() < 0.2 else mutant)
        try:
            outcomes.add(build("spikes", path=str(tmp_path))[0].spikes.shape[0])
        except SpikeFormatError:
            outcomes.add("refused")
    assert "refused" in outcomes


def test_pictures_per_second_must_be_known(build, images):
    with pytest.raises(UsageError, match="fps=N"):
        build("events", path=str(images))
