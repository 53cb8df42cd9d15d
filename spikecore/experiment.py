"""Experiments: components bound by name, checked against each other before any of their code is imported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import Enum, StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import attrs
from attrs.validators import and_, ge, gt, le, optional
from packaging.requirements import InvalidRequirement, Requirement

from spikecore import config as config_module
from spikecore.component import Component, Data, Kind
from spikecore.config import option
from spikecore.errors import AmbiguousComponent, CompositionError, ConfigError, PluginError, WeightsError, closest
from spikecore.host import PluginHost
from spikecore.interfaces import Stage
from spikecore.weights import fitted

SINGLE: dict[str, tuple[Kind, ...]] = {
    "source": (Kind.SOURCE,),
    "reconstructor": (Kind.RECONSTRUCTOR,),
    "model": (Kind.MODEL,),
    "trainer": (Kind.TRAINER,),
    "validation": (Kind.SOURCE,),
}
MANY: dict[str, tuple[Kind, ...]] = {
    "method": (Kind.RECONSTRUCTOR, Kind.MODEL),
    "loss": (Kind.LOSS,),
    "metric": (Kind.METRIC,),
}
RECORD_FORMAT = "spikecore run 1"


class Display(StrEnum):
    """How intensities become picture values; min-max and percentile are for looking, not for measuring."""

    CLIP = "clip"
    RAW = "raw"
    MINMAX = "minmax"
    PERCENTILE = "percentile"


class Precision(StrEnum):
    """Arithmetic of learned methods."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


@attrs.frozen
class RunConfig:
    """Options of the runner: the table [run] of an experiment and the flags of `spikecore reconstruct`."""

    at: int | None = option(None, help="reconstruct this one instant (frame number)", validator=optional(ge(0)))
    start: int | None = option(None, help="first instant of a video", validator=optional(ge(0)))
    stop: int | None = option(None, help="the video ends before this instant", validator=optional(ge(1)))
    stride: int = option(1, help="spike frames between two instants", validator=ge(1))
    gain: float | None = option(None, help="intensity per spike rate (spikes per frame)", validator=optional(gt(0.0)))
    display: Display = option(
        Display.CLIP, help="clip to [0, 1]; raw (.npy, .h5); or stretch each image by min-max or percentile"
    )
    gamma: float = option(1.0, help="pictures are intensity ** (1 / gamma)", validator=gt(0.0))
    batch: int = option(1, help="instants computed together", validator=ge(1))
    device: str = option("cpu", help="cpu, cuda or cuda:N")
    precision: Precision = option(Precision.FLOAT32, help="arithmetic of learned methods")
    weights: str = option("", help="name or file of trained weights; the method's first that fit by default")
    tile: int = option(0, help="compute learned methods in squares of this side, 0 for whole pictures", validator=ge(0))
    overlap: int = option(16, help="pixels that neighbouring tiles share", validator=ge(0))
    tile_frames: int = option(0, help="compute videos in clips of this many frames, 0 for whole", validator=ge(0))
    overlap_frames: int = option(2, help="frames that neighbouring clips share", validator=ge(0))
    read_ahead: int = option(2, help="batches prepared while one is computed", validator=and_(ge(0), le(64)))
    output: str | None = option(None, help="file or folder to write: .png .mp4 .webm .avi .npy .h5 or a folder")
    fps: float = option(30.0, help="frames per second of a written video", validator=ge(0.25))
    bits: int = option(8, help="bits per value of PNG files, 8 or 16", validator=attrs.validators.in_((8, 16)))

    def __attrs_post_init__(self) -> None:
        if self.start is not None and self.stop is not None and self.stop <= self.start:
            raise ValueError(f"stop={self.stop} is not after start={self.start}")
        for size, overlap in (("tile", "overlap"), ("tile_frames", "overlap_frames")):
            if getattr(self, size) and getattr(self, overlap) >= getattr(self, size):
                raise ValueError(
                    f"{overlap}={getattr(self, overlap)} must be smaller than {size}={getattr(self, size)}"
                )


@attrs.frozen(eq=False)
class Bound:
    """A component with its validated options; nothing of it is imported until `build`.

    Args:
        component: What it is.
        config: Its options.
        given: Names of options that were stated, which weights must not change; None where nobody noted them.
    """

    component: Component
    config: Any
    given: frozenset[str] | None = None

    def build(self) -> Any:
        """Import the component and construct it.

        Raises:
            PluginError: With the component's id, if that fails.
        """
        return self.component.construct(self.config)

    @property
    def explicit(self) -> frozenset[str]:
        """Options that were stated; where nobody noted them, those that are not at their defaults."""
        return frozenset(config_module.changed(self.config)) if self.given is None else self.given

    def fixed(self) -> Bound:
        """The same with every option stated: for a model that is trained anew, whatever weights are shipped."""
        return attrs.evolve(self, given=frozenset(field.name for field in attrs.fields(type(self.config))))

    @property
    def label(self) -> str:
        """The id, and the options that are not at their defaults: "classic/tfi rule=ssml"."""
        changed = config_module.changed(self.config).items()
        words = [f"{name}={value.value if isinstance(value, Enum) else value}" for name, value in changed]
        return " ".join([self.component.id, *words])


@attrs.frozen(eq=False)
class Experiment:
    """Components that fit together, and how to run them.

    Args:
        parts: Bound components by role: source, validation, reconstructor, model, trainer, method.0, …, loss.0, …,
            metric.0, …
        run: Options of the runner.
        host: Where the components come from.
        name: For displays and the results store.
        seed: Seeds everything random.
        requires: Distributions that must be installed, e.g. "spikecore-plugin-ssml>=0.1".
        stages: The recipe of a training ([[stage]] in TOML); the model's own if empty.
    """

    parts: Mapping[str, Bound]
    run: RunConfig
    host: PluginHost
    name: str = "experiment"
    seed: int = 0
    requires: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()

    @classmethod
    def from_dict(cls, table: Mapping[str, Any], host: PluginHost) -> Experiment:
        """Bind and check an experiment. Imports no torch and no component code, but for foreign `run.weights`.

        Raises:
            ConfigError, UnknownComponent, AmbiguousComponent, CompositionError, PluginError: What is wrong, and where.
        """
        known = ["name", "seed", "requires", "run", "stage", *SINGLE, *MANY]
        for key in table:
            if key not in known:
                raise ConfigError(f"unknown table {key!r} @ $: {closest(key, known)}")
        requires = tuple(_strings(table.get("requires", ()), "$.requires"))
        _check_requirements(requires)
        parts: dict[str, Bound] = {}
        for role, kinds in SINGLE.items():
            if role in table:
                parts[role] = _bind(host, table[role], kinds, f"$.{role}")
        for role, kinds in MANY.items():
            entries = _tables(table, role)
            parts |= {f"{role}.{n}": _bind(host, entry, kinds, f"$.{role}.{n}") for n, entry in enumerate(entries)}
        run = config_module.structure(host.converter, table.get("run", {}), RunConfig, "$.run")
        for role, bound in parts.items():
            if run.weights and bound.component.kind is Kind.MODEL:
                with suppress(WeightsError):  # raised, with the reason, by whoever loads the weights
                    parts[role] = fitted(host, bound, run.weights)
        experiment = cls(
            parts=parts,
            run=run,
            host=host,
            name=_scalar(table, "name", str, "experiment"),
            seed=_scalar(table, "seed", int, 0),
            requires=requires,
            stages=tuple(_stage(host, entry, f"$.stage.{n}") for n, entry in enumerate(_tables(table, "stage"))),
        )
        experiment.check()
        return experiment

    @classmethod
    def from_file(cls, path: str | Path, host: PluginHost, settings: Iterable[str] = ()) -> Experiment:
        """Read an experiment (TOML or JSON) or the run.json of an earlier run, with "key=value" overrides."""
        table = config_module.read_table(Path(path))
        if table.get("format") == RECORD_FORMAT:
            table = table["experiment"]
        return cls.from_dict(config_module.override(table, settings), host)

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
        if bound.component.weights and not self.run.weights:  # with named ones it has their options already
            with suppress(ConfigError):  # raised, with the reason, by whoever loads the weights
                bound = fitted(self.host, bound)
        return {"use": bound.component.id, **_without_none(self.host.converter.unstructure(bound.config))}

    @property
    def fingerprint(self) -> str:
        """Hex digest of the resolved experiment: equal experiments have equal fingerprints."""
        return hashlib.sha256(json.dumps(self.dump(), sort_keys=True).encode()).hexdigest()


def _bind(host: PluginHost, table: Any, kinds: tuple[Kind, ...], where: str) -> Bound:
    if not isinstance(table, Mapping) or not isinstance(table.get("use"), str):
        raise ConfigError(f'expected a table with use = "plugin/name", got {table!r} @ {where}')
    component = host.find(table["use"], *kinds)
    options = {key: value for key, value in table.items() if key != "use"}
    return Bound(component, host.configure(component, options, where), frozenset(options))


def _tables(table: Mapping[str, Any], role: str) -> list[Any]:
    entries = table.get(role, [])
    if not isinstance(entries, list):
        raise ConfigError(f"expected a list of tables, written [[{role}]] in TOML @ $.{role}")
    return entries


def _stage(host: PluginHost, table: Any, where: str) -> Stage:
    stage = config_module.structure(host.converter, table, Stage, where)
    lengths = [length for length in (stage.steps, stage.epochs) if length is not None]
    if len(lengths) != 1 or lengths[0] < 1:
        raise ConfigError(f"expected steps or epochs, one of them and above 0, got {lengths} @ {where}")
    if not stage.losses:
        raise ConfigError(f'expected losses = {{"plugin/name" = weight}} @ {where}')
    return stage


def _needs(taker: Bound, wanted: frozenset[Data], giver: Bound, given: frozenset[Data], verb: str) -> None:
    lacking = sorted(wanted - given)
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
        raise ConfigError(f"expected {kind.__name__}, got {type(value).__name__} {value!r} @ $.{key}")
    return value


def _strings(value: Any, where: str) -> list[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(entry, str) for entry in value):
        raise ConfigError(f"expected a list of text, got {value!r} @ {where}")
    return list(value)


def _check_requirements(requires: Iterable[str]) -> None:
    for text in requires:
        try:
            wanted = Requirement(text)
        except InvalidRequirement as error:
            raise ConfigError(f"{text!r} is not a requirement: {error} @ $.requires") from None
        try:
            installed = version(wanted.name)
        except PackageNotFoundError:
            raise PluginError(
                f"the experiment needs {text}, which is not installed\n  try: pip install '{text}'"
            ) from None
        if not wanted.specifier.contains(installed, prereleases=True):
            raise PluginError(f"the experiment needs {text}, installed is {installed}\n  try: pip install '{text}'")
