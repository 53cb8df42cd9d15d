"""What files beside a `.dat` say about it: our own side-car, SpikeCV's `config.yaml`, or a small `.json`.

A `.dat` has no header: its geometry is nowhere in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import yaml  # type: ignore[import-untyped]  # its stubs are a distribution of their own

from spikecore import ConfigError, SpikeFormatError, read_table, structure
from spikecore.files.boundary import file_size, refusing
from spikecore_plugin_vidar.config import BitOrder, converter

_MAX_YAML = 200_000
_MAX_NODES, _MAX_DEPTH = 10_000, 50
_FOLDERS_UP = 3
_YAML_INTEGER = "tag:yaml.org,2002:int"


def _plain_name(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if Path(value).name != value or value in ("", "..") or not value.isprintable():
        raise ValueError(f"image must be the name of a file in the same folder, got {value!r}")


@attrs.frozen
class Description:
    """What is known of a recording without reading it; the fields mean the same as the options of vidar/dat.

    Args:
        frames: Length of the recording, to notice when a part of it is missing.
        image: Name of a picture in the same folder, the ground truth of frame `at`.
        at: That frame.
    """

    height: int = attrs.field(validator=attrs.validators.gt(0))
    width: int = attrs.field(validator=attrs.validators.gt(0))
    frames: int | None = None
    rate: float | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.gt(0)))
    gain: float | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.gt(0)))
    flip: bool | None = None
    bit_order: BitOrder | None = None
    image: str | None = attrs.field(default=None, validator=attrs.validators.optional(_plain_name))
    at: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(0)))

    def to_toml(self) -> str:
        """The text of a side-car file."""
        known = {name: value for name, value in attrs.asdict(self).items() if value is not None}
        return "".join(f"{name} = {_toml(value)}\n" for name, value in known.items())


def describe_recording(path: Path, geometry: bool) -> Description | None:
    """Look for a description of `path`, the nearest first; None if there is none.

    Order: `NAME.dat.toml`, `NAME.toml` beside the file; then, if the geometry is wanted (`geometry`), `NAME.json`, and
    `config.yaml` or `config.json` in its folder and up to two folders above. Files without a height and width are
    somebody else's and are passed over.

    Raises:
        SpikeFormatError: If a description is there but cannot be understood.
    """
    own = [path.with_name(f"{path.name}.toml"), path.with_suffix(".toml")]
    for place in (*own, *(_foreign(path) if geometry else ())):
        if not place.is_file():
            continue
        found = _spikecv_yaml(place) if place.suffix in (".yaml", ".yml") else _table(place)
        if found is not None:
            return found
    return None


def _foreign(path: Path) -> Iterator[Path]:
    yield path.with_suffix(".json")
    for folder in list(path.absolute().parents)[:_FOLDERS_UP]:
        yield from (folder / name for name in ("config.yaml", "config.yml", "config.json"))


def _table(place: Path) -> Description | None:
    table = read_table(place)
    if "spike_h" in table or "spike_w" in table:
        return _from_spikecv(place, table)
    if "height" not in table and "width" not in table:
        return None
    try:
        return structure(converter(), table, Description, place.name)
    except ConfigError as error:
        raise SpikeFormatError(place, str(error), expected="a description of a recording") from None


def _from_spikecv(place: Path, table: Mapping[str, Any]) -> Description:
    height, width = table.get("spike_h"), table.get("spike_w")
    if type(height) is not int or type(width) is not int or min(height, width) < 1:
        found = f"spike_h is {height!r} and spike_w is {width!r}"
        hint = "state the geometry yourself: height=250, width=400 (--height 250 --width 400)"
        raise SpikeFormatError(place, found, expected="two whole numbers above 0", hint=hint)
    return Description(height=height, width=width)


def _spikecv_yaml(place: Path) -> Description | None:
    """Take `spike_h` and `spike_w` from a YAML mapping.

    The text is parsed to nodes but no object is built from it, so tags cannot run code and aliases cannot multiply.
    """
    expected = "a YAML mapping with spike_h and spike_w"
    hint = "state the geometry yourself: height=250, width=400 (--height 250 --width 400)"
    size = file_size(place, expected)
    if size > _MAX_YAML:
        raise SpikeFormatError(place, f"{size} bytes", expected=f"at most {_MAX_YAML}", hint=hint)
    with refusing(place, expected, hint):
        node = yaml.compose(place.read_text(encoding="utf-8"), Loader=_Loader)
    if not isinstance(node, yaml.MappingNode):
        return None
    pairs = [(key.value, _integer(value)) for key, value in node.value if key.value in ("spike_h", "spike_w")]
    if not pairs:
        return None
    if len(dict(pairs)) != len(pairs):
        raise SpikeFormatError(place, "spike_h or spike_w is stated twice", expected=expected, hint=hint)
    return _from_spikecv(place, dict(pairs))


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # has no types
    """Of as many values, and as deeply nested ones, as a description needs: what parsing costs grows with both."""

    nodes = depth = 0

    def compose_node(self, parent: yaml.Node, index: Any) -> yaml.Node:
        self.nodes += 1
        self.depth += 1
        if self.nodes > _MAX_NODES or self.depth > _MAX_DEPTH:
            raise ValueError(f"more than {_MAX_NODES} values, or nested deeper than {_MAX_DEPTH} levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _integer(node: yaml.Node) -> int | str:
    text = str(node.value)[:100]
    return int(text) if node.tag == _YAML_INTEGER and text.isdecimal() and len(text) < 10 else text


def _toml(value: float | bool | str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)
