"""Fixtures of the plugin's tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def shared() -> Path:
    folder = os.environ.get("SPIKECORE_SHARED")
    if not folder:
        pytest.skip("SPIKECORE_SHARED names no folder of shared data")
    return Path(folder)
