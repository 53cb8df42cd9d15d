"""Experiments: components bound by name, checked against each other before any of their code is imported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import attrs
from packaging.requirements import InvalidRequirement, Requirement

from spikecore.data.kinds import Data
from spikecore.errors import (
    AmbiguousComponent,
    CompositionError,
    ConfigError,
    PluginError,
    SpikeFormatError,
    closest,
    shown,
)  # fmt: skip
from spikecore.experiment.run_config import RunConfig
from spikecore.experiment.toml import override, read_table
from spikecore.plugin.bound import Bound
from spikecore.plugin.component import Kind
from spikecore.plugin.converter import structure
from spikecore.plugin.host import PluginHost
from spikecore.plugin.interfaces import Stage

SINGLE: dict[str, tuple[Kind, ...]] = {
    "source": (Kind.SOURCE,),
    "reconstructor": (Kind.RECONSTRUCTOR,),
    "model": (Kind.MODEL,),
    "trainer": (Kind.TRAINER,),
    "validation": (Kind.SOURCE,),
    "bank": (Kind.SOURCE,),
}
MANY: dict[str, tuple[Kind, ...]] = {
    "method": (Kind.RECONSTRUCTOR, Kind.MODEL),
    "loss": (Kind.LOSS,),
    "metric": (Kind.METRIC,),
}
RECORD_FORMAT = "spikecore run 1"


@attrs.frozen(eq=False)
class Experiment:
    """Components that fit together, and how to run them.

    Args:
        parts: Bound components by role: source, validation, bank (a second source of a training, not paired with the
            first), reconstructor, model, trainer, method.0, …, loss.0, …,
            metric.0, …
        run: Options of the runner.
        host: Where the components come from.
        name: For displays and the results store.
        seed: Seeds everything random.
        requires: Distributions that must be installed, e.g. "spikecore-plugin-ssml>=0.1".
        stages: The recipe of a training ([[stage]] in TOML); the model's own if empty.
        recorded: sha256 of the weights of an earlier run that is repeated, by component id or label.
    """

    parts: Mapping[str, Bound]
    run: RunConfig
    host: PluginHost
    name: str = "experiment"
    seed: int = 0
    requires: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    recorded: Mapping[str, Any] = attrs.field(factory=dict)

    @classmethod
    def from_dict(cls, table: Mapping[str, Any], host: PluginHost) -> Experiment:
        """Bind and check an experiment. Imports no torch and no component code.

        Raises:
            ConfigError, UnknownComponent, AmbiguousComponent, CompositionError, PluginError: What is wrong, and where.
        """
        if not isinstance(table, Mapping):
            raise ConfigError(f"expected an experiment or its table, got {type(table).__name__} {shown(table)}")
        known = ["name", "seed", "requires", "run", "stage", *SINGLE, *MANY]
        for key in table:
            if key not in known:
                raise ConfigError(f"unknown table {shown(key)} @ $: {closest(key, known)}")
        requires = tuple(_strings(table.get("requires", ()), "$.requires"))
        _check_requirements(requires)
        parts: dict[str, Bound] = {}
        for role, kinds in SINGLE.items():
            if role in table:
                parts[role] = _bind(host, table[role], kinds, f"$.{role}")
        for role, kinds in MANY.items():
            entries = _tables(table, role)
            parts |= {f"{role}.{n}": _bind(host, entry, kinds, f"$.{role}.{n}") for n, entry in enumerate(entries)}
        run = structure(host.converter, table.get("run", {}), RunConfig, "$.run")
        experiment = cls(
            parts=parts,
            run=run,
            host=host,
            name=_scalar(table, "name", str, "experiment"),
            seed=_seed(table),
            requires=requires,
            stages=tuple(_stage(host, entry, f"$.stage.{n}") for n, entry in enumerate(_tables(table, "stage"))),
        )
        experiment.check()
        return experiment

    @classmethod
    def from_file(cls, path: str | Path, host: PluginHost, settings: Iterable[str] = ()) -> Experiment:
        """Read an experiment (TOML or JSON) or the run.json of an earlier run, with "key=value" overrides."""
        settings = list(settings)
        table, weights = _read(Path(path))
        kept = {} if any(one.startswith("run.weights") for one in settings) else weights
        return attrs.evolve(cls.from_dict(override(table, settings), host), recorded=kept)

    @property
    def method(self) -> Bound | None:
        """The reconstructor, or the model that is used as one."""
        return self.parts.get("reconstructor") or self.parts.get("model")

    @property
    def methods(self) -> list[Bound]:
        """The one method, if there is one, and those to compare with it ([[method]] in TOML)."""
        return [*([self.method] if self.method else []), *self.many("method")]

    def many(self, role: str) -> list[Bound]:
        """The bound methods to compare, losses or metrics, in order."""
        return [bound for key, bound in self.parts.items() if key.startswith(f"{role}.")]

    def loss(self, reference: str) -> Bound:
        """The loss a stage calls `reference`: one of [[loss]] by label, id or name, else one with default options.

        Raises:
            UnknownComponent, AmbiguousComponent: If there is none, or several fit.
        """
        losses = self.many("loss")
        exact = [bound for bound in losses if bound.label == reference]
        found = exact or [bound for bound in losses if reference in (bound.component.id, bound.component.name)]
        if len(found) > 1:
            labels = ", ".join(repr(bound.label) for bound in found)
            raise AmbiguousComponent(f"loss {reference!r} could be any of {labels}; type one of these")
        return found[0] if found else _bind(self.host, {"use": reference}, (Kind.LOSS,), "$.stage")

    def check(self) -> None:
        """Refuse components that do not fit together or cannot be imported.

        Raises:
            CompositionError: With both ids.
            PluginError: If a component's modules are not installed.
        """
        if "reconstructor" in self.parts and "model" in self.parts:
            ids = [self.parts[role].component.id for role in ("reconstructor", "model")]
            raise CompositionError(f"{ids[0]} and {ids[1]} are two methods; an experiment has one")
        source = self.parts.get("source")
        for method in self.methods if source else ():
            assert source is not None
            _needs(method, method.component.consumes, source, source.component.produces, "yields")
        validation = self.parts.get("validation", source)
        for method in self.methods if validation is not source else ():
            assert validation is not None
            _needs(method, method.component.consumes, validation, validation.component.produces, "yields")
        losses = [*self.many("loss"), *(self.loss(name) for stage in self.stages for name in stage.losses)]
        for judge in [*losses, *self.many("metric")]:
            for method in self.methods:
                _needs(judge, judge.component.consumes, method, method.component.produces, "produces")
            truth = validation if judge.component.kind is Kind.METRIC else source
            if truth:
                _needs(judge, judge.component.targets, truth, truth.component.targets, "has ground truth of kind")
        for bound in self.parts.values():
            absent = bound.component.missing()
            if absent:
                raise PluginError(f"{bound.component.id} needs modules that are not installed: {', '.join(absent)}")

    def dump(self) -> dict[str, Any]:
        """The resolved experiment with full ids and all defaults, as plain values that `from_dict` takes back."""
        table: dict[str, Any] = {"name": self.name, "seed": self.seed, "requires": list(self.requires)}
        for role in SINGLE:
            if role in self.parts:
                table[role] = self._dump(self.parts[role])
        for role in MANY:
            if bound := self.many(role):
                table[role] = [self._dump(one) for one in bound]
        if self.stages:
            table["stage"] = [_without_none(self.host.converter.unstructure(stage)) for stage in self.stages]
        table["run"] = _without_none(self.host.converter.unstructure(self.run))
        return table

    def _dump(self, bound: Bound) -> dict[str, Any]:
        return {"use": bound.component.id, **_without_none(self.host.converter.unstructure(bound.config))}

    @property
    def fingerprint(self) -> str:
        """Hex digest of the resolved experiment: equal experiments have equal fingerprints."""
        return fingerprint(self.dump())


def experiment_table(path: Path, settings: Iterable[str] = ()) -> dict[str, Any]:
    """The table of an experiment file (TOML or JSON) or of a run.json, with "key=value" overrides."""
    return override(_read(path)[0], settings)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The table of an experiment, and which weights it used where it is the record of a run."""
    table = read_table(path)
    if table.get("format") != RECORD_FORMAT:
        return table, {}
    if not isinstance(table.get("experiment"), dict):
        found = f"its experiment is {shown(table.get('experiment'))}"
        raise SpikeFormatError(path, found, expected="the record of a run, with the table of its experiment")
    weights = table.get("weights")
    return table["experiment"], weights if isinstance(weights, dict) else {}


def fingerprint(table: Mapping[str, Any]) -> str:
    """Hex digest of a dumped experiment: equal experiments have equal fingerprints."""
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()


def _bind(host: PluginHost, table: Any, kinds: tuple[Kind, ...], where: str) -> Bound:
    if not isinstance(table, Mapping) or not isinstance(table.get("use"), str):
        raise ConfigError(f'expected a table with use = "plugin/name", got {shown(table)} @ {where}')
    component = host.find(table["use"], *kinds)
    options = {key: value for key, value in table.items() if key != "use"}
    return Bound(component, host.configure(component, options, where), frozenset(options))


def _tables(table: Mapping[str, Any], role: str) -> list[Any]:
    entries = table.get(role, [])
    if not isinstance(entries, list):
        raise ConfigError(f"expected a list of tables, written [[{role}]] in TOML @ $.{role}")
    return entries


def _stage(host: PluginHost, table: Any, where: str) -> Stage:
    stage = structure(host.converter, table, Stage, where)
    lengths = [length for length in (stage.steps, stage.epochs) if length is not None]
    if len(lengths) != 1 or lengths[0] < 1:
        raise ConfigError(f"expected steps or epochs, one of them and above 0, got {lengths} @ {where}")
    if not stage.losses:
        raise ConfigError(f'expected losses = {{"plugin/name" = weight}} @ {where}')
    return stage


def _needs(taker: Bound, wanted: frozenset[Data], giver: Bound, given: Iterable[Data], verb: str) -> None:
    lacking = sorted(wanted - set(given))
    if lacking:
        have = ", ".join(sorted(given)) or "nothing"
        raise CompositionError(
            f"{taker.component.id} needs {', '.join(lacking)}, but {giver.component.id} {verb} {have}"
        )


def _without_none(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}


def _scalar(table: Mapping[str, Any], key: str, kind: type, default: Any) -> Any:
    value = table.get(key, default)
    if type(value) is not kind:
        raise ConfigError(f"expected {kind.__name__}, got {type(value).__name__} {shown(value)} @ $.{key}")
    return value


def _seed(table: Mapping[str, Any]) -> int:
    seed: int = _scalar(table, "seed", int, 0)
    if not 0 <= seed < 2**63:
        raise ConfigError(f"expected a seed from 0 to 2**63 - 1, got {shown(seed)} @ $.seed")
    return seed


def _strings(value: Any, where: str) -> list[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(entry, str) for entry in value):
        raise ConfigError(f"expected a list of text, got {shown(value)} @ {where}")
    return list(value)


def _check_requirements(requires: Iterable[str]) -> None:
    for text in requires:
        try:
            wanted = Requirement(text)
        except InvalidRequirement as error:
            raise ConfigError(f"{shown(text)} is not a requirement: {str(error)[:300]} @ $.requires") from None
        try:
            installed = version(wanted.name)
        except PackageNotFoundError:
            raise PluginError(
                f"the experiment needs {text}, which is not installed\n  try: pip install '{text}'"
            ) from None
        if not wanted.specifier.contains(installed, prereleases=True):
            raise PluginError(f"the experiment needs {text}, installed is {installed}\n  try: pip install '{text}'")
