"""The commands, through the command line."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

import spikecore as sc
from spikecore.cli import main

vidar = pytest.mark.skipif(
    not find_spec("spikecore_plugin_vidar"), reason="needs spikecore-plugin-vidar to write files"
)
SMALL = ["--set", "height=24", "--set", "width=32", "--set", "length=21"]


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """run("simulate", …) in an empty folder: (exit code, output, errors)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["--plugins", "builtin,simulate,vidar", *map(str, arguments)])
        said = capsys.readouterr()
        return end.value.code, said.out, said.err

    return run


@vidar
def test_a_scene_with_its_ground_truth(run, tmp_path, build):
    code, said, _ = run("simulate", "scene", "-o", "a.dat", "--set", "seed=5", *SMALL)
    assert code == 0
    assert said.split() == ["a.gt.png", "a.dat"]
    made = build("scenes", seed=5, height=24, width=32, length=21)[0]
    read = sc.open_source(tmp_path / "a.dat")[0]
    assert np.array_equal(read.spikes.unpack(), made.spikes.unpack())
    assert read.spikes.gain == pytest.approx(made.spikes.gain)
    assert read.at == made.at == 10
    assert np.abs(read.target["image"] - made.target["image"]).max() < 1e-5


@vidar
@pytest.mark.parametrize("name", ["a.npz", "a.h5"])
def test_other_formats(run, tmp_path, name):
    assert run("simulate", "scene", "-o", name, *SMALL)[0] == 0
    assert sc.open(tmp_path / name).shape == (21, 24, 32)
    assert (tmp_path / "a.gt.png").stat().st_size > 100


@vidar
def test_a_video(run, tmp_path, video):
    assert run("simulate", video, "-o", "a.dat", "--set", "interpolate=5", "--set", 'grey="spikling"')[0] == 0
    assert sc.open(tmp_path / "a.dat").shape == (56, 30, 40)


@vidar
def test_a_data_set(run, tmp_path, build):
    code, _, _ = run("simulate", "scene", "-o", "set", "--clips", 3, *SMALL)
    assert code == 0
    source = sc.open_source(tmp_path / "set", source="vidar/folder")
    made = build("scenes", height=24, width=32, length=21, clips=3)
    assert [source[index].key for index in range(len(source))] == ["00000", "00001", "00002"]
    for index in range(3):
        assert np.array_equal(source[index].spikes.unpack(), made[index].spikes.unpack())
        assert source[index].instant == made[index].at
        assert np.abs(source[index].target["image"] - made[index].target["image"]).max() < 1e-5
    code, _, said = run("simulate", "scene", "-o", "set", "--clips", 3, *SMALL)
    assert code == 2
    assert "give a new folder" in said


def test_events(run, tmp_path, video, build):
    assert run("simulate", "scene", "--camera", "events", "-o", "a.events.h5", *SMALL)[0] == 0
    read = sc.open_source(tmp_path / "a.events.h5")[0].events[0]
    made = build("events", height=24, width=32, length=21)[0].events[0]
    assert np.array_equal(read.t, made.t)
    assert run("simulate", video, "--camera", "events", "-o", "b.h5")[0] == 0
    assert run("info", "b.h5", "--source", "simulate/event-file")[0] == 0
    assert run("simulate", "scene", "--camera", "events", "-o", "set", "--clips", 2, *SMALL)[0] == 0
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == ["00000.events.h5", "00001.events.h5"]


def test_classes(run, tmp_path):
    options = ["--num_train", 1, "--num-test", 1, "--num_frames", 4, "--data_root", "data", "--seed", 2]
    code, said, _ = run("simulate-classes", "--dataset", "cifar", *options)
    assert code == 0
    assert "U-CIFAR: 20 recordings" in said
    assert len(list((tmp_path / "data/U-CIFAR/train").iterdir())) == 10
    assert (tmp_path / "data/U-CIFAR/manifest.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.mp4", "-o", "a.dat"], 1, "none.mp4: no such file"),
        (["http://127.0.0.1/a.mp4", "-o", "a.dat"], 2, "is an address"),
        (["scene", "-o", "a.xyz"], 1, "no installed plugin writes recordings of this name"),
        (["scene", "-o", "none/a.dat"], 1, "there is no folder none"),
        (["scene", "-o", "a.dat", "--set", "lenght=4"], 2, "did you mean length"),
        (["scene", "-o", "a.dat", "--set", "speed=[3, 1]"], 2, "speed must be [from, to]"),
        (["scene", "-o", "a.dat", "--camera", "events"], 2, "give a name such as a.events.h5"),
        (["film.avi", "-o", "a", "--clips", "2"], 2, "leave --clips out"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_left(run, tmp_path, arguments, code, message):
    found, _, said = run("simulate", *arguments)
    assert found == code
    assert message in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
