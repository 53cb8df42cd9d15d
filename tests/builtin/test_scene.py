"""The generated scene: what cannot be held is refused before it is drawn."""

from __future__ import annotations

import pytest

import spikecore as sc


@pytest.mark.parametrize(
    "options",
    [{"height": 10**12}, {"width": 2**62}, {"height": 4096, "width": 4096, "length": 10**6}, {"length": 10**12},
     {"length": 0}, {"height": 0}, {"height": -8}, {"shapes": 10**9}, {"speed": 1e30}, {"speed": float("nan")},
     {"clips": 2**64}, {"clips": True}, {"seed": -1}, {"rate": 1.5}, {"rate": 0.0}],
)  # fmt: skip
def test_impossible_scenes_are_refused(options):
    with pytest.raises(sc.ConfigError):
        sc.compose(source={"use": "builtin/scene", **options})
