"""Fixtures of the plugin's tests."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from spikecore import PluginHost, Sample, SpikeStream, collate


@pytest.fixture(scope="session")
def host():
    return PluginHost.discover()


@pytest.fixture(scope="session")
def build(host):
    """build("interval", compat=True): a component from its name and options, as written in an experiment."""
    return lambda name, **options: host.build(host.find(f"spikling/{name}"), options)


@pytest.fixture(scope="session")
def image():
    """image(method, frames, at): float32 (H, W) of spikes (T, H, W)."""

    def image(method, frames, at):
        stream = frames if isinstance(frames, SpikeStream) else SpikeStream.from_frames(frames)
        sample = Sample(key="test", spikes=stream, at=at).around(method.window)
        result = method.reconstruct(collate([sample]).to("cpu"))
        assert result.shape == (1, 1, stream.height, stream.width)
        assert result.dtype == torch.float32
        return result[0, 0].numpy()

    return image


@pytest.fixture(scope="session")
def golden(shared):
    return shared / "golden" / "spikling"


@pytest.fixture(scope="session")
def video(tmp_path_factory):
    """A film of 70 frames of 40×30 pixels, without loss."""
    path = tmp_path_factory.mktemp("video") / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 30.0, (40, 30))
    assert writer.isOpened()
    y, x = np.mgrid[:30, :40]
    for t in range(70):
        wave = 128 + 100 * np.sin((x + t) / 6 + y / 9)
        writer.write(np.stack([wave, 0.5 * wave, 255 - wave], axis=-1).astype(np.uint8))
    writer.release()
    return path


@pytest.fixture(scope="session")
def vgg_file(tmp_path_factory):
    """Random weights in the original's format of 14 tensors."""
    from spikecore_plugin_spikling.vgg import features

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("vgg") / "vgg19-conv.pth"
    torch.save({f"features.{name}": value for name, value in features().state_dict().items()}, path)
    return path
