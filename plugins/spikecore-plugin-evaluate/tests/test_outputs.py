"""What evaluate, compare and demo write: over nothing that is read, one at a time, and nothing of two runs mixed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from spikecore_plugin_evaluate.folder import TABLES

import spikecore
from spikecore.files.held import held
from spikecore.files.pictures import write_truth


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def recording(tmp_path):
    """A recording, with a picture that its description names."""
    host = spikecore.default_host()
    scene = host.build(host.find("builtin/scene"), {"height": 24, "width": 32, "length": 60})[0]
    path = spikecore.save(scene.spikes, tmp_path / "a.dat")
    write_truth(scene.target["image"][0], tmp_path / "truth.png")
    with (tmp_path / "a.dat.toml").open("a") as sidecar:
        sidecar.write(f'image = "truth.png"\nat = {int(scene.instant)}\n')
    return path


@pytest.mark.parametrize("given", [[], ["--truth", "truth.png", "--at", "30"]])
@pytest.mark.parametrize("output", ["truth.png", "hard.png"])
def test_compare_does_not_write_over_the_ground_truth(run, recording, tmp_path, given, output):
    os.link(tmp_path / "truth.png", tmp_path / "hard.png")
    before = files(tmp_path)
    said = run("compare", recording, "-m", "classic/tfp", *given, "-o", output, code=2).err
    assert f"{output} is the input itself" in said
    assert files(tmp_path) == before


def test_evaluate_does_not_fill_the_folder_that_it_reads(evaluate, recordings, tmp_path):
    before = files(recordings)
    for folder in (recordings, recordings / "spike"):
        arguments = ["set", "--source", "vidar/folder", "-m", "classic/tfp", "-o", folder]
        assert "is the input itself" in evaluate(*arguments, code=2).err
    assert files(recordings) == before


def test_one_at_a_time(evaluate, run, scene, recording):
    Path("out").mkdir()
    with held(Path("out")):
        assert f"out is in use by process {os.getpid()}" in evaluate(scene, "-o", "out", code=2).err
        assert "in use" in run("demo", "-o", "out", code=2).err
    with held(Path("c.png")):
        assert "in use" in run("compare", recording, "-m", "classic/tfp", "-o", "c.png", code=2).err
    assert list(Path("out").iterdir()) == []


def test_the_folder_of_another_run_is_not_taken(evaluate, run, scene, recording):
    run("reconstruct", recording, "-m", "classic/tfp", "--at", 30, "-o", "pictures")
    before = files(Path("pictures"))
    assert "pictures holds another run" in evaluate(scene, "-o", "pictures", code=2).err
    assert files(Path("pictures")) == before
    evaluate(scene, "-o", "out")
    before = files(Path("out"))
    said = run("reconstruct", recording, "-m", "classic/tfp", "--at", 30, "-o", "out", code=1).err
    assert "out holds results of another run" in said
    assert files(Path("out")) == before


def test_tables_of_another_evaluation_go_before_its_record(evaluate, scene, monkeypatch):
    from spikecore_plugin_evaluate import evaluation

    evaluate(scene, "-o", "out")

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(evaluation, "draw", stop)
        evaluate(scene, "-o", "out", "-s", "source.seed=6", code=130)
    assert not {*TABLES} & {path.name for path in Path("out").iterdir()}
    said = evaluate(scene, "-o", "out", "-s", "source.seed=6", "-s", "source.clips=2").err
    assert "out also keeps 4 files of another evaluation" in said
    assert {*TABLES} <= {path.name for path in Path("out").iterdir()}
    assert "of another evaluation" not in evaluate(scene, "-o", "fresh").err


@pytest.mark.parametrize("limit", [1, 3, 7, 9])
def test_tables_are_replaced_together_or_not_at_all(evaluate, scene, monkeypatch, limit):
    evaluate(scene, "-o", "out")
    before = {name: Path("out", name).read_bytes() for name in TABLES}
    for item in Path("out/items").iterdir():
        item.unlink()  # times are measured again
    replace, count = os.replace, 0

    def failing(source, target):
        nonlocal count
        if Path(target).name in TABLES or any(name in Path(source).name for name in TABLES):
            count += 1
            if count == limit:
                raise OSError(28, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing)
        assert "could not be written: No space left" in evaluate(scene, "-o", "out", code=1).err
    assert {name: Path("out", name).read_bytes() for name in TABLES} == before
    evaluate(scene, "-o", "out")
