"""A `.dat` with a ground-truth picture beside it, named by the side-car or by an option."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import spikecore as sc


@pytest.fixture
def recording(tmp_path):
    video = np.random.default_rng(0).random((30, 8, 16)) < 0.3
    path = sc.save(sc.SpikeStream.from_frames(video), tmp_path / "a.dat")
    cv2.imwrite(str(tmp_path / "a.gt.png"), np.arange(128, dtype=np.uint16).reshape(8, 16) * 512)
    return path


def describe(path, text):
    sidecar = path.with_name(f"{path.name}.toml")
    sidecar.write_text(sidecar.read_text() + text)


def test_the_side_car_names_the_picture(recording):
    describe(recording, 'image = "a.gt.png"\nat = 12\n')
    sample = sc.open_source(recording)[0]
    assert sample.at == 12
    assert np.allclose(sample.target["image"], np.arange(128).reshape(1, 8, 16) * 512 / 65535)


def test_the_picture_may_be_of_any_kind_that_is_read(recording, tmp_path):
    values = np.linspace(0, 1, 128, dtype=np.float32).reshape(8, 16)
    cv2.imwrite(str(tmp_path / "a.gt.tif"), np.dstack([values] * 3))
    describe(recording, 'image = "a.gt.tif"\nat = 12\n')
    assert np.array_equal(sc.open_source(recording)[0].target["image"], values[None])


def test_options_name_the_picture(recording, tmp_path):
    sample = sc.open_source(recording, image=str(tmp_path / "a.gt.png"), at=3)[0]
    assert sample.at == 3
    assert "image" in sample.target


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('image = "a.gt.png"\n', "no stated frame"),
        ('image = "none.png"\nat = 3\n', "no such file"),
        ('image = "../a.gt.png"\nat = 3\n', "same folder"),
        ('image = "a.dat"\nat = 3\n', "it starts with(.|\\n)*expected a picture of grey or RGB"),
        ('image = "a.gt.png"\nat = -1\n', "at"),
    ],
)
def test_what_is_wrong_with_it_is_said(recording, text, message):
    describe(recording, text)
    with pytest.raises(sc.SpikeFormatError, match=message):
        sc.open_source(recording, check=False)[0]
