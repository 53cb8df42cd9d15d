"""Every fake component: a right one of each kind, and wrong ones with the contract tests that must find them out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from spikecore import Kind
from spikecore_fakes import config

WEIGHTS_SHA256 = "32f7b2b59cde87eb0b275d7d30afa7508d1852103b895798a8220737715743be"
WEIGHTS_SIZE = 356


@attrs.frozen
class Fake:
    """One component: its class is its name in camel case, unless `declared` says otherwise.

    Args:
        kind: Its kind.
        name: Its name.
        fails: Names of contract tests that it must fail; the right ones fail none.
        flags: Attributes of its contract class.
        declared: Arguments of its `Component` that differ from those of a right one.
    """

    kind: Kind
    name: str
    fails: frozenset[str] = attrs.field(default=(), converter=frozenset)
    flags: Mapping[str, Any] = attrs.field(factory=dict)
    declared: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def id(self) -> str:
        """As the host knows it."""
        return f"fakes/{self.name}"

    @property
    def label(self) -> str:
        """As a contract class is called."""
        return self.name.title().replace("-", "") + self.kind.title()


def fakes() -> Iterator[Fake]:
    """All of them."""
    for kind, rows in TABLES.items():
        for name, (fails, flags, declared) in rows.items():
            yield Fake(kind, name, fails, flags, declared)


Row = tuple[tuple[str, ...], Mapping[str, Any], Mapping[str, Any]]


def _row(*fails: str, declared: Mapping[str, Any] | None = None, **flags: Any) -> Row:
    return tuple(f"test_{name}" for name in fails), flags, declared or {}


MEAN = "spikecore_fakes.reconstructors:Mean"
VALUES = (  # of a tensor without values, every test that looks at one fails
    "gives_finite_float32",
    "dark_and_bright_are_finite",
    "items_are_independent",
    "two_calls_give_the_same",
    "images_are_spikes_per_frame",
    "constant_rate_gives_the_rate",
)
LARGE = {"rows": 32, "columns": 32, "length": 2048}

DECLARATIONS: Mapping[str, Row] = {
    "long-winded": _row("says_what_it_is", declared={"target": MEAN, "summary": "the mean rate, " * 9}),
    "no-licence": _row("says_what_it_is", declared={"target": MEAN, "license": "unknown"}),
    "uncited": _row("cites_its_paper", published=True, declared={"target": MEAN, "citation": ""}),
    "not-bibtex": _row("cites_its_paper", declared={"target": MEAN, "citation": "Zhu et al., 2019"}),
    "changed-by-reading": _row(
        "options_survive_a_record", declared={"target": MEAN, "config": config.Doubling}, options={"window": 9}
    ),
    "silent-option": _row("options_have_help", declared={"target": MEAN, "config": config.Silent}),
    "takes-anything": _row("unknown_option_is_refused", declared={"target": MEAN, "config": config.Lenient}),
}

RECONSTRUCTORS: Mapping[str, Row] = {
    "mean": _row(published=True),
    "sliding-mean": _row(),
    "events-to-depth": _row(cameras=2, declared={"consumes": ("events",), "produces": ("depth",)}),
    "image-and-depth": _row(declared={"produces": ("image", "depth")}),
    "events-in-time": _row(declared={"consumes": ("events",), "produces": ("depth",)}),
    "frames-to-video": _row(declared={"consumes": ("frames", "spikes"), "produces": ("video",)}),
    "imitated-window": _row("declares_its_window"),
    "even-sizes": _row("gives_the_declared_shapes"),
    "double-precision": _row("gives_finite_float32"),
    "divides-by-zero": _row("dark_and_bright_are_finite"),
    "couples-batch": _row("items_are_independent", calibrated=False),
    "mutates-spikes": _row("input_is_untouched"),
    "mutates-frames": _row("input_is_untouched", declared={"consumes": ("frames", "spikes"), "produces": ("video",)}),
    "remembers": _row("two_calls_give_the_same", "items_are_independent"),
    "is-random": _row("two_calls_give_the_same", "items_are_independent"),
    "wants-gradients": _row("runs_in_inference_mode"),
    "elsewhere": _row("stays_on_the_batch_device[cpu]", "stays_on_the_batch_device[cuda]", *VALUES),
    "always-cpu": _row("stays_on_the_batch_device[cuda]"),
    "eight-bit": _row("images_are_spikes_per_frame", calibrated=False),
    "negative": _row("images_are_spikes_per_frame", calibrated=False),
    "half-rate": _row("constant_rate_gives_the_rate"),
    "upside-down": _row("constant_rate_gives_the_rate"),
    "late-session": _row("session_gives_the_same"),
    **DECLARATIONS,
}

SOURCES: Mapping[str, Row] = {
    "clips": _row(options=LARGE, declared={"recognise": "spikecore_fakes.sources:admit"}),
    "events-only": _row(declared={"produces": ("events",), "targets": ()}),
    "no-clips": _row(
        "has_samples",
        "instant_is_in_the_recording",
        "carries_what_it_declares",
        "targets_are_what_they_should_be",
        "same_index_gives_equal_samples",
        "is_picklable",
        "opens_lazily",
        "reads_what_its_writer_wrote",
    ),
    "endless": _row("ends_with_index_error"),
    "one-key": _row("yields_samples"),
    "counts-from-one": _row("instant_is_in_the_recording"),
    "promises-events": _row("carries_what_it_declares", declared={"produces": ("spikes", "events")}),
    "hides-frames": _row("carries_what_it_declares"),
    "double-target": _row("targets_are_what_they_should_be"),
    "flat-target": _row("targets_are_what_they_should_be"),
    "grey-levels": _row("targets_are_what_they_should_be"),
    "undeclared-target": _row("targets_are_what_they_should_be", declared={"targets": ()}),
    "drifts": _row("same_index_gives_equal_samples"),
    "holds-handle": _row("is_picklable"),
    "reads-all": _row("opens_lazily", options=LARGE),
    "mirrored-writer": _row(
        "reads_what_its_writer_wrote", declared={"writer": "spikecore_fakes.sources:write_mirrored"}
    ),
    "denies-its-own": _row("reads_what_its_writer_wrote", declared={"recognise": "spikecore_fakes.sources:deny"}),
    "absent-writer": _row(
        "target_resolves",
        declared={
            "target": "spikecore_fakes.sources:EventsOnly",
            "produces": ("events",),
            "targets": (),
            "writer": "spikecore_fakes.sources:absent",
        },
    ),
}

SHIPPED = {"weights": (WEIGHTS_SHA256, WEIGHTS_SIZE)}

BEGINS = ("session_begins_like_forward[cpu]", "session_begins_like_forward[cuda]")

MODELS: Mapping[str, Row] = {
    "convolution": _row(declared=SHIPPED),
    "walks": _row(),
    "walks-on": _row(*BEGINS, "session_repeats_itself"),
    "walks-astray": _row("session_repeats_itself"),
    "walks-ahead": _row(*BEGINS),
    "outside-parameter": _row("holds_a_network"),
    "foreign-network": _row("holds_a_network", "gradients_reach_every_parameter"),
    "detached": _row("gradients_reach_every_parameter"),
    "stale-excuse": _row(
        "gradients_reach_every_parameter",
        declared={"target": "spikecore_fakes.models:Convolution"},
        without_gradient=("*bias",),
    ),
    "leaks-state": _row("two_calls_give_the_same", "items_are_independent"),
    "hidden-tensor": _row("state_dict_is_all_there_is"),
    "numpy-weights": _row("same_seed_gives_same_weights"),
    "endless-stage": _row("stages_are_a_recipe"),
    "misnamed-parameter": _row("stages_are_a_recipe"),
    "other-name": _row("gives_the_declared_shapes"),
    "wider": _row("shipped_weights_fit", declared=SHIPPED),
}

DEPTH = {"consumes": ("depth",), "targets": ("depth",)}

LOSSES: Mapping[str, Row] = {
    "squares": _row(zero_at_equality=True),
    "known-squares": _row(zero_at_equality=True, declared=DEPTH),
    "map-of-squares": _row("gives_scalar_terms"),
    "plain-number": _row("gives_scalar_terms", "gradient_reaches_the_output", "is_finite", "repeats_itself"),
    "unknown-squares": _row("is_finite", "gradient_reaches_the_output", declared=DEPTH),
    "unknown-part": _row("is_finite", declared=DEPTH),
    "detached-squares": _row("gradient_reaches_the_output"),
    "shifts-target": _row("arguments_are_untouched"),
    "random-squares": _row("repeats_itself"),
    "rewards-errors": _row("is_smallest_at_equality", zero_at_equality=True),
}

METRICS: Mapping[str, Row] = {
    "error": _row(perfect=0.0),
    "accuracy": _row(perfect=1.0, declared={"consumes": ("label",), "targets": ("label",)}),
    "python-number": _row("score_is_a_scalar"),
    "no-direction": _row("says_which_way_is_better"),
    "average-of-averages": _row("two_batches_are_one"),
    "first-counts-more": _row("order_does_not_matter"),
    "half-reset": _row("reset_forgets"),
    "resets-itself": _row("compute_changes_nothing"),
    "subtracts-in-place": _row("arguments_are_untouched"),
    "wrong-way": _row("perfect_prediction_is_best", perfect=0.0),
    "never-perfect": _row("perfect_prediction_is_best", perfect=0.0),
}

TRAINERS: Mapping[str, Row] = {
    "loop": _row(),
    "too-careful": _row("loss_falls"),
    "reports-twice": _row("takes_the_stated_steps"),
    "with-replacement": _row("epochs_see_every_sample"),
    "trains-all": _row("trains_only_what_the_stage_names"),
    "own-dice": _row("same_seed_gives_same_numbers", "resumes_where_it_was_killed"),
    "no-checkpoint": _row("leaves_a_checkpoint"),
    "starts-over": _row("resumes_where_it_was_killed"),
    "overwrites": _row("never_overwrites_a_run"),
    "no-scores": _row("scores_the_validation_samples"),
    "says-nothing": _row("tells_observers"),
}

TABLES: Mapping[Kind, Mapping[str, Row]] = {
    Kind.RECONSTRUCTOR: RECONSTRUCTORS,
    Kind.SOURCE: SOURCES,
    Kind.MODEL: MODELS,
    Kind.LOSS: LOSSES,
    Kind.METRIC: METRICS,
    Kind.TRAINER: TRAINERS,
}
