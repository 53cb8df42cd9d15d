"""Settings for every test in this repository."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("spikecore", deadline=None, derandomize=True)  # the first call of a kernel compiles it
settings.load_profile("spikecore")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so shells start background jobs; programs under test inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _own_results(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Runs of tests are remembered in a file of their own."""
    os.environ.setdefault("SPIKECORE_RESULTS", str(tmp_path_factory.mktemp("results") / "results.sqlite"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings, checkpoints and reference results, which are not part of the project."""
    folder = os.environ.get("SPIKECORE_SHARED")
    if not folder:
        pytest.skip("SPIKECORE_SHARED names no folder of shared data")
    return Path(folder)
