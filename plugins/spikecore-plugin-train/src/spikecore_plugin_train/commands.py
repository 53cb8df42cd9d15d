"""`spikecore train` and `spikecore launch`. Imports no torch until a command runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

import click

from spikecore import Experiment
from spikecore.cli import get_host
from spikecore.cli.progress import Progress
from spikecore_plugin_train.launched import LAUNCH, owns, restarted

if TYPE_CHECKING:
    from spikecore import TrainResult

Resume = Literal["auto", "never"]


def _mode(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value not in ("auto", "never"):
        raise click.BadParameter(
            f"{value!r} is neither auto nor never\n  try: {value} before --resume, or --resume=auto"
        )
    return value


@click.command(short_help="train a model: stages, checkpoints, exact resume")
@click.argument("experiment", type=click.Path(path_type=Path))
@click.option("-s", "--set", "settings", multiple=True, metavar="KEY=VALUE", help="e.g. --set trainer.batch=16")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="folder of the run; train-NAME by default")
@click.option(
    "--resume",
    callback=_mode,
    metavar="[auto|never]",
    is_flag=False,
    flag_value="auto",
    default="never",
    help="go on from the newest checkpoint in the folder, if there is one",
)
def train(experiment: Path, settings: tuple[str, ...], output: Path | None, resume: Resume) -> None:
    """Train the [model] of an experiment on its [source].

    The folder then holds weights.safetensors (and best.safetensors where [validation] and [[metric]] say what is best),
    each with a card, checkpoints, log.csv, pictures and run.json.
    """
    bound = Experiment.from_file(experiment, get_host(), settings)
    folder = output or Path(f"train-{bound.name}")
    leads = os.environ.get("RANK", "0") == "0"
    if restarted() and (owns(folder) or not leads):  # process 0 alone refuses folders, and its id counts
        resume = "auto"
    result = _train(bound, folder, resume, leads)
    if leads:
        _report(result, folder)


def _train(experiment: Experiment, folder: Path, resume: Resume, leads: bool) -> TrainResult:
    from spikecore_plugin_train.assemble import assemble

    trainer, run = assemble(experiment, folder, resume)
    if leads and "progress" not in experiment.host.statuses:
        experiment.host.register(Progress(), "progress")
    return trainer.fit(run)


def _report(result: TrainResult, folder: Path) -> None:
    for name, value in result.scores.items():
        click.echo(f"{name}: {value:.6g}")
    if result.losses:
        click.echo(f"loss of the last step: {result.losses[-1]:.6g}")
    for name in ("weights", "best"):
        path = folder / f"{name}.safetensors"
        if path.is_file():
            click.echo(str(path))
    click.echo(f"{result.steps} steps; checkpoint {result.checkpoint}", err=True)


@click.command(
    short_help="train on several processes or machines, restarted when one dies",
    context_settings={"ignore_unknown_options": True},
)
@click.option("--nproc", type=click.IntRange(1), default=1, show_default=True, help="processes on this machine")
@click.option("--nnodes", type=click.IntRange(1), default=1, show_default=True, help="machines")
@click.option("--node-rank", type=click.IntRange(0), default=0, show_default=True, help="number of this machine")
@click.option("--master", default="", metavar="HOST:PORT", help="of machine 0, if there are several")
@click.option("--restarts", type=click.IntRange(0), default=3, show_default=True, help="after a process died")
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED)
def launch(nproc: int, nnodes: int, node_rank: int, master: str, restarts: int, arguments: tuple[str, ...]) -> int:
    """Run `spikecore train ARGUMENTS` on several processes through torchrun.

    ARGUMENTS are those of `spikecore train`: the experiment and its options. All machines must see the same folder.
    """
    if nnodes > 1 and not master:
        raise click.UsageError("several machines need --master HOST:PORT of machine 0")
    given = train.make_context("spikecore train", list(arguments)).params
    # what is wrong is told once here, instead of by every process and restart
    Experiment.from_file(given["experiment"], get_host(), given["settings"])
    where = ["--standalone"] if nnodes == 1 else [f"--nnodes={nnodes}", f"--node-rank={node_rank}", *_address(master)]
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={nproc}", *where]
    command += [f"--max-restarts={restarts}", "-m", "spikecore", "train", *arguments]
    return _run(command, launch_environment(dict(os.environ)))


def launch_environment(environment: dict[str, str]) -> dict[str, str]:
    """The environment in which torchrun can restart processes, with an id of this launch for `launched`.

    The store that processes share by default survives a restart in a state that lets the next one hang; one thread a
    process, as torchrun sets it, is kept unless OMP_NUM_THREADS says otherwise.
    """
    return {**environment, "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1", LAUNCH: uuid4().hex}


def _address(master: str) -> list[str]:
    host, _, port = master.rpartition(":")
    return [f"--master-addr={host or master}", f"--master-port={port if host else '29500'}"]


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run torchrun to its end; signals to stop are passed on to it."""
    with subprocess.Popen(command, env=environment) as process:

        def forward(number: int, frame: Any) -> None:
            process.send_signal(number)

        before = {number: signal.signal(number, forward) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            return process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
