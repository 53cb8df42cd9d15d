"""The commands that judge methods, on recordings of the project and real ones."""

from __future__ import annotations

import json

import cv2
import pytest

CLIP = "base/train/spike/203_part2_key_id151.dat"


TRUTH = "base/train/gt/203_part2_key_id151.png"


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


def test_compare_scores_against_the_ground_truth(run, shared, tmp_path):
    rows = json.loads(
        run("compare", shared / "data" / CLIP, "--height", 250, "--width", 400, "-m", "classic/tfp",
            "-m", "classic/tfi rule=ssml", "--truth", shared / "data" / TRUTH, "--at", 150, "--gain", 1 / 0.6, "--json")
    )  # fmt: skip
    assert [row["builtin/psnr"] for row in rows] == pytest.approx([23.50, 24.27], abs=0.01)
    assert cv2.imread("compare.png").shape == (544, 1200, 3)


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
