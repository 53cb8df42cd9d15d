"""`spikecore train` and the experiments of the examples."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from safetensors.torch import load_file
from spikecore_plugin_train.assemble import assemble
from spikecore_plugin_train.commands import train
from spikecore_plugin_train.stages import Plan, trainable_names

from spikecore import (
    CompositionError,
    ConfigError,
    Experiment,
    PluginHost,
    UnknownComponent,
    evaluate,
    override,
    read_table,
)

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "spikecore-plugin-tiny"
EXPERIMENTS = {
    "image": ["stage.0.steps=2", "stage.1.steps=3", "trainer.validate_every=5", "source.clips=4", "validation.clips=1"],
    "video": ["stage.0.epochs=1", "stage.0.schedule.milestones=[1]", "source.clips=4"],
    "depth": ["source.clips=4"],
}


@pytest.fixture
def host(tiny):
    host = PluginHost.discover()
    if "tiny" not in host.statuses:
        host.register(tiny, "tiny")
    return host


def experiment(host, name, settings=()):
    table = read_table(EXAMPLE / f"train_{name}.toml")
    del table["requires"]  # the example is not installed as a distribution here
    return Experiment.from_dict(override(table, settings), host)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_examples_train(host, name, tmp_path):
    trainer, run = assemble(experiment(host, name, EXPERIMENTS[name]), tmp_path)
    result = trainer.fit(run)
    assert len(result.losses) == result.steps > 0
    if name == "depth":
        assert result.losses[-1] < result.losses[0]
    exported = load_file(tmp_path / "weights.safetensors")
    assert exported.keys() == run.model.network.state_dict().keys()
    if name == "image":
        assert set(result.scores) == {"builtin/psnr"}
        assert (tmp_path / "pictures" / "step-000000005" / "scene-1-0.png").stat().st_size > 100
        assert (tmp_path / "best.safetensors").is_file()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_examples_are_resolved_completely(host, name):
    first = experiment(host, name)
    again = Experiment.from_dict(json.loads(json.dumps(first.dump())), host)
    assert again.dump() == first.dump()
    assert again.stages == first.stages
    assert again.fingerprint == first.fingerprint


def test_a_trained_image_model_reconstructs(host, tmp_path):
    """The weights of a training are weights of the runner, and in its units."""
    pytest.importorskip("spikecore_plugin_evaluate")
    bound = experiment(host, "image", ["stage.0.steps=2", "stage.1.steps=40"])
    trainer, run = assemble(bound, tmp_path)
    score = trainer.fit(run).scores["builtin/psnr"]
    table = bound.dump()
    table |= {"source": table.pop("validation"), "run": {"weights": str(tmp_path / "weights.safetensors")}}
    for role in ("trainer", "loss", "stage"):
        del table[role]
    judged = evaluate(Experiment.from_dict(table, host))
    values = [one.value for one in judged if one.metric == "builtin/psnr" and one.item]
    assert len(values) == 3
    assert sum(values) / 3 == pytest.approx(score, abs=1e-3)


def test_weights_to_start_from(host, tmp_path):
    trainer, run = assemble(experiment(host, "depth", ["source.clips=2"]), tmp_path / "first")
    trainer.fit(run)
    path = tmp_path / "first" / "weights.safetensors"
    _, fine = assemble(experiment(host, "depth", [f"run.weights='{path}'"]), tmp_path / "second")
    loaded = load_file(path)
    assert all((loaded[name] == value).all() for name, value in fine.model.network.state_dict().items())
    assert list(fine.recipe["weights"]) == ["tiny/depth"]


def test_losses_take_the_options_stated_for_them(host, tmp_path):
    _, run = assemble(experiment(host, "video"), tmp_path)
    assert run.losses["train/video"].norm.value == "charbonnier"
    _, run = assemble(experiment(host, "depth"), tmp_path)
    assert run.losses["train/depth"].norm.value == "l1"


@pytest.mark.parametrize(
    ("settings", "error", "told"),
    [
        (["stage.0.losses={'train/l3'=1.0}"], UnknownComponent, "train/l3"),
        (["stage.0.losses={'train/depth'=1.0}"], CompositionError, "train/depth needs depth"),
        (["validation.use='tiny/drive'", "validation={use='tiny/drive'}"], CompositionError, "tiny/drive"),
        (["trainer.batch=0"], ConfigError, "batch"),
    ],
)
def test_what_does_not_fit_is_refused_before_training(host, settings, error, told):
    with pytest.raises(error, match=told):
        experiment(host, "image", settings)


def spikecore(folder, environment, *arguments):
    command = [sys.executable, "-m", "spikecore", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_the_command_trains_refuses_and_resumes(with_tiny, tmp_path):
    path = str(EXAMPLE / "train_depth.toml")
    settings = ["--set", "source.clips=4", "-o", "run"]
    done = spikecore(tmp_path, with_tiny, "train", path, *settings)
    assert done.returncode == 0, done.stderr
    assert "run/weights.safetensors" in done.stdout
    assert "10 steps; checkpoint run/checkpoints/step-000000010.pt" in done.stderr
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["experiment"]["model"]["use"] == "tiny/depth"
    assert record["experiment"]["stage"][0]["losses"] == {"train/depth": 1.0}, "the recipe that was used"
    refused = spikecore(tmp_path, with_tiny, "train", path, *settings)
    assert refused.returncode == 2
    assert "--resume" in refused.stderr
    again = spikecore(tmp_path, with_tiny, "train", str(tmp_path / "run" / "run.json"), "-o", "run", "--resume")
    assert again.returncode == 0, again.stderr
    assert "10 steps" in again.stderr
    pytest.importorskip("spikecore_plugin_results")
    told = spikecore(tmp_path, with_tiny, "results", "--kind", "train").stdout
    (kept,) = [line for line in told.splitlines() if " train " in line]
    assert "tiny-depth" in kept
    assert " done " in kept


def test_a_restart_goes_on_with_the_run_of_its_own_launch_only(with_tiny, tmp_path):
    def train(launch, restarts):
        environment = {**with_tiny, "SPIKECORE_LAUNCH": launch, "TORCHELASTIC_RESTART_COUNT": restarts}
        arguments = ["--set", "source.clips=4", "-o", "run"]
        return spikecore(tmp_path, environment, "train", str(EXAMPLE / "train_depth.toml"), *arguments)

    assert train("one", "0").returncode == 0
    refused = train("other", "1")
    assert refused.returncode == 2
    assert "holds a run already" in refused.stderr
    assert train("one", "1").returncode == 0


def test_commands_are_offered_without_torch(tmp_path):
    code = (
        "import sys\nfrom spikecore.cli import main\n"
        "try: main(['train', '--help'])\n"
        "except SystemExit as end: assert not end.code\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "--resume" in done.stdout


def test_an_experiment_taken_for_the_value_of_resume_is_told():
    done = CliRunner().invoke(train, ["-o", "run", "--resume", "e.toml"])
    assert done.exit_code == 2
    assert "try: e.toml before --resume, or --resume=auto" in done.output


@pytest.mark.slow
def test_the_example_distribution_passes_its_contracts(with_tiny, tmp_path):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE / "tests")]
    done = subprocess.run(command, cwd=tmp_path, env=with_tiny, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout


def test_the_experiment_in_the_readme_is_one(host):
    text = (Path(__file__).resolve().parents[1] / "README.md").read_text()
    table = tomllib.loads(text.partition("```toml\n")[2].partition("```")[0])
    bound = Experiment.from_dict(table, host)
    assert [stage.name for stage in bound.stages] == ["head", "whole"]
    model = bound.parts["model"].build()
    plans = [Plan(stage, model, trainable_names(model), per_epoch=3) for stage in bound.stages]
    assert [plan.steps for plan in plans] == [1000, 150]
