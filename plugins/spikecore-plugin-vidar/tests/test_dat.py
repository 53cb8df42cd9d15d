"""Geometry, cameras, descriptions beside the file, and what opening costs."""

from __future__ import annotations

import errno
import json
import pickle
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import spikecore as sc
from spikecore import ConfigError, Layout, SpikeFormatError, UsageError

FRAMES = np.random.default_rng(0).random((5, 250, 400)) < 0.3


def write(path, packed):
    path.write_bytes(packed.tobytes())
    return path


@pytest.fixture
def plain(tmp_path):
    return write(tmp_path / "clip.dat", Layout(250, 400, flip=True).pack(FRAMES))


def test_rows_are_stored_bottom_first(plain):
    stream = sc.open(plain, height=250, width=400)
    assert np.array_equal(stream.unpack(), FRAMES)
    assert (stream.rate, stream.gain, stream.name) == (20_000.0, None, str(plain))
    assert sc.open_source(plain, height=250, width=400)[0].key == "clip"
    assert np.array_equal(sc.open(plain, height=250, width=400, flip=False).unpack(), FRAMES[:, ::-1])


@pytest.mark.parametrize("suffix", ["raw", "bin", "DAT"])
def test_other_names(plain, suffix):
    path = plain.rename(plain.with_suffix(f".{suffix}"))
    assert sc.open(path, height=250, width=400, rate=40_000, gain=2.0).rate == 40_000


@pytest.mark.parametrize("options", [{}, {"camera": "head16"}, {"header_columns": 16}])
def test_camera_with_header_columns(tmp_path, options):
    stored = np.random.default_rng(1).random((7, 250, 416)) < 0.5
    stored[:, ::-1, :400][:5] = FRAMES
    path = write(tmp_path / "clip.dat", np.packbits(stored.reshape(7, -1), axis=1, bitorder="little"))
    assert np.array_equal(sc.open(path, height=250, width=400, **options).unpack(0, 5)[:, ::-1], stored[:5, :, :400])


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"height": 1000, "width": 1000}, [*range(500), *range(512, 1012)]),
        ({"camera": "1000x1000"}, [*range(500), *range(512, 1012)]),
        ({"camera": "1000x1000-spikecv"}, [*range(500), *range(512, 1000), *range(1012, 1024)]),
    ],
)
def test_camera_of_two_lines_a_row(tmp_path, options, kept):
    stored = np.random.default_rng(2).random((1, 1000, 1024)) < 0.5
    path = write(tmp_path / "clip.dat", np.packbits(stored.reshape(1, -1), axis=1, bitorder="little"))
    assert np.array_equal(sc.open(path, **options).unpack(), stored[:, :, kept])


@pytest.mark.parametrize(
    "options",
    [{"camera": "1000x1000", "height": 250}, {"camera": "head16", "header_columns": 16, "height": 250, "width": 400}],
)
def test_contradicting_options_are_refused(plain, options):
    with pytest.raises(UsageError):
        sc.open(plain, **options)


@pytest.mark.parametrize(
    "options",
    [{"height": 0}, {"height": 2.5}, {"width": "400"}, {"bit_order": "middle"}, {"camera": "x"}, {"rate": -1}],
)
def test_wrong_options_are_refused(plain, options):
    with pytest.raises(ConfigError):
        sc.open(plain, **{"height": 250, "width": 400, **options})


def test_geometry_that_fits_is_named(plain):
    with pytest.raises(SpikeFormatError, match=r"stated nowhere(.|\n)*--height 250 --width 400\): 5 frames"):
        sc.open(plain)


@pytest.mark.parametrize("name", ["clip.dat.toml", "clip.toml"])
def test_side_car(plain, name):
    (plain.parent / name).write_text(
        'height = 250\nwidth = 400\nrate = 1e3\ngain = 2.0\nbit_order = "big"\nflip = false\n'
    )
    stream = sc.open(plain, check=False)
    assert (stream.rate, stream.gain) == (1000.0, 2.0)
    assert stream.layout == Layout(250, 400, columns=(), flip=False, bit_order="big")
    stated = sc.open(plain, rate=5.0, gain=1.0, flip=True, bit_order="little")
    assert (stated.rate, stated.gain) == (5.0, 1.0)
    assert np.array_equal(stated.unpack(), FRAMES)


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_spikecv_config(tmp_path, levels):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    path = write(folder / "clip.dat", Layout(250, 400, flip=True).pack(FRAMES))
    place = [folder, *folder.parents][levels] / "config.yaml"
    place.write_text("filename: x\nspike_w: 400\nspike_h: 250\nis_labeled: true\nlabeled_data_type: [3.1, 5]\n")
    assert np.array_equal(sc.open(path).unpack(), FRAMES)


@pytest.mark.parametrize("name", ["clip.json", "config.json"])
def test_small_json(plain, name):
    (plain.parent / name).write_text(json.dumps({"spike_h": 250, "spike_w": 400, "more": [1]}))
    assert np.array_equal(sc.open(plain).unpack(), FRAMES)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("clip.toml", "height = 250\nwidth = '400'\n"),
        ("clip.toml", "height = 250\nwidth = 400\nhieght = 3\n"),
        ("clip.toml", "height = -250\nwidth = 400\n"),
        ("clip.toml", "height = [\n"),
        ("clip.toml", "height = 250\nwidth = 400\nframes = 6\n"),
        ("clip.json", '{"spike_h": 250, "spike_h": 251, "spike_w": 400}'),
        ("config.yaml", "spike_w: 400\n"),
        ("config.yaml", "spike_w: 400\nspike_h: 250\nspike_h: 251\n"),
        ("config.yaml", "spike_w: 400\nspike_h: two\n"),
        ("config.yaml", "spike_w: 400\nspike_h: !!python/object/apply:os.getpid []\n"),
        ("config.yaml", "spike_w: [" * 5000),
        ("config.yaml", "#" * 1_000_001),
        ("config.yaml", "a: [" + "1," * 90_000 + "]\n"),
        ("config.yaml", "a:\n" + "".join(" " * n + "- \n" for n in range(1, 600))),
        ("config.yaml", "".join("x" * n + ":\n" + " " * n for n in range(1, 400))),
        ("config.yaml", "- " * 90_000),
        ("config.yaml", "spike_w: 400\nspike_h: " + "9" * 5000),
        ("clip.dat.toml", "height = 250\nwidth = 400\nimage = ''\nat = 0"),
        ("clip.dat.toml", "height = 250\nwidth = 400\nimage = '..'\nat = 0"),
        ("clip.dat.toml", "height = 250\nwidth = 400\nimage = 'a\\u0000b.png'\nat = 0".replace("'", '"')),
        ("clip.dat.toml", "height = 250\nwidth = 400\nrate = nan"),
        ("clip.dat.toml", "height = 250\nwidth = 99999999999999999999"),
        ("config.json", '{"spike_h": 250, "spike_w": 1e999}'),
        ("config.json", '{"spike_h": ' * 900),
        ("config.yaml", "\x00"),
    ],
)
def test_descriptions_that_cannot_be_understood(plain, name, text):
    (plain.parent / name).write_text(text)
    with pytest.raises(SpikeFormatError, match=f"{re.escape(name)}|the 6 described"):
        sc.open(plain)


def test_descriptions_of_others_are_passed_over(plain):
    (plain.parent / "clip.toml").write_text("[reconstructor]\nuse = 'classic/tfp'\n")
    (plain.parent / "config.yaml").write_text("- a list\n")
    with pytest.raises(SpikeFormatError, match="stated nowhere"):
        sc.open(plain)
    assert len(sc.open(plain, height=250, width=400)) == 5


def test_truncated_recording_on_request(plain):
    plain.write_bytes(plain.read_bytes()[:-1])
    with pytest.raises(
        SpikeFormatError, match=r"4 whole frames of 250x400 .* and 12499 bytes more(.|\n)*--allow-truncated"
    ):
        sc.open(plain, height=250, width=400)
    with pytest.warns(UserWarning, match="12499 bytes"):
        stream = sc.open(plain, height=250, width=400, allow_truncated=True)
    assert np.array_equal(stream.unpack(), FRAMES[:4])


def test_other_geometries_are_named_when_the_size_does_not_fit(tmp_path):
    path = tmp_path / "clip.dat"
    path.write_bytes(bytes(9600 * 3))
    with pytest.raises(SpikeFormatError, match=r"--height 240 --width 320\): 3 frames"):
        sc.open(path, height=250, width=400)


def test_huge_recording_opens_at_once(tmp_path):
    path = tmp_path / "huge.dat"
    with path.open("wb") as file:
        file.truncate(800_000 * 12_500)
    sc.open(path, height=250, width=400)  # imports
    tracemalloc.start()
    try:
        stream = sc.open(path, height=250, width=400)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert stream.shape == (800_000, 250, 400)
    assert peak < 5e6


def test_source_can_be_pickled(plain):
    source = pickle.loads(pickle.dumps(sc.open_source(plain, height=250, width=400)))  # noqa: S301  # made right here
    assert np.array_equal(source[0].spikes.unpack(), FRAMES)


def test_other_numbers_of_frames_than_described_are_said(plain):
    (plain.parent / "clip.toml").write_text("height = 250\nwidth = 400\nframes = 6\n")
    with pytest.raises(SpikeFormatError, match="5 frames; expected the 6 described"):
        sc.open(plain)
    with pytest.warns(UserWarning, match="5 frames, not the 6 described"):
        assert len(sc.open(plain, allow_truncated=True)) == 5


def test_disk_without_memory_maps(plain, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(np, "memmap", refuse)
    assert np.array_equal(sc.open(plain, height=250, width=400).unpack(), FRAMES)
    monkeypatch.setattr("spikecore_plugin_vidar.dat.LARGEST_LIMIT", 1000)
    with pytest.raises(SpikeFormatError, match=r"refuses memory maps(.|\n)*local disk"):
        sc.open(plain, height=250, width=400)


def test_file_that_is_shorter_than_it_says():
    """Files of the kernel claim a page, hold a line, and cannot be mapped."""
    path = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not path.exists():
        pytest.skip("no such file here")
    with pytest.raises(SpikeFormatError, match="bytes could be read, and memory maps are refused"):
        sc.open(path, source="vidar/dat", height=8, width=8, check=False)
