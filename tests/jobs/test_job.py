"""Jobs: what is done is done once, and only a whole result of the same work counts as done."""

from __future__ import annotations

import errno
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

import spikecore
from spikecore.errors import OutputError
from spikecore.experiment.experiment import Experiment
from spikecore.jobs.job import Job, run_job
from spikecore.plugin.bound import Bound
from spikecore.plugin.executor import Outcome, Worker
from spikecore.plugin.host import PluginHost
from spikecore.runner.inputs import recipe_of
from spikecore.weights.settle import settled

EVALUATION = "spikecore_plugin_evaluate.evaluation:Evaluation"
RECONSTRUCTION = "spikecore.runner.execute:Reconstruction"

SCENE = {"use": "builtin/scene", "height": 16, "width": 24, "length": 60, "clips": 3}


def job_of(experiment, folder, target=EVALUATION):
    experiment = settled(experiment)
    return Job.of(target, experiment, recipe_of(experiment, folder), folder)


@pytest.fixture(scope="module")
def host():
    return PluginHost.discover()


@pytest.fixture
def compose(host):
    def compose(source=SCENE, method=None, run=None):
        methods = [method or {"use": "classic/tfp", "window": 21}]
        table = {"source": source, "method": methods, "metric": [{"use": "builtin/psnr"}], "run": run or {}}
        return Experiment.from_dict(table, host)

    return compose


def sent(work):
    """As it arrives in another process."""
    return pickle.loads(pickle.dumps(work))  # noqa: S301  # made here


class Executor:
    """Works here and remembers what it was asked for; `elsewhere` with the job as another process gets it."""

    def __init__(self, elsewhere=False):
        self.asked, self.elsewhere = [], elsewhere

    def __call__(self, work, items):
        self.asked += items
        worker = Worker(sent(work) if self.elsewhere else work)
        yield from (worker.attempt(item) for item in items)


def values(outcomes):
    """Scores without what depends on the moment: time and memory."""
    return {
        outcome.item: [s["value"] for s in outcome.result["scores"] if s["metric"] == "builtin/psnr"]
        for outcome in outcomes
    }


def test_what_is_done_is_not_done_again(compose, tmp_path):
    executor = Executor()
    job = job_of(compose(), tmp_path)
    first = values(run_job(job, [1], executor))
    again = list(run_job(job, range(3), executor))
    assert executor.asked == [1, 0, 2]
    assert [outcome.item for outcome in again] == [1, 0, 2]
    assert values(again)[1] == first[1]
    assert all(value > 10 for scores in values(again).values() for value in scores)
    assert list(run_job(job_of(compose(), tmp_path), range(3), executor))
    assert len(executor.asked) == 3


def test_results_of_another_experiment_are_not_taken_for_done(compose, tmp_path):
    executor = Executor()
    first = values(run_job(job_of(compose(), tmp_path), [0], executor))
    other = compose(method={"use": "classic/tfp", "window": 41})
    second = values(run_job(job_of(other, tmp_path), [0], executor))
    assert executor.asked == [0, 0]
    assert first != second


def test_a_source_is_built_once_in_a_process(host, compose, tmp_path, monkeypatch):
    job = job_of(compose(), tmp_path)
    scenes, build = [], Bound.build
    monkeypatch.setattr(Bound, "build", lambda self: scenes.append(self.component.id) or build(self))
    list(run_job(job, job.items, Executor()))
    assert job.items == range(3)
    assert scenes.count("builtin/scene") == 1


def test_a_job_arrives_without_what_is_of_this_process(compose, tmp_path):
    job = job_of(compose(), tmp_path)
    assert job.action is job.action
    arrived = sent(job)
    assert arrived == job
    assert arrived.action is not job.action
    assert arrived.action.experiment.fingerprint == job.action.experiment.fingerprint


def test_each_item_is_its_own_sample(compose, tmp_path):
    outcomes = list(run_job(job_of(compose(), tmp_path), range(3), Executor()))
    assert [outcome.result["key"] for outcome in outcomes] == ["scene-0-0", "scene-0-1", "scene-0-2"]


@pytest.fixture
def recordings(host, tmp_path):
    """A folder of two recordings, and a function that writes another."""
    folder = tmp_path / "recordings"
    folder.mkdir()

    def write(name, seed):
        stream = host.build(host.find("builtin/scene"), {"height": 16, "width": 24, "length": 60, "seed": seed})[0]
        spikecore.save(stream.spikes, folder / name, host=host)

    write("b.dat", 1)
    write("c.dat", 2)
    return folder, write


@pytest.fixture
def of_folder(host, recordings, tmp_path):
    def of_folder(path=recordings[0], results="results"):
        source = {"use": "vidar/folder", "path": str(path), "spikes": ".", "targets": ""}
        experiment = Experiment.from_dict({"source": source, "method": [{"use": "classic/tfp"}]}, host)
        return job_of(experiment, tmp_path / results)

    return of_folder


def keys(outcomes):
    return [outcome.result["key"] for outcome in sorted(outcomes, key=lambda outcome: outcome.item)]


def test_one_recording_more_makes_other_items(of_folder, recordings):
    executor = Executor()
    assert keys(run_job(of_folder(), range(2), executor)) == ["b", "c"]
    recordings[1]("a.dat", 3)
    assert keys(run_job(of_folder(), range(3), executor)) == ["a", "b", "c"]
    assert executor.asked == [0, 1, 0, 1, 2]


def test_a_recording_that_changed_is_done_again(of_folder, recordings):
    executor = Executor()
    list(run_job(of_folder(), range(2), executor))
    assert of_folder() == of_folder()
    recordings[1]("b.dat", 9)
    list(run_job(of_folder(), range(2), executor))
    assert executor.asked == [0, 1, 0, 1]


def test_results_inside_the_folder_of_recordings_do_not_count_as_a_change(of_folder, recordings):
    before = of_folder(results="recordings/out")
    list(run_job(before, range(2), Executor()))
    (recordings[0] / ".notes").write_text("hidden files are no recordings")
    assert of_folder(results="recordings/out") == before
    (recordings[0] / "notes").write_text("others may be")
    assert of_folder(results="recordings/out") != before


def test_a_change_behind_a_link_is_seen_and_links_in_a_circle_end(of_folder, recordings, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "linked").symlink_to(recordings[0])
    (recordings[0] / "back").symlink_to(tmp_path / "set")
    before = of_folder(path=tmp_path / "set")
    recordings[1]("b.dat", 9)
    after = of_folder(path=tmp_path / "set")
    assert before.fingerprint != after.fingerprint


def test_other_weights_make_another_job(compose, tmp_path):
    weights = tmp_path / "best.safetensors"
    weights.write_bytes(b"one")
    experiment = compose(run={"weights": str(weights)})
    before = job_of(experiment, tmp_path)
    weights.write_bytes(b"other")
    after = job_of(experiment, tmp_path)
    assert before.fingerprint != after.fingerprint
    assert job_of(experiment, tmp_path, RECONSTRUCTION).fingerprint != after.fingerprint


@pytest.mark.parametrize(
    "content", [b"", b'{"fingerprint": ', b"[]", b"null", b'"text"', b"\xff\xfe\x00", b"{}", "fingerprint only"]
)
def test_a_result_file_that_cannot_be_read_is_done_again(compose, tmp_path, content):
    job = job_of(compose(), tmp_path)
    healthy = values(run_job(job, [0], Executor()))
    if isinstance(content, str):
        content = json.dumps({"fingerprint": job.fingerprint}).encode()
    job.path(0).write_bytes(content)
    executor = Executor()
    assert values(run_job(job, [0], executor)) == healthy
    assert executor.asked == [0]
    assert values([Outcome(0, job.done(0))]) == healthy


def test_a_result_that_was_altered_is_done_again(compose, tmp_path):
    job = job_of(compose(), tmp_path)
    healthy = values(run_job(job, [0], Executor()))
    held = json.loads(job.path(0).read_text())
    job.path(0).write_text(json.dumps(held | {"result": {**held["result"], "extra": 1}}))
    assert job.done(0) is None
    assert values(run_job(job, [0], Executor())) == healthy


def test_a_full_disk_leaves_no_result_and_harms_no_older_one(compose, tmp_path, monkeypatch):
    job = job_of(compose(), tmp_path)
    do = job()
    do(1)
    older = job.path(1).read_bytes()
    monkeypatch.setattr(Path, "write_text", full)
    for item in (0, 1):
        with pytest.raises(OutputError, match=rf"00000{item}.json.*No space left"):
            do(item)
    assert [path.name for path in job.path(0).parent.iterdir()] == ["000001.json"]
    assert job.path(1).read_bytes() == older


def full(path, text, **_):
    with path.open("w") as stream:
        stream.write(text[: len(text) // 2])
    raise OSError(errno.ENOSPC, "No space left on device")


KILLED = """
import os, pickle, signal, sys
from pathlib import Path
whole = Path.write_text
def half(path, text, **options):
    if path.suffix != ".json":
        return whole(path, text, **options)
    whole(path, text[:20])
    os.kill(os.getpid(), signal.SIGKILL)
Path.write_text = half
pickle.load(sys.stdin.buffer)()(0)
"""


def test_a_kill_while_a_result_is_written_leaves_it_undone(compose, tmp_path):
    job = job_of(compose(), tmp_path)
    done = subprocess.run([sys.executable, "-c", KILLED], input=pickle.dumps(job), check=False)
    assert done.returncode == -9
    assert [path.stat().st_size for path in job.path(0).parent.iterdir()] == [20]
    assert not job.path(0).exists()
    assert job.done(0) is None
    assert list(values(run_job(job, [0], Executor()))) == [0]


def test_relative_paths_mean_the_same_in_a_worker_elsewhere(of_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = of_folder(path="recordings")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert sent(job)()(1)["key"] == "c"
    assert job()(1)["key"] == "c"
    assert list(elsewhere.iterdir()) == []
    assert Path.cwd() == elsewhere


@pytest.mark.parametrize("output", ["v.npy", "pictures"])
def test_a_reconstruction_whose_output_is_gone_is_done_again(host, tmp_path, monkeypatch, output):
    monkeypatch.chdir(tmp_path)
    table = {"source": {**SCENE, "clips": 2}, "reconstructor": {"use": "classic/tfp"}}
    table["run"] = {"output": output, "stride": 9}
    job = job_of(Experiment.from_dict(table, host), tmp_path / "items-of-it", RECONSTRUCTION)
    outputs = [Path(one.result["output"]) for one in run_job(job, range(2), Executor())]
    executor = Executor()
    list(run_job(job, range(2), executor))
    assert executor.asked == []
    shutil.rmtree(outputs[1]) if outputs[1].is_dir() else outputs[1].unlink()
    monkeypatch.chdir("/")
    list(run_job(job, range(2), executor))
    assert executor.asked == [1]
    assert (tmp_path / outputs[1]).exists()


MARKER = """
from pathlib import Path
Path(__file__).with_name("imported").touch()
"""


@pytest.mark.parametrize(
    ("lists", "imported"),
    [({}, True), ({"block": ["marker"]}, False), ({"allow": ["builtin", "classic"]}, False)],
)
def test_workers_admit_the_plugins_of_this_host_alone(compose, tmp_path, clean_path, lists, imported):
    info = tmp_path / "site" / "spikecore_plugin_marker-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spikecore-plugin-marker\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[spikecore.plugins]\nmarker = spikecore_marker\n")
    (tmp_path / "site" / "spikecore_marker.py").write_text(MARKER)
    clean_path(tmp_path / "site")
    experiment = attrs.evolve(compose(), host=PluginHost.discover(**lists))
    (tmp_path / "site" / "imported").unlink(missing_ok=True)
    sys.modules.pop("spikecore_marker", None)
    (outcome,) = run_job(job_of(experiment, tmp_path / "out"), [0], Executor(elsewhere=True))
    assert outcome.result is not None
    assert (tmp_path / "site" / "imported").exists() is imported
