from __future__ import annotations

import contextlib
import json
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import attrs
import cv2
import h5py
import numpy as np
import pytest
import torch
from torch import nn

from spikecore.adapter import Method, ModelReconstructor, load_network
from spikecore.ahead import ahead
from spikecore.batch import Batch, collate
from spikecore.checked import checked
from spikecore.cli.progress import Progress
from spikecore.component import Component, Data, PluginInfo
from spikecore.config import option
from spikecore.errors import (
    Interrupted,
    OutputError,
    PluginError,
    SpikecoreError,
    SpikeFormatError,
    UsageError,
    WeightsError,
)
from spikecore.evaluation import evaluate_item, summarise
from spikecore.experiment import Experiment, RunConfig
from spikecore.hookspecs import hookimpl
from spikecore.host import PluginHost
from spikecore.observe import RunInfo
from spikecore.results import Score
from spikecore.runner import execute, moments, results, to_picture
from spikecore.sample import Sample, Window
from spikecore.spikes import SpikeStream
from spikecore.stopping import postponed

HERE = "spikecore_test_run"


@attrs.frozen
class Options:
    window: int = option(5, help="frames")
    clip: bool = option(False, help="fewer frames at the ends")
    stop_after: int = option(0, help="behave as if the user pressed Ctrl-C after this many")
    session: bool = option(False, help="offer a session")
    fault: str = option("", help="what to do wrong")


@attrs.frozen
class Nothing:
    """No options."""


class Mean:
    """Spikes per frame, the simplest method there is."""

    def __init__(self, config):
        self.config = config
        self.window = Window.centred(config.window, config.clip)
        self.done = 0
        if config.session:
            self.session = lambda stream: SimpleNamespace(
                image=lambda at: self.spoil(self.window.cut(stream, at)[0].unpack().mean(0, dtype=np.float32))
            )
        if config.fault == "quit at once":
            raise SystemExit("no licence")

    def reconstruct(self, batch):
        self.done += len(batch)
        if self.config.stop_after and self.done > self.config.stop_after:
            raise KeyboardInterrupt
        return self.spoil(batch.spikes.tensor().mean(1, keepdim=True))

    def spoil(self, result):
        return FAULTS[self.config.fault](result)


def leave(result):
    raise SystemExit("enough")


def stumble(result):
    raise IndexError("off the edge")


def put(value):
    def spoil(result):
        result[..., 3, 5] = value
        return result

    return spoil


FAULTS = {
    "": lambda result: result,
    "quit at once": lambda result: result,
    "quit": leave,
    "stumble": stumble,
    "array": lambda result: result.numpy(),
    "item too many": lambda result: torch.cat([result, result]),
    "no channels": lambda result: result[:, 0],
    "narrow": lambda result: result[..., 1:],
    "twice as wide": lambda result: result.repeat_interleave(2, -1),
    "twice as large": lambda result: result.repeat_interleave(2, -1).repeat_interleave(2, -2),
    "nan": put(float("nan")),
    "infinite": put(float("inf")),
}


@pytest.fixture
def host(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, HERE, SimpleNamespace(Mean=Mean, Recordings=Recordings))

    @hookimpl
    def spikecore_info():
        return PluginInfo("fakes")

    @hookimpl
    def spikecore_components():
        yield Component("reconstructor", "mean", f"{HERE}:Mean", Options, "mean", consumes="spikes", produces="image")
        yield Component("source", "recordings", f"{HERE}:Recordings", Nothing, "some", produces="spikes")

    host = PluginHost.discover(allow=["builtin"], block=[])
    host.register(SimpleNamespace(spikecore_info=spikecore_info, spikecore_components=spikecore_components), "fake")
    return host


SCENE = {"use": "builtin/scene", "height": 24, "width": 32, "length": 40}


def experiment(host, source=SCENE, options=None, **run):
    return Experiment.from_dict(
        {"source": source, "reconstructor": {"use": "fake/mean", **(options or {})}, "run": run}, host
    )


def expected(host, source=SCENE, window=5):
    stream = host.build(host.find("scene"), {k: v for k, v in source.items() if k != "use"})[0].spikes
    return np.clip(stream.sliding_counts(window) / window / 0.6, 0, 1).astype(np.float32)


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
    stream = host.build(host.find("scene"), {k: v for k, v in SCENE.items() if k != "use"})[0].spikes
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
        ({"start": 30, "stop": 31, "stride": 1, "at": 39}, "instants"),
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


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(host, tmp_path):
    seen = []

    class Watcher:
        @hookimpl
        def spikecore_info(self):
            return PluginInfo("watcher")

        @hookimpl
        def spikecore_run_end(self, run, result):
            seen.append(dict(result))

    host.register(Watcher(), "watcher")
    with pytest.raises(Interrupted, match=r"stopped after 9 of 36 .*v.partial.npy\n.*--start 11 --stop 38"):
        execute(experiment(host, options={"stop_after": 9}, output=str(tmp_path / "v.npy")))
    assert [p.name for p in tmp_path.iterdir()] == ["v.partial.npy"]
    assert np.allclose(np.load(tmp_path / "v.partial.npy"), expected(host)[:9], atol=1e-6)
    assert seen == [{"state": "interrupted", "results": 9}]
    assert not [thread for thread in threading.enumerate() if thread.name == "spikecore-ahead"]


@pytest.fixture
def swallowing(monkeypatch):
    """Ctrl-C while the ninth picture is written falls into a callback, which swallows what the handler raises."""
    from spikecore.sinks import Hdf5

    append = Hdf5._append

    def swallow(sink, picture):
        append(sink, picture)
        if sink.written == 8:
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Hdf5, "_append", swallow)


def test_ctrl_c_is_heard_wherever_it_falls(host, tmp_path, swallowing):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match=r"stopped after 9 of 36 .*v.partial.h5\n.*--start 11 --stop 38"):
        execute(experiment(host, output=str(tmp_path / "v.h5")))
    assert signal.getsignal(signal.SIGINT) is before
    with h5py.File(tmp_path / "v.partial.h5") as file:
        assert np.allclose(file["images"], expected(host)[:9], atol=1e-6)


def test_ctrl_c_at_the_last_picture_leaves_a_whole_file(host, tmp_path, swallowing):
    with pytest.raises(Interrupted, match=r"v\.h5 was complete"):
        execute(experiment(host, output=str(tmp_path / "v.h5"), start=2, stop=11))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v.h5", "v.h5.run.json"]


def test_a_second_ctrl_c_stops_at_once():
    with postponed() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_handlers_of_others_are_left_alone():
    mine = []
    before = signal.signal(signal.SIGINT, lambda *_: mine.append(1))
    try:
        with postponed() as stop:
            signal.raise_signal(signal.SIGINT)
        assert (mine, stop.is_set()) == ([1], False)
        with ThreadPoolExecutor() as pool:
            assert pool.submit(lambda: postponed().__enter__().is_set()).result() is False
    finally:
        signal.signal(signal.SIGINT, before)


BROKEN = {
    "array": r"ndarray, expected a tensor",
    "item too many": r"shape \(2, 1, 24, 32\), expected \(1, C, 24, 32\)",
    "no channels": r"shape \(1, 24, 32\), expected \(1, C, 24, 32\)",
    "narrow": r"shape \(1, 1, 24, 31\)",
    "twice as wide": r"shape \(1, 1, 24, 64\)",
    "nan": r"1 of 768 values that are NaN",
    "infinite": r"1 of 768 values that are NaN or infinite",
    "quit": r"failed: SystemExit: enough",
    "quit at once": r"SystemExit: no licence",
    "stumble": r"failed: IndexError: off the edge",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_promise_is_reported_with_the_id_of_who_broke_it(host, tmp_path, fault):
    with pytest.raises(PluginError, match=rf"fake/mean.*{BROKEN[fault]}"):
        execute(experiment(host, options={"fault": fault}, output=str(tmp_path / "v.npy")))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", ["nan", "narrow", "stumble"])
def test_sessions_are_not_trusted_either(host, tmp_path, fault):
    with pytest.raises(PluginError, match="fake/mean"):
        execute(experiment(host, options={"fault": fault, "session": True}, output=str(tmp_path / "v.npy")))


def test_pictures_may_be_whole_times_larger(host, tmp_path):
    execute(experiment(host, options={"fault": "twice as large"}, output=str(tmp_path / "v.npy")))
    assert np.load(tmp_path / "v.npy").shape == (36, 48, 64)


def test_depth_may_be_unknown_but_not_infinite(host):
    batch = collate([Sample(key="s", spikes=SpikeStream.from_frames(np.zeros((3, 4, 8), bool)))]).to("cpu")
    method = Method(host.find("fake/mean"), None, Data.DEPTH)
    depth = torch.full((1, 1, 4, 8), float("nan"))
    assert np.isnan(checked(depth, method, batch)).all()
    for wrong in (torch.full_like(depth, float("inf")), torch.ones(1, 2, 4, 8), torch.ones(1, 1, 8, 16)):
        with pytest.raises(PluginError, match="of kind depth"):
            checked(wrong, method, batch)


class Recordings:
    """Three recordings, of which the second is corrupt."""

    def __init__(self, config):
        pass

    def __len__(self):
        return 3

    def __getitem__(self, index):
        if index == 1:
            raise SpikeFormatError("second.dat", "7 bytes missing")
        frames = np.random.default_rng(index).random((40, 24, 32)) < 0.3
        return Sample(key=f"night/{index}", spikes=SpikeStream.from_frames(frames))


def test_a_corrupt_recording_does_not_end_the_others(host, tmp_path):
    with pytest.raises(SpikecoreError, match=r"1 of 3 recordings failed, the others are done: .*\n  1: second.dat: 7"):
        execute(experiment(host, {"use": "fake/recordings"}, output=str(tmp_path / "v.npy")))
    assert sorted(path.name for path in tmp_path.glob("*.npy")) == ["v-night%2F0.npy", "v-night%2F2.npy"]


def test_keys_with_slashes_name_one_folder_each(host, tmp_path):
    with pytest.raises(SpikecoreError):
        execute(experiment(host, {"use": "fake/recordings"}, output=str(tmp_path / "out"), stride=20))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["night%2F0", "night%2F2"]


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
    run = {"output": str(tmp_path / "out")}
    with pytest.raises(Interrupted, match="--start 11 --stop 38"):
        execute(experiment(host, options={"stop_after": 9}, **run))
    assert len(names(tmp_path / "out")) == 9
    with pytest.raises(OutputError):
        execute(experiment(host, options={"stop_after": 0}, **run))
    with pytest.raises(Interrupted):
        execute(experiment(host, options={"stop_after": 9}, start=11, stop=38, **run))
    assert len(names(tmp_path / "out")) == 18


def test_progress_tells_of_checkpoints_alone(capsys):
    shown = Progress()
    info = RunInfo("train", "a training", 3)
    for name in ("step-7.pt", "weights.safetensors", "losses.csv", "validation.png", "v.mp4"):
        shown.spikecore_checkpoint_saved(info, Path(name))
    said = capsys.readouterr().err
    assert said == "a training: saved step-7.pt\na training: saved weights.safetensors\n"


def test_displays(host):
    sample = Sample(key="s", spikes=SpikeStream.from_frames(np.zeros((3, 2, 8), bool)))
    method = Method(host.find("fake/mean"), None, Data.IMAGE)
    value = np.array([[[0.1, 0.5, 0.9]]], np.float32)
    shown = {
        name: to_picture(value, sample, method, RunConfig(display=name, gain=2.0))[0]
        for name in ("clip", "raw", "minmax")
    }
    assert np.allclose(shown["clip"], [0.2, 1, 1])
    assert np.allclose(shown["raw"], [0.2, 1, 1.8])
    assert np.allclose(shown["minmax"], [0, 0.5, 1])
    assert np.allclose(to_picture(value, sample, method, RunConfig(gamma=2.0))[0], np.sqrt([0.1, 0.5, 0.9]))


def test_evaluation_judges_the_instant_of_the_ground_truth(host, tmp_path):
    table = {
        "source": {**SCENE, "clips": 2},
        "reconstructor": {"use": "fake/mean", "window": 21},
        "metric": [{"use": "builtin/psnr"}],
    }
    experiment = Experiment.from_dict(table, host)
    items = [evaluate_item(experiment, number, tmp_path) for number in range(2)]
    assert [item["key"] for item in items] == ["scene-0-0", "scene-0-1"]
    rows = [{score["metric"]: score["value"] for score in item["scores"]} for item in items]
    scene = host.build(host.find("scene"), {k: v for k, v in table["source"].items() if k != "use"})
    for number, row in enumerate(rows):
        image = np.clip(scene[number].spikes.counts(10, 31) / 21 / 0.6, 0, 1)
        error = np.mean((image - scene.image(number, 20)) ** 2)
        assert row["builtin/psnr"] == pytest.approx(-10 * np.log10(error), abs=1e-3)
        assert row["builtin/psnr"] > 15
        assert (tmp_path / "pictures" / f"scene-0-{number}.png").exists()
    means = {s.metric: s.value for s in summarise([Score(**score) for item in items for score in item["scores"]])}
    assert means["builtin/psnr"] == pytest.approx(np.mean([row["builtin/psnr"] for row in rows]))


def test_memory_does_not_grow_with_the_recording(host, tmp_path):
    """Batches in flight are bounded, however many instants are asked for."""
    made = []

    class Counting(Mean):
        def reconstruct(self, batch):
            made.append(len(batch))
            return super().reconstruct(batch)

    sample = host.build(host.find("scene"), {k: v for k, v in SCENE.items() if k != "use"})[0]
    method = Method(host.find("fake/mean"), Counting(Options()), Data.IMAGE)
    run = RunConfig(read_ahead=2)
    stream = results(sample, method, moments(sample, method, run), run)
    next(stream)
    assert len(made) == 1
    stream.close()


# ahead


def test_ahead_keeps_order_and_bounds_what_is_prepared():
    started = []

    def items():
        for number in range(20):
            started.append(number)
            yield number

    stream = ahead(items(), 3)
    assert next(stream) == 0
    assert list(stream) == list(range(1, 20))

    started.clear()
    stream = ahead(items(), 2)
    next(stream)
    threading.Event().wait(0.2)
    assert len(started) <= 1 + 2 + 1
    stream.close()
    assert len(started) <= 5


def test_ahead_hands_over_errors_after_the_items_before_them():
    def items():
        yield 1
        raise ValueError("broken")

    stream = ahead(items(), 2)
    assert next(stream) == 1
    with pytest.raises(ValueError, match="broken"):
        next(stream)


def test_closing_ahead_closes_what_it_reads():
    closed = threading.Event()

    def items():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    stream = ahead(items(), 2)
    next(stream)
    stream.close()
    assert closed.wait(2)


# models


class Tiny(nn.Module):
    """Local mean of spikes by a 3x3 convolution: tiles with an overlap must give the whole picture."""

    window = Window.centred(5)

    def __init__(self):
        super().__init__()
        self.network = nn.Conv2d(1, 1, 3, padding=1, bias=False)

    def forward(self, batch: Batch):
        return {"image": self.network(batch.spikes.tensor().mean(1, keepdim=True))}


def tiny_batch(height=23, width=37):
    random = np.random.default_rng(0)
    samples = [
        Sample(key=str(n), spikes=SpikeStream.from_frames(random.random((5, height, width)) < 0.4)) for n in range(2)
    ]
    return collate(samples).to("cpu")


def test_a_model_becomes_a_reconstructor():
    model = Tiny().train()
    result = ModelReconstructor(model, Data.IMAGE, RunConfig()).reconstruct(tiny_batch())
    assert result.shape == (2, 1, 23, 37)
    assert result.dtype == torch.float32
    assert not result.requires_grad
    assert not model.training


@pytest.mark.parametrize(("tile", "overlap"), [(16, 4), (8, 6), (64, 8), (23, 2)])
def test_tiles_blend_into_the_whole_picture(tile, overlap):
    model = Tiny()
    batch = tiny_batch()
    whole = ModelReconstructor(model, Data.IMAGE, RunConfig()).reconstruct(batch)
    tiled = ModelReconstructor(model, Data.IMAGE, RunConfig(tile=tile, overlap=overlap)).reconstruct(batch)
    assert tiled.shape == whole.shape
    inner = (..., slice(1, -1), slice(1, -1))
    worst = (tiled - whole).abs()[inner].max()
    assert worst < 0.5 * whole.abs().max()  # at seams the 3x3 window sees zeros; the ramp keeps their weight small
    local = nn.Conv2d(1, 1, 1, bias=False)
    model.network = local
    whole = ModelReconstructor(model, Data.IMAGE, RunConfig()).reconstruct(batch)
    tiled = ModelReconstructor(model, Data.IMAGE, RunConfig(tile=tile, overlap=overlap)).reconstruct(batch)
    assert torch.allclose(tiled, whole, atol=1e-6)


def test_reduced_precision_gives_float32_results():
    result = ModelReconstructor(Tiny(), Data.IMAGE, RunConfig(precision="bfloat16")).reconstruct(tiny_batch())
    assert result.dtype == torch.float32


def test_clips_of_a_video_blend_into_the_whole():
    class Frames(nn.Module):
        window = Window()

        def forward(self, batch):
            counts = torch.stack(
                [
                    torch.stack(
                        [torch.from_numpy(piece.counts()) for piece in self.pieces(stream, batch.frame_times[n])]
                    )
                    for n, stream in enumerate(batch.spikes.streams)
                ]
            )
            return {"video": batch.frames + counts[:, :, None]}

        def pieces(self, stream, times):
            ends = [*times[1:].int().tolist(), len(stream)]
            return [stream[int(a) : b] for a, b in zip(times, ends, strict=True)]

    random = np.random.default_rng(0)
    sample = Sample(
        key="v",
        spikes=SpikeStream.from_frames(random.random((28, 6, 8)) < 0.4),
        frames=random.random((7, 3, 6, 8), np.float32),
        frame_times=np.arange(7) * 4.0,
    )
    batch = collate([sample]).to("cpu")
    whole = ModelReconstructor(Frames(), Data.VIDEO, RunConfig()).reconstruct(batch)
    clips = ModelReconstructor(Frames(), Data.VIDEO, RunConfig(tile_frames=3, overlap_frames=1)).reconstruct(batch)
    both = ModelReconstructor(
        Frames(), Data.VIDEO, RunConfig(tile_frames=3, overlap_frames=1, tile=5, overlap=2)
    ).reconstruct(batch)
    assert whole.shape == (1, 7, 3, 6, 8)
    assert torch.allclose(clips, whole, atol=1e-5)
    assert torch.allclose(both, whole, atol=1e-5)


def test_weights_that_do_not_fit_are_refused_with_the_keys(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "w.safetensors"
    save_file({"weight": torch.zeros(2, 1, 3, 3), "extra": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=r"unexpected extra; weight is \(2, 1, 3, 3\), expected \(1, 1, 3, 3\)"):
        load_network(Tiny(), path)
    save_file({"weight": torch.ones(1, 1, 3, 3)}, path)
    model = Tiny()
    load_network(model, path)
    assert model.network.weight.min() == 1


def test_a_device_that_is_not_there_is_named(host, tmp_path):
    with pytest.raises(UsageError, match="device 'cuda:77' cannot be used here"):
        execute(experiment(host, output=str(tmp_path / "v.npy"), device="cuda:77"))
    with pytest.raises(UsageError, match="device 'toaster'"):
        execute(experiment(host, output=str(tmp_path / "v.npy"), device="toaster"))
