"""spikecore: a microkernel for spike-camera and event-camera vision.

    import spikecore as sc

    stream = sc.open("data.dat", height=250, width=400)
    image = sc.reconstruct(stream, "classic/tfi", at=200)

Everything here is imported on first use; `import spikecore` costs milliseconds and never imports torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "API_VERSION": "plugin.component",
    "Component": "plugin.component",
    "Kind": "plugin.component",
    "PluginInfo": "plugin.component",
    "Weights": "plugin.component",
    "hookimpl": "plugin.hookspecs",
    "Option": "plugin.options",
    "describe": "plugin.options",
    "option": "plugin.options",
    "make_converter": "plugin.converter",
    "structure": "plugin.converter",
    "PluginHost": "plugin.host",
    "Status": "plugin.host",
    "Bound": "plugin.bound",
    "Settled": "plugin.bound",
    "Executor": "plugin.executor",
    "Outcome": "plugin.executor",
    "Work": "plugin.executor",
    "Worker": "plugin.executor",
    "reason_of": "plugin.guard",
    "ImageSession": "plugin.interfaces",
    "Loss": "plugin.interfaces",
    "LossTerms": "plugin.interfaces",
    "Metric": "plugin.interfaces",
    "Model": "plugin.interfaces",
    "Output": "plugin.interfaces",
    "Reconstructor": "plugin.interfaces",
    "Session": "plugin.interfaces",
    "SpikeSource": "plugin.interfaces",
    "Stage": "plugin.interfaces",
    "TrainResult": "plugin.interfaces",
    "TrainRun": "plugin.interfaces",
    "Trainer": "plugin.interfaces",
    "GROUND_TRUTH": "plugin.run_info",
    "RecordedRun": "plugin.run_info",
    "ResultsFormat": "plugin.run_info",
    "RunInfo": "plugin.run_info",
    "Score": "plugin.run_info",
    "Sink": "plugin.sink",
    "Target": "plugin.sink",
    "AmbiguousComponent": "errors",
    "CompositionError": "errors",
    "ConfigError": "errors",
    "Interrupted": "errors",
    "MissingTruth": "errors",
    "OutputError": "errors",
    "PluginError": "errors",
    "SpikeFormatError": "errors",
    "SpikecoreError": "errors",
    "Unavailable": "errors",
    "UnknownComponent": "errors",
    "UsageError": "errors",
    "WeightsError": "errors",
    "closest": "errors",
    "Experiment": "experiment.experiment",
    "experiment_table": "experiment.experiment",
    "Display": "experiment.run_config",
    "Precision": "experiment.run_config",
    "RunConfig": "experiment.run_config",
    "override": "experiment.toml",
    "read_table": "experiment.toml",
    "Data": "data.kinds",
    "Layout": "data.spikes",
    "SpikeStream": "data.spikes",
    "EventStream": "data.events",
    "Batch": "data.batch",
    "record_path": "runner.record",
    "check_device": "runner.method",
    "default_host": "api",
    "EventBatch": "data.batch",
    "SpikeBatch": "data.batch",
    "collate": "data.batch",
    "Sample": "data.sample",
    "Window": "data.sample",
    "Live": "data.live",
    "spike_statistics": "data.statistics",
    "Imported": "weights.files",
    "load_tensors": "weights.files",
    "file_hash": "weights.files",
    "read_checkpoint": "weights.plain",
    "write_weights": "weights.files",
    "locate": "weights.find",
    "settled": "weights.settle",
    "Trained": "weights.load",
    "import_weights": "weights.load",
    "load_model": "weights.load",
    "load_network": "weights.load",
    "judge": "runner.judge",
    "judged_kind": "runner.judge",
    "update": "runner.judge",
    "truth_of": "runner.judge",
    "Pipeline": "runner.prepare",
    "labels_of": "runner.labels",
    "tell_labels": "runner.labels",
    "Summary": "runner.execute",
    "blamed": "runner.trust",
    "to_pictures": "runner.picture",
    "find_source": "files.recordings",
    "install_hint": "plugin.known",
    "Job": "jobs.job",
    "find_executor": "jobs.job",
    "run_job": "jobs.job",
    "record": "runner.record",
    "write_record": "runner.record",
    "recipe_of": "runner.inputs",
    "Observed": "runner.observed",
    "observed": "runner.observed",
    "compose": "api",
    "evaluate": "api",
    "list_components": "api",
    "open": "api",
    "open_source": "api",
    "prepare": "api",
    "reconstruct": "api",
    "run": "api",
    "save": "api",
}

if TYPE_CHECKING:
    from spikecore.api import (
        compose,
        default_host,
        evaluate,
        list_components,
        open,
        open_source,
        prepare,
        reconstruct,
        run,
        save,
    )
    from spikecore.data.batch import Batch, EventBatch, SpikeBatch, collate
    from spikecore.data.events import EventStream
    from spikecore.data.kinds import Data
    from spikecore.data.live import Live
    from spikecore.data.sample import Sample, Window
    from spikecore.data.spikes import Layout, SpikeStream
    from spikecore.data.statistics import spike_statistics
    from spikecore.errors import (
        AmbiguousComponent,
        CompositionError,
        ConfigError,
        Interrupted,
        MissingTruth,
        OutputError,
        PluginError,
        SpikecoreError,
        SpikeFormatError,
        Unavailable,
        UnknownComponent,
        UsageError,
        WeightsError,
        closest,
    )  # fmt: skip
    from spikecore.experiment.experiment import Experiment, experiment_table
    from spikecore.experiment.run_config import Display, Precision, RunConfig
    from spikecore.experiment.toml import override, read_table
    from spikecore.files.recordings import find_source
    from spikecore.jobs.job import Job, find_executor, run_job
    from spikecore.plugin.bound import Bound, Settled
    from spikecore.plugin.component import API_VERSION, Component, Kind, PluginInfo, Weights
    from spikecore.plugin.converter import make_converter, structure
    from spikecore.plugin.executor import Executor, Outcome, Work, Worker
    from spikecore.plugin.guard import reason_of
    from spikecore.plugin.hookspecs import hookimpl
    from spikecore.plugin.host import PluginHost, Status
    from spikecore.plugin.interfaces import (
        ImageSession,
        Loss,
        LossTerms,
        Metric,
        Model,
        Output,
        Reconstructor,
        Session,
        SpikeSource,
        Stage,
        Trainer,
        TrainResult,
        TrainRun,
    )
    from spikecore.plugin.known import install_hint
    from spikecore.plugin.options import Option, describe, option
    from spikecore.plugin.run_info import GROUND_TRUTH, RecordedRun, ResultsFormat, RunInfo, Score
    from spikecore.plugin.sink import Sink, Target
    from spikecore.runner.execute import Summary
    from spikecore.runner.inputs import recipe_of
    from spikecore.runner.judge import judge, judged_kind, truth_of, update
    from spikecore.runner.labels import labels_of, tell_labels
    from spikecore.runner.method import check_device
    from spikecore.runner.observed import Observed, observed
    from spikecore.runner.picture import to_pictures
    from spikecore.runner.prepare import Pipeline
    from spikecore.runner.record import record, record_path, write_record
    from spikecore.runner.trust import blamed
    from spikecore.weights.files import Imported, file_hash, load_tensors, write_weights
    from spikecore.weights.find import locate
    from spikecore.weights.load import Trained, import_weights, load_model, load_network
    from spikecore.weights.plain import read_checkpoint
    from spikecore.weights.settle import settled

__all__ = [
    "API_VERSION",
    "GROUND_TRUTH",
    "AmbiguousComponent",
    "Batch",
    "Bound",
    "Component",
    "CompositionError",
    "ConfigError",
    "Data",
    "Display",
    "EventBatch",
    "EventStream",
    "Executor",
    "Experiment",
    "ImageSession",
    "Imported",
    "Interrupted",
    "Job",
    "Kind",
    "Layout",
    "Live",
    "Loss",
    "LossTerms",
    "Metric",
    "MissingTruth",
    "Model",
    "Observed",
    "Option",
    "Outcome",
    "Output",
    "OutputError",
    "Pipeline",
    "PluginError",
    "PluginHost",
    "PluginInfo",
    "Precision",
    "Reconstructor",
    "RecordedRun",
    "ResultsFormat",
    "RunConfig",
    "RunInfo",
    "Sample",
    "Score",
    "Session",
    "Settled",
    "Sink",
    "SpikeBatch",
    "SpikeFormatError",
    "SpikeSource",
    "SpikeStream",
    "SpikecoreError",
    "Stage",
    "Status",
    "Summary",
    "Target",
    "TrainResult",
    "TrainRun",
    "Trained",
    "Trainer",
    "Unavailable",
    "UnknownComponent",
    "UsageError",
    "Weights",
    "WeightsError",
    "Window",
    "Work",
    "Worker",
    "blamed",
    "check_device",
    "closest",
    "collate",
    "compose",
    "default_host",
    "describe",
    "evaluate",
    "experiment_table",
    "file_hash",
    "find_executor",
    "find_source",
    "hookimpl",
    "import_weights",
    "install_hint",
    "judge",
    "judged_kind",
    "labels_of",
    "list_components",
    "load_model",
    "load_network",
    "load_tensors",
    "locate",
    "make_converter",
    "observed",
    "open",
    "open_source",
    "option",
    "override",
    "prepare",
    "read_checkpoint",
    "read_table",
    "reason_of",
    "recipe_of",
    "reconstruct",
    "record",
    "record_path",
    "run",
    "run_job",
    "save",
    "settled",
    "spike_statistics",
    "structure",
    "tell_labels",
    "to_pictures",
    "truth_of",
    "update",
    "write_record",
    "write_weights",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'spikecore' has no attribute {name!r}")
    value = getattr(import_module(f"spikecore.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
