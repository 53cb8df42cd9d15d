from __future__ import annotations

import pytest

from spikecore.errors import ConfigError, SpikeFormatError
from spikecore.experiment.toml import override, parse_value, read_table


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("1e-4", 1e-4), ("true", True), ('["a"]', ["a"]), ("adam", "adam"), ("'3'", "3"), ("", ""),
     ("a b", "a b"), ("1\nx = 2", "1\nx = 2"), ("a/x.dat", "a/x.dat")],
)  # fmt: skip
def test_values_are_toml_or_text(text, value):
    assert parse_value(text) == value


def test_override_sets_nested_values_and_list_entries():
    table = {"model": {"width": 32}, "metric": [{"use": "a"}]}
    changed = override(table, ["model.width=64", "model.depth=2", "metric.0.crop=3", "run.at=5"])
    assert changed == {
        "model": {"width": 64, "depth": 2},
        "metric": [{"use": "a", "crop": 3}],
        "run": {"at": 5},
    }
    assert table["model"] == {"width": 32}


@pytest.mark.parametrize("setting", ["novalue", "=3", "model.width.deep=3", "metric.5.use=x", "metric.x=3"])
def test_settings_that_fit_nowhere_are_refused(setting):
    with pytest.raises(ConfigError, match="--set"):
        override({"model": {"width": 1}, "metric": [{}]}, [setting])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "a = 1\na = 2", "not valid toml"),
        ("a.toml", "[x", "not valid toml"),
        ("a.json", '{"a": 1, "a": 2}', "duplicate key 'a'"),
        ("a.json", "[1]", "a JSON list"),
        ("a.json", "[" * 5000, "not valid json"),
        ("a.toml", "#" * 1_000_001, "at most 1000000 bytes"),
        ("a.toml", "x = 1\n" + "a." * 3000 + "a = 1", r"more than 32 parts \(at line 2\)"),
        ("a.toml", "[" + "a . " * 200_000 + "a]", "more than 32 parts"),
        ("a.toml", "x = {" + "'a'." * 200_000 + "a = 1}", "more than 32 parts"),
        ("a.toml", "x = " + "[" * 40 + "]" * 40, "deeper than 32"),
        ("a.toml", "x = " + "[" * 4000, "not valid toml"),
        ("a.toml", "x = 0x" + "f" * 5000, "more than 64 bits"),
        ("a.toml", "x = " + "9" * 5000, "not valid toml"),
        ("a.toml", "x = [" + "1," * 200_000 + "]", "more than 100000 values"),
        ("a.json", '{"a":' * 40 + "1" + "}" * 40, "deeper than 32"),
        ("a.json", '{"a": ' + "9" * 30 + "}", "more than 64 bits"),
        ("a.json", '{"a": ' + "9" * 5000 + "}", "not valid json"),
        ("a.json", '{"a": "\\ud800"}', "not valid json"),
        ("a.json", "{" + ",".join(f'"{n}":1' for n in range(60_000)) + ',"59999":1}', "duplicate key '59999'"),
        ("a" * 300 + ".toml", None, "cannot be read"),
    ],
)
def test_unreadable_tables_are_refused_with_the_file(tmp_path, name, text, message):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(SpikeFormatError, match=message) as caught:
        read_table(path)
    assert str(path)[:100] in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(SpikeFormatError, match="no such file"):
        read_table(tmp_path / "none.toml")


def test_undecodable_text_is_refused(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(SpikeFormatError, match="not valid"):
        read_table(tmp_path / "a.toml")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    for name, text in (("a.toml", "a = 1"), ("a.json", '{"a": 1}')):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
        assert read_table(tmp_path / name) == {"a": 1}


@pytest.mark.parametrize("size", [63, 31])
def test_large_numbers_that_are_read_are_right(tmp_path, size):
    (tmp_path / "a.json").write_text(f'{{"a": [{2**size - 1}, {-(2**size)}], "b": {{"c": [[[1.5]]]}}}}')
    assert read_table(tmp_path / "a.json") == {"a": [2**size - 1, -(2**size)], "b": {"c": [[[1.5]]]}}


@pytest.mark.parametrize(
    "setting",
    [
        "a." * 5000 + "a=1",
        "a=" + "[" * 5000,
        "a=0x" + "f" * 50,
        "list.\N{SUPERSCRIPT TWO}=1",
        "list." + "9" * 5000 + "=1",
    ],
)
def test_settings_beyond_bounds_are_refused(setting):
    with pytest.raises(ConfigError):
        override({"list": [1, 2, 3]}, [setting])


def test_a_table_that_is_no_plain_one_is_refused():
    deep: dict = {}
    deep["self"] = deep
    for table in (deep, {(1, 2): 3}):
        with pytest.raises(ConfigError, match="no plain table"):
            override(table, [])
