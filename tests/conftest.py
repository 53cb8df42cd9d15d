"""Fixtures for the core's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def clean_path(monkeypatch):
    """Modules written into tmp_path by a test can be imported, and are forgotten afterwards."""
    before = set(sys.modules)
    yield monkeypatch.syspath_prepend
    for name in set(sys.modules) - before:
        del sys.modules[name]
