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
import pytest
import torch
from spikecore_fakes.table import fakes

from spikecore import PluginHost, testing
from spikecore.api import default_host

FAKES = Path(__file__).resolve().parents[1] / "fakes"
ENTRY_POINTS = """\
[spikecore.plugins]
fakes = spikecore_fakes
fakes-heavy = spikecore_fakes_heavy
fakes-eager = spikecore_fakes_eager
"""

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
