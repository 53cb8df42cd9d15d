"""What a plugin declares: components with lazy targets, their weights and their data kinds. Imports no torch."""

from __future__ import annotations

import pkgutil
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from enum import StrEnum
from importlib.util import find_spec
from typing import Any

import attrs

from spikecore.data.kinds import Data
from spikecore.errors import PluginError, SpikecoreError

API_VERSION = (1, 0)
"""Version of the plugin interface: the minor number grows with additions, the major one with removals."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


class Kind(StrEnum):
    """The six interfaces a component can implement."""

    SOURCE = "source"
    RECONSTRUCTOR = "reconstructor"
    MODEL = "model"
    LOSS = "loss"
    METRIC = "metric"
    TRAINER = "trainer"


def _data_set(values: Iterable[str]) -> frozenset[Data]:
    if isinstance(values, str):
        values = (values,)
    try:
        return frozenset(Data(value) for value in values)
    except ValueError as error:
        raise PluginError(f"{error}; data kinds are {', '.join(Data)}") from None


def _data_tuple(values: Iterable[str]) -> tuple[Data, ...]:
    kinds = (values,) if isinstance(values, str) else tuple(values)
    _data_set(kinds)  # raises
    return tuple(dict.fromkeys(Data(kind) for kind in kinds))


def _name(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not _NAME.fullmatch(value):
        raise PluginError(f"component name {value!r} is not lower-case letters, digits and hyphens, e.g. 'blind-spot'")


def _attrs_class(instance: object, attribute: attrs.Attribute[type], value: type) -> None:
    if not attrs.has(value):
        raise PluginError(f"config of {instance!r} must be an attrs class, got {value!r}")
    without = [field.name for field in attrs.fields(value) if "help" not in field.metadata]
    if without:
        raise PluginError(
            f"{value.__qualname__}: options without help text: {', '.join(without)} (use spikecore.option)"
        )


@attrs.frozen
class Weights:
    """One set of trained weights: where it lies, how it is recognised, what it is worth.

    Args:
        name: Name used in options, for example "reds-noisy".
        sha256: Hex digest of the file.
        size: Size of the file in bytes.
        file: Path inside the plugin's package ("weights/base.safetensors"), for weights shipped in the wheel.
        url: Where the file is fetched from, for weights that are not shipped. safetensors have the keys of the bare
            network; any other format is read by the component's importer, as a foreign checkpoint is.
        license: SPDX id of the weights.
        training: The experiment or sentence that says how they were made.
        scores: Measured scores, by "data set/metric".
        options: Options of the component that these weights were made with, for example its variant.
    """

    name: str
    sha256: str = attrs.field(validator=attrs.validators.matches_re(r"[0-9a-f]{64}"))
    size: int = attrs.field(validator=attrs.validators.gt(0))
    file: str = ""
    url: str = ""
    license: str = "unknown"
    training: str = ""
    scores: Mapping[str, float] = attrs.field(factory=dict)
    options: Mapping[str, object] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        if not self.file and not self.url:
            raise PluginError(f"weights {self.name!r} state neither a file in the wheel nor a URL")


@attrs.frozen
class PluginInfo:
    """What a plugin says of itself.

    Args:
        summary: One line.
        api: The `API_VERSION` it was written for.
        license: SPDX id of the plugin's code.
        citation: BibTeX of the work it implements, if one covers all its components.
        homepage: Where to read more.
    """

    summary: str
    api: tuple[int, int] = API_VERSION
    license: str = "unknown"
    citation: str = ""
    homepage: str = ""


@attrs.frozen
class Component:
    """One named thing a plugin offers, described without importing its code.

    Args:
        kind: Which of the six interfaces it implements.
        name: Unique inside (plugin, kind); lower-case letters, digits and hyphens.
        target: "package.module:Class"; built as `Class(config)` on use.
        config: The attrs class of its options; every option carries a help text (see `spikecore.option`).
        summary: One line.
        consumes: Data kinds it needs. For losses and metrics: the kinds of output they score.
        produces: Data kinds it gives, in order: the first is what is written where nothing else is asked for. For
            sources: the inputs its samples carry.
        targets: Data kinds of ground truth. Sources: what samples may carry; losses and metrics: what they need.
        patterns: Sources only: file name patterns ("*.dat") of the recordings it opens; its config then has `path`.
        writer: Sources only: "package.module:function", called as `function(stream, path, config)`.
        recognise: Sources only: "package.module:function" for files whose names fit several sources, called as
            `function(path, head)` with the first 4096 bytes, b"" for a folder; gives how sure it is that this is its
            file, 0 (another's) to 1. A source that declares none counts as 0.5. Its module imports nothing heavy; what
            it takes to look at the keys of a file is imported inside.
        requires: Modules beyond the plugin's hard dependencies.
        weights: Trained weights it can use.
        importer: Models only: "package.module:function", called as `function(checkpoint)` with what a foreign
            checkpoint file holds; gives a `spikecore.weights.files.Imported` or raises WeightsError.
        license: SPDX id of the method or data.
        citation: BibTeX of the paper.
        plugin: Filled in by the host on admission.
    """

    kind: Kind = attrs.field(converter=Kind)
    name: str = attrs.field(validator=_name)
    target: str = attrs.field(validator=attrs.validators.matches_re(r"[\w.]+:\w+"))
    config: type = attrs.field(validator=_attrs_class)
    summary: str = attrs.field(validator=attrs.validators.min_len(1))
    consumes: frozenset[Data] = attrs.field(default=(), converter=_data_set)
    produces: tuple[Data, ...] = attrs.field(default=(), converter=_data_tuple)
    targets: frozenset[Data] = attrs.field(default=(), converter=_data_set)
    patterns: tuple[str, ...] = ()
    writer: str = ""
    recognise: str = ""
    requires: tuple[str, ...] = ()
    weights: tuple[Weights, ...] = ()
    importer: str = ""
    license: str = "unknown"
    citation: str = ""
    plugin: str = ""

    @property
    def id(self) -> str:
        """The unique reference "plugin/name"."""
        return f"{self.plugin}/{self.name}" if self.plugin else self.name

    def missing(self) -> list[str]:
        """Names in `requires` that are not installed. Imports nothing."""
        return [name for name in self.requires if find_spec(name) is None]

    def load(self) -> Any:
        """Import and return the class behind `target`.

        Raises:
            PluginError: With the component's id, if a required module is missing or the import fails.
        """
        return self._resolve(self.target)

    def construct(self, config: Any) -> Any:
        """Import the class behind `target` and build it with validated options.

        Raises:
            PluginError: With the component's id, if the import or the class's own `__init__` fails.
        """
        target = self.load()
        try:
            return target(config)
        except SpikecoreError:
            raise
        except (Exception, SystemExit) as error:  # whatever a component raises must reach the user with its id
            raise PluginError(f"{self.id} cannot be built: {type(error).__name__}: {error}") from error

    def load_writer(self) -> Any:
        """Import and return the function behind `writer`."""
        return self._resolve(self.writer)

    def load_recogniser(self) -> Any:
        """Import and return the function behind `recognise`, which works without the modules in `requires`."""
        return self._import(self.recognise)

    def load_importer(self) -> Any:
        """Import and return the function behind `importer`."""
        return self._resolve(self.importer)

    def _resolve(self, target: str) -> Any:
        absent = self.missing()
        if absent:
            names = " ".join(absent)
            raise PluginError(f"{self.id} needs modules that are not installed: {names}\n  try: pip install {names}")
        return self._import(target)

    def _import(self, target: str) -> Any:
        try:
            with redirect_stdout(sys.stderr):  # what a module prints when it is imported is no result of a command
                return pkgutil.resolve_name(target)
        except (
            Exception,
            SystemExit,
        ) as error:  # whatever a plugin's import raises must reach the user with the component's id
            raise PluginError(f"{self.id}: {target} cannot be imported: {type(error).__name__}: {error}") from error
