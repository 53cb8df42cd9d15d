"""Recordings through a method into files."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from spikecore.data.kinds import Data
from spikecore.errors import Interrupted, OutputError, SpikecoreError, UsageError
from spikecore.experiment.experiment import Experiment
from spikecore.experiment.run_config import RunConfig
from spikecore.runner.execute import execute
from spikecore.runner.method import Method
from spikecore.runner.stream import moments, results

from .mean import SCENE, Mean, Options, expected, experiment, scene
from .models import filmed


@pytest.mark.parametrize("options", [{}, {"session": True}])
@pytest.mark.parametrize("run", [{}, {"batch": 4}, {"batch": 7, "read_ahead": 0}])
def test_a_video_holds_every_instant_that_has_a_window(host, tmp_path, options, run):
    summary = execute(experiment(host, options=options, output=str(tmp_path / "v.npy"), **run))
    assert summary.outputs == (tmp_path / "v.npy",)
    assert summary.results == 36
    assert np.allclose(np.load(tmp_path / "v.npy", allow_pickle=False), expected(host), atol=1e-6)


def test_start_stop_and_stride(host, tmp_path):
    execute(experiment(host, output=str(tmp_path / "v.npy"), start=4, stop=20, stride=5))
    assert np.allclose(np.load(tmp_path / "v.npy"), expected(host)[[2, 7, 12, 17]], atol=1e-6)


def test_one_instant(host, tmp_path):
    execute(experiment(host, output=str(tmp_path / "p.png"), at=10, gain=1.0))
    read = cv2.imread(str(tmp_path / "p.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read, np.rint(255 * np.clip(expected(host)[8] * 0.6, 0, 1)))


def test_clipped_windows_reach_the_ends_also_in_batches(host, tmp_path):
    execute(experiment(host, options={"clip": True}, output=str(tmp_path / "v.npy"), batch=8))
    video = np.load(tmp_path / "v.npy")
    assert len(video) == 40
    stream = scene(host).spikes
    assert np.allclose(video[0], np.clip(stream[:3].unpack().mean(0) / 0.6, 0, 1), atol=1e-6)


def test_several_clips_give_one_file_each(host, tmp_path):
    source = {**SCENE, "clips": 2}
    assert [p.name for p in execute(experiment(host, source, output=str(tmp_path / "v.npy"))).outputs] == [
        "v-scene-0-0.npy",
        "v-scene-0-1.npy",
    ]
    folders = execute(experiment(host, source, output=str(tmp_path / "out"), stride=20)).outputs
    assert [len(list(folder.glob("*.png"))) for folder in folders] == [2, 2]


def test_every_output_has_a_recipe_that_repeats_it(host, tmp_path):
    execute(experiment(host, output=str(tmp_path / "v.npy"), stride=7))
    recipe = json.loads((tmp_path / "v.npy.run.json").read_text())
    assert recipe["experiment"]["reconstructor"] == {
        "use": "fake/mean", "window": 5, "clip": False, "stop_after": 0, "session": False, "fault": "",
    }  # fmt: skip
    assert recipe["versions"]["spikecore"]
    first = np.load(tmp_path / "v.npy")
    (tmp_path / "v.npy").unlink()
    execute(Experiment.from_file(tmp_path / "v.npy.run.json", host))
    assert np.array_equal(np.load(tmp_path / "v.npy"), first)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ({"at": 40}, "outside the recording"),
        ({"at": 1}, "instants 2..37 have one"),
        ({"start": 0}, "instants 2..37"),
        ({"stop": 40}, "instants 2..37"),
        ({"start": 30, "stop": 31, "stride": 1, "at": 39}, "at=39 is one instant"),
        ({"start": 50}, "no instants from 50"),
    ],
)
def test_instants_without_a_window_are_refused_before_anything_is_written(host, tmp_path, run, message):
    with pytest.raises(UsageError, match=message):
        execute(experiment(host, output=str(tmp_path / "v.npy"), **run))
    assert list(tmp_path.iterdir()) == []


def test_a_window_longer_than_the_recording_is_refused(host, tmp_path):
    with pytest.raises(UsageError, match="a window of 41 frames is longer than the recording of 40"):
        execute(experiment(host, options={"window": 41}, output=str(tmp_path / "v.npy")))


def test_a_corrupt_recording_does_not_end_the_others(host, tmp_path):
    with pytest.raises(SpikecoreError, match=r"1 of 3 recordings failed, the others are done: .*\n  1: second.dat: 7"):
        execute(experiment(host, {"use": "fake/recordings"}, output=str(tmp_path / "v.npy")))
    assert sorted(path.name for path in tmp_path.glob("*.npy")) == ["v-night%2F0.npy", "v-night%2F2.npy"]


def test_keys_with_slashes_name_one_folder_each(host, tmp_path):
    with pytest.raises(SpikecoreError):
        execute(experiment(host, {"use": "fake/recordings"}, output=str(tmp_path / "out"), stride=20))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["night%2F0", "night%2F2"]


def test_the_kind_that_is_written_is_chosen(host, tmp_path):
    for result, name in (("", "first.npy"), ("image", "image.npy"), ("depth", "depth.npy")):
        execute(experiment(host, method="fake/both", result=result, output=str(tmp_path / name)))
    image, depth = np.load(tmp_path / "first.npy"), np.load(tmp_path / "depth.npy")
    assert np.allclose(image, expected(host), atol=1e-6)
    assert np.array_equal(image, np.load(tmp_path / "image.npy"))
    assert depth.shape == (36, 1, 24, 32)
    mean = scene(host).spikes.sliding_counts(5) / 5
    assert np.allclose(depth[:, 0], 10 + mean, atol=1e-5), "depth is in metres, whatever the gain"
    recipe = json.loads((tmp_path / "depth.npy.run.json").read_text())
    assert recipe["experiment"]["run"]["result"] == "depth"


def test_a_kind_that_is_not_given_is_refused_before_anything_is_written(host, tmp_path):
    with pytest.raises(UsageError, match="fake/both gives no result of kind 'dept': did you mean depth"):
        execute(experiment(host, method="fake/both", result="dept", output=str(tmp_path / "v.npy")))
    assert list(tmp_path.iterdir()) == []


def test_every_frame_of_a_video_is_a_result(host, tmp_path):
    film = {"use": "fake/film"}
    summary = execute(
        experiment(host, film, method="fake/video", tile_frames=4, overlap_frames=1, output=str(tmp_path / "v.npy"))
    )
    assert summary.results == 11
    assert np.allclose(np.load(tmp_path / "v.npy"), np.moveaxis(filmed(11).frames, 1, -1), atol=1e-6)
    with pytest.raises(UsageError, match="film: camera frames give one result; leave out at=3"):
        execute(experiment(host, film, method="fake/video", at=3, output=str(tmp_path / "w.npy")))


def names(folder):
    return sorted(path.name for path in folder.glob("*.png"))


def test_a_folder_holds_the_pictures_of_one_run(host, tmp_path):
    run = {"output": str(tmp_path / "out"), "start": 4, "stop": 8}
    execute(experiment(host, **run))
    held = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    for other in ({"options": {"window": 3}}, {"source": {**SCENE, "seed": 1}}, {"gain": 3.0}):
        with pytest.raises(OutputError, match="holds pictures of another run"):
            execute(experiment(host, **{**run, **other}))
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == held
    (tmp_path / "out" / "run.json").unlink()
    with pytest.raises(OutputError, match="holds pictures of another run"):
        execute(experiment(host, **run))


def test_a_stopped_run_goes_on_in_its_folder(host, tmp_path):
    run = {"output": str(tmp_path / "out"), "read_ahead": 0}
    with pytest.raises(Interrupted, match="--start 11 --stop 38"):
        execute(experiment(host, options={"stop_after": 9}, **run))
    assert len(names(tmp_path / "out")) == 9
    with pytest.raises(OutputError):
        execute(experiment(host, options={"stop_after": 0}, **run))
    with pytest.raises(Interrupted):
        execute(experiment(host, options={"stop_after": 9}, start=11, stop=38, **run))
    assert len(names(tmp_path / "out")) == 18


def test_memory_does_not_grow_with_the_recording(host, tmp_path):
    """Batches in flight are bounded, however many instants are asked for."""
    made = []

    class Counting(Mean):
        def reconstruct(self, batch):
            made.append(len(batch))
            return super().reconstruct(batch)

    sample = scene(host)
    method = Method(host.find("fake/mean"), Counting(Options()), Data.IMAGE, RunConfig(read_ahead=2))
    stream = results(sample, method, moments(sample, method))
    next(stream)
    assert len(made) == 1
    stream.close()


def test_a_device_that_is_not_there_is_named(host, tmp_path):
    with pytest.raises(UsageError, match="device 'cuda:77' cannot be used here"):
        execute(experiment(host, output=str(tmp_path / "v.npy"), device="cuda:77"))
    with pytest.raises(UsageError, match="device 'toaster'"):
        execute(experiment(host, output=str(tmp_path / "v.npy"), device="toaster"))
