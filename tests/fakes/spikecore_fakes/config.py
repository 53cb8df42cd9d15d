"""Options of the fake components; three of the classes break a promise."""

from __future__ import annotations

from typing import Any

import attrs

from spikecore import option


@attrs.frozen
class Windowed:
    """Options of the fake methods."""

    window: int = option(41, help="spike frames")


@attrs.frozen
class Clips:
    """Options of the fake sources."""

    path: str = option("", help="file to read; clips are generated without one")
    rows: int = option(7, help="rows")
    columns: int = option(9, help="columns")
    length: int = option(20, help="spike frames")


@attrs.frozen
class Loop:
    """Options of the fake trainers."""

    batch: int = option(3, help="samples a step")
    checkpoint_every: int = option(6, help="steps between checkpoints")


@attrs.frozen
class Nothing:
    """No options."""


@attrs.frozen
class Doubling:
    """Its value is doubled whenever it is read."""

    window: int = attrs.field(default=41, converter=lambda value: 2 * value, metadata={"help": "spike frames"})


@attrs.frozen
class Silent:
    """Its option says nothing."""

    window: int = option(41, help=" ")


@attrs.frozen
class Lenient:
    """Read by a hook that takes any key."""

    window: int = option(41, help="spike frames")


def read_leniently(value: Any, _: type) -> Lenient:
    """Take what is known and drop the rest."""
    return Lenient(**{key: entry for key, entry in value.items() if key == "window"})
