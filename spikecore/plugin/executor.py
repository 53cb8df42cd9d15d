"""Doing many items elsewhere: what an executor is given, and what it gives back."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from spikecore.errors import Interrupted
from spikecore.plugin.guard import reason_of

Do: TypeAlias = Callable[[int], Mapping[str, Any]]
"""Does the item of a number; gives plain values."""

Work: TypeAlias = Callable[[], Do]
"""A job that can be pickled; called once in each process that does items of it, it gives what does them there."""


@attrs.frozen
class Outcome:
    """What became of one item: its result, or the reason why there is none."""

    item: int
    result: Mapping[str, Any] | None = None
    reason: str = ""
    traceback: str = ""


Executor: TypeAlias = Callable[[Work, Sequence[int]], Iterator[Outcome]]
"""Called as `executor(work, items)`; gives the outcome of every item, in any order."""


class Worker:
    """Does items of one work in this process; what does them is built for the first.

    Args:
        work: What to do.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._do: Do | None = None

    def attempt(self, item: int) -> Outcome:
        """Do one item; an error, whatever its kind, becomes its reason and stays an error of the item alone."""
        try:
            if self._do is None:
                self._do = self._work()
            return Outcome(item, result=self._do(item))
        except (Interrupted, KeyboardInterrupt):  # the user stopped the job, not this item
            raise
        except BaseException as error:  # one broken item must not end the others, nor the program
            return Outcome(item, reason=reason_of(error), traceback="".join(traceback.format_exception(error)))
