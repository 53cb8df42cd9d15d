"""Settings for every test in this repository."""

from __future__ import annotations

import signal

from hypothesis import settings

settings.register_profile("spikecore", deadline=None, derandomize=True)  # the first call of a kernel compiles it
settings.load_profile("spikecore")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so shells start background jobs; programs under test inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
