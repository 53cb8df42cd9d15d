from __future__ import annotations

from typing import ClassVar

from spikecore.testing import ReconstructorContract


class TestTfp(ReconstructorContract):
    component = "classic/tfp"
    published = True


class TestTfi(ReconstructorContract):
    component = "classic/tfi"
    published = True


class TestTfiOfWholeRecordings(ReconstructorContract):
    component = "classic/tfi"
    options: ClassVar = {"rule": "spikling"}
    published = True


class TestTfstp(ReconstructorContract):
    component = "classic/tfstp"
    published = True
    length = 128  # synapses adapt within a few spikes


class TestTfstpAsSpikecvShowsIt(ReconstructorContract):
    component = "classic/tfstp"
    options: ClassVar = {"mode": "offline", "formula": "compat", "display": "spikecv"}
    published = True
    calibrated = False  # its histogram is equalised
