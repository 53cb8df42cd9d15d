"""Foreign files of results, through the hook: whoever knows the name of a file reads and writes it."""

from __future__ import annotations

import json

import pytest
from spikecore_plugin_results.tracker import Tracker

from spikecore import PluginHost, PluginInfo, RecordedRun, Score, hookimpl


class Lines:
    """Runs as lines "name metric value"."""

    def read(self, path):
        for line in path.read_text().splitlines():
            name, metric, value = line.split()
            yield RecordedRun("lines", name, "2020-02-02T02:02:02", scores=(Score("", name, metric, float(value)),))

    def write(self, runs, path):
        lines = [f"{run.name} {one.metric} {one.value}\n" for run in runs for one in run.scores if not one.item]
        path.write_text("".join(lines))
        return len(lines)


class ThirdParty:
    """A plugin that knows files *.lines, and wants experiment_results.json too where asked."""

    def __init__(self, *names):
        self.names = names

    @hookimpl
    def spikecore_info(self):
        return PluginInfo("results as lines", license="MIT")

    @hookimpl
    def spikecore_results_format(self, path):
        return Lines() if path.suffix == ".lines" or path.name in self.names else None


@pytest.fixture
def third_party(monkeypatch):
    """third_party(*names): a plugin of somebody else, who takes files of these names."""

    def third_party(*names):
        discover = PluginHost.discover

        def discovered(*arguments, **options):
            host = discover(*arguments, **options)
            host.register(ThirdParty(*names), "third-party")
            return host

        monkeypatch.setattr(PluginHost, "discover", discovered)

    return third_party


def test_the_format_of_a_plugin_is_used(command, store, three_runs, third_party, tmp_path):
    third_party()
    path = tmp_path / "all.lines"
    assert "9 runs" in command("export", path)
    lines = path.read_text().splitlines()
    assert lines[:3] == ["one psnr 20.0", "one niqe 4.0", "one size 1.0"]  # the oldest first
    path.write_text("\n".join(line.replace("one", "again") for line in lines[:2]))
    assert "2 runs imported" in command("import", path)
    runs = [run for run in store.runs() if run.name == "again"]
    assert [(run.kind, run.state, run.started) for run in runs] == [("lines", "done", "2020-02-02T02:02:02")] * 2
    values = {one.metric: one.value for run in runs for _, one in store.scores(run.id)}
    assert values == {"psnr": 20.0, "niqe": 4.0}


def test_without_its_plugin_a_format_is_not_known(command, three_runs, tmp_path):
    path = tmp_path / "all.lines"
    assert "exported to .csv, .json, .md, or to a file that a plugin knows" in command("export", path, code=1)
    assert "no installed plugin knows results of this name" in command("import", path, code=2)
    assert not path.exists()


def test_experiment_results_goes_in_and_out_through_the_hook(command, store, three_runs, tmp_path):
    path = tmp_path / "experiment_results.json"
    assert isinstance(PluginHost.discover().hook.spikecore_results_format(path=path), Tracker)
    assert "3 runs" in command("export", path)
    held = json.loads(path.read_text())
    assert [(run["exp_name"], run["metrics"]["niqe"]) for run in held["runs"]] == [
        ("one", 4.0),
        ("two", 6.0),
        ("three", 5.0),
    ]
    for run in held["runs"]:
        run["metrics"]["test_accuracy"] = run["metrics"]["niqe"] * 10
    path.write_text(json.dumps(held))
    assert "3 runs imported" in command("import", path)
    path.unlink()
    assert "6 runs" in command("export", path)
    again = json.loads(path.read_text())
    assert [run for run in again["runs"] if run["metrics"]["test_accuracy"]] == held["runs"]
    assert again["best_run"]["exp_name"] == "two"


def test_another_plugin_comes_before_our_own_formats(command, three_runs, third_party, tmp_path):
    third_party("experiment_results.json")
    path = tmp_path / "experiment_results.json"
    command("export", path)
    assert path.read_text().startswith("one psnr 20.0")
