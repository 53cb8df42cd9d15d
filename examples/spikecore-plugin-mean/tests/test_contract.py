from __future__ import annotations

from spikecore.testing import ReconstructorContract


class TestMean(ReconstructorContract):
    component = "mean/mean"
