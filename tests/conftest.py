"""Fixtures for the core's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).with_name("fakes")))  # helpers and fake plugins


@pytest.fixture
def clean_path(monkeypatch):
    """Modules written into tmp_path by a test can be imported, and are forgotten afterwards."""
    before = set(sys.modules)
    yield monkeypatch.syspath_prepend
    for name in set(sys.modules) - before:
        del sys.modules[name]
