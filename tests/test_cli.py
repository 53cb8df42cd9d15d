"""The command line as its user meets it. Commands run in this process; a few in one of their own."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

import spikecore
from spikecore.cli import main
from spikecore.host import PluginHost

CLIP = "base/train/spike/203_part2_key_id151.dat"
TRUTH = "base/train/gt/203_part2_key_id151.png"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def run(capsys, monkeypatch):
    import warnings

    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def run(*arguments, code=0):
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            with pytest.raises(SystemExit) as end:
                main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert (end.value.code or 0) == code, captured.err
        return captured.out if code == 0 else captured.err

    return run


@pytest.fixture
def recording(tmp_path):
    host = PluginHost.discover()
    options = {"height": 40, "width": 64, "length": 120}
    return spikecore.save(host.build(host.find("builtin/scene"), options)[0].spikes, tmp_path / "scene.dat", host=host)


def test_list_and_show(run):
    listed = json.loads(run("list", "--json"))
    assert {"builtin/scene", "vidar/dat", "classic/tfi"} <= {row["id"] for row in listed}
    assert {row["kind"] for row in json.loads(run("list", "--kind", "metric", "--json"))} == {"metric"}
    assert "classic/tfi" in run("list")
    shown = json.loads(run("show", "classic/tfp", "--json"))
    assert shown["consumes"] == ["spikes"]
    assert shown["produces"] == ["image"]
    assert shown["license"] == "MIT"
    assert "2019" in shown["citation"]
    assert all(option["help"] for option in shown["options"])
    text = run("show", "tfp")
    assert "window" in text
    assert "licence:" in text


def test_plugins_and_doctor(run):
    states = {row["name"]: row["state"] for row in json.loads(run("plugins", "--json", "--strict"))}
    assert states["builtin"] == states["vidar"] == states["classic"] == "ok"
    report = json.loads(run("doctor", "--json", "--strict"))
    assert report["problems"] == []
    assert report["devices"][0].startswith("cpu")
    assert "no problems found" in run("doctor")


def test_a_broken_plugin_is_reported_with_its_remedy(run, tmp_path, monkeypatch):
    install(tmp_path / "site", "broken", "import a_library_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert "builtin/scene" in run("list")
    problem = json.loads(run("doctor", "--json"))["problems"][0]
    assert problem["plugin"] == "broken"
    assert problem["remedy"] == "pip install a_library_that_is_not_there"
    assert "a_library_that_is_not_there" in run("list", "--strict", code=1)
    assert "a_library_that_is_not_there" in run("--strict", "show", "tfp", code=1)
    run("doctor", "--strict", code=1)
    assert "spikecore doctor" in run("show", "broken/net", code=2)
    assert "disabled" in run("--disable", "broken", "plugins", "--strict")
    assert "ok" in run("--plugins", "builtin", "plugins", "--strict")


def install(site, name, init, **modules):
    """Put a plugin on a folder of the path, as pip would."""
    info = site / f"spikecore_plugin_{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: spikecore-plugin-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[spikecore.plugins]\n{name} = spikecore_plugin_{name}\n")
    package = site / f"spikecore_plugin_{name}"
    package.mkdir()
    for module, text in {"__init__": init, **modules}.items():
        (package / f"{module}.py").write_text(text)
    return package


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on the path to install plugins in; they are forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in [
        name for name in sys.modules if name.startswith(("spikecore_plugin_noisy", "spikecore_plugin_learned"))
    ]:
        del sys.modules[name]


NOISY = """
print("text at import")
import attrs
from spikecore import Component, PluginInfo, hookimpl

@attrs.frozen
class Options:
    pass

@hookimpl
def spikecore_info():
    print("text in a hook")
    return PluginInfo("prints")

@hookimpl
def spikecore_components():
    yield Component("reconstructor", "a", "spikecore_plugin_noisy.a:A", Options, "a", "spikes", "image")

@hookimpl
def spikecore_add_commands(group):
    print("text of commands")
"""


def test_what_plugins_print_leaves_json_alone(run, recording, site):
    install(
        site, "noisy", NOISY, a="print('more text')\nclass A:\n    def __init__(self, config):\n        {}['key']\n"
    )
    assert "noisy/a" in {row["id"] for row in json.loads(run("list", "--json"))}
    said = run("reconstruct", recording, "-m", "noisy/a", code=1)
    assert "noisy/a cannot be built: KeyError: 'key'" in said
    assert "Traceback" not in said
    assert "more text" in said
    assert "text of commands" not in run("--help")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["lst"], 2, "did you mean list"),
        (["show", "classic/tfpp"], 2, "did you mean classic/tfp"),
        (["reconstruct", "none.dat", "-m", "classic/tfp"], 1, "no such file"),
        (["reconstruct", "scene.dat", "-m", "classic/tfpp"], 2, "did you mean classic/tfp"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "--at", "500"], 2, "frames are 0..119"),
        (
            ["reconstruct", "scene.dat", "-m", "classic/tfp window=500"],
            2,
            "500 frames is longer than the recording of 120",
        ),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "-s", "window='a'"], 2, "expected int, got str 'a'"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "-s", "widow=3"], 2, "did you mean window"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "-o", "v.gif"], 2, "cannot write .gif"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "-o", "none/v.mp4"], 1, "mkdir -p none"),
        (["reconstruct", "scene.dat", "-m", "classic/tfp", "--stride", "0"], 2, "stride"),
        (["reconstruct", "scene.txt", "-m", "classic/tfp"], 1, "no installed plugin reads"),
        (["convert", "scene.dat", "scene.xyz"], 1, "no installed plugin writes"),
        (["convert", "scene.dat", "scene.dat"], 2, "is the input itself"),
        (["convert", "scene.dat", "a.npz", "--start", "9", "--stop", "300"], 2, "not inside 0..119"),
        (["compare", "scene.dat"], 2, "give the methods"),
        (["compare", "scene.dat", "-m", "classic/tfp", "-m", "classic/tfp"], 2, "given twice"),
        (["compare", "scene.dat", "-m", "classic/tfp", "--truth", "none.png"], 1, "no such file"),
        (["run", "none.toml"], 1, "no such file"),
        (["info", "."], 1, "no such folder"),
    ],
)
def test_what_cannot_be_done_is_one_clear_message(run, recording, tmp_path, arguments, code, message):
    (tmp_path / "scene.txt").write_text("no spikes")
    said = run(*arguments, code=code)
    assert message in said
    assert "Traceback" not in said


def test_any_other_error_is_one_message_too(run, recording, monkeypatch):
    def broken(*_, **__):
        raise OSError(28, "No space left on device", "scene.dat")

    monkeypatch.setattr("spikecore.cli.recording.source_table", broken)
    said = run("info", recording, code=1)
    assert said.startswith("error: OSError: [Errno 28] No space left on device: 'scene.dat'\n")
    assert "--debug" in said
    assert "Traceback" not in said
    with pytest.raises(OSError, match="No space left"):
        main(["--debug", "info", str(recording)])


def test_debug_shows_the_traceback(recording):
    with pytest.raises(spikecore.SpikecoreError):
        main(["--debug", "show", "nothing"])


def test_info(run, recording):
    report = json.loads(run("info", recording, "--json"))
    assert (report["height"], report["width"], report["frames"]) == (40, 64, 120)
    stream = spikecore.open(recording)
    assert report["spike_rate"] == pytest.approx(stream.counts().mean() / 120)
    assert report["interval_variation"] < 0.5
    assert "spike rate" in run("info", recording)


@pytest.mark.parametrize("name", ["a.npz", "a.h5", "a.dat"])
def test_convert_keeps_every_bit(run, recording, tmp_path, name):
    folder = tmp_path / "out"
    folder.mkdir()
    run("convert", recording, folder / name, "--start", "3", "--stop", "100")
    assert np.array_equal(spikecore.open(folder / name).unpack(), spikecore.open(recording)[3:100].unpack())


def test_info_says_which_frames_its_intervals_are_from(run, tmp_path):
    """Intervals of 2 frames in the first 2000 of the measured frames, of 10 afterwards."""
    fired = np.zeros((5000, 2, 4), bool)
    fired[:3000:2] = True
    fired[3000::10] = True
    spikecore.save(spikecore.SpikeStream.from_frames(fired, rate=20000.0), tmp_path / "a.npz")
    report = json.loads(run("info", "a.npz", "--json"))
    assert (report["measured_frames"], report["interval_frames"]) == ("0..4999", "0..1999")
    assert report["interval_mean"] == 2
    report = json.loads(run("info", "a.npz", "--json", "--frames", 1000))
    assert report["interval_frames"] == report["measured_frames"] == "2000..2999"
    mixed = json.loads(run("info", "a.npz", "--json", "--frames", 4000))  # 500..4499: 500..2499 are looked at
    assert (mixed["interval_frames"], mixed["interval_mean"]) == ("500..2499", 2)
    assert "interval frames:" in run("info", "a.npz")


@pytest.mark.parametrize("limits", [["--start", "50"], ["--stop", "70"], ["-s", "run.start=50", "--stop", "70"]])
def test_one_instant_and_a_video_exclude_each_other(run, recording, limits):
    said = run("reconstruct", recording, "-m", "classic/tfp", "--at", "60", *limits, "-o", "a.npy", code=2)
    assert "at=60 is one instant" in said
    assert "give one or the other" in said
    (recording.parent / "e.toml").write_text(
        '[source]\nuse = "scene"\n[reconstructor]\nuse = "tfp"\n[run]\nat = 50\nstart = 40\noutput = "a.npy"\n'
    )
    assert "at=50 is one instant, start=40" in run("run", "e.toml", code=2)


def test_slow_videos_keep_their_rate_and_slower_ones_are_refused(run, recording):
    for name in ("a.mp4", "a.avi", "a.webm"):
        run("reconstruct", recording, "-m", "classic/tfp", "--stride", "30", "--fps", "0.25", "-o", name)
        assert cv2.VideoCapture(name).get(cv2.CAP_PROP_FPS) == 0.25
    said = run("reconstruct", recording, "-m", "classic/tfp", "--fps", "0.0004", "-o", "b.mp4", code=2)
    assert "'fps' must be >= 0.25" in said


def test_reconstruct_writes_a_video_and_its_recipe(run, recording, tmp_path):
    out = run("reconstruct", recording, "-m", "classic/tfp", "-s", "window=31", "--stride", "10", "-o", "v.mp4")
    assert out.strip() == "v.mp4"
    capture = cv2.VideoCapture("v.mp4")
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 9
    recipe = json.loads((tmp_path / "v.mp4.run.json").read_text())
    assert recipe["experiment"]["reconstructor"]["window"] == 31
    run("run", "v.mp4.run.json", "-o", "again.npy")
    again = np.load("again.npy", allow_pickle=False)
    for picture in again:
        seen = capture.read()[1][..., 0] / 255
        assert np.abs(seen - picture).mean() < 0.02


def test_the_recordings_own_gain_is_used_unless_another_is_given(run, recording):
    run("reconstruct", recording, "-m", "classic/tfp", "--at", "60", "-o", "own.npy")
    run("reconstruct", recording, "-m", "classic/tfp", "--at", "60", "--gain", "1", "-o", "one.npy")
    assert np.allclose(np.clip(np.load("one.npy") / 0.6, 0, 1), np.load("own.npy"), atol=1e-6)


def test_run_checks_without_torch(tmp_path, recording):
    (tmp_path / "e.toml").write_text(
        '[source]\nuse = "vidar/dat"\npath = "scene.dat"\n'
        '[reconstructor]\nuse = "classic/tfp"\n[run]\noutput = "v.npy"\n'
    )
    code = (
        "import sys\nfrom spikecore.cli import main\n"
        "try: main(['run', 'e.toml', '--check'])\nexcept SystemExit as end: assert not end.code\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_evaluate_judges_by_metrics(run, tmp_path):
    (tmp_path / "e.toml").write_text(
        '[source]\nuse = "scene"\nheight = 40\nwidth = 64\nclips = 2\n'
        '[reconstructor]\nuse = "classic/tfp"\n[[metric]]\nuse = "builtin/psnr"\n'
    )
    rows = json.loads(run("evaluate", "e.toml", "--json"))
    assert [row["item"] for row in rows] == ["scene-0-0", "scene-0-1", "mean"]
    assert rows[2]["builtin/psnr"] == pytest.approx((rows[0]["builtin/psnr"] + rows[1]["builtin/psnr"]) / 2)
    assert rows[2]["builtin/psnr"] > 20
    assert "evaluate e.toml" in run("run", "e.toml", code=2)


def test_ctrl_c_in_the_middle_of_a_video(recording, tmp_path):
    command = [sys.executable, "-m", "spikecore", "reconstruct", "big.dat", "-m", "classic/tfstp", "-o", "v.npy"]
    host = PluginHost.discover()
    stream = spikecore.open(recording)
    big = spikecore.SpikeStream(np.tile(stream.packed, (400, 1)), stream.layout)
    spikecore.save(big, tmp_path / "big.dat", host=host)
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not any(p.stat().st_size > 1000 for p in tmp_path.glob(".v-*.npy")):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "go on with --start" in said
    kept = np.load(tmp_path / "v.partial.npy", allow_pickle=False)
    assert f"the first {len(kept)} are in v.partial.npy" in said
    assert not (tmp_path / "v.npy").exists()
    assert not list(tmp_path.glob(".v-*"))


LEARNED = """
import json
from pathlib import Path

import attrs
from spikecore import Component, PluginInfo, Weights, hookimpl, option

@attrs.frozen
class Options:
    width: int = option(4, help="channels")

@hookimpl
def spikecore_info():
    return PluginInfo("a net")

@hookimpl
def spikecore_components():
    weights = [Weights(**one) for one in json.loads(Path(__file__).with_name("weights.json").read_text())]
    yield Component("model", "net", "spikecore_plugin_learned.net:Net", Options, "a net", "spikes", "image",
                    weights=tuple(weights), importer="spikecore_plugin_learned.net:imported", license="MIT")
"""
NET = """
import torch
from spikecore import Window
from spikecore.interfaces import Stage
from spikecore.weights import Imported

class Net(torch.nn.Module):
    window = Window.centred(3)

    def __init__(self, config):
        super().__init__()
        self.network = torch.nn.Sequential(torch.nn.Conv2d(1, config.width, 1), torch.nn.Conv2d(config.width, 1, 1))

    def forward(self, batch):
        return {"image": self.network(batch.spikes.tensor().mean(1, keepdim=True))}

    def stages(self):
        return [Stage("one", steps=1, losses={"train/l2": 1.0})]

def imported(checkpoint):
    tensors = checkpoint["model"]
    return Imported(tensors, {"width": len(tensors["0.bias"])})
"""


def tensors_of(width):
    import torch

    shapes = {"0.weight": (width, 1, 1, 1), "0.bias": (width,), "1.weight": (1, width, 1, 1), "1.bias": (1,)}
    return {key: torch.full(shape, 0.1) for key, shape in shapes.items()}


@pytest.fixture
def learned(tmp_path, site, monkeypatch):
    """weights.json of an installed plugin whose net has weights shipped, of width 2, and to fetch, of width 3."""
    import torch
    from safetensors.torch import save_file

    monkeypatch.setenv("SPIKECORE_CACHE", str(tmp_path / "cache"))
    package = install(site, "learned", LEARNED, net=NET)
    shipped, far = package / "two.safetensors", tmp_path / "three.safetensors"
    declared = []
    for width, path, where in ((2, shipped, {"file": shipped.name}), (3, far, {"url": far.as_uri()})):
        save_file(tensors_of(width), path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        one = {"name": path.stem, "sha256": digest, "size": path.stat().st_size, "options": {"width": width}, **where}
        declared.append({**one, "license": "MIT", "scores": {"psnr": 30.5}})
    torch.save({"model": tensors_of(5)}, tmp_path / "theirs.pth")
    (package / "weights.json").write_text(json.dumps(declared))
    return package / "weights.json"


def places(run):
    return {row["name"]: row["where"] for row in json.loads(run("weights", "list", "learned/net", "--json"))}


def test_weights_are_listed_fetched_and_imported(run, learned, recording, tmp_path):
    assert places(run) == {"two": "shipped", "three": "not here"}
    at = [recording, "-m", "learned/net", "--at", "60", "-o"]
    assert "spikecore weights fetch learned/net three" in run("reconstruct", *at, "a.npy", "--weights", "three", code=1)
    fetched = run("weights", "fetch", "learned/net").splitlines()
    assert [line.partition(":")[0] for line in fetched] == ["two", "three"]
    assert "already" in run("weights", "fetch", "learned/net", "three")
    assert "spikecore reconstruct FILE -m learned/net --weights theirs" in run(
        "weights", "import", "learned/net", "theirs.pth"
    )
    assert places(run) == {"two": "shipped", "three": "fetched", "theirs": "imported"}
    table = run("weights", "list")
    assert "baseline/conv" in table
    assert "psnr 30.5" in table
    assert "width=3" in run("show", "learned/net")
    for weights, width in (("", 2), ("three", 3), ("theirs", 5), ("theirs.pth", 5)):
        run("reconstruct", *at, "a.npy", *(["--weights", weights] if weights else []))
        recipe = json.loads((tmp_path / "a.npy.run.json").read_text())
        assert recipe["experiment"]["model"] == {"use": "learned/net", "width": width}
        assert len(recipe["weights"]["learned/net"]) == 64
        run("run", "a.npy.run.json", "-o", "b.npy")
        assert np.array_equal(np.load("a.npy"), np.load("b.npy"))
    said = run("reconstruct", *at, "a.npy", "--weights", "three", "-s", "width=2", code=2)
    assert "width=2 was given, but weights 'three' were made with width=3" in said


def test_weights_are_imported_under_a_name_once(run, learned):
    take = ["weights", "import", "learned/net", "theirs.pth"]
    run(*take, "--name", "v1.0_a-b")
    assert "--force" in run(*take, "--name", "v1.0_a-b", code=2)
    run(*take, "--name", "v1.0_a-b", "--force")
    assert "comes with weights 'two'" in run(*take, "--name", "two", code=2)
    for name in ("", "a/b", "../a", ".hidden", "a b", "a."):
        assert "is no name for weights" in run(*take, "--name", name, code=2)
    assert "no such file" in run("weights", "import", "learned/net", "none.pth", code=1)
    assert "no model 'classic/tfp'" in run("weights", "import", "classic/tfp", "theirs.pth", code=2)


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"url": "file:///nowhere/four.safetensors"}, 1, "four.safetensors cannot be fetched: "),
        ({"url": "http://127.0.0.1:9/a"}, 1, "127.0.0.1:9/a cannot be fetched: [Errno 111] Connection refused"),
        ({"url": "ftp://nowhere/a"}, 2, "known are https, http, file"),
        ({"url": "", "file": "lost.safetensors"}, 2, "state no URL; reinstall the plugin"),
        ({"size": 5000}, 1, "bytes, stated are 5000"),
        ({"size": 50}, 1, "gives more than the 50 bytes stated"),
        ({"sha256": "0" * 64}, 1, "is not the stated 0000"),
    ],
)
def test_what_is_fetched_must_be_what_was_stated(run, learned, tmp_path, changes, code, message):
    two, three = json.loads(learned.read_text())
    learned.write_text(json.dumps([two, {**three, **changes}]))
    assert message in run("weights", "fetch", "learned/net", "three", code=code)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_fetching_what_is_not_stated(run, learned):
    assert "did you mean three" in run("weights", "fetch", "learned/net", "thre", code=2)
    assert "declares no weights" in run("weights", "fetch", "classic/tfp", code=2)


def test_trained_weights_say_what_they_are_for(run, learned, recording, tmp_path):
    (tmp_path / "e.toml").write_text(
        '[source]\nuse = "builtin/scene"\nheight = 16\nwidth = 16\n[model]\nuse = "learned/net"\nwidth = 6\n'
    )
    run("train", "e.toml", "-o", "trained")
    run("reconstruct", recording, "-m", "learned/net", "--at", "60", "-o", "a.npy",
        "--weights", "trained/weights.safetensors")  # fmt: skip
    recipe = json.loads((tmp_path / "a.npy.run.json").read_text())
    assert recipe["experiment"]["model"]["width"] == 6
    said = run("reconstruct", recording, "-m", "baseline/conv", "--at", "60", "-o", "a.npy",
               "--weights", "trained/weights.safetensors", code=1)  # fmt: skip
    assert "holds weights of learned/net, not of baseline/conv" in said


def test_looking_at_weights_costs_no_torch():
    code = (
        "import sys\nfrom spikecore.cli import main\n"
        "try: main(['weights', 'list'])\nexcept SystemExit as end: assert not end.code\n"
        "assert not {'torch', 'numba', 'cv2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_compare_scores_against_the_ground_truth(run, shared, tmp_path):
    rows = json.loads(
        run("compare", shared / "data" / CLIP, "--height", 250, "--width", 400, "-m", "classic/tfp",
            "-m", "classic/tfi rule=ssml", "--truth", shared / "data" / TRUTH, "--at", 150, "--gain", 1 / 0.6, "--json")
    )  # fmt: skip
    assert [row["builtin/psnr"] for row in rows] == pytest.approx([23.50, 24.27], abs=0.01)
    assert cv2.imread("compare.png").shape == (544, 1200, 3)


def test_python_gives_the_same_picture(shared):
    stream = spikecore.open(shared / "data" / CLIP, height=250, width=400)
    truth = cv2.imread(str(shared / "data" / TRUTH), cv2.IMREAD_GRAYSCALE) / 255
    image = spikecore.reconstruct(stream, "classic/tfp", at=150, window=41, gain=1 / 0.6)
    assert image.shape == (250, 400)
    assert image.dtype == np.float32
    assert 0 <= image.min() < image.max() <= 1
    assert -10 * np.log10(np.mean((image - truth) ** 2)) == pytest.approx(23.50, abs=0.01)


def test_the_u_hsr_sample_is_compared_likewise(run, shared):
    run(
        "compare",
        shared / "data" / "uhsr" / "04144_helicopter.npz",
        "-m",
        "classic/tfp",
        "-m",
        "classic/tfi",
        "--gain",
        8,
    )
    assert cv2.imread("compare.png").shape == (272, 500, 3)
    report = json.loads(run("info", shared / "data" / "uhsr" / "04144_helicopter.npz", "--json"))
    assert report["label"] == 47
    assert report["interval_variation"] == pytest.approx(0.039, abs=0.01)


def test_demo(run, tmp_path):
    said = run("demo")
    for method in ("classic/tfp", "classic/tfi", "classic/tfstp"):
        assert method in said
    for name in ("scene.dat", "grid.png", "video.mp4"):
        assert (tmp_path / "spikecore-demo" / name).stat().st_size > 10_000
        assert str(tmp_path / "spikecore-demo" / name) in said
    capture = cv2.VideoCapture(str(tmp_path / "spikecore-demo" / "video.mp4"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 80


def test_bench(run):
    rows = json.loads(run("bench", "-m", "classic/tfp", "--repeats", 3, "--height", 16, "--width", 24, "--json"))
    assert rows[0]["method"] == "classic/tfp"
    assert rows[0]["throughput"] > 0
    assert rows[0]["ratio"] > 0


def test_the_command_is_installed():
    done = subprocess.run(
        [os.path.join(os.path.dirname(sys.executable), "spikecore"), "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert spikecore.__version__ in done.stdout
