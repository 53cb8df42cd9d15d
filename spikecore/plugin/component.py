"""What a plugin declares: components with lazy targets, their weights and their data kinds. Imports no torch."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from importlib.util import find_spec
from typing import Any

import attrs

from spikecore.data.kinds import Data
from spikecore.errors import PluginError, shown
from spikecore.plugin.guard import blamed, loading

API_VERSION = (1, 0)
"""Version of the plugin interface: the minor number grows with additions, the major one with removals."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_TARGET = re.compile(r"\w+(\.\w+)*:\w+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Kind(StrEnum):
    """The six interfaces a component can implement."""

    SOURCE = "source"
    RECONSTRUCTOR = "reconstructor"
    MODEL = "model"
    LOSS = "loss"
    METRIC = "metric"
    TRAINER = "trainer"


def _kind(value: object) -> Kind:
    if value not in list(Kind):
        raise PluginError(f"kind {shown(value)} of a component is none of {', '.join(Kind)}")
    return Kind(str(value))


def _tuple(values: Any) -> tuple[Any, ...]:
    """What was given, one text or several, as a tuple."""
    if isinstance(values, str):
        return (values,)
    if not isinstance(values, (tuple, list, set, frozenset)):
        raise PluginError(f"expected a tuple of texts, got {shown(values)}")
    return tuple(values)


def _data_tuple(values: Iterable[str]) -> tuple[Data, ...]:
    kinds = _tuple(values)
    wrong = [kind for kind in kinds if kind not in list(Data)]
    if wrong:
        raise PluginError(f"{shown(wrong[0])} is no kind of data; data kinds are {', '.join(Data)}")
    return tuple(dict.fromkeys(Data(kind) for kind in kinds))


def _data_set(values: Iterable[str]) -> frozenset[Data]:
    return frozenset(_data_tuple(values))


def _name(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        rule = "up to 100 lower-case letters, digits and hyphens, e.g. 'blind-spot'"
        raise PluginError(f"component name {shown(value)} is not {rule}")


def _target(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or (not _TARGET.fullmatch(value) and (value or attribute.name == "target")):
        raise PluginError(f"{attribute.name} {shown(value)} is not written 'package.module:Name'")


def _text(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, str):
        raise PluginError(f"{attribute.name} must be a text, got {shown(value)}")


def _line(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """A text that is shown to people in one line."""
    _text(instance, attribute, value)
    if len(str(value)) > 1000 or _CONTROL.search(str(value)):
        raise PluginError(f"{attribute.name} must be one line of at most 1,000 characters, got {shown(value)}")


def _said(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    _line(instance, attribute, value)
    if not value.strip():
        raise PluginError(f"{attribute.name} is empty; say what it is in one line")


def _texts(instance: object, attribute: attrs.Attribute[Any], values: tuple[object, ...]) -> None:
    for value in values:
        _said(instance, attribute, value)  # type: ignore[arg-type]  # it checks


def _weights(instance: object, attribute: attrs.Attribute[Any], values: object) -> None:
    if not isinstance(values, tuple) or not all(isinstance(one, Weights) for one in values):
        raise PluginError(f"weights must be a tuple of Weights, got {shown(values)}")
    names = [one.name for one in values]
    if len(set(names)) < len(names):
        raise PluginError(f"weights of one component share a name: {', '.join(sorted(names)[:20])}")


def _attrs_class(instance: object, attribute: attrs.Attribute[type], value: type) -> None:
    if not isinstance(value, type) or not attrs.has(value):
        raise PluginError(f"config must be an attrs class, got {shown(value)}")
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

    name: str = attrs.field(validator=_said)
    sha256: str = attrs.field(validator=_text)
    size: int
    file: str = attrs.field(default="", validator=_line)
    url: str = attrs.field(default="", validator=_line)
    license: str = attrs.field(default="unknown", validator=_line)
    training: str = attrs.field(default="", validator=_text)
    scores: Mapping[str, float] = attrs.field(factory=dict)
    options: Mapping[str, object] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise PluginError(f"weights {self.name!r}: sha256 {shown(self.sha256)} is not 64 hexadecimal digits")
        if type(self.size) is not int or self.size < 1:
            raise PluginError(f"weights {self.name!r}: size {shown(self.size)} is no positive number of bytes")
        for name, table, kind in (("scores", self.scores, (int, float)), ("options", self.options, object)):
            if not isinstance(table, Mapping) or not all(
                isinstance(key, str) and isinstance(value, kind) for key, value in table.items()
            ):
                raise PluginError(f"weights {self.name!r}: {name} {shown(table)} is no table of names and values")
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

    summary: str = attrs.field(validator=_said)
    api: tuple[int, int] = API_VERSION
    license: str = attrs.field(default="unknown", validator=_line)
    citation: str = attrs.field(default="", validator=_text)
    homepage: str = attrs.field(default="", validator=_line)

    def __attrs_post_init__(self) -> None:
        if not (isinstance(self.api, tuple) and [type(part) for part in self.api] == [int, int]):
            raise PluginError(f"api must be two whole numbers such as {API_VERSION}, got {shown(self.api)}")


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

    kind: Kind = attrs.field(converter=_kind)
    name: str = attrs.field(validator=_name)
    target: str = attrs.field(validator=_target)
    config: type = attrs.field(validator=_attrs_class)
    summary: str = attrs.field(validator=_said)
    consumes: frozenset[Data] = attrs.field(default=(), converter=_data_set)
    produces: tuple[Data, ...] = attrs.field(default=(), converter=_data_tuple)
    targets: frozenset[Data] = attrs.field(default=(), converter=_data_set)
    patterns: tuple[str, ...] = attrs.field(default=(), converter=_tuple, validator=_texts)
    writer: str = attrs.field(default="", validator=_target)
    recognise: str = attrs.field(default="", validator=_target)
    requires: tuple[str, ...] = attrs.field(default=(), converter=_tuple, validator=_texts)
    weights: tuple[Weights, ...] = attrs.field(default=(), validator=_weights)
    importer: str = attrs.field(default="", validator=_target)
    license: str = attrs.field(default="unknown", validator=_line)
    citation: str = attrs.field(default="", validator=_text)
    plugin: str = ""

    @property
    def id(self) -> str:
        """The unique reference "plugin/name"."""
        return f"{self.plugin}/{self.name}" if self.plugin else self.name

    def missing(self) -> list[str]:
        """Names in `requires` that are not installed. Imports nothing but the packages that hold them."""
        return [name for name in self.requires if not _installed(name)]

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
        with blamed(self.id, "cannot be built"):
            built = target(config)
            if self.kind is Kind.SOURCE:
                len(built)  # what is no sequence of samples is none of a source's
            return built

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
        with loading(f"{self.id}: {target}", "cannot be imported"):
            return pkgutil.resolve_name(target)


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # of a package that is not there itself, or no name of a module
        return False
