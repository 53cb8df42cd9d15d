from __future__ import annotations

from spikecore.testing import ModelContract, SourceContract


class TestImage(ModelContract):
    component = "tiny/image"


class TestVideo(ModelContract):
    component = "tiny/video"


class TestDepth(ModelContract):
    component = "tiny/depth"


class TestPan(SourceContract):
    component = "tiny/pan"


class TestDrive(SourceContract):
    component = "tiny/drive"
