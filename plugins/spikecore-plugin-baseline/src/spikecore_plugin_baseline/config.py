"""Options of the plugin's components. Imports no torch."""

from __future__ import annotations

import attrs


@attrs.frozen
class ConvConfig:
    """Options of baseline/conv: none, as its weights fix the rest."""
