"""Options of the classical reconstructors. Imports no torch."""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs
from attrs.validators import and_, ge, gt, le, lt, optional

from spikecore import option


class Rule(Enum):
    """Which inter-spike interval a pixel is given; see the table in the README."""

    FRAME = "frame"
    SEQUENCE = "sequence"
    SSML = "ssml"
    SPIKLING = "spikling"


class Silent(Enum):
    """What a pixel is given that has no spike on either side of the instant."""

    RULE = "rule"
    ZERO = "zero"


class Mode(Enum):
    """What the first spike of a pixel tells the synapse."""

    ONLINE = "online"
    OFFLINE = "offline"


class Formula(Enum):
    """How the facilitation u is turned into a rate."""

    PAPER = "paper"
    COMPAT = "compat"


class Display(Enum):
    """How the two rate estimates become a picture."""

    NONE = "none"
    SPIKECV = "spikecv"


def _gamma() -> Any:
    return option(1.0, help="the image, in spikes per frame, is raised to 1/gamma", validator=gt(0.0))


@attrs.frozen
class TfpConfig:
    """Options of classic/tfp."""

    window: int = option(
        41, help="spike frames averaged; the instant is the middle, of an even number the later middle", validator=ge(1)
    )
    clip: bool = option(
        False, help="at the ends of a recording: true averages the frames that exist, false refuses the instant"
    )
    gamma: float = _gamma()


@attrs.frozen
class TfiConfig:
    """Options of classic/tfi."""

    rule: Rule = option(Rule.FRAME, help="which interval a pixel is given, and what stands in for a missing spike")
    search: int | None = option(
        None,
        help="frames searched on either side; left out: frame 20, sequence 255, ssml 12, spikling the whole recording",
        validator=optional(and_(ge(1), le(1_000_000))),
    )
    silent: Silent = option(
        Silent.RULE, help="a pixel without a spike on either side gets what the rule gives, or zero"
    )
    gamma: float = _gamma()


@attrs.frozen
class TfstpConfig:
    """Options of classic/tfstp; names and defaults are those of the paper, times in frames."""

    mode: Mode = option(
        Mode.ONLINE,
        help='a first spike in frame t ends an interval of t+1 frames ("online") or an unknown one ("offline")',
    )
    formula: Formula = option(
        Formula.PAPER,
        help='rate from u as in the "paper", or as in SpikeCV\'s code ("compat"), which is not calibrated',
    )
    display: Display = option(
        Display.NONE,
        help='"none": spikes per frame; "spikecv": sum of both rates, min-max scaled, equalised histogram, in [0, 1]',
    )
    u0: float = option(0.15, help="utilisation u of a synapse at rest", validator=and_(gt(0.0), lt(1.0)))
    D: float = option(1.0, help="time in which the resources R recover", validator=and_(gt(0.0), le(1000.0)))
    F: float = option(10.0, help="time in which the utilisation u fades", validator=and_(ge(1.0), le(1000.0)))
    f: float = option(0.15, help="growth of u with a spike", validator=and_(gt(0.0), lt(1.0)))
    gamma: float = _gamma()
