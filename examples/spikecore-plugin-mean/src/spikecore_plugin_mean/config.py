"""Options of mean/mean. Imports no torch."""

from __future__ import annotations

import attrs
from attrs.validators import ge

from spikecore import option


@attrs.frozen
class MeanConfig:
    """Options."""

    window: int = option(41, help="spike frames averaged", validator=ge(1))
