"""What the verbs are given from Python: a wrong argument is an error in own words, never a bare one."""

from __future__ import annotations

import numpy as np
import pytest

import spikecore as sc

STREAM = sc.SpikeStream.from_frames(np.random.default_rng(0).random((60, 8, 8)) < 0.3)
HUGE = 10**5000
NAN, INF = float("nan"), float("inf")
SCENE = {"use": "builtin/scene", "height": 8, "width": 8, "length": 60}


def kind(value):
    """A name for a test; the values themselves are no text."""
    return type(value).__name__


def deep():
    table: dict = {}
    inner = table
    for _ in range(5000):
        inner["a"] = {}
        inner = inner["a"]
    return table


@pytest.mark.parametrize(
    "at", [NAN, INF, -INF, -1, 60, 10**400, HUGE, 1e308, True, "3", [3], 2j, np.array([1]), np.True_], ids=kind
)
def test_instants(at):
    with pytest.raises(sc.UsageError) as caught:
        sc.reconstruct(STREAM, "classic/tfp", at=at)
    assert len(str(caught.value)) < 500


def test_instants_of_numpy():
    expected = sc.reconstruct(STREAM, "classic/tfp", at=30)
    for at in (np.int64(30), np.float32(30), 30.0):
        assert np.array_equal(sc.reconstruct(STREAM, "classic/tfp", at=at), expected)


@pytest.mark.parametrize(
    "options",
    [{"gain": value} for value in (NAN, INF, -1, 0, 10**400, HUGE, 1e308, True, "2", [1])]
    + [{"window": value} for value in (True, HUGE, NAN, 0, -1, "3", None, [3], {}, 3.0)]
    + [{"device": value} for value in ("", "nope", "meta", "cuda:99", 3, "x" * 10**5, b"cpu")]
    + [{"nothing": 3}, {"weights": "a" * 5000}],
)
def test_options(options):
    with pytest.raises((sc.UsageError, sc.WeightsError)) as caught:
        sc.reconstruct(STREAM, "classic/tfp", at=30, **options)
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        *[(sc.open, (path,)) for path in (None, 3, b"x.dat", "a" * 5000, "a\0.dat", "b/" * 3000, "\ud800.dat")],
        *[(sc.save, (STREAM, path)) for path in (None, 3, "a" * 5000 + ".dat", "a\0.dat")],
        *[(sc.save, (stream, "a.dat")) for stream in (None, 3, np.zeros((3, 8, 8)))],
        *[(sc.reconstruct, (stream, "classic/tfp")) for stream in (None, 3, "a.dat", np.zeros((3, 8, 8)))],
        *[(sc.reconstruct, (STREAM, method)) for method in ("", None, 3, b"classic/tfp", ["classic/tfp"], "x" * 10**5)],
        *[(sc.prepare, (what,)) for what in (None, 3, b"", {})],
        *[(sc.list_components, (kind,)) for kind in ("sources", 3, "")],
        *[(sc.run, (what,)) for what in (None, 3, [], {}, {3: 4}, "a" * 5000, "a\0.toml", {"source": deep()}, deep())],
        *[(sc.evaluate, (what,)) for what in (None, 3, [], {})],
    ],
    ids=kind,
)
def test_arguments(verb, arguments):
    with pytest.raises(sc.SpikecoreError) as caught:
        verb(*arguments)
    assert len(str(caught.value)) < 2000 or "x" * 1000 in str(arguments[-1])


@pytest.mark.parametrize(
    "table",
    [{"seed": HUGE}, {"seed": -1}, {"seed": True}, {"name": 3}, {"requires": [""]}, {"requires": 3}, {"metric": 3},
     {"stage": [3]}, {"stage": [{"name": "a", "steps": 1, "losses": {"x": HUGE}}]}, {"run": 3}, {"run": {"at": NAN}},
     {"source": 3}, {"source": {"use": 3}}, {"source": {**SCENE, "height": deep()}},
     {"source": {**SCENE, "clips": 2**64}}],
)  # fmt: skip
def test_tables(table):
    with pytest.raises(sc.SpikecoreError) as caught:
        sc.run(table)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "options",
    [{"source": 3}, {"metrics": 3}, {"metrics": "builtin/psnr"}, {"losses": [3]}, {"seed": HUGE}, {"display": "x"},
     {"at": 3, "start": 4}, {"output": 3}],
)  # fmt: skip
def test_compositions(options):
    with pytest.raises(sc.UsageError):
        sc.compose(**options)


@pytest.mark.parametrize("run", [3, "raw", {"gain": 2.0}])
def test_what_is_no_run_config(run):
    with pytest.raises(sc.UsageError, match="expected a RunConfig"):
        sc.prepare("classic/tfp", run=run)


@pytest.mark.parametrize("output", [3, None, "a\0.npy", "a" * 5000 + ".npy"])
def test_outputs_and_observers(output, tmp_path):
    table = {"source": SCENE, "reconstructor": {"use": "classic/tfp", "window": 5}}
    with pytest.raises(sc.UsageError):
        sc.run(table, output=output)
    with pytest.raises(sc.UsageError, match="observers"):
        sc.run(table, output=tmp_path / "a.npy", observers=3)


@pytest.mark.parametrize("instants", [3, [NAN], ["x"], [HUGE], [None], [True], [30, 20]])
def test_instants_of_a_stream(instants):
    made = sc.prepare("classic/tfp", window=5)
    with pytest.raises(sc.UsageError):
        list(made.stream(sc.Sample(key="a", spikes=STREAM), instants))


def test_a_description_may_have_a_byte_order_mark(tmp_path):
    sc.save(STREAM, tmp_path / "a.npz")
    sc.save(sc.open(tmp_path / "a.npz"), tmp_path / "a.dat")
    beside = tmp_path / "a.dat.toml"
    beside.write_bytes(b"\xef\xbb\xbf" + beside.read_bytes())
    assert sc.open(tmp_path / "a.dat").shape == STREAM.shape
