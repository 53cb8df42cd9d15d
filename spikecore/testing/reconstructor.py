"""What every reconstructor promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from spikecore.data.batch import Batch
from spikecore.data.kinds import Data
from spikecore.data.sample import Sample
from spikecore.data.spikes import SpikeStream
from spikecore.plugin.component import Component, Kind
from spikecore.testing import data
from spikecore.testing.checks import difference
from spikecore.testing.method import MethodContract, Results, Run


class ReconstructorContract(MethodContract):
    """Tests for a reconstructor. Those about intensity apply to images made from spikes alone.

    Attributes:
        calibrated: True if a pixel that fires `rate` times a frame gets the intensity `rate`.
        highest: Largest intensity it may give, in spikes per frame; None if it promises no range.
    """

    kind: ClassVar[Kind] = Kind.RECONSTRUCTOR
    calibrated: ClassVar[bool] = True
    highest: ClassVar[float | None] = 1.0

    @pytest.fixture
    def run(self, built: Any, entry: Component) -> Run:
        """Calls `reconstruct`; a tensor alone is of the first kind that the component produces."""
        assert entry.produces, f"{entry.id} does not say what it produces"

        def run(batch: Batch) -> Results:
            found = built.reconstruct(batch)
            held = found if isinstance(found, Mapping) else {entry.produces[0]: found}
            return {kind: held[kind] for kind in entry.produces if kind in held}

        return run

    def recording(self, built: Any, stream: SpikeStream) -> Sample:
        """A stream as a sample cut to the component's window."""
        sample = Sample(key=stream.name, spikes=stream)
        return sample.around(built.window, built.window.anchor if built.window.length else None)

    def test_images_are_spikes_per_frame(self, built: Any, entry: Component, run: Run) -> None:
        """Images are intensities in spikes per frame: from 0 to `highest`.

        If this fails: give neither 8-bit values nor min-max scaled ones; gain and display are the runner's.
        """
        if not self._makes_images(entry) or self.highest is None:
            pytest.skip("promises no range of intensities")
        length, size = built.window.length or self.length, self.sizes[0]
        for stream in (
            data.random_spikes(0.3, length, size),
            data.moving_bar(length, size),
            data.bright(length, size),
        ):
            image = run(self.batch(self.recording(built, stream)))[Data.IMAGE]
            low, high = float(image.min()), float(image.max())
            assert low >= 0, f"{stream.name} gives {low:g}"
            assert high <= self.highest + self.tolerance, f"{stream.name} gives {high:g}, more than {self.highest:g}"

    def test_constant_rate_gives_the_rate(self, built: Any, entry: Component, run: Run) -> None:
        """Of a still picture, bright in its upper left quarter, every part gets its rate (within 0.02 on average).

        If this fails: divide by the number of frames; look for a flipped or transposed picture; if it is a model's raw
        output or a relative measure, set `calibrated = False`.
        """
        if not self._makes_images(entry) or not self.calibrated:
            pytest.skip("not calibrated in spikes per frame")
        length, (height, width) = built.window.length or self.length, self.sizes[0]
        rates = np.full((height, width), 1 / 8)
        rates[: height // 2, : width // 2] = 1 / 2
        stream = data.constant_rate(rates, length, (height, width))
        image = run(self.batch(self.recording(built, stream)))[Data.IMAGE][0, 0]
        inside = image[: height // 2 - 2, : width // 2 - 2].mean()
        outside = torch.cat([image[height // 2 + 2 :].flatten(), image[:, width // 2 + 2 :].flatten()]).mean()
        assert abs(float(inside) - 1 / 2) < 0.02, f"pixels of rate 1/2 get {float(inside):.3f}"
        assert abs(float(outside) - 1 / 8) < 0.02, f"pixels of rate 1/8 get {float(outside):.3f}"

    def test_session_gives_the_same(self, built: Any, entry: Component, run: Run) -> None:
        """If it offers `session(stream)`, then `session.image(at)` is what `reconstruct` gives for that instant.

        If this fails: compare what the session carries from one instant to the next with a fresh start; instants come
        in increasing order, some side by side, some with gaps.
        """
        if getattr(built, "session", None) is None:
            pytest.skip("offers no session")
        stream = data.random_spikes(0.3, (built.window.length or self.length) + 12, self.sizes[0], seed=3)
        sample = Sample(key="session", spikes=stream)
        valid = built.window.valid(len(stream))
        session = built.session(stream)
        for at in (*valid[:3], *valid[5:7], valid[-1]):
            alone = run(self.batch(sample.around(built.window, at)))[entry.produces[0]]
            apart = difference(torch.from_numpy(np.asarray(session.image(at)))[None], alone[0])
            assert apart <= self.tolerance, f"instant {at} differs by {apart:g}"

    def _makes_images(self, entry: Component) -> bool:
        return Data.IMAGE in entry.produces and entry.consumes == {Data.SPIKES}
