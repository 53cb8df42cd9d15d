from __future__ import annotations

import cv2
import numpy as np
import pytest

import spikecore as sc
from spikecore import ConfigError, SpikeFormatError, SpikeStream


def open_folder(path, **options):
    return sc.open_source(path, source="vidar/folder", **options)


@pytest.fixture
def root(tmp_path):
    """Recordings 2, 10 and 1 with ground truth."""
    (tmp_path / "spike").mkdir()
    (tmp_path / "gt").mkdir()
    for number in (2, 10, 1):
        frames = np.random.default_rng(number).random((number + 1, 6, 8)) < 0.5
        sc.save(SpikeStream.from_frames(frames), tmp_path / "spike" / f"{number}.dat")
        cv2.imwrite(str(tmp_path / "gt" / f"{number}.png"), np.full((6, 8), number, np.uint8))
    return tmp_path


def test_natural_order_and_pictures(root):
    samples = list(open_folder(root))
    assert [sample.key for sample in samples] == ["1", "2", "10"]
    assert [len(sample.spikes) for sample in samples] == [2, 3, 11]
    for sample, number in zip(samples, (1, 2, 10), strict=True):
        assert np.array_equal(sample.target["image"], np.full((1, 6, 8), number, np.float32) / np.float32(255))
    assert samples[2].instant == 5


def test_sixteen_bits(root):
    cv2.imwrite(str(root / "gt" / "1.png"), np.full((6, 8), 65535, np.uint16))
    assert open_folder(root)[0].target["image"].max() == 1.0


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".jpg"])
def test_colours_and_other_kinds_of_pictures(root, suffix):
    """Grey that was saved as colour is the grey; colours are mixed by Rec. 601, not rounded."""
    grey = (np.arange(48, dtype=np.uint8) * 5).reshape(6, 8)
    cv2.imwrite(str(root / "gt" / f"1{suffix}"), np.dstack([grey] * 3), [cv2.IMWRITE_JPEG_QUALITY, 100])
    read = open_folder(root, target_suffix=suffix)[0].target["image"]
    assert read.shape == (1, 6, 8)
    assert np.abs(read[0] - grey / np.float32(255)).max() <= (2 / 255 if suffix == ".jpg" else 0)
    if suffix != ".jpg":
        colour = np.dstack([grey, grey[::-1], 255 - grey])
        cv2.imwrite(str(root / "gt" / f"1{suffix}"), colour)
        read = open_folder(root, target_suffix=suffix)[0].target["image"]
        assert np.allclose(read[0], colour.astype(float) @ [0.114, 0.587, 0.299] / 255, atol=1e-6)


def test_a_picture_of_another_kind_is_pointed_to(root):
    (root / "gt" / "1.png").rename(root / "gt" / "1.tif")
    with pytest.raises(SpikeFormatError, match=r"1.png: no such picture(.|\n)*--in target_suffix=.tif"):
        open_folder(root)[0]


def test_floating_point_values_are_intensities(root):
    values = np.linspace(0, 1, 48, dtype=np.float32).reshape(6, 8)
    cv2.imwrite(str(root / "gt" / "1.tif"), values)
    assert np.array_equal(open_folder(root, target_suffix=".tif")[0].target["image"][0], values)
    cv2.imwrite(str(root / "gt" / "1.tif"), values * 255)
    with pytest.raises(SpikeFormatError, match=r"1.tif: intensities of 0..255; expected 0..1\n.*divide"):
        open_folder(root, target_suffix=".tif")[0]


def test_without_targets(root):
    assert not open_folder(root, targets="")[0].target


def test_instant_from_option_and_name(root):
    (root / "spike" / "10.dat").rename(root / "spike" / "10_key_id4.dat")
    (root / "spike" / "10.dat.toml").rename(root / "spike" / "10_key_id4.dat.toml")
    source = open_folder(root, targets="")
    assert [source[n].at for n in range(3)] == [None, None, 3]
    assert open_folder(root, targets="", at=1)[2].at == 1


@pytest.mark.parametrize("name", ["x_key_id0.dat", "x_key_id99.dat"])
def test_instant_outside_the_recording(root, name):
    sc.save(SpikeStream.from_frames(np.zeros((2, 6, 8), bool)), root / "spike" / name)
    with pytest.raises(SpikeFormatError, match="--in at=N"):
        open_folder(root, targets="")[3]


def test_options_reach_the_reader(root):
    for sidecar in (root / "spike").glob("*.toml"):
        sidecar.unlink()
    stream = open_folder(root, height=12, width=4, rate=7, gain=3, targets="", reader={"bit_order": "big"})[0].spikes
    assert (stream.shape, stream.rate, stream.gain) == ((2, 12, 4), 7.0, 3.0)
    assert stream.layout.bit_order == "big"
    with pytest.raises(ConfigError, match="bit_odrer"):
        open_folder(root, reader={"bit_odrer": "big"})
    with pytest.raises(SpikeFormatError, match="stated nowhere"):
        open_folder(root)[0]


def test_truncated_files_on_request(root):
    path = root / "spike" / "1.dat"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(SpikeFormatError, match="--allow-truncated"):
        open_folder(root)[0]
    with pytest.warns(UserWarning, match="the last 1 bytes"):
        assert len(open_folder(root, allow_truncated=True)[0].spikes) == 2


def test_unfinished_files_are_left_out(root):
    (root / "spike" / ".3-partial.dat").write_bytes(b"x")
    assert len(open_folder(root)) == 3


def test_mixed_formats(root):
    stream = SpikeStream.from_frames(np.ones((4, 6, 8), bool))
    for suffix in ("npz", "npy", "h5"):
        sc.save(stream, root / f"clip_{suffix}.{suffix}")
    source = open_folder(root, pattern="clip*", spikes=".", targets="")
    assert [sample.key for sample in source] == ["clip_h5", "clip_npy", "clip_npz"]
    assert all(np.array_equal(sample.spikes.unpack(), stream.unpack()) for sample in source)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spikes": "none"}, "no such folder"),
        ({"pattern": "*.npz"}, r"no files \*.npz"),
        ({"pattern": "*"}, "no reader for it"),
        ({"pattern": "/*.dat"}, "cannot be read"),
        ({"targets": "elsewhere"}, "1.png: no such picture"),
        ({"target_suffix": ".jpg"}, "1.jpg: no such picture"),
    ],
)
def test_what_is_not_there_is_named(root, options, message):
    with pytest.raises(SpikeFormatError, match=message):
        open_folder(root, **options)[0]


def test_names_must_differ(root):
    sc.save(SpikeStream.from_frames(np.zeros((2, 6, 8), bool)), root / "spike" / "2.npz")
    with pytest.raises(SpikeFormatError, match="several recordings called '2'"):
        open_folder(root, pattern="*[tz]")


def png(rows=6, columns=8, channels=1):
    shape = (rows, columns) if channels == 1 else (rows, columns, channels)
    return cv2.imencode(".png", np.zeros(shape, np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty file"),
        (b"<html>not found</html>", "web page"),
        (png(8, 6), "8x6"),
        (png(channels=4), "transparent in parts"),
        (png()[:-20], "a PNG file whose end is missing"),
        (b"GIF89a" + png(), "a GIF picture"),
        (png()[:40] + b"\x00\x00\x00" + png()[43:], "damaged|end is missing"),
        (png()[:33] + (2**31 - 64).to_bytes(4, "big") + png()[37:], "end is missing, or damaged"),
        (png()[:16] + (30_000).to_bytes(4, "big") * 2 + png()[24:], "30000x30000"),
    ],
)
def test_bad_pictures(root, data, message):
    (root / "gt" / "1.png").write_bytes(data)
    with pytest.raises(SpikeFormatError, match=message):
        open_folder(root)[0]
