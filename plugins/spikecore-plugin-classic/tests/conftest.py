from __future__ import annotations

import numpy as np
import pytest
import spikecore_plugin_classic

from spikecore import Layout, PluginHost, Sample, SpikeStream, collate


@pytest.fixture(scope="session")
def build():
    """build("tfi", rule="ssml"): a method from its name and options, as written in an experiment."""
    host = PluginHost()
    host.register(spikecore_plugin_classic, "classic")

    def build(name, **options):
        return host.build(host.find(f"classic/{name}", "reconstructor"), options)

    return build


@pytest.fixture(scope="session")
def image():
    """image(method, stream, at): float32 (H, W), the stream given as such or as an array (T, H, W)."""

    def image(method, stream, at):
        if not isinstance(stream, SpikeStream):
            stream = SpikeStream.from_frames(stream)
        sample = Sample(key="test", spikes=stream, at=at).around(method.window)
        result = method.reconstruct(collate([sample]))
        assert result.shape == (1, 1, stream.height, stream.width)
        assert result.dtype.is_floating_point
        assert result.isfinite().all()
        return result[0, 0].numpy()

    return image


@pytest.fixture(scope="session")
def recording(shared):
    """The clip 203_part2: 301 frames of 250×400, memory-mapped."""
    packed = np.memmap(shared / "data/base/train/spike/203_part2_key_id151.dat", np.uint8, mode="r")
    return SpikeStream(packed.reshape(-1, 12500), Layout(250, 400, flip=True), name="203_part2")


@pytest.fixture(scope="session")
def truth(shared):
    """Ground truth of that clip at frame 150, in [0, 1]."""
    import cv2

    grey = cv2.imread(str(shared / "data/base/train/gt/203_part2_key_id151.png"), cv2.IMREAD_GRAYSCALE)
    return grey / 255


@pytest.fixture(scope="session")
def golden(shared):
    """What SpikeCV's own code made of that clip."""
    with np.load(shared / "golden/classic/203_part2.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def labels(shared):
    """What SSML's own code made of 41 frames: the stream, and the labels by name."""
    with np.load(shared / "golden/ssml/labels.npz") as arrays:
        spikes = np.unpackbits(arrays["spikes_packed"], axis=-1, bitorder="little")[..., : arrays["shape"][-1]]
        return SpikeStream.from_frames(spikes), dict(arrays)
