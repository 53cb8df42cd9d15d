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
    ],
)
def test_unreadable_tables_are_refused_with_the_file(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(SpikeFormatError, match=message) as caught:
        read_table(path)
    assert str(path) in str(caught.value)


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(SpikeFormatError, match="no such file"):
        read_table(tmp_path / "none.toml")


def test_undecodable_text_is_refused(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(SpikeFormatError, match="not valid"):
        read_table(tmp_path / "a.toml")
