"""The kinds of data that components exchange."""

from __future__ import annotations

from enum import StrEnum


class Data(StrEnum):
    """The kinds of data that components exchange; see `spikecore.data.sample` for their shapes and units."""

    SPIKES = "spikes"
    EVENTS = "events"
    FRAMES = "frames"
    IMAGE = "image"
    VIDEO = "video"
    DEPTH = "depth"
    FLOW = "flow"
    LABEL = "label"
    TEXT = "text"
    FEATURES = "features"
