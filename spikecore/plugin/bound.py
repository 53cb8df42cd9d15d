"""A component with its validated options, and the samples of one that is a source."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import attrs

from spikecore.data.sample import Sample
from spikecore.errors import PluginError, shown
from spikecore.plugin.component import Component
from spikecore.plugin.guard import blamed
from spikecore.plugin.options import changed


def sample_of(source: Any, component: Component, index: int) -> Sample:
    """One sample of a source.

    Raises:
        PluginError: With the component's id, if its code fails or gives anything else.
    """
    with blamed(component.id):
        sample = source[index]
    if not isinstance(sample, Sample):
        raise PluginError(f"{component.id} gave {shown(sample)} as sample {index}, expected a Sample")
    return sample


@attrs.frozen
class Settled:
    """Which trained weights a model uses.

    Args:
        name: Their name, or the file that was named.
        path: The file.
        sha256: Of the file.
        own: False if the component's importer has to read the file.
        asked: What was asked for: a name, a file, or "" for the first that fit.
        state: Size and time of the file when it was hashed.
    """

    name: str
    path: Path
    sha256: str
    own: bool = False
    asked: str = ""
    state: tuple[int, int] = (0, 0)

    def answers(self, asked: str) -> bool:
        """Whether these are the weights that `asked` names, or nothing is asked for."""
        return asked in ("", self.asked)


@attrs.frozen(eq=False)
class Bound:
    """A component with its validated options; nothing of it is imported until `build`.

    Args:
        component: What it is.
        config: Its options.
        given: Names of options that were stated, which weights must not change; None where nobody noted them.
        weights: The trained weights that it uses, once that is settled (`spikecore.settled`).
    """

    component: Component
    config: Any
    given: frozenset[str] | None = None
    weights: Settled | None = None

    def build(self) -> Any:
        """Import the component and construct it.

        Raises:
            PluginError: With the component's id, if that fails.
        """
        return self.component.construct(self.config)

    @property
    def explicit(self) -> frozenset[str]:
        """Options that were stated; where nobody noted them, those that are not at their defaults."""
        return frozenset(changed(self.config)) if self.given is None else self.given

    def fixed(self) -> Bound:
        """The same with every option stated: for a model that is trained anew, whatever weights are shipped."""
        return attrs.evolve(self, given=frozenset(field.name for field in attrs.fields(type(self.config))))

    @property
    def label(self) -> str:
        """The id, and the options that are not at their defaults: "classic/tfi rule=ssml"."""
        options = changed(self.config).items()
        words = [f"{name}={value.value if isinstance(value, Enum) else value}" for name, value in options]
        return " ".join([self.component.id, *words])
