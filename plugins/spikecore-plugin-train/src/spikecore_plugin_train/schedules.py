"""Learning-rate schedules by name: pure functions of the time in a stage, so that a checkpoint need not hold them.

Times (milestones, warm-up, release) are in the unit the stage is stated in: steps, or epochs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs
from attrs.validators import deep_iterable, ge, gt

from spikecore import ConfigError, closest, make_converter, option, structure


def _warmup() -> Any:
    return option(0.0, help="time over which the rate grows evenly from nothing", validator=ge(0.0))


def _release() -> Any:
    return option(factory=dict, help="patterns of parameters that stay frozen until a time")


@attrs.frozen
class Constant:
    """The same rate all the time."""

    warmup: float = _warmup()
    release: Mapping[str, float] = _release()

    def factor(self, time: float, total: float) -> float:
        """What the learning rate is multiplied by at `time` of a stage that ends at `total`."""
        return 1.0


@attrs.frozen
class Cosine:
    """Half a cosine from 1 to `floor`: floor + (1 - floor)·(1 + cos(pi·t/T))/2.

    Source: Loshchilov and Hutter, SGDR, ICLR 2017, eq. 5, without restarts.
    """

    floor: float = option(0.0, help="share of the rate at the end", validator=ge(0.0))
    warmup: float = _warmup()
    release: Mapping[str, float] = _release()

    def factor(self, time: float, total: float) -> float:
        """See `Constant.factor`; the cosine begins where the warm-up ends."""
        span = max(total - self.warmup, 1e-12)
        done = min(max(time - self.warmup, 0.0) / span, 1.0)
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * done)) / 2


@attrs.frozen
class Multistep:
    """The rate is multiplied by `gamma` at each milestone."""

    milestones: tuple[float, ...] = option(help="times at which the rate falls", validator=deep_iterable(gt(0.0)))
    gamma: float = option(0.5, help="what it is multiplied by", validator=gt(0.0))
    warmup: float = _warmup()
    release: Mapping[str, float] = _release()

    def factor(self, time: float, total: float) -> float:
        """See `Constant.factor`."""
        return float(self.gamma ** sum(time >= milestone for milestone in self.milestones))


Schedule: TypeAlias = Constant | Cosine | Multistep
SCHEDULES: Mapping[str, type] = {
    "constant": Constant,
    "cosine": Cosine,
    "multistep": Multistep,
    "linear-warmup": Constant,
}


def read_schedule(table: Mapping[str, Any], where: str) -> Schedule:
    """A stage's schedule; an empty table is a constant rate.

    Raises:
        ConfigError: If the name or an option is unknown or out of range.
    """
    name = str(table.get("use", "constant"))
    if name not in SCHEDULES:
        raise ConfigError(f"no schedule {name!r} @ {where}.use: {closest(name, SCHEDULES)}")
    if name == "linear-warmup" and "warmup" not in table:
        raise ConfigError(f"the schedule linear-warmup needs warmup = TIME @ {where}")
    found: Schedule = structure(
        make_converter(), {key: value for key, value in table.items() if key != "use"}, SCHEDULES[name], where
    )
    return found


def rate(schedule: Schedule, step: int, steps: int, per_unit: int) -> float:
    """What learning rates are multiplied by in optimiser step number `step` (from 0) of `steps`.

    Args:
        schedule: The schedule.
        step: Number of the step in the stage, from 0.
        steps: Optimiser steps of the stage.
        per_unit: Optimiser steps in a unit of its times: 1, or the steps of an epoch.
    """
    warm = min((step + 1) / per_unit / schedule.warmup, 1.0) if schedule.warmup else 1.0
    return warm * schedule.factor(step / per_unit, steps / per_unit)
