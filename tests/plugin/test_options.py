from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Literal

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecore.errors import ConfigError
from spikecore.plugin.converter import make_converter, structure
from spikecore.plugin.options import changed, describe, option

FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32, allow_subnormal=False)


class Rule(StrEnum):
    FRAME = "frame"
    WHOLE = "whole"


@attrs.frozen
class Options:
    window: int = option(41, help="frames", validator=attrs.validators.ge(1))
    rate: float = option(0.5, help="a rate")
    name: str = option("x", help="a name")
    on: bool = option(False, help="a switch")
    rule: Rule = option(Rule.FRAME, help="a choice")
    search: int | None = option(None, help="maybe")
    sizes: tuple[int, ...] = option((), help="several")


def read(**table):
    return structure(make_converter(), table, Options, "$.method")


def test_options_take_what_they_say():
    assert read(window=3, rate=1, rule="whole", search=4, sizes=[1, 2]) == Options(
        3, 1.0, rule=Rule.WHOLE, search=4, sizes=(1, 2)
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"window": "41"}, "expected int, got str '41' @ $.method.window"),
        ({"window": 1.7}, "expected int, got float 1.7 @ $.method.window"),
        ({"window": 2**63}, "at most 64 bits"),
        ({"window": 10**5000}, "at most 64 bits, got int @ $.method.window"),
        ({"window": np.float64(3)}, "expected int, got float"),
        ({"window": np.array([3])}, "expected int, got ndarray"),
        ({"rate": 10**400}, "at most 64 bits"),
        ({"rate": 1e300}, "32 bits"),
        ({"rate": 1e-300}, "32 bits"),
        ({"on": np.int64(1)}, "expected bool"),
        ({"name": ["x"] * 10**6}, "expected str, got list ['x', 'x'"),
        ({f"a{number}": 1 for number in range(30_000)}, "and 29995 more"),
        ({"window": True}, "expected int, got bool True @ $.method.window"),
        ({"window": 0}, "must be >= 1"),
        ({"on": "false"}, "expected bool, got str 'false' @ $.method.on"),
        ({"on": 0}, "expected bool"),
        ({"name": 3}, "expected str"),
        ({"rate": "1e-3"}, "expected float"),
        ({"rate": float("nan")}, "finite"),
        ({"rate": float("inf")}, "finite"),
        ({"widow": 3}, "unknown option 'widow': did you mean window?"),
        ({"rule": "frames"}, "'frame', 'whole'"),
        ({"search": "4"}, "$.method.search"),
        ({"sizes": 3}, "$.method.sizes"),
        ({"window": None}, "expected int"),
    ],
)
def test_wrong_options_are_refused_with_their_path(table, message):
    with pytest.raises(ConfigError) as caught:
        read(**table)
    assert message in str(caught.value)


@attrs.frozen
class Several:
    names: list[str] = option(factory=list, help="texts")
    words: tuple[str, ...] = option((), help="texts")
    pair: tuple[str, int] = option(("a", 1), help="one of each")
    kinds: frozenset[Rule] = option(frozenset(Rule), help="a set")
    marks: set[int] = option(factory=lambda: {3, 20, 1}, help="a set")
    count: int | str = option(1, help="either")
    amount: int | float | str | None = option(None, help="any")
    share: float | str = option(1.0, help="no int among them")
    colour: Literal["red", "green", 3] = option("red", help="one of a few")
    maybe: Literal["on"] | None = option(None, help="one or none")
    total: int = attrs.field(default=attrs.Factory(lambda self: len(self.names), True), metadata={"help": "computed"})


def read_several(**table):
    return structure(make_converter(), table, Several, "$")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"names": "abc"}, "expected a list, got str 'abc' @ $.names"),
        ({"words": "abc"}, "expected a list, got str 'abc' @ $.words"),
        ({"words": {"a": 1}}, "expected a list, got dict {'a': 1} @ $.words"),
        ({"kinds": "frame"}, "expected a list, got str 'frame' @ $.kinds"),
        ({"pair": "a1"}, "expected a list"),
        ({"pair": ["a"]}, "expected 2 values, got 1: ['a'] @ $.pair"),
        ({"pair": ["a", "1"]}, "expected int, got str '1' @ $.pair[1]"),
        ({"names": ["a", 3]}, "expected str, got int 3 @ $.names[1]"),
        ({"marks": [1, True]}, "expected int, got bool True @ $.marks[1]"),
        ({"kinds": ["frames"]}, "expected one of 'frame', 'whole', got 'frames' @ $.kinds[0]"),
        ({"count": True}, "expected int or str, got bool True @ $.count"),
        ({"count": 1.0}, "expected int or str, got float 1.0 @ $.count"),
        ({"count": None}, "expected int or str, got NoneType"),
        ({"amount": [1]}, "expected int or float or str or nothing, got list [1]"),
        ({"amount": float("nan")}, "finite"),
        ({"colour": "blue"}, "expected one of 'red', 'green', 3, got 'blue' @ $.colour"),
        ({"colour": 3.0}, "expected one of 'red', 'green', 3, got 3.0"),
        ({"maybe": "off"}, "expected one of 'on', got 'off' @ $.maybe"),
    ],
)
def test_lists_unions_and_choices_are_strict(table, message):
    with pytest.raises(ConfigError) as caught:
        read_several(**table)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("count", 3), ("count", "3"), ("amount", 1), ("amount", 1.5), ("amount", "1"), ("amount", None), ("share", "all"),
     ("colour", 3), ("maybe", "on"), ("maybe", None), ("pair", ("b", 2)), ("words", ("b", "a"))],
)  # fmt: skip
def test_the_exact_type_decides(name, value):
    read = getattr(read_several(**{name: list(value) if isinstance(value, tuple) else value}), name)
    assert read == value
    assert type(read) is type(value)


def test_whole_numbers_are_floats_where_there_is_no_int():
    assert type(read_several(share=2).share) is float


def test_sets_are_written_sorted_and_read_back():
    config = read_several(kinds=["whole", "frame"], marks=[20, 3, 1])
    table = make_converter().unstructure(config)
    assert (table["kinds"], table["marks"]) == (["frame", "whole"], [1, 3, 20])
    plain = {key: value for key, value in json.loads(json.dumps(table)).items() if value is not None}
    assert read_several(**plain) == config


def test_defaults_that_are_made_are_shown():
    shown = {row.name: (row.type, row.default) for row in describe(Several)}
    assert shown["names"] == ("list[str]", "[]")
    assert shown["marks"] == ("set[int]", "[1, 3, 20]")
    assert shown["kinds"] == ("frozenset[Rule]", '["frame", "whole"]')
    assert shown["colour"] == ('"red" | "green" | 3', '"red"')
    assert shown["total"] == ("int", "from the other options")


def test_only_what_is_not_at_its_default_has_changed():
    assert changed(read_several()) == {}
    assert changed(read_several(names=["a"], total=1)) == {"names": ["a"]}
    assert changed(read_several(names=["a"], total=5)) == {"names": ["a"], "total": 5}


def test_all_faults_are_listed():
    with pytest.raises(ConfigError) as caught:
        read(window="a", on=1, widow=2)
    assert len(str(caught.value).splitlines()) == 3


def test_numbers_of_numpy_are_numbers():
    read_ = read(window=np.int64(3), rate=np.float32(0.5), on=np.bool_(True), name=np.str_("a"), search=np.uint8(4))
    assert read_ == Options(3, 0.5, "a", True, search=4)
    assert [type(read_.window), type(read_.rate), type(read_.on), type(read_.name)] == [int, float, bool, str]


@attrs.frozen
class Named:
    path: Path = option(help="a file")


@pytest.mark.parametrize("path", ["a" * 300, "a\0b", "b/" * 3000, 3, b"a", "\ud800"])
def test_names_that_no_file_has_are_refused(path):
    with pytest.raises(ConfigError) as caught:
        structure(make_converter(), {"path": path}, Named, "$")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("table", [None, 3, "text", ["window"], {3: 4}])
def test_what_is_no_table_is_refused(table):
    with pytest.raises(ConfigError, match=r"@ \$"):
        structure(make_converter(), table, Options, "$")


@given(st.builds(Options, window=st.integers(1, 2**63 - 1), rate=FLOATS, name=st.text(), on=st.booleans(),
                 rule=st.sampled_from(Rule), search=st.none() | st.integers(-(2**63), 2**63 - 1)))  # fmt: skip
def test_round_trip(options):
    converter = make_converter()
    table = converter.unstructure(options)
    assert (
        structure(converter, {key: value for key, value in table.items() if value is not None}, Options, "$") == options
    )


def test_describe_shows_type_default_and_help():
    rows = {row.name: row for row in describe(Options)}
    assert (rows["window"].type, rows["window"].default, rows["window"].help) == ("int", "41", "frames")
    assert rows["rule"].type == '"frame" | "whole"'
    assert rows["search"].type == "int | None"
