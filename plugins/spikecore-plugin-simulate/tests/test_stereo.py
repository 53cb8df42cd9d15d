"""simulate/stereo-events: two cameras, one baseline apart, and the depth that follows from it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

OPTIONS = {"height": 120, "width": 160, "length": 31, "clips": 3}


@pytest.fixture(scope="module")
def pair(build):
    return build("stereo-events", focal=150.0, baseline=0.15, **OPTIONS)


def test_disparity_is_focal_length_times_baseline_over_depth(pair):
    for index in range(3):
        depth = pair[index].target["depth"][0]
        left, right = pair.image(index, 30.0), pair.image(index, 30.0, 1)
        rows, columns = np.mgrid[:120, :160].astype(np.float32)
        x = columns - 150 * 0.15 / depth
        warped = cv2.remap(right, x, rows, cv2.INTER_LINEAR)
        inside = x >= 0
        assert np.median(np.abs(warped - left)[inside]) < 0.25 * np.median(np.abs(right - left)[inside])


def test_depth_is_known_everywhere_in_metres(pair):
    depth = np.stack([pair[index].target["depth"] for index in range(3)])
    assert depth.shape == (3, 1, 120, 160)
    assert np.isfinite(depth).all()
    assert 1.0 < depth.min() < 5
    assert depth.max() == pytest.approx(10, abs=0.5)


def test_both_cameras_see_events_shifted_along_rows(build):
    """One plane: what the left camera reports, the right one reports f·b/Z columns further left."""
    options = {"layers": 1, "distance": [2.0, 2.0], "contrast_spread": 0.0, "zoom": [0, 0], "rotation": [0, 0]}
    source = build("stereo-events", focal=200.0, baseline=0.1, speed=[0.3, 0.3], **options, **OPTIONS)
    sample = source[0]
    left, right = (stream.frames([0, 31_000])[0].sum(0).astype(float) for stream in sample.events)
    matches = [np.corrcoef(left[:, 30:].ravel(), right[:, 30 - d : 160 - d].ravel())[0, 1] for d in range(20)]
    assert int(np.argmax(matches)) == 10
    assert matches[10] > 0.9


def test_meta_says_what_is_needed_to_get_disparity(pair):
    sample = pair[0]
    assert sample.meta["focal_px"] * sample.meta["baseline_m"] == pytest.approx(22.5)
    assert sample.meta["depth_at_us"] == 30_000
    assert max(stream.t[-1] for stream in sample.events) <= 30_000
