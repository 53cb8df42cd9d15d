"""Random instants of a user's own recordings: what the networks adapt to, without any ground truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikecore import Sample, SpikeSource, SpikeStream, UsageError, Window, open_source
from spikecore_plugin_ssml.config import FRAMES, InstantsConfig


class Instants:
    """Clips of 41 frames around random instants of one recording, or of each of a folder in turn.

    Clip i is drawn from (seed, i). Ground truth that a recording may have is left out.

    Args:
        config: The recordings, and how many clips.

    Raises:
        SpikeFormatError: If there is no such file or no installed plugin reads it.
    """

    def __init__(self, config: InstantsConfig) -> None:
        self.config = config
        self._source = _opened(config)
        self._streams: dict[int, SpikeStream] = {}

    def __len__(self) -> int:
        return self.config.clips

    def __getitem__(self, index: int, /) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"there are clips 0..{len(self) - 1}, not {index}")
        number = index % len(self._source)
        stream = self._stream(number)
        window = Window.centred(FRAMES)
        valid = window.valid(len(stream))
        if not valid:
            raise UsageError(f"{stream.name} has {len(stream)} frames; a clip needs {FRAMES}")
        random = np.random.default_rng([self.config.seed, index])
        instant = valid[int(random.integers(len(valid)))]
        clip, at = window.cut(stream, instant)
        return Sample(key=f"clip-{index}", spikes=clip, at=at, meta={"recording": stream.name, "instant": instant})

    def __getstate__(self) -> dict[str, Any]:
        return {"config": self.config}  # files are opened anew in a worker process

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.config = state["config"]
        self._source = _opened(self.config)
        self._streams = {}

    def _stream(self, number: int) -> SpikeStream:
        if number not in self._streams:
            stream = self._source[number].spikes
            if stream is None:
                raise UsageError(f"{self.config.path} holds no spikes; ssml/instants needs spike recordings")
            self._streams[number] = stream
        return self._streams[number]


def _opened(config: InstantsConfig) -> SpikeSource:
    given: dict[str, Any] = {"height": config.height, "width": config.width}
    given = {name: value for name, value in given.items() if value is not None}
    return open_source(config.path, source=config.reader or None, **{**given, **config.options})
