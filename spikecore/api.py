"""The verbs of `import spikecore as sc`: open, prepare, reconstruct, compose, run, evaluate, save, list_components."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from spikecore.data.spikes import SpikeStream
from spikecore.errors import SpikeFormatError, UsageError, closest, shown
from spikecore.experiment.experiment import Experiment
from spikecore.experiment.run_config import RunConfig
from spikecore.files.recordings import find_source
from spikecore.plugin.bound import Bound, sample_of
from spikecore.plugin.component import Component, Kind
from spikecore.plugin.converter import as_path
from spikecore.plugin.host import PluginHost
from spikecore.plugin.interfaces import SpikeSource
from spikecore.plugin.known import install_hint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from spikecore.plugin.run_info import Score
    from spikecore.runner.execute import Summary
    from spikecore.runner.prepare import Pipeline

Reference: TypeAlias = str | Mapping[str, Any]
"""A component: its id, or a table {"use": id, option: value, …}."""


@cache
def default_host() -> PluginHost:
    """The host with every installed plugin, discovered once a process; pass `host=` anywhere to use another."""
    return PluginHost.discover()


def list_components(kind: Kind | str | None = None, *, host: PluginHost | None = None) -> list[Component]:
    """Every component of the installed plugins, sorted by kind and id. Imports none of their code.

    >>> "builtin/scene" in [component.id for component in list_components("source")]
    True
    """
    if kind is not None and kind not in list(Kind):
        raise UsageError(f"no kind of component {shown(kind)}: {closest(str(kind), Kind)}")
    return (host or default_host()).components(kind)


def open_source(
    path: str | Path, *, source: str | None = None, host: PluginHost | None = None, **options: Any
) -> SpikeSource:
    """Open a recording or a folder of them as a source of samples.

    Args:
        path: The file or folder.
        source: Id of the source that shall read it; chosen by file name where not said.
        host: Where to look for sources.
        **options: Options of the source, for example height=250, width=400.

    Raises:
        SpikeFormatError: If the file is missing, of no known kind, or not what it seems.
        ConfigError: If an option does not fit the source.
    """
    return _opened(path, source, host, options)[0]


def _opened(
    path: str | Path, source: str | None, host: PluginHost | None, options: Mapping[str, Any]
) -> tuple[SpikeSource, Component]:
    host = host or default_host()
    component = find_source(host, _path(path), source)
    given = {name: value for name, value in options.items() if value is not None}
    return host.build(component, {"path": str(path), **given}), component


def open(path: str | Path, *, source: str | None = None, host: PluginHost | None = None, **options: Any) -> SpikeStream:
    """Open one recording as a `SpikeStream`; a 100 GB file costs milliseconds and no memory.

    Arguments and errors as `open_source`. A path to a source of several recordings is refused: use `open_source`.
    """
    samples, component = _opened(path, source, host, options)
    if len(samples) != 1:
        raise UsageError(f"{path} holds {len(samples)} recordings; use spikecore.open_source(path)[i].spikes")
    stream = sample_of(samples, component, 0).spikes
    if stream is None:
        raise SpikeFormatError(path, "no spikes", expected="a spike recording", hint="use spikecore.open_source(path)")
    return stream


def prepare(
    what: Experiment | Bound | str | Path | Mapping[str, Any],
    *,
    gain: float | None = None,
    device: str | None = None,
    weights: str | Path = "",
    run: RunConfig | None = None,
    host: PluginHost | None = None,
    **options: Any,
) -> Pipeline:
    """A method with its weights found, checked and loaded once, for any number of images and videos.

    Args:
        what: Id of a reconstructor or model ("ssml/nbsn"); or an experiment, its table, its TOML file or a run.json,
            whose method and [run] are used as they are.
        gain: Intensity per spike rate; each recording's own where it states one, else 1.
        device: Where to compute; the CPU by default.
        weights: Of a model: a file, or a name that `spikecore weights list` shows; by default the first that fit.
        run: All options of the runner; instead of `gain`, `device` and `weights`.
        host: Where to look for the method.
        **options: Options of the method, for example window=41.

    Returns:
        `image(stream, at)` gives one image; `stream(sample, instants)` yields results one by one, and closing it
        cancels the rest; `outputs(sample)` gives every kind of result.

    Raises:
        WeightsError, ConfigError, UsageError, PluginError: Why the method cannot be used here.
    """
    from spikecore.runner.prepare import prepared, prepared_experiment
    from spikecore.weights.settle import settled

    if not isinstance(what, (Experiment, Bound, str, Path, Mapping)):
        raise UsageError(f"expected a method's id, an experiment or its file, got {shown(what)}")
    how: dict[str, Any] = {"gain": gain, "device": device, "weights": str(weights or "") or None}
    how = {name: value for name, value in how.items() if value is not None}
    is_id = isinstance(what, str) and not what.endswith((".toml", ".json"))
    states_run = not is_id and not isinstance(what, Bound)  # an experiment says itself how it is run
    unused = [] if is_id else list(options)
    if run is not None or states_run:
        unused += how
    if run is not None and states_run:
        unused.append("run")
    if unused:
        raise UsageError(
            f"{', '.join(unused)}: stated already, by the experiment, the bound method or run; leave it out"
        )
    run = RunConfig(**how) if run is None else run
    if not isinstance(run, RunConfig):
        raise UsageError(f"run: expected a RunConfig, got {shown(run)}")
    if isinstance(what, Bound):
        return prepared(host or default_host(), what, run)
    if is_id:
        host = host or default_host()
        component = host.find(str(what), Kind.RECONSTRUCTOR, Kind.MODEL)
        return prepared(host, Bound(component, host.configure(component, options), frozenset(options)), run)
    return prepared_experiment(settled(_bound(what, host)))


def reconstruct(
    stream: SpikeStream,
    method: str,
    *,
    at: float | None = None,
    gain: float | None = None,
    device: str = "cpu",
    weights: str | Path = "",
    host: PluginHost | None = None,
    **options: Any,
) -> NDArray[np.float32]:
    """Reconstruct one image; for several, `prepare` once and ask its `image`.

    Args:
        stream: The recording.
        method: Id of a reconstructor or model, for example "classic/tfp".
        at: Frame number of the instant; the middle frame by default.
        gain: Intensity per spike rate; the recording's own where it states one, else 1.
        device: Where to compute.
        weights: Of a model: a file, or a name that `spikecore weights list` shows; by default the first that fit.
        host: Where to look for the method.
        **options: Options of the method, for example window=41.

    Returns:
        float32 (height, width), intensity in spike-rate units × gain, clipped to [0, 1].
    """
    return prepare(method, gain=gain, device=device, weights=weights, host=host, **options).image(stream, at)


def save(
    stream: SpikeStream, path: str | Path, *, format: str | None = None, host: PluginHost | None = None, **options: Any
) -> Path:
    """Write a recording in the format of its file name, atomically.

    Args:
        stream: What to write.
        path: The file; an existing one is replaced only when the new one is complete.
        format: Id of the source component whose writer is used; chosen by file name where not said.
        host: Where to look for writers.
        **options: Options of that component.

    Raises:
        OutputError: If no installed plugin writes such files, or the disk is full or read-only.
    """
    from spikecore.files.recordings import write_stream

    if not isinstance(stream, SpikeStream):
        raise UsageError(f"expected a SpikeStream to save, got {shown(stream)}")
    return write_stream(host or default_host(), stream, _path(path), format, options)


def _path(path: object) -> Path:
    try:
        return as_path(path)
    except (TypeError, ValueError) as error:
        raise UsageError(f"a path: {error}") from None


def compose(
    *,
    source: Reference | None = None,
    reconstructor: Reference | None = None,
    model: Reference | None = None,
    losses: Iterable[Reference] = (),
    metrics: Iterable[Reference] = (),
    trainer: Reference | None = None,
    seed: int = 0,
    host: PluginHost | None = None,
    **run: Any,
) -> Experiment:
    """Put components together by name; refused at once, with both ids, where inputs and outputs do not fit.

    Args:
        source: Where samples come from.
        reconstructor: The method, or a `model` that is used as one.
        model: A trainable method.
        losses: What it is trained by.
        metrics: What it is judged by.
        trainer: Who trains it.
        seed: Seeds everything random.
        host: Where to look for components.
        **run: Options of the runner, see `spikecore.experiment.run_config.RunConfig`.

    Raises:
        UnknownComponent, AmbiguousComponent, ConfigError, CompositionError: Before any heavy module is imported.
    """
    single = {"source": source, "reconstructor": reconstructor, "model": model, "trainer": trainer}
    table: dict[str, Any] = {role: _table(value) for role, value in single.items() if value is not None}
    table |= {"loss": _tables(losses), "metric": _tables(metrics)}
    return Experiment.from_dict({**table, "seed": seed, "run": run}, host or default_host())


def _table(reference: Reference) -> dict[str, Any]:
    if not isinstance(reference, (str, Mapping)):
        raise UsageError(f'expected the id of a component or a table {{"use": id, …}}, got {shown(reference)}')
    return {"use": reference} if isinstance(reference, str) else dict(reference)


def _tables(references: Iterable[Reference]) -> list[dict[str, Any]]:
    if isinstance(references, (str, Mapping)) or not isinstance(references, Iterable):
        raise UsageError(f"expected a list of components, got {shown(references)}")
    return [_table(reference) for reference in references]


def run(
    experiment: Experiment | str | Path | Mapping[str, Any],
    *,
    output: str | Path | None = None,
    observers: Sequence[object] = (),
    host: PluginHost | None = None,
) -> Summary:
    """Run a source's recordings through a method into files, as `spikecore run` does.

    Args:
        experiment: From `compose`; or the path of a TOML file or run.json; or the same as a table.
        output: As `run.output`, which it replaces.
        observers: Objects with observer hooks (`hookimpl`), for this run besides those of plugins.
        host: Where to look for components, unless the experiment has its own.

    Returns:
        The files written, the number of results and the seconds it took.

    Raises:
        UsageError: If source, method or output is missing.
        SpikecoreError: As the components do.
    """
    from spikecore.runner.execute import execute

    bound = _bound(experiment, host)
    if output is not None:
        bound = attrs.evolve(bound, run=attrs.evolve(bound.run, output=str(_path(output))))
    if not isinstance(observers, Iterable):
        raise UsageError(f"expected a list of observers, got {shown(observers)}")
    return execute(bound, observers)


def evaluate(
    experiment: Experiment | str | Path | Mapping[str, Any],
    *,
    output: str | Path | None = None,
    host: PluginHost | None = None,
) -> list[Score]:
    """Judge methods by metrics over a source, in this process and without the results store.

    Args:
        experiment: As for `run`: [source], methods and [[metric]].
        output: A folder for pictures side by side, made if need be; none are kept where not said.
        host: Where to look for components, unless the experiment has its own.

    Returns:
        A score for every recording, method and metric, then their means, whose `item` is "". One without a value gives
        the reason: a method or metric that fails takes nothing from the others.

    Raises:
        UsageError: If source or methods are missing, or no installed plugin evaluates.
        SpikecoreError: If a recording cannot be read.
    """
    bound = _bound(experiment, host)
    output = None if output is None else _path(output)
    scores = bound.host.hook.spikecore_evaluate(experiment=bound, output=output)
    if scores is None:
        raise UsageError(f"no installed plugin evaluates\n  try: {install_hint(command='evaluate')}")
    return list(scores)


def _bound(experiment: Experiment | str | Path | Mapping[str, Any], host: PluginHost | None) -> Experiment:
    if isinstance(experiment, Experiment):
        return experiment
    host = host or default_host()
    if isinstance(experiment, (str, Path)):
        return Experiment.from_file(experiment, host)
    return Experiment.from_dict(experiment, host)
