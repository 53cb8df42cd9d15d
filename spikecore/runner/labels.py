"""Names of classes, from the source that knows them to whatever wants to know them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def labels_of(source: Any) -> tuple[str, ...]:
    """The names of a source's classes in the order of their numbers; empty if it has none."""
    return tuple(getattr(source, "labels", None) or ())


def tell_labels(source: Any, takers: Iterable[Any]) -> None:
    """Call `set_labels(labels)` of those models, losses, metrics and reconstructors that have it, if there are any."""
    labels = labels_of(source)
    for taker in takers:
        if labels and hasattr(taker, "set_labels"):
            taker.set_labels(labels)
