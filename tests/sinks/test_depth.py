from __future__ import annotations

import cv2
import numpy as np
import pytest

from spikecore import Target
from spikecore.data.kinds import Data
from spikecore.errors import UsageError
from spikecore.sinks import scale
from spikecore.sinks.depth import depth_picture, range_of
from spikecore.sinks.open import open_sink

GREY = round(255 * scale.UNKNOWN)
HEIGHT, WIDTH = 200, 40


@pytest.fixture
def ramp():
    """Depth (1, 200, 40) from 1 m at the top to 11 m at the bottom; the left column is unknown."""
    depth = np.repeat(np.linspace(1, 11, HEIGHT, dtype=np.float32)[:, None], WIDTH, 1)
    depth[:, 0] = np.nan
    return depth[None]


@pytest.fixture
def texts(monkeypatch):
    """What is written into pictures, in order."""
    drawn, draw = [], cv2.putText
    monkeypatch.setattr(cv2, "putText", lambda panel, text, *rest: (drawn.append(text), draw(panel, text, *rest)))
    return drawn


def numbers(texts):
    return [float(text) for text in texts if text.replace(".", "").replace("-", "").isdigit()]


def colours(count=256):
    table = cv2.applyColorMap(np.rint(np.linspace(0, 255, count)).astype(np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)
    return table[:, 0, ::-1]


def test_depth_becomes_colours_from_near_to_far_and_grey(tmp_path, write, read_png, ramp):
    attributes = {"depth_near": "1", "depth_far": "11"}
    path = write(tmp_path / "d.png", [ramp], count=1, kind=Data.DEPTH, attributes=attributes).commit()
    picture = read_png(path)
    assert picture.shape[0] == HEIGHT
    assert picture.shape[1] > WIDTH
    assert (picture[:, 0] == GREY).all()
    near_to_far = picture[:, 1:WIDTH]
    assert (near_to_far == near_to_far[:, :1]).all()
    assert np.abs(near_to_far[:, 0].astype(int) - colours(HEIGHT)[::-1]).max() <= 2
    light = near_to_far[:, 0] @ [0.299, 0.587, 0.114]
    assert (np.diff(light) < 1).all()
    assert light[0] - light[-1] > 150


def test_the_bar_has_the_colours_of_the_picture(ramp):
    picture = np.rint(255 * depth_picture(ramp, 1, 11)).astype(int)
    shown = {tuple(colour) for colour in picture[:, 1]}
    bar = picture[:, WIDTH + 10]
    inside = [tuple(colour) for colour in bar if colour.max() - colour.min() > 20]
    assert len(inside) > 100
    assert inside[0] == tuple(picture[-1, 1])  # far is at the top
    assert inside[-1] == tuple(picture[0, 1])
    assert len(set(inside) - shown) < len(set(inside)) / 3  # the picture has fewer steps than the map


def test_the_bar_states_metres(ramp, texts):
    depth_picture(ramp, 1, 11)
    assert numbers(texts) == [11, 8.5, 6, 3.5, 1]
    assert texts[0] == "depth in m"
    assert texts[-3:] == ["unknown", "range as", "given"]


@pytest.mark.parametrize(
    ("near", "far", "shown"),
    [(0.5, 0.9, ["0.900", "0.500"]), (2, 7.25, ["7.25", "2.00"]), (2, 90, ["90.0", "2.0"]), (0, 1200, ["1200", "0"])],
)
def test_numbers_have_as_many_places_as_tell_them_apart(ramp, texts, near, far, shown):
    depth_picture(ramp, near, far)
    assert [texts[1], texts[5]] == shown


def test_without_a_range_that_of_the_data_counts_but_for_specks(ramp, texts):
    ramp[0, 0, 1] = 4000
    depth_picture(ramp)
    assert numbers(texts)[0] == pytest.approx(10.9, abs=0.1)
    assert numbers(texts)[-1] == pytest.approx(1.1, abs=0.1)
    assert texts[-2:] == ["1-99 % of", "this picture"]


@pytest.mark.parametrize("size", [(1, 1), (18, 24), (97, 30), (191, 8), (192, 8), (700, 9)])
def test_low_pictures_are_enlarged_so_that_the_bar_can_be_read(size):
    plane = np.random.default_rng(0).uniform(1, 9, size).astype(np.float32)
    picture = depth_picture(plane)
    times = picture.shape[0] // size[0]
    assert picture.shape[0] == times * size[0] >= 192
    assert times == 1 or (times - 1) * size[0] < 192
    pixels = picture[:, : times * size[1]]
    assert np.array_equal(pixels, pixels[::times, ::times].repeat(times, 0).repeat(times, 1))
    assert picture.dtype == np.float32
    assert picture.min() >= 0
    assert picture.max() <= 1


@pytest.mark.parametrize(
    ("depth", "near", "far"),
    [(np.full((1, 20, 20), 3), None, None), (np.full((1, 20, 20), 3), 5, None), (np.full((1, 20, 20), 3), None, 2)],
)
def test_data_of_one_depth_or_outside_the_range_has_a_picture(depth, near, far):
    found = range_of(depth[0], near, far)
    assert found.near < found.far
    assert np.isfinite(depth_picture(depth, near, far)).all()


def test_where_nothing_is_known_all_is_grey_and_says_so(texts):
    picture = depth_picture(np.full((1, 200, 30), np.nan, np.float32))
    assert (picture[:, :30] == np.float32(scale.UNKNOWN)).all()
    assert texts[-2:] == ["no depth", "is known"]


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".avi"])
def test_a_video_keeps_the_range_of_its_first_picture(tmp_path, write, read_video, ramp, texts, suffix):
    unknown = np.full_like(ramp, np.nan)
    path = write(tmp_path / f"v{suffix}", [unknown, ramp, 2 * ramp, ramp], count=4, kind=Data.DEPTH).commit()
    frames = read_video(path)
    assert len(frames) == 4
    bars = frames[1:, :, WIDTH:].astype(int)
    assert np.abs(bars - bars[0]).mean() < 2
    assert np.abs(frames[1, :, :WIDTH].astype(int) - frames[3, :, :WIDTH]).mean() < 2
    assert np.abs(frames[1, :, :WIDTH].astype(int) - frames[2, :, :WIDTH]).mean() > 20
    assert texts.count("picture 2") == 3  # the first that has depth


def test_in_a_folder_each_picture_has_its_own_range(tmp_path, write, read_png, ramp, texts):
    folder = write(tmp_path / "out", [ramp, 2 * ramp], count=2, kind=Data.DEPTH).commit()
    first, second = (read_png(path) for path in sorted(folder.iterdir()))
    assert np.array_equal(first[:, :WIDTH], second[:, :WIDTH])
    assert not np.array_equal(first[:, WIDTH:], second[:, WIDTH:])
    alone = write(tmp_path / "one.png", [2 * ramp], count=1, kind=Data.DEPTH).commit()
    assert np.array_equal(read_png(alone), second)


def test_a_given_range_holds_for_all(tmp_path, write, ramp, texts):
    attributes = {"depth_near": "0.5", "depth_far": "40"}
    write(tmp_path / "out", [ramp, 2 * ramp], count=2, kind=Data.DEPTH, attributes=attributes).commit()
    assert texts[: len(texts) // 2] == texts[len(texts) // 2 :]
    assert texts[-1] == "given"


def test_one_given_end_is_kept(ramp):
    assert range_of(ramp[0], near=0.25).near == 0.25
    assert range_of(ramp[0], far=50).far == 50
    assert range_of(ramp[0], near=0.25).far == range_of(ramp[0]).far


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"depth_near": "near"}, "depth_near=near.*no number of metres"),
        ({"depth_far": "nan"}, "depth_far=nan.*no number of metres"),
        ({"depth_near": "5", "depth_far": "5"}, "depth_far=5 must be more than depth_near=5"),
    ],
)
@pytest.mark.parametrize("name", ["d.png", "d.mp4", "d"])
def test_a_wrong_range_is_refused_before_anything_is_made(tmp_path, name, attributes, message):
    with pytest.raises(UsageError, match=message):
        open_sink(None, Target(tmp_path / name, 1, attributes=attributes), Data.DEPTH)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["d.png", "d"])
def test_16_bits_are_refused_and_name_what_is_exact(tmp_path, name):
    with pytest.raises(UsageError, match=r"8 bits, not 16\n.*\.npy or \.h5"):
        open_sink(None, Target(tmp_path / name, 1, bits=16), Data.DEPTH)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(2, 8, 8), (8,), (1, 0, 8)])
def test_what_is_no_depth_is_refused(shape):
    with pytest.raises(UsageError, match="depth is"):
        depth_picture(np.ones(shape, np.float32))


def test_an_interrupted_video_keeps_its_pictures(tmp_path, write, read_video, ramp):
    sink = write(tmp_path / "v.mp4", [ramp, ramp], kind=Data.DEPTH)
    assert sink.written == 2
    assert sink.interrupt() == tmp_path / "v.partial.mp4"
    assert len(read_video(tmp_path / "v.partial.mp4")) == 2
