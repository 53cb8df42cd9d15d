"""Settings for every test in this repository."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("spikecore", deadline=None, derandomize=True)  # the first call of a kernel compiles it
settings.load_profile("spikecore")
