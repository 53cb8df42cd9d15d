"""The command line as its user meets it. Commands run in this process; a few in one of their own."""

from __future__ import annotations

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
    site = tmp_path / "site"
    info = site / "spikecore_plugin_broken-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spikecore-plugin-broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[spikecore.plugins]\nbroken = spikecore_plugin_broken\n")
    (site / "spikecore_plugin_broken.py").write_text("import a_library_that_is_not_there\n")
    monkeypatch.syspath_prepend(site)
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
