"""What every source promises."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from spikecore.data.kinds import Data
from spikecore.data.sample import Sample
from spikecore.files.recordings import write_stream
from spikecore.plugin.component import Component, Kind
from spikecore.plugin.host import PluginHost
from spikecore.plugin.interfaces import SpikeSource
from spikecore.testing.checks import changed, sample_arrays, shape_fault
from spikecore.testing.contract import ComponentContract

_LARGE = 100_000


class SourceContract(ComponentContract):
    """Tests for a source. Sources that read files override the fixture `settings` and write a small file there."""

    kind: ClassVar[Kind] = Kind.SOURCE

    def test_has_samples(self, built: SpikeSource) -> None:
        """`len()` is the number of samples, at least one.

        If this fails: a source of nothing must raise when it is built, saying what it looked for and where.
        """
        assert len(built) > 0, f"{self.component} has {len(built)} samples"

    def test_ends_with_index_error(self, built: SpikeSource) -> None:
        """Past the end there is `IndexError`, so that `for sample in source` stops.

        If this fails: begin `__getitem__` with `if not 0 <= index < len(self): raise IndexError(…)`.
        """
        for index in (len(built), len(built) + 7):
            with pytest.raises(IndexError):
                built[index]

    def test_yields_samples(self, built: SpikeSource) -> None:
        """Items are `Sample`s with keys that tell them apart.

        If this fails: return `spikecore.Sample(key=…)`, the key made of the file's name or the item's number.
        """
        samples = [built[index] for index in range(min(len(built), 3))]
        assert all(isinstance(sample, Sample) for sample in samples), f"items are {type(samples[0]).__name__}"
        keys = [sample.key for sample in samples]
        assert all(keys), "a key is empty"
        assert len(set(keys)) == len(keys), f"keys are not unique: {keys}"

    def test_instant_is_in_the_recording(self, built: SpikeSource) -> None:
        """The frame that the target belongs to is one of the recording.

        If this fails: `Sample.at` counts from 0; see whether it was taken from a file that counts from 1.
        """
        sample = built[0]
        assert sample.spikes is None or 0 <= sample.instant < len(sample.spikes), f"at={sample.at} is not a frame"

    def test_carries_what_it_declares(self, built: SpikeSource, entry: Component) -> None:
        """A sample carries the kinds that the component produces; beyond those only labels and texts.

        If this fails: make `produces=(…)` of the `Component` and the fields of the `Sample` agree.
        """
        held = built[0].kinds
        assert entry.produces, f"{entry.id} does not say what it produces"
        declared = frozenset(entry.produces)
        missing, extra = declared - held, held - declared - {Data.LABEL, Data.TEXT}
        assert not missing, f"declared but not carried: {', '.join(sorted(missing))}"
        assert not extra, f"carried but not declared: {', '.join(sorted(extra))}"

    def test_targets_are_what_they_should_be(self, built: SpikeSource, entry: Component) -> None:
        """Ground truth is of declared kinds, float32, in the shapes and ranges of `spikecore.data.sample`.

        If this fails: see `targets=(…)` of the `Component`, and the table of shapes in `spikecore.data.sample`.
        """
        for kind, value in built[0].target.items():
            assert kind in entry.targets, f"a target of kind {kind} is not declared"
            assert value.dtype == np.float32, f"target {kind} is {value.dtype}, expected float32"
            assert value.ndim >= 3, f"target {kind} has shape {value.shape}"
            size = (value.shape[-2], value.shape[-1])
            assert not (fault := shape_fault(Data(kind), (1, *value.shape), 1, size)), (
                f"target (in a batch of one) {fault}"
            )
            if kind in (Data.IMAGE, Data.VIDEO):
                assert value.min() >= 0, f"target {kind} has values below 0"
                assert value.max() <= 1, f"target {kind} has values above 1"

    def test_same_index_gives_equal_samples(self, built: SpikeSource) -> None:
        """Asking twice gives the same sample.

        If this fails: seed what is random by the index, and hold no file position between calls.
        """
        for index in {0, len(built) - 1}:
            one = sample_arrays(built[index])
            built[0]
            assert not (names := changed(one, sample_arrays(built[index]))), f"sample {index} changed: {names}"

    def test_is_picklable(self, built: SpikeSource) -> None:
        """The source can be sent to worker processes and gives the same samples there.

        If this fails: open files in `__getitem__`, or leave handles out in `__getstate__`.
        """
        copy: SpikeSource = ForkingPickler.loads(ForkingPickler.dumps(built))
        assert len(copy) == len(built)
        assert not (names := changed(sample_arrays(built[0]), sample_arrays(copy[0]))), f"the copy differs in {names}"

    def test_opens_lazily(self, built: SpikeSource, host: PluginHost, entry: Component, settings: Any) -> None:
        """Building the source and asking its length takes less memory than half a sample; needs samples over 100 kB.

        If this fails: read headers only in `__init__`; map files into memory instead of reading them.
        """
        size = sum(array.nbytes for array in sample_arrays(built[0]).values())
        if size < _LARGE:
            pytest.skip(f"samples of {size} bytes are too small to tell; give `settings` a file of over {_LARGE}")
        tracemalloc.start()
        try:
            len(host.build(entry, settings))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < size / 2, f"building took {peak} bytes for a sample of {size}"

    def test_reads_what_its_writer_wrote(
        self, built: SpikeSource, host: PluginHost, entry: Component, settings: Mapping[str, Any], tmp_path: Path
    ) -> None:
        """A recording written in this format and opened with the same options is the same recording.

        A source that recognises files by content must know it, too.

        If this fails: compare bit order, row order and size of what the writer wrote with what the source expects; see
        what `recognise` makes of the first bytes, or the keys, of the file.
        """
        stream = built[0].spikes
        if not entry.writer or stream is None:
            pytest.skip(f"{entry.id} writes no spikes")
        path = tmp_path / f"written{entry.patterns[0].lstrip('*')}"
        options = {**settings, "path": str(path)}
        write_stream(host, stream, path, entry.id, options)
        read = host.build(entry, options)[0].spikes
        assert read is not None, "what was written has no spikes"
        assert read.shape == stream.shape, f"wrote {stream.shape}, read {read.shape}"
        assert np.array_equal(read.unpack(), stream.unpack()), "the spikes differ"
        sure = entry.load_recogniser()(path, path.read_bytes()[:4096]) if entry.recognise else 1
        assert 0 < sure <= 1, f"{entry.recognise} is sure by {sure} of what it reads; expected above 0, at most 1"
