"""The command line. Each command's module is imported only when the command is used; listing imports no torch."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

import click

from spikecore.cli.terminal import clean_streams
from spikecore.cli.watcher import Watcher
from spikecore.errors import OutputError, PluginError, SpikecoreError, closest, shown
from spikecore.plugin.guard import loading, patience, reason_of
from spikecore.plugin.host import PluginHost
from spikecore.plugin.known import install_hint

_LONGEST = 10_000  # characters of a message: it may quote what was given
COMMANDS = {
    "list": ("listing:list_", "components that are installed"),
    "plugins": ("listing:plugins", "plugins, and what became of each"),
    "show": ("listing:show", "one component: options with help, inputs and outputs, licence, citation"),
    "doctor": ("doctor:doctor", "versions, devices, broken plugins and the remedy"),
    "info": ("recording:info", "geometry, length, rate and spike statistics of a recording"),
    "convert": ("recording:convert", "from any readable to any writable format"),
    "reconstruct": ("reconstruct:reconstruct", "a recording through a method into pictures or a video"),
    "run": ("reconstruct:run", "an experiment file, or the run.json of an earlier run"),
    "weights": ("weights:weights", "trained weights: listed, fetched, imported from other projects"),
    "new-plugin": ("newplugin:new_plugin", "start a plugin that works and passes its contract test"),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports them on use; plugins add theirs through a hook."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Built-in commands in the order of a session, then those of plugins."""
        return [*COMMANDS, *sorted(_extras(ctx))]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the command, or look for it among those of plugins."""
        if name not in COMMANDS:
            return _extras(ctx).get(name)
        module, _, attribute = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(import_module(f"spikecore.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        rows = [(name, COMMANDS[name][1]) for name in COMMANDS]
        rows += [(name, command.get_short_help_str(limit=90)) for name, command in sorted(_extras(ctx).items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but an unknown command names the closest ones."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"no command {args[0]!r}: {_remedy(ctx, args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


def _remedy(ctx: click.Context, command: str, others: list[str]) -> str:
    """What to do where a command is not there: its plugin is not installed or not admitted, or it is misspelt."""
    install = install_hint(command=command)
    if not install:
        return closest(command, others)
    status = get_host(ctx).statuses.get(install.rpartition("spikecore-plugin-")[2])
    if status is None:
        return f"its plugin is not installed\n  try: {install}"
    return f"its plugin {status.name!r} is {status.state}: {status.reason}\n  try: spikecore doctor"


def _extras(ctx: click.Context) -> dict[str, click.Command]:
    """Commands of plugins, collected once an invocation."""
    found: dict[str, click.Command] | None = ctx.meta.get("spikecore.commands")
    if found is None:
        found = ctx.meta["spikecore.commands"] = {}
        owners = dict.fromkeys(COMMANDS, "spikecore's own")
        plugins = [one for one in get_host(ctx).plugins() if hasattr(one[1], "spikecore_add_commands")]
        with Watcher() as watcher:
            for name, plugin in plugins:
                watcher.tell(name)
                try:
                    commands = _commands(plugin, name)
                except SpikecoreError as error:  # one plugin's broken commands must not take the others' away
                    why = reason_of(error).removeprefix(f"plugin {name!r} failed: ")
                    click.echo(f"warning: the commands of plugin {name!r} cannot be had: {why}", err=True)
                    continue
                for command in commands.keys() & owners.keys():
                    text = f"plugin {name!r} adds a command {command!r}, which is {owners[command]}; it is left out"
                    click.echo(f"warning: {text}", err=True)
                    del commands[command]
                found |= commands
                owners |= dict.fromkeys(commands, f"that of plugin {name!r}")
    return found


def _commands(plugin: Any, name: str) -> dict[str, click.Command]:
    """What a plugin adds to a group of its own."""
    group = click.Group()
    with loading(f"plugin {name!r}", seconds=patience()):
        plugin.spikecore_add_commands(group=group)
        commands = dict(group.commands)
        for command, body in commands.items():
            if not isinstance(command, str) or not command.isprintable() or not isinstance(body, click.Command):
                raise PluginError(f"{shown(command)}: {shown(body)} is no command")
            body.get_short_help_str()
    return commands


def get_host(ctx: click.Context | None = None) -> PluginHost:
    """The host of this invocation, discovered on first use with the lists given on the command line."""
    root = (ctx or click.get_current_context()).find_root()
    if not isinstance(root.obj, PluginHost):
        allow, block = root.params.get("plugins"), root.params.get("disable")
        with Watcher() as watcher:
            root.obj = PluginHost.discover(allow=_split(allow), block=_split(block), tell=watcher.tell)
        failed = root.obj.failed()
        if failed and root.params.get("strict"):
            raise PluginError("\n".join(f"plugin {status.name!r} failed: {status.reason}" for status in failed))
    return root.obj


def _split(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spikecore")
@click.option("--debug", is_flag=True, help="show tracebacks")
@click.option("--strict", is_flag=True, help="a plugin that cannot be admitted is an error")
@click.option("--plugins", metavar="A,B", help="admit only these plugins (as SPIKECORE_PLUGINS)")
@click.option("--disable", metavar="A,B", help="do not admit these plugins (as SPIKECORE_DISABLE)")
def cli(**_: Any) -> None:
    """Open any spike or event recording; list, compose and run every installed method."""


@clean_streams()
def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors a user can mend are one message, exit code 1 or 2, no traceback unless --debug."""
    debug = "--debug" in (sys.argv[1:] if arguments is None else arguments)
    warnings.showwarning = lambda message, *_, **__: click.echo(f"warning: {message}", err=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not faulthandler.is_enabled():
        faulthandler.enable(file=2, all_threads=False)  # a crash says in whose code it happened
    try:
        code = cli.main(args=arguments, prog_name="spikecore", standalone_mode=False)
        _flush()
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("stopped", 130)
    except BrokenPipeError:
        _give_up_stdout()
        sys.exit(1)
    except SystemExit:
        raise
    except BaseException as error:  # whatever it is, its user gets one message
        if debug:
            raise
        if isinstance(error, SpikecoreError):
            _fail(f"error: {error}", error.exit_code if isinstance(error.exit_code, int) else 1)
        _fail(f"error: {reason_of(error)}\n  spikecore --debug … shows where it happened", 1)
    else:
        sys.exit(code if isinstance(code, int) else 0)


def _flush() -> None:
    """See that what was printed has arrived."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _give_up_stdout()
        raise OutputError(f"what was printed could not be written: {error.strerror}") from error


def _give_up_stdout() -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, code: int) -> NoReturn:
    click.echo(message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…", err=True)
    sys.exit(code)
