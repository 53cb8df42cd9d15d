"""Contract tests for plugins: subclass the contract of your component's kind, state its id, and run pytest.

```
from spikecore.testing import ReconstructorContract

class TestMean(ReconstructorContract):
    component = "mean/mean"
```

`spikecore.testing.data` holds the seeded data that the tests are made of.
"""

from __future__ import annotations

from spikecore.testing.contract import ComponentContract
from spikecore.testing.loss import LossContract
from spikecore.testing.method import MethodContract
from spikecore.testing.metric import MetricContract
from spikecore.testing.model import ModelContract
from spikecore.testing.reconstructor import ReconstructorContract
from spikecore.testing.source import SourceContract
from spikecore.testing.trainer import TrainerContract

__all__ = [
    "ComponentContract",
    "LossContract",
    "MethodContract",
    "MetricContract",
    "ModelContract",
    "ReconstructorContract",
    "SourceContract",
    "TrainerContract",
]
