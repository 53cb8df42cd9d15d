from __future__ import annotations

import signal
import warnings

import pytest
from spikecore_plugin_results.store import Results

from spikecore import Score
from spikecore.cli import main

SOURCE = {"use": "builtin/scene", "seed": 0}


@pytest.fixture
def store(tmp_path):
    return Results(tmp_path / "deep" / "results.sqlite")


@pytest.fixture
def run(capsys):
    """run("evaluate", …, code=0): a command that must end so; gives what it wrote."""
    handler, show = signal.getsignal(signal.SIGTERM), warnings.showwarning

    def run(*arguments, code=0):
        with pytest.raises(SystemExit) as end:
            main([*map(str, arguments)])
        captured = capsys.readouterr()
        assert end.value.code == code, captured.err
        return captured

    yield run
    warnings.showwarning = show
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def command(store, run):
    """command("show", …): `spikecore results` on the store; gives its output, or its error where it must fail."""

    def command(*arguments, code=0):
        captured = run("results", "--store", store.path, *arguments, code=code)
        return captured.out if code == 0 else captured.err

    return command


@pytest.fixture
def three_runs(store):
    """Runs "one", "two" and "three" on the same data."""
    values = {"one": (20.0, 4.0, 1.0), "two": (25.0, 6.0, None), "three": (25.0, 5.0, 2.0)}
    recipe = {"seed": 0, "experiment": {"source": SOURCE, "run": {}}}
    for name, (psnr, niqe, size) in values.items():
        id = store.start("evaluate" if name != "two" else "bench", name, recipe, id=f"{name:x<8}")
        scores = [Score("", "m", "psnr", psnr, "", True), Score("", "m", "niqe", niqe, "", False)]
        scores.append(Score("", "m", "size", size, "" if size else "unknown", None))
        store.add(id, [*scores, Score("clip", "m", "psnr", 99.0, "", True)])
        store.finish(id, "done")
