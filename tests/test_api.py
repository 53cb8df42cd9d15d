from __future__ import annotations

import tomllib
from types import SimpleNamespace

import attrs
import cv2
import numpy as np
import pytest

import spikecore as sc
from spikecore import api
from spikecore.errors import AmbiguousComponent, CompositionError, UnknownComponent
from spikecore.experiment.experiment import Experiment
from spikecore.plugin.component import Component
from spikecore.plugin.hookspecs import hookimpl
from spikecore.plugin.host import PluginHost
from spikecore.plugin.options import option


@pytest.fixture
def stream():
    video = np.random.default_rng(0).random((90, 6, 10)) < 0.3
    return sc.SpikeStream.from_frames(video, rate=1000.0, gain=2.0, name="clip")


def test_a_saved_recording_opens_as_it_was(stream, tmp_path):
    for name in ("a.dat", "a.npz", "a.h5"):
        path = sc.save(stream, tmp_path / name)
        opened = sc.open(path)
        assert np.array_equal(opened.unpack(), stream.unpack())
        assert (opened.rate, opened.gain) == (1000.0, 2.0)


def test_reconstruct_takes_the_middle_and_the_recordings_gain(stream):
    image = sc.reconstruct(stream, "classic/tfp", window=11)
    assert image.dtype == np.float32
    assert np.allclose(image, np.clip(2 * stream.counts(40, 51) / 11, 0, 1))
    plain = sc.reconstruct(stream, "tfp", at=50, gain=1.0, window=11)
    assert np.allclose(plain, stream.counts(45, 56) / 11)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"at": 90}, r"clip: instant 90 is outside the recording; frames are 0\.\.89"),
        ({"at": 50.5}, r"clip: instant 50\.5 lies between two frames.*\n  try: 50"),
        ({"at": 3}, r"instants 20\.\.69 have one"),
        ({"window": 91}, "a window of 91 frames is longer than the recording of 90"),
        ({"window": "41"}, "expected int"),
        ({"windows": 41}, "did you mean window"),
        ({"gain": -1.0}, "gain"),
        ({"device": "nowhere"}, "device 'nowhere'"),
    ],
)
def test_reconstruct_refuses_what_cannot_be(stream, options, message):
    with pytest.raises((sc.UsageError, ValueError), match=message):
        sc.reconstruct(stream, "classic/tfp", **options)


def test_unknown_methods_and_files_name_the_closest(stream, tmp_path):
    with pytest.raises(UnknownComponent, match=r"did you mean .*classic/tfi"):
        sc.reconstruct(stream, "classic/tfj")
    sc.save(stream, tmp_path / "recording.dat")
    with pytest.raises(sc.SpikeFormatError, match=r"did you mean recording\.dat"):
        sc.open(tmp_path / "recordin.dat")
    with pytest.raises(sc.OutputError, match="no installed plugin writes"):
        sc.save(stream, tmp_path / "a.xyz")
    with pytest.raises(sc.ConfigError, match="unknown option 'heigt': did you mean height"):
        sc.open(tmp_path / "recording.dat", heigt=3)


def test_two_readers_of_one_file_must_be_told_apart(tmp_path):
    @attrs.frozen
    class Options:
        path: str = option(help="file")

    def plugin():
        raw = Component("source", "raw", "a:B", Options, "x", produces="spikes", patterns=("*.raw1",))
        return SimpleNamespace(
            spikecore_info=hookimpl(lambda: sc.PluginInfo("reader")), spikecore_components=hookimpl(lambda: [raw])
        )

    host = PluginHost()
    for name in ("one", "two"):
        host.register(plugin(), name)
    (tmp_path / "a.raw1").write_text("x")
    with pytest.raises(sc.UsageError, match="read by one/raw or two/raw; choose one with source=ID"):
        sc.open(tmp_path / "a.raw1", host=host)
    with pytest.raises(AmbiguousComponent):
        sc.open(tmp_path / "a.raw1", source="raw", host=host)


def test_compose_checks_at_once():
    experiment = sc.compose(
        source={"use": "builtin/scene", "height": 16, "width": 16},
        reconstructor="classic/tfp",
        metrics=["builtin/psnr"],
        stride=3,
    )
    assert experiment.run.stride == 3
    assert [bound.component.id for bound in experiment.many("metric")] == ["builtin/psnr"]
    with pytest.raises(CompositionError, match=r"builtin/psnr needs image.*vidar/npy"):
        sc.compose(source={"use": "vidar/npy", "path": "a.npy"}, reconstructor="classic/tfp", metrics=["builtin/psnr"])


EXPERIMENT = """
[source]
use = "builtin/scene"
height = 16
width = 24
clips = 2
[reconstructor]
use = "classic/tfp"
window = 11
[[metric]]
use = "builtin/psnr"
[run]
start = 60
stop = 61
output = "out.npy"
"""


@pytest.fixture(params=["path", "table", "experiment"])
def experiment(request, tmp_path, monkeypatch):
    """One experiment in each of the ways to state it."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "e.toml"
    path.write_text(EXPERIMENT)
    table = tomllib.loads(EXPERIMENT)
    return {"path": str(path), "table": table, "experiment": Experiment.from_dict(table, api.default_host())}[
        request.param
    ]


def test_run_writes_what_the_command_writes(experiment, tmp_path):
    summary = api.run(experiment)
    assert summary.results == 2
    assert [path.name for path in summary.outputs] == ["out-scene-0-0.npy", "out-scene-0-1.npy"]
    other = api.run(experiment, output=tmp_path / "other.npy")
    assert [path.name for path in other.outputs] == ["other-scene-0-0.npy", "other-scene-0-1.npy"]
    for one, two in zip(summary.outputs, other.outputs, strict=True):
        assert np.array_equal(np.load(one), np.load(two))
        assert one.with_name(f"{one.name}.run.json").is_file()


def test_evaluate_judges_every_recording_and_the_mean(experiment, tmp_path):
    scores = api.evaluate(experiment, output=tmp_path / "judged")
    values = {score.item: score.value for score in scores if score.metric == "builtin/psnr"}
    assert list(values) == ["scene-0-0", "scene-0-1", ""]
    assert values[""] == pytest.approx((values["scene-0-0"] + values["scene-0-1"]) / 2)
    assert values[""] > 10
    assert len(list((tmp_path / "judged" / "pictures").iterdir())) == 2


def test_the_instant_of_the_ground_truth_is_judged(tmp_path):
    source = {"use": "builtin/scene", "height": 24, "width": 32, "length": 40, "clips": 2}
    method = {"use": "classic/tfp", "window": 21}
    scores = api.evaluate(
        sc.compose(source=source, reconstructor=method, metrics=["builtin/psnr"]), output=tmp_path / "judged"
    )
    host = api.default_host()
    scene = host.build(host.find("scene"), {key: value for key, value in source.items() if key != "use"})
    values = {score.item: score.value for score in scores if score.metric == "builtin/psnr"}
    assert list(values) == ["scene-0-0", "scene-0-1", ""]
    for number in range(2):
        image = np.clip(scene[number].spikes.counts(10, 31) / 21 / 0.6, 0, 1)
        error = np.mean((image - scene.image(number, 20)) ** 2)
        assert values[f"scene-0-{number}"] == pytest.approx(-10 * np.log10(error), abs=1e-3)
        assert values[f"scene-0-{number}"] > 15
        assert (tmp_path / "judged" / "pictures" / f"scene-0-{number}.png").exists()
    assert values[""] == pytest.approx((values["scene-0-0"] + values["scene-0-1"]) / 2)


def test_evaluate_leaves_nothing_unless_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scores = api.evaluate(tomllib.loads(EXPERIMENT))
    assert len(scores) >= 3
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_run_or_judged_is_refused(tmp_path):
    with pytest.raises(sc.UsageError, match="needs \\[source\\]"):
        api.run({"source": {"use": "builtin/scene"}})
    with pytest.raises(sc.UsageError, match=r"needs \[source\] and at least one method"):
        api.evaluate({"source": {"use": "builtin/scene"}})
    with pytest.raises(sc.SpikeFormatError, match="no such file"):
        api.run(tmp_path / "none.toml")


def test_a_real_recording_gives_the_known_picture(shared):
    clip, truth = "spike/203_part2_key_id151.dat", "gt/203_part2_key_id151.png"
    stream = sc.open(shared / "data" / "base" / "train" / clip, height=250, width=400)
    truth = cv2.imread(str(shared / "data" / "base" / "train" / truth), cv2.IMREAD_GRAYSCALE) / 255
    image = sc.reconstruct(stream, "classic/tfp", at=150, window=41, gain=1 / 0.6)
    assert image.shape == (250, 400)
    assert image.dtype == np.float32
    assert 0 <= image.min() < image.max() <= 1
    assert -10 * np.log10(np.mean((image - truth) ** 2)) == pytest.approx(23.50, abs=0.01)
