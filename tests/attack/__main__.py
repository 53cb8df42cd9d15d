"""Attack everything that reads and writes: python tests/attack [--target NAME …] [--inputs 100000] …; see --help."""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import full
import fuzz
import hostile_plugins
import interrupted
import known
from commands import COMMANDS
from targets import TARGETS

READERS, KILLS, FULL, PLUGINS = "readers", "kills", "full-disk", "plugins"


def main() -> int:
    """Run the attacks that were asked for; returns 1 if there was any fault."""
    every = [READERS, *known.TARGETS, KILLS, FULL, PLUGINS]
    parser = argparse.ArgumentParser(prog="python tests/attack", description="Attack everything that reads and writes.")
    parser.add_argument("--target", action="append", choices=[*every, *TARGETS], help="only this one; repeat it")
    parser.add_argument("--inputs", type=int, default=100_000, help="damaged files for readers together (%(default)s)")
    parser.add_argument("--kills", type=int, default=100, help="commands that are killed (%(default)s)")
    parser.add_argument("--command", action="append", choices=COMMANDS, help="of kills and full-disk: only this one")
    parser.add_argument("--seed", type=int, default=1, help="determines every input (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="at a time (%(default)s)")
    parser.add_argument("--deadline", type=float, default=10.0, help="seconds an input may compute (%(default)s)")
    parser.add_argument("--keep", type=Path, help="a folder for inputs that show faults")
    asked = parser.parse_args()
    chosen = set(asked.target or every)
    chosen |= set(TARGETS) if READERS in chosen else set()
    began, faults = perf_counter(), 0
    for name, module in (("targets", TARGETS), ("known", known.TARGETS)):
        own = {target: module[target].share for target in module if target in chosen}
        if own:
            plan = {target: max(round(asked.inputs * share / sum(own.values())), 1) for target, share in own.items()}
            faults += _fuzz(name, plan, asked)
    if KILLS in chosen:
        header = ["command", "killed", "stopped", "through", "faults"]
        faults += _show(header, *interrupted.attack(asked.kills, asked.workers, asked.seed, asked.command or ()))
    if FULL in chosen:
        faults += _show(["full disk", "limits", "disks", "faults"], *full.attack(asked.workers, asked.command or ()))
    if PLUGINS in chosen:
        faults += _plugins(asked.workers)
    print(f"{faults} faults in {perf_counter() - began:.0f} s")
    return int(faults > 0)


def _fuzz(module: str, plan: dict[str, int], asked: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="attack-") as seeds:
        campaign = fuzz.Campaign(module, asked.seed, asked.deadline, Path(seeds), asked.keep)
        campaign.run(plan, asked.workers)
    print(fuzz.table(campaign.outcomes), flush=True)
    if campaign.stopped:
        raise KeyboardInterrupt
    return sum(one.total for one in campaign.outcomes.values())


def _show(header: list[str], rows: list[list[str]], faults: list[str]) -> int:
    print(fuzz.columns([header, *rows]))
    print("".join(f"{fault}\n\n" for fault in faults), flush=True)
    return len(faults)


def _plugins(workers: int) -> int:
    """Plugins that mean harm, each on the path alone."""
    with tempfile.TemporaryDirectory(prefix="attack-") as folder, ThreadPoolExecutor(workers) as pool:
        places = {name: Path(folder) / name for name in hostile_plugins.PLUGINS}
        found = dict(zip(places, pool.map(hostile_plugins.attack, places, places.values()), strict=True))
    wrong = {name: hostile_plugins.fault(name, one) for name, one in found.items()}
    slowest = max(one.seconds for one in found.values())
    rows = [[str(len(found)), str(sum(map(bool, wrong.values()))), f"{slowest:.1f}"]]
    faults = [f"{name}: {fault}" for name, fault in wrong.items() if fault]
    return _show(["plugins", "faults", "slowest s"], rows, faults)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
