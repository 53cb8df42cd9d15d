"""A contract class for every fake component; run by tests/testing/test_kit.py, not by itself."""

from __future__ import annotations

from spikecore_fakes.table import fakes

from spikecore import Kind
from spikecore.testing import (
    LossContract,
    MetricContract,
    ModelContract,
    ReconstructorContract,
    SourceContract,
    TrainerContract,
)

CONTRACTS = {
    Kind.SOURCE: SourceContract,
    Kind.RECONSTRUCTOR: ReconstructorContract,
    Kind.MODEL: ModelContract,
    Kind.LOSS: LossContract,
    Kind.METRIC: MetricContract,
    Kind.TRAINER: TrainerContract,
}

for fake in fakes():
    globals()[f"Test{fake.label}"] = type(
        f"Test{fake.label}", (CONTRACTS[fake.kind],), {"component": fake.id, "__module__": __name__, **fake.flags}
    )


class TestHeavyReconstructor(ReconstructorContract):
    component = "fakes-heavy/mean"


class TestEagerReconstructor(ReconstructorContract):
    component = "fakes-eager/mean"
