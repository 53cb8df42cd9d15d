"""Fixtures for the core's tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = os.environ.get("SPIKECORE_SHARED")
    if not folder:
        pytest.skip("SPIKECORE_SHARED is not set: no real recordings here")
    return Path(folder)


@pytest.fixture
def clean_path(monkeypatch):
    """Modules written into tmp_path by a test can be imported, and are forgotten afterwards."""
    before = set(sys.modules)
    yield monkeypatch.syspath_prepend
    for name in set(sys.modules) - before:
        del sys.modules[name]
