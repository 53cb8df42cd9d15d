"""Scenes and cameras that cannot be held or computed are refused before anything is drawn."""

from __future__ import annotations

import pytest

from spikecore import ConfigError, PluginHost

NUMBERS = (float("nan"), float("inf"), -1.0, 1e30, 10**400, True, "1")
SCENES = ("simulate/scenes", "simulate/events", "simulate/stereo-events")


@pytest.fixture(scope="module")
def host():
    return PluginHost.discover()


def refused(host, component, **options):
    with pytest.raises(ConfigError) as caught:
        host.build(host.find(component), options)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("component", SCENES)
@pytest.mark.parametrize(
    "options",
    [{"height": 10**6, "width": 10**6}, {"height": 4096, "width": 4096}, {"height": 2**63}, {"width": -1},
     {"length": 10**9}, {"length": 0}, {"height": 1000, "width": 1000, "length": 10**6}, {"clips": 0},
     {"layers": 10**9},
     {"distance": [1e30, 1e31]}, {"speed": [float("nan"), 1.0]}, {"blur": [0.5, 0.2]}, {"distance": []},
     {"seed": -1}],
)  # fmt: skip
def test_impossible_scenes(host, component, options):
    refused(host, component, **options)


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize(
    ("component", "name"),
    [("simulate/scenes", name) for name in ("threshold", "photons", "dark", "hot_rate", "frequency")]
    + [
        ("simulate/events", name)
        for name in ("contrast_on", "contrast_off", "refractory", "leak", "shot", "floor", "fps")
    ]
    + [("simulate/stereo-events", name) for name in ("fps", "baseline", "focal")],
)
def test_impossible_numbers(host, component, name, value):
    refused(host, component, **{name: value})


@pytest.mark.parametrize("name", ["height", "width", "length", "interpolate"])
@pytest.mark.parametrize("value", [0, -1, 10**12, 2**64, 1.5])
def test_impossible_sizes_of_videos(host, tmp_path, name, value):
    refused(host, "simulate/spikes", path=str(tmp_path), **{name: value})


@pytest.mark.parametrize("name", ["num_train", "num_test", "num_frames"])
@pytest.mark.parametrize("value", [0, 10**12])
def test_impossible_classes(host, name, value):
    refused(host, "simulate/classes", **{name: value})
