"""Options of the runner stated in Python are read like those of a file."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from spikecore.errors import ConfigError
from spikecore.experiment.run_config import Display, RunConfig


def test_what_fits_is_taken():
    run = RunConfig(display="raw", gain=2, at=np.float32(3.5), bits=np.int64(16))
    assert run == RunConfig(gain=2.0, at=3.5, display=Display.RAW, bits=16)
    assert isinstance(run.display, Display)
    assert attrs.evolve(run, gain=None).gain is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"display": "raws"}, "display: expected one of 'clip', 'raw', 'minmax', 'percentile', got 'raws'"),
        ({"precision": 16}, "precision: expected one of"),
        ({"gain": float("nan")}, "gain: expected a finite number"),
        ({"gain": float("inf")}, "gain: expected a finite number"),
        ({"gain": -1}, "'gain' must be > 0.0"),
        ({"gain": "2"}, "gain: expected float or nothing, got str '2'"),
        ({"gamma": 1e300}, "gamma: expected a finite number"),
        ({"at": True}, "at: expected int or float or nothing, got bool True"),
        ({"at": float("nan")}, "at: expected a finite number"),
        ({"at": 10**400}, "at: expected a number of at most 64 bits"),
        ({"at": -1}, "'at' must be >= 0"),
        ({"stop": 1.5}, "stop: expected int or nothing"),
        ({"batch": 0}, "'batch' must be >= 1"),
        ({"fps": 1e30}, "'fps' must be <= 100000"),
        ({"output": 3}, "output: expected str"),
        ({"output": "a" * 300}, "the name of a file"),
        ({"weights": "a\0b"}, "the name of a file"),
        ({"at": 3, "start": 2}, "at=3 is one instant, start=2 mean a video"),
        ({"at": 3, "stride": 2}, "at=3 is one instant, stride=2 mean a video"),
        ({"displays": "raw"}, "unknown option 'displays': did you mean display"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_name(options, message):
    with pytest.raises(ConfigError) as caught:
        RunConfig(**options)
    assert message in str(caught.value)
