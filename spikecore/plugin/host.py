"""Finding, admitting and looking up plugins. Imports no torch.

Discovery never raises: it gives every plugin a `Status`. Use is strict: asking for a component of a plugin that could
not be admitted raises with the reason.
"""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatch
from importlib.metadata import EntryPoint, distributions, entry_points
from pathlib import Path
from typing import Any, Literal

import attrs
import pluggy

from spikecore.errors import AmbiguousComponent, PluginError, SpikecoreError, UnknownComponent, closest, shown
from spikecore.plugin import hookspecs
from spikecore.plugin.admission import interview, refuse_name
from spikecore.plugin.component import Component, Kind, PluginInfo
from spikecore.plugin.converter import make_converter, structure
from spikecore.plugin.guard import blamed, loading, patience, reason_of
from spikecore.plugin.known import install_hint
from spikecore.plugin.offered import guarded_hooks
from spikecore.plugin.recognise import sureness

GROUP = "spikecore.plugins"
ALLOW_VARIABLE = "SPIKECORE_PLUGINS"
BLOCK_VARIABLE = "SPIKECORE_DISABLE"
State = Literal["ok", "disabled", "failed"]


@attrs.frozen
class Status:
    """What became of one plugin.

    Args:
        name: The entry-point name, which is the plugin's id.
        state: ok, disabled (by a list) or failed.
        reason: Why it is not ok, and the remedy.
        distribution: The installed distribution it came with, if any.
        version: That distribution's version.
        info: What the plugin says of itself, if admitted.
        error: The exception behind a failure.
    """

    name: str
    state: State
    reason: str = ""
    distribution: str = ""
    version: str = ""
    info: PluginInfo | None = None
    error: BaseException | None = attrs.field(default=None, eq=False, repr=False)


class PluginHost:
    """Holds the admitted plugins and answers for their components.

    Args:
        allow: Only these plugin names are admitted by discovery; None admits all, an empty list none.
        block: These are not. The core's own plugin `builtin` obeys both lists too.

    Both are kept as attributes, `allow` (a tuple or None) and `block` (a tuple), so that other processes can be given
    the same plugins.
    """

    def __init__(self, allow: Iterable[str] | None = None, block: Iterable[str] = ()) -> None:
        self.allow = None if allow is None else tuple(allow)
        self.block = tuple(block)
        self.converter = make_converter()
        self.statuses: dict[str, Status] = {}
        self._components: dict[tuple[Kind, str], Component] = {}
        self._plugins: dict[str, object] = {}
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)

    @classmethod
    def discover(
        cls,
        allow: Iterable[str] | None = None,
        block: Iterable[str] | None = None,
        tell: Callable[[str], None] = lambda name: None,
    ) -> PluginHost:
        """A host with every installed plugin that may and can be admitted.

        Args:
            allow: Overrides the comma-separated list in SPIKECORE_PLUGINS (set but empty: no plugins).
            block: Overrides the list in SPIKECORE_DISABLE.
            tell: Called with the name of each plugin before its code runs, and with "" at the end.

        Warns of names in the lists that no installed plugin has.
        """
        host = cls(
            allow=_listed(ALLOW_VARIABLE) if allow is None else allow,
            block=(_listed(BLOCK_VARIABLE) or ()) if block is None else block,
        )
        host.admit(_installed(), tell)
        lists = {f"{ALLOW_VARIABLE} (--plugins)": host.allow or (), f"{BLOCK_VARIABLE} (--disable)": host.block}
        for where, names in lists.items():
            for name in sorted(set(names) - host.statuses.keys()):
                hint = closest(name, host.statuses)
                warnings.warn(f"{where} names a plugin {name!r} that is not installed: {hint}", stacklevel=2)
        return host

    @property
    def hook(self) -> pluggy.HookRelay:
        """Call hooks of all admitted plugins: `host.hook.spikecore_run_start(run=…)`."""
        return self._manager.hook

    def admit(self, points: Iterable[EntryPoint], tell: Callable[[str], None] = lambda name: None) -> None:
        """Load and register plugins from entry points, in order of name; failures become statuses.

        A plugin that is not done after SPIKECORE_PLUGIN_SECONDS (8) has failed. `tell` is as in `discover`.
        """
        unique = {(point.name, point.value, _owner(point)[0]): point for point in points}
        claims = Counter(name for name, _, _ in unique)
        for point in sorted(unique.values(), key=lambda point: point.name):
            if point.name in self.statuses and claims[point.name] > 1:
                continue
            rivals = [other for other in unique.values() if other.name == point.name]
            tell(point.name)
            self.statuses[point.name] = self._admit_one(point, rivals)
        tell("")

    def _admit_one(self, point: EntryPoint, rivals: list[EntryPoint]) -> Status:
        distribution, version = _owner(point)
        status = Status(point.name, "ok", distribution=distribution, version=version)
        if self.allow is not None and point.name not in self.allow:
            return attrs.evolve(status, state="disabled", reason=f"not in the allow list ({ALLOW_VARIABLE}, --plugins)")
        if point.name in self.block:
            return attrs.evolve(status, state="disabled", reason=f"in the block list ({BLOCK_VARIABLE}, --disable)")
        if len(rivals) > 1:
            owners = " and ".join(sorted(_owner(rival)[0] or rival.value for rival in rivals))
            reason = f"the plugin name {point.name!r} is claimed by {owners}; uninstall one of them"
            return attrs.evolve(status, state="failed", reason=reason, error=PluginError(reason))
        whose = f"plugin {point.name!r}"
        seconds = patience()
        try:
            refuse_name(point.name)
            with loading(whose, seconds=seconds):
                if not EntryPoint.pattern.match(point.value):
                    raise PluginError(
                        f"its entry point {point.value[:100]!r} is not written 'module' or 'module:object'"
                    )
                info = self._register(point.load(), point.name)
        except SpikecoreError as error:
            reason = reason_of(error).removeprefix(f"{whose} failed: ")
            return attrs.evolve(status, state="failed", reason=reason, error=error.__cause__ or error)
        return attrs.evolve(status, info=info)

    def register(self, plugin: object, name: str) -> None:
        """Admit a plugin object or module under `name`, all or nothing.

        Raises:
            PluginError: If the name is taken or odd, a hook is unknown or malformed, the API version differs, a
                component is invalid, or the plugin raises anything. The host is then as it was before.
        """
        refuse_name(name)
        if name in self.statuses and self.statuses[name].state == "ok":
            raise PluginError(f"a plugin named {name!r} is registered already")
        with loading(f"plugin {name!r}", seconds=patience()):
            info = self._register(plugin, name)
        self.statuses[name] = Status(name, "ok", info=info)

    def watch(self, observer: object, name: str) -> None:
        """Let an object with observer hooks look on; it needs no `spikecore_info` and offers no components.

        Raises:
            PluginError: If a hook is unknown or malformed.
        """
        with blamed(f"observer {name!r}"):
            self._refuse_unknown_hooks(observer, name)
            self._take(observer, name, "observer")

    def _refuse_unknown_hooks(self, plugin: object, name: str) -> None:
        unknown = [hook for hook in dir(plugin) if hook.startswith("spikecore_") and self._misnamed(plugin, hook)]
        if unknown:
            known = [hook for hook in dir(hookspecs) if hook.startswith("spikecore_")]
            raise PluginError(f"plugin {name!r} implements an unknown hook {unknown[0]}: {closest(unknown[0], known)}")

    def _register(self, plugin: object, name: str) -> PluginInfo:
        if any(plugin is other for other in self._plugins.values()):
            raise PluginError(f"plugin {name!r} is registered already under another name")
        self._refuse_unknown_hooks(plugin, name)
        info, components = interview(plugin, name)
        self._take(plugin, name, "plugin")
        if hasattr(plugin, "spikecore_converter"):
            try:
                converter = make_converter()  # a new one, as what is registered half cannot be taken back
                self.hook.spikecore_converter(converter=converter)
            except BaseException:
                self._manager.unregister(name=name)
                raise
            self.converter = converter
        self._plugins[name] = plugin
        self._components.update({(component.kind, component.id): component for component in components})
        return info

    def _take(self, plugin: object, name: str, what: str) -> None:
        whose = f"{what} {name!r}"
        try:
            self._manager.register(guarded_hooks(plugin, whose), name)
        except Exception as error:  # pluggy validates by several kinds of exception
            raise PluginError(f"{whose}: {error}") from error

    def _misnamed(self, plugin: object, hook: str) -> bool:
        marked = getattr(getattr(plugin, hook, None), f"{hookspecs.PROJECT}_impl", None)
        return marked is not None and not hasattr(hookspecs, hook)

    def components(self, kind: Kind | str | None = None) -> list[Component]:
        """All admitted components, sorted by kind and id; only those of `kind` if given."""
        wanted = [found for key, found in self._components.items() if kind is None or key[0] == Kind(kind)]
        return sorted(wanted, key=lambda component: (list(Kind).index(component.kind), component.id))

    def find(self, reference: str, *kinds: Kind | str) -> Component:
        """The component called `reference` ("plugin/name", or a bare name while it is unique).

        Args:
            reference: What the user typed.
            *kinds: Restrict the search; none means all kinds.

        Raises:
            UnknownComponent: With the closest ids, and the reason if its plugin could not be admitted.
            AmbiguousComponent: With all ids that fit.
        """
        if not isinstance(reference, str):
            raise UnknownComponent(f"expected the id of a component, got {shown(reference)}")
        wanted = {Kind(kind) for kind in kinds} or set(Kind)
        pool = [component for component in self.components() if component.kind in wanted]
        found = [component for component in pool if reference in (component.id, component.name)]
        exact = [component for component in found if component.id == reference]
        if len(exact or found) == 1:
            return (exact or found)[0]
        what = " or ".join(kind for kind in Kind if kind in wanted) if kinds else "component"
        if found:
            choices = ", ".join(f"{component.id} ({component.kind})" for component in exact or found)
            raise AmbiguousComponent(f"{what} {reference!r} could be any of {choices}; type the whole id")
        raise UnknownComponent(f"no {what} {reference!r}{self._why_unknown(reference, pool)}")

    def _why_unknown(self, reference: str, pool: list[Component]) -> str:
        plugin = reference.partition("/")[0]
        status = self.statuses.get(plugin)
        if status is not None and status.state != "ok":
            return f": plugin {plugin!r} is {status.state}: {status.reason}\n  try: spikecore doctor"
        install = install_hint(plugin=plugin) if "/" in reference and status is None else ""
        if install:
            return f": its plugin is not installed\n  try: {install}"
        ids = [component.id for component in pool]
        names = {component.name: component.id for component in pool}
        hint = closest(reference, ids)
        if not hint.startswith("did") and closest(reference, names).startswith("did"):
            hint = closest(reference, [*names, *ids])
        broken = sorted(name for name, status in self.statuses.items() if status.state == "failed")
        return f": {hint}" + (f"; not available because they failed: {', '.join(broken)}" if broken else "")

    def openers(self, path: Path) -> list[Component]:
        """Sources whose patterns fit the name (a folder's ends in "/"): the best one, or several if equal.

        Where several fit, the file is looked at: the source that is surest to recognise it is the best, then the one
        with the most specific pattern. One that fits alone is the best, whatever the file holds: its reader knows best
        what is wrong with it.
        """
        name = path.name.lower() + ("/" if path.is_dir() else "")
        fits = [
            (max(map(len, matching)), component)
            for component in self.components(Kind.SOURCE)
            if (
                matching := [
                    pattern
                    for pattern in component.patterns
                    if fnmatch(name, pattern) and pattern.endswith("/") == name.endswith("/")
                ]
            )
        ]
        if len(fits) < 2:
            return [component for _, component in fits]
        sure = sureness([component for _, component in fits], path)
        ranks = [(certain, length) for certain, (length, _) in zip(sure, fits, strict=True)]
        return [component for rank, (_, component) in zip(ranks, fits, strict=True) if rank == max(ranks)]

    def configure(self, component: Component, options: Mapping[str, Any], where: str | None = None) -> Any:
        """Validate `options` for `component` and return its config object. Imports no code of the component.

        Raises:
            ConfigError: Lists every fault with its path.
        """
        return structure(self.converter, options, component.config, where or component.id)

    def build(self, component: Component, options: Mapping[str, Any] | None = None) -> Any:
        """Import the component and construct it with validated options."""
        return component.construct(self.configure(component, options or {}))

    def failed(self) -> list[Status]:
        """Statuses of plugins that are installed but broken."""
        return [status for _, status in sorted(self.statuses.items()) if status.state == "failed"]

    def plugins(self) -> Iterator[tuple[str, object]]:
        """Names and objects of the admitted plugins."""
        yield from self._plugins.items()


def _listed(variable: str) -> list[str] | None:
    text = os.environ.get(variable)
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _owner(point: EntryPoint) -> tuple[str, str]:
    try:
        return (str(point.dist.name or ""), str(point.dist.version or "")) if point.dist is not None else ("", "")
    except Exception:  # a distribution without readable metadata
        return "", ""


def _installed() -> Iterable[EntryPoint]:
    """Entry points of all distributions whose own can be read; warns of the others."""
    try:
        return entry_points(group=GROUP)
    except Exception:  # one malformed file among all distributions is enough
        found: list[EntryPoint] = []
    for distribution in distributions():
        try:
            found += distribution.entry_points.select(group=GROUP)
        except Exception as error:  # whatever is wrong with it
            where = getattr(distribution, "_path", "a distribution")
            warnings.warn(f"{where}: its entry points cannot be read: {reason_of(error)}", stacklevel=3)
    return found
