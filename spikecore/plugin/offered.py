"""Hooks of plugins, whose faults and odd answers name the plugin and the hook."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial, wraps
from inspect import signature
from types import SimpleNamespace
from typing import Any

from spikecore.errors import Interrupted, PluginError, SpikecoreError, closest, shown
from spikecore.plugin import hookspecs
from spikecore.plugin.guard import blamed
from spikecore.plugin.run_info import Score

_MARKER = f"{hookspecs.PROJECT}_impl"
_OBSERVING = ("run_start", "step_end", "scores", "epoch_end", "checkpoint_saved", "run_end")
_METHODS = {
    "spikecore_sink": ("write", "commit", "interrupt"),
    "spikecore_results_format": ("read", "write"),
    "spikecore_executor": ("__call__",),
}
"""What the answers to hooks must have."""


def guarded_hooks(plugin: object, whose: str) -> SimpleNamespace:
    """The hooks of a plugin, which raise nothing but errors that name it; observers only warn.

    Args:
        plugin: Whose hooks; they are not called here.
        whose: Who is named, for example "plugin 'mine'".

    Raises:
        PluginError: If an observer takes an argument that its hook has not.
    """
    hooks = {}
    for attribute in dir(plugin):
        function = getattr(plugin, attribute, None)
        options = getattr(function, _MARKER, None)
        if callable(function) and isinstance(options, dict):
            name = str(options.get("specname") or attribute)
            who = f"{whose}: {name}"
            if options.get("wrapper") or options.get("hookwrapper"):
                hooks[name] = _wrapping(function, who)
            elif name.removeprefix("spikecore_") in _OBSERVING:
                hooks[name] = _observing(function, name, who)
                setattr(hooks[name], _MARKER, options)
            else:
                hooks[name] = _answering(function, name, who)
    return SimpleNamespace(**hooks)


def _observing(function: Callable[..., Any], hook: str, who: str) -> Callable[..., None]:
    """An observer looks on: what it raises is a warning, and it is not called again in that run.

    A start may be refused by a `SpikecoreError`, as nothing is lost yet; `Interrupted` stops a run at any time.
    """
    specification = getattr(hookspecs, hook)
    known = list(signature(specification).parameters)
    given = [one for one in signature(function).parameters.values() if one.default is one.empty]
    names = [one.name for one in given if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    odd = [name for name in names if name not in known]
    if odd:
        raise PluginError(f"{who} takes an argument {odd[0]!r}: {closest(odd[0], known)}")
    deaf: set[object] = set()  # ids of runs

    @wraps(specification)
    def observe(*values: Any) -> None:
        told = dict(zip(known, values, strict=True))
        run = getattr(told["run"], "id", None)
        if run in deaf:
            return
        try:
            with blamed(who):
                function(*(told[name] for name in names))
        except Interrupted:
            raise
        except SpikecoreError as error:
            own = str(error).startswith(who)
            if hook == "spikecore_run_start" and not own:
                raise PluginError(f"{who} refuses the run: {error}") from error
            if run is not None:
                deaf.add(run)
            text = str(error) if own else f"{who} failed: {error}"
            warnings.warn(f"{text}; it is told no more of this in this run", stacklevel=2)

    return observe


def _wrapping(function: Callable[..., Any], who: str) -> Callable[..., Any]:
    @wraps(function)
    def wrap(*values: Any) -> Any:
        with blamed(who):
            return (yield from function(*values))

    return wrap


def _answering(function: Callable[..., Any], hook: str, who: str) -> Callable[..., Any]:
    @wraps(function)
    def answer(*values: Any) -> Any:
        with blamed(who):
            found = function(*values)
            if hook == "spikecore_evaluate" and found is not None:
                found = list(found)
                odd = [one for one in found if not isinstance(one, Score)]
                if odd:
                    raise PluginError(f"{who} gave {shown(odd[0])}, expected scores")
            lacking = [name for name in _METHODS.get(hook, ()) if not callable(getattr(found, name, None))]
        if found is None or hook not in _METHODS:
            return found
        if lacking:
            raise PluginError(f"{who} gave {shown(found)}, which has no {lacking[0]}")
        return Offered(found, who)

    return answer


class Offered:
    """What a plugin offers through a hook: used as it is, but a fault of it names the plugin.

    Args:
        held: It.
        who: Who is named.
    """

    def __init__(self, held: Any, who: str) -> None:
        self._held = held
        self._who = who

    @property  # type: ignore[misc]  # it passes for what it holds
    def __class__(self) -> type:
        return type(self._held)

    def __call__(self, *values: Any, **named: Any) -> Any:
        return self._result(self._held, *values, **named)

    def __getattr__(self, name: str) -> Any:
        with blamed(self._who):
            found = getattr(self._held, name)
        return partial(self._result, found) if callable(found) else found

    def _result(self, function: Callable[..., Any], *values: Any, **named: Any) -> Any:
        with blamed(self._who):
            found = function(*values, **named)
        return self._each(found) if isinstance(found, Iterator) else found

    def _each(self, values: Iterator[Any]) -> Iterator[Any]:
        while True:
            with blamed(self._who):
                try:
                    one = next(values)
                except StopIteration:
                    return
            yield one
