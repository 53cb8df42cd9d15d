from __future__ import annotations

import cv2
import numpy as np
import pytest
import spikecore_plugin_simulate

from spikecore import PluginHost


@pytest.fixture(scope="session")
def build():
    """build("scenes", length=41): a source from its name and options, as written in an experiment."""
    host = PluginHost()
    host.register(spikecore_plugin_simulate, "simulate")

    def build(name, **options):
        return host.build(host.find(f"simulate/{name}", "source"), options)

    return build


@pytest.fixture(scope="session")
def pictures():
    """A smooth coloured film, uint8 (12, 30, 40, 3): every picture differs."""
    random = np.random.default_rng(0)
    ends = [cv2.resize(random.integers(0, 256, (4, 5, 3), np.uint8), (40, 30)).astype(float) for _ in range(2)]
    return np.stack([ends[0] + (ends[1] - ends[0]) * part for part in np.linspace(0, 1, 12)]).astype(np.uint8)


@pytest.fixture(scope="session")
def video(tmp_path_factory, pictures):
    """The film as a lossless video."""
    path = tmp_path_factory.mktemp("video") / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"FFV1"), 25, (40, 30))
    assert writer.isOpened()
    for picture in pictures:
        writer.write(picture)
    writer.release()
    return path


@pytest.fixture(scope="session")
def images(tmp_path_factory, pictures):
    """The film as a folder of images, numbered so that the order of names is not that of numbers."""
    folder = tmp_path_factory.mktemp("images")
    for number, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f"frame{number}.png"), picture)
    (folder / "notes.txt").write_text("not an image")
    return folder


@pytest.fixture
def still(tmp_path):
    """still(image, count): a folder of `count` equal 16-bit images of intensities in [0, 1]."""

    def still(image, count):
        for number in range(count):
            cv2.imwrite(str(tmp_path / f"{number}.png"), np.round(image * 65535).astype(np.uint16))
        return tmp_path

    return still
