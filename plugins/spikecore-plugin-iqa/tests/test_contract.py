from __future__ import annotations

import math
from typing import ClassVar

import pytest

from spikecore.testing import MetricContract


class TestPsnr(MetricContract):
    component = "iqa/psnr"
    perfect = math.inf


class TestPsnrOfSpikecv(MetricContract):
    component = "iqa/psnr"
    options: ClassVar = {"convention": "spikecv", "crop": 1}
    perfect = math.inf
    channels = 3


class TestSsim(MetricContract):
    component = "iqa/ssim"
    perfect = 1.0
    published = True


class TestSsimOfSpikezoo(MetricContract):
    component = "iqa/ssim"
    options: ClassVar = {"convention": "spikezoo"}
    perfect = 1.0
    channels = 3


class TestMsSsim(MetricContract):
    component = "iqa/ms-ssim"
    perfect = 1.0
    published = True
    size = (161, 167)


class TestLpips(MetricContract):
    component = "iqa/lpips"
    perfect = 0.0
    published = True
    size = (31, 35)
    channels = 3

    @pytest.fixture
    def settings(self, lpips_files):
        return lpips_files


class TestNiqe(MetricContract):
    component = "iqa/niqe"
    published = True
    size = (101, 197)


class TestBrisque(MetricContract):
    component = "iqa/brisque"
    published = True
    size = (17, 19)
    channels = 3

    @pytest.fixture
    def settings(self, svm_file):
        return {"model": svm_file}


class TestPiqe(MetricContract):
    component = "iqa/piqe"
    published = True
    size = (35, 49)
