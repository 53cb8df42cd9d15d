"""The contract tests find out every fake component that breaks a promise, and pass the right ones.

All fakes go through one pytest run inside this one, as an installed plugin would: a folder with entry points is put on
the path, so that also the fresh process of the listing test finds them.
"""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import attrs
import numpy as np
import pytest
import torch

FAKES = Path(__file__).with_name("fakes")
ENTRY_POINTS = """\
[spikecore.plugins]
fakes = spikecore_fakes
fakes-heavy = spikecore_fakes_heavy
fakes-eager = spikecore_fakes_eager
"""
sys.path.insert(0, str(FAKES))
from spikecore_fakes.table import fakes  # noqa: E402  # the folder must be on the path first

from spikecore import Data, PluginHost, testing  # noqa: E402
from spikecore.api import default_host  # noqa: E402
from spikecore.testing import data  # noqa: E402
from spikecore.testing.checks import shape_fault  # noqa: E402

EXPECTED = {f"Test{fake.label}": set(fake.fails) for fake in fakes()} | {
    "TestHeavyReconstructor": {"test_lists_without_heavy_imports"},
    "TestEagerReconstructor": {"test_lists_without_heavy_imports"},
}
CONTRACTS = [value for value in vars(testing).values() if inspect.isclass(value)]
GPU_ONLY = "[cuda]"


@attrs.frozen
class Recorder:
    """Notes what became of the tests of each contract class: failed names with reports, and passed names."""

    failed: dict[str, dict[str, str]] = attrs.field(factory=lambda: defaultdict(dict))
    passed: dict[str, set[str]] = attrs.field(factory=lambda: defaultdict(set))
    skipped: dict[str, set[str]] = attrs.field(factory=lambda: defaultdict(set))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        _, label, name = report.nodeid.split("::")
        if report.failed:
            self.failed[label][name] = str(report.longrepr)
        elif report.skipped:
            self.skipped[label].add(name)
        elif report.when == "call":
            self.passed[label].add(name)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    folder = tmp_path_factory.mktemp("site")
    info = folder / "spikecore_fakes-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spikecore-fakes\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    recorder = Recorder()
    options = ["-q", "--tb=short", "--import-mode=importlib", "-W", "error", "-p", "no:cacheprovider", "-c", os.devnull]
    sys.path.insert(0, str(folder))
    default_host.cache_clear()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # tensors are tiny: threads would only wait for each other
    try:
        pytest.main([*options, f"--rootdir={FAKES}", str(FAKES / "contracts.py")], plugins=[recorder])
    finally:
        torch.set_num_threads(threads)
        sys.path.remove(str(folder))
        default_host.cache_clear()
    return recorder


@pytest.mark.parametrize("label", EXPECTED)
def test_fake_fails_exactly_what_it_breaks(outcome: Recorder, label: str) -> None:
    expected = {name for name in EXPECTED[label] if torch.cuda.is_available() or not name.endswith(GPU_ONLY)}
    reports = outcome.failed[label]
    assert outcome.passed[label], "the contract did not run"
    surplus = {name: reports[name] for name in reports.keys() - expected}
    assert set(reports) == expected, "\n".join(surplus.values())


def test_every_fake_was_run(outcome: Recorder) -> None:
    assert set(outcome.passed) == set(EXPECTED)


def test_every_contract_test_finds_a_fault() -> None:
    promised = {name for contract in CONTRACTS for name in dir(contract) if name.startswith("test_")}
    found = {name.partition("[")[0] for names in EXPECTED.values() for name in names}
    assert promised == found


def test_right_fakes_of_all_kinds_skip_no_test_they_could_run(outcome: Recorder) -> None:
    right = {label for label, fails in EXPECTED.items() if not fails}
    passed = {name.partition("[")[0] for label in right for name in outcome.passed[label]}
    assert {name for contract in CONTRACTS for name in dir(contract) if name.startswith("test_")} == passed


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.__name__)
def test_every_contract_test_says_what_to_do_when_it_fails(contract: type) -> None:
    for name in dir(contract):
        if name.startswith("test_"):
            text = inspect.getdoc(getattr(contract, name)) or ""
            remedy = text.partition("\n\nIf this fails: ")[2]
            assert remedy, f"{contract.__name__}.{name} has no 'If this fails: …'"


def test_silent_override_is_refused_with_the_remedy() -> None:
    with pytest.raises(TypeError, match=r"TestMean\.test_input_is_untouched .*xfail\(reason='…'\)"):

        class TestMean(testing.ReconstructorContract):
            component = "mean/mean"

            def test_input_is_untouched(self) -> None:
                pass


def test_override_without_a_reason_is_refused() -> None:
    with pytest.raises(TypeError, match="xfail"):

        class TestMean(testing.ReconstructorContract):
            component = "mean/mean"

            @pytest.mark.xfail
            def test_input_is_untouched(self) -> None:
                pass


def test_removal_is_refused() -> None:
    with pytest.raises(TypeError, match="xfail"):
        type("TestMean", (testing.LossContract,), {"test_is_finite": None})


def test_override_below_an_own_class_is_refused() -> None:
    class Own(testing.MetricContract):
        perfect = 1.0

    with pytest.raises(TypeError, match="test_reset_forgets"):
        type("TestOwn", (Own,), {"test_reset_forgets": lambda self: None})


def test_excused_override_and_own_tests_are_taken() -> None:
    class TestMean(testing.ReconstructorContract):
        component = "mean/mean"

        @pytest.mark.xfail(reason="writes into its input to save memory")
        def test_input_is_untouched(self) -> None:
            pass

        def test_something_of_its_own(self) -> None:
            pass

    assert TestMean.component == "mean/mean"


def test_assertions_explain_themselves(outcome: Recorder) -> None:
    assert "assert 0 > 0" in outcome.failed["TestNoClipsSource"]["test_has_samples"]


def test_the_empty_host_discovers_nothing(plugin_host: PluginHost) -> None:
    assert not plugin_host.components()
    assert not plugin_host.statuses


def test_the_pytest_plugin_is_light() -> None:
    code = "import sys, spikecore._pytest_plugin; print(sorted({'torch', 'numpy', 'attrs'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_constant_rates_are_what_they_say() -> None:
    rates = np.array([[0.0, 0.125, 1 / 3], [0.5, 0.9, 1.0]])
    counts = data.constant_rate(rates, 1000, (2, 3)).counts()
    assert np.abs(counts - 1000 * rates).max() <= 1
    intervals = data.constant_rate(0.25, 40, (5, 7)).intervals(20)
    assert (intervals == 4).all()


def test_phases_are_spread_evenly() -> None:
    counts = data.constant_rate(0.125, 4, (13, 17)).counts()
    assert counts.mean() == pytest.approx(0.5, abs=0.02)


def test_the_bar_is_where_it_is_said_to_be() -> None:
    frames = data.moving_bar(40, (3, 7), every=4).unpack()
    assert frames.sum() == 40 * 3
    assert [int(frame[0].argmax()) for frame in frames] == [t // 4 % 7 for t in range(40)]


def test_random_spikes_have_their_rate_and_are_seeded() -> None:
    stream = data.random_spikes(0.3, 500, (13, 17), seed=4)
    assert stream.counts().mean() == pytest.approx(150, rel=0.02)
    assert np.array_equal(stream.packed, data.random_spikes(0.3, 500, (13, 17), seed=4).packed)
    assert data.dark(5, (3, 4)).counts().max() == 0
    assert data.bright(5, (3, 4)).counts().min() == 5


def test_events_are_sorted_and_inside() -> None:
    events = data.event_stream(0.5, (13, 17), seed=2)
    assert len(events) == 2 * 13 * 17
    assert (np.diff(events.t) >= 0).all()
    assert events.frames([0, data.EVENT_SPAN]).sum() == len(events)
    assert len(data.event_stream(0, (13, 17))) == 0


def test_unknown_depth_is_in_the_ground_truth() -> None:
    one = data.sample(("spikes", "frames", "events", "label", "text"), data.Shape(cameras=2), targets=("depth", "flow"))
    assert one.kinds == {"spikes", "frames", "events", "label", "text"}
    assert len(one.events) == 2
    for kind in ("depth", "flow"):
        assert 0 < np.isnan(one.target[kind]).mean() < 0.3
    assert np.nanmin(one.target["depth"]) > 0


@pytest.mark.parametrize(
    ("kind", "shape", "fault"),
    [
        (Data.IMAGE, (2, 3, 5, 7), ""),
        (Data.VIDEO, (2, 9, 3, 5, 7), ""),
        (Data.DEPTH, (2, 1, 5, 7), ""),
        (Data.LABEL, (2, 10), ""),
        (Data.FEATURES, (2, 4, 4), ""),
        (Data.IMAGE, (2, 5, 7), "image has shape (2, 5, 7), expected (2, C, 5, 7)"),
        (Data.IMAGE, (1, 3, 5, 7), "image has shape (1, 3, 5, 7), expected (2, C, 5, 7)"),
        (Data.IMAGE, (2, 3, 4, 7), "image has shape (2, 3, 4, 7), expected (2, C, 5, 7)"),
        (Data.DEPTH, (2, 2, 5, 7), "depth has shape (2, 2, 5, 7), expected (2, 1, 5, 7)"),
        (Data.FLOW, (2, 1, 5, 7), "flow has shape (2, 1, 5, 7), expected (2, 2, 5, 7)"),
        (Data.FEATURES, (1, 4), "features has shape (1, 4), expected (2, ?)"),
    ],
)
def test_shapes_are_judged_by_kind(kind: Data, shape: tuple[int, ...], fault: str) -> None:
    assert shape_fault(kind, shape, items=2, size=(5, 7)) == fault
