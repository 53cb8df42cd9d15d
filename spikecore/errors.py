"""Every error a user of spikecore can meet, and the exit code the command line gives it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from os import PathLike


class SpikecoreError(Exception):
    """Something the user can mend: the message says what was asked, what was found and what to type next."""

    exit_code = 1


class UsageError(SpikecoreError):
    """A request that no input could satisfy as it stands: a wrong option, name or range."""

    exit_code = 2


class ConfigError(UsageError):
    """An experiment or option table that does not fit the component it is meant for."""


class CompositionError(UsageError):
    """Components whose inputs and outputs do not fit together; the message carries both ids."""


class UnknownComponent(UsageError):
    """A component id that no installed plugin offers."""


class AmbiguousComponent(UsageError):
    """A bare component name that several plugins offer."""


class PluginError(SpikecoreError):
    """A plugin that cannot be admitted or a component whose code cannot be imported."""


class WeightsError(SpikecoreError):
    """Weights that are missing, altered or not plain tensors."""


class MissingTruth(UsageError):
    """A metric or loss asked of a sample without the ground truth it needs."""


class Unavailable(SpikecoreError):
    """A component that works but lacks a file it needs here; evaluations record no value and this reason, and go on."""


class OutputError(SpikecoreError):
    """An output that cannot be written; nothing is left under its final name."""


class SpikeFormatError(SpikecoreError):
    """A recording or file that is not what it was said to be.

    Args:
        path: The file.
        found: What was found in it.
        expected: What was expected instead.
        hint: What to type or do next.
    """

    def __init__(self, path: str | PathLike[str], found: str, *, expected: str = "", hint: str = "") -> None:
        self.path = str(path)
        self.found = found
        self.expected = expected
        self.hint = hint
        parts = [f"{self.path}: {found}"]
        if expected:
            parts.append(f"expected {expected}")
        message = "; ".join(parts)
        super().__init__(f"{message}\n  {hint}" if hint else message)


class Interrupted(SpikecoreError):
    """The user stopped a run; the message says what is kept and how to go on."""

    exit_code = 130


def closest(name: str, known: Iterable[str]) -> str:
    """A sentence that names the known names most like `name`, or all of them when few.

    >>> closest("tfpp", ["tfp", "tfi"])
    'did you mean tfp or tfi? known: tfi, tfp'
    """
    names: Sequence[str] = sorted(set(known))
    if not names:
        return "there are none"
    matches = get_close_matches(str(name)[:100], names, n=3, cutoff=0.5)
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return (f"did you mean {' or '.join(matches)}? " if matches else "") + f"known: {shown}"


def shown(value: object, most: int = 200) -> str:
    """A value of any size and kind as a message shows it: its repr, cut; never fails.

    >>> shown("a"), shown([1] * 9, most=8), shown(10**5000)
    ("'a'", '[1, 1, 1…', 'int')
    """
    try:
        text = repr(value)
    except Exception:  # too deep, an integer of too many digits, or a class of its own mind
        return type(value).__name__
    return text if len(text) <= most else f"{text[:most]}…"
