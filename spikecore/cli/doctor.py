"""`spikecore doctor`: versions, devices, broken plugins and what to do about them. Imports no torch."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from spikecore.cli import get_host
from spikecore.cli.tables import json_text, print_table
from spikecore.plugin.host import Status

LIBRARIES = ("spikecore", "torch", "numpy", "numba", "opencv-python", "h5py", "pluggy", "attrs", "cattrs", "av")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@click.option("--strict", is_flag=True, help="exit with 1 if anything is wrong")
def doctor(as_json: bool, strict: bool) -> None:
    """Versions, devices, broken plugins and the remedy."""
    report = examine()
    if as_json:
        click.echo(json_text(report))
    else:
        _print(report)
    if strict and report["problems"]:
        raise click.exceptions.Exit(1)


def examine() -> dict[str, Any]:
    """Everything the report says, as plain values."""
    host = get_host()
    problems = [
        {"plugin": status.name, "distribution": status.distribution, "problem": status.reason, "remedy": remedy(status)}
        for status in host.failed()
    ]
    problems += [
        {
            "plugin": component.plugin,
            "distribution": "",
            "problem": f"{component.id} needs modules that are not installed: {', '.join(component.missing())}",
            "remedy": f"pip install {' '.join(component.missing())}",
        }
        for component in host.components()
        if component.missing()
    ]
    return {
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}},
        "platform": platform.platform(),
        "executable": sys.executable,
        "devices": devices(),
        "plugins": {name: status.state for name, status in sorted(host.statuses.items())},
        "problems": problems,
    }


def remedy(status: Status) -> str:
    """What to type about a plugin that could not be admitted."""
    owner = status.distribution or status.name
    if isinstance(status.error, ModuleNotFoundError) and status.error.name:
        missing = status.error.name.partition(".")[0]
        if missing.startswith("spikecore_plugin_"):
            return f"pip install --force-reinstall {owner}"
        return f"pip install {missing}"
    if "claimed by" in status.reason:
        return "pip uninstall one of the two distributions"
    if "API" in status.reason:
        return f"pip install --upgrade spikecore {owner}"
    return f"pip install --upgrade {owner}, or go on without it: SPIKECORE_DISABLE={status.name}"


def devices() -> list[str]:
    """CPU and NVIDIA GPUs, as the driver's own tool names them."""
    found = [f"cpu: {_cpu_name()}, {os.cpu_count()} cores"]
    tool = shutil.which("nvidia-smi")
    if tool is not None:
        query = [tool, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
        try:
            answer = subprocess.run(query, capture_output=True, timeout=8, check=False).stdout.decode(errors="replace")
        except (OSError, subprocess.SubprocessError) as error:
            return [*found, f"cuda: {tool} does not answer: {type(error).__name__}"]
        found += [f"cuda:{number}: {line}" for number, line in enumerate(answer.splitlines()) if line.strip()]
    return found


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _print(report: dict[str, Any]) -> None:
    print_table(["what", "version"], [list(item) for item in report["versions"].items()])
    click.echo(f"\n{report['platform']}\n{report['executable']}")
    for device in report["devices"]:
        click.echo(device)
    click.echo()
    print_table(["plugin", "state"], [list(item) for item in report["plugins"].items()])
    if not report["problems"]:
        click.echo("\nno problems found")
    for problem in report["problems"]:
        click.echo(f"\n{problem['plugin']}: {problem['problem']}\n  try: {problem['remedy']}")
