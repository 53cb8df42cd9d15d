"""`spikecore bench`: what is measured, and what observers are told of it."""

from __future__ import annotations

import json

from spikecore_plugin_evaluate import kernels

SMALL = ("--repeats", 1, "--height", 16, "--width", 24, "--length", 60)
BENCH = ("bench", "-m", "classic/tfp", *SMALL)


def test_observers_see_benchmarks(run, watcher):
    run(*BENCH)
    (seen,) = watcher.runs
    assert (seen.info.kind, seen.info.total, seen.info.name) == ("bench", 1, "bench")
    assert (seen.steps, seen.result) == ([1], {"state": "done", "results": 1})


def test_observers_hear_what_a_benchmark_measured(run, watcher):
    (row,) = json.loads(run(*BENCH, "--json").out)
    scores = {one.metric: one for one in watcher.runs[0].scores}
    assert all((one.item, one.method) == ("", "classic/tfp") for one in scores.values())
    assert scores["median ms"].value == row["median"]
    assert (scores["ratio"].value, scores["ratio"].higher_is_better) == (row["ratio"], True)
    assert (scores["power W"].value, scores["power W"].reason) == (None, "the device does not report it")
    assert len(scores) == len(row) - 1


def test_a_learned_method_has_parameters_and_operations(run):
    rows = json.loads(run("bench", "-m", "baseline/conv", "-m", "classic/tfp", *SMALL, "--json").out)
    assert [(row["parameters"] > 0, row["macs"] > 0) for row in rows] == [(True, True), (False, False)]


def test_the_kernels_are_measured_beside_numpy(run, monkeypatch, watcher):
    case = next(kernels.every_frame(kernels.spikes(60, 16), 1))
    row = kernels.measure(case, "8x16", 1e9, 1)
    monkeypatch.setattr(kernels, "run", lambda quick: [row])
    assert json.loads(run("bench", "--kernels", "--json").out) == [row]
    assert case.name in run("bench", "--kernels").out
    assert watcher.runs == []
