"""The command line. Each command's module is imported only when the command is used; listing imports no torch."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from contextlib import redirect_stdout
from importlib import import_module
from typing import Any, NoReturn

import click

from spikecore.errors import PluginError, SpikecoreError, closest
from spikecore.plugin.host import PluginHost
from spikecore.plugin.known import install_hint

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
        for name, plugin in get_host(ctx).plugins():
            group = click.Group()
            try:
                if hasattr(plugin, "spikecore_add_commands"):
                    with redirect_stdout(sys.stderr):  # what a plugin prints here is no result of a command
                        plugin.spikecore_add_commands(group=group)
            except Exception as error:  # one plugin's broken commands must not take the others' away
                click.echo(f"warning: the commands of plugin {name!r} cannot be had: {error}", err=True)
                continue
            for command, body in group.commands.items():
                if command in COMMANDS or command in found:
                    raise PluginError(f"plugin {name!r} adds a command {command!r} that exists already; uninstall it")
                found[command] = body
    return found


def get_host(ctx: click.Context | None = None) -> PluginHost:
    """The host of this invocation, discovered on first use with the lists given on the command line."""
    root = (ctx or click.get_current_context()).find_root()
    if not isinstance(root.obj, PluginHost):
        allow, block = root.params.get("plugins"), root.params.get("disable")
        root.obj = PluginHost.discover(allow=_split(allow), block=_split(block))
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


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors a user can mend are one message, exit code 1 or 2, no traceback unless --debug."""
    debug = "--debug" in (sys.argv[1:] if arguments is None else arguments)
    warnings.showwarning = lambda message, *_, **__: click.echo(f"warning: {message}", err=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = cli.main(args=arguments, prog_name="spikecore", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("stopped", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # whatever it is, its user gets one message
        if debug:
            raise
        if isinstance(error, SpikecoreError):
            _fail(f"error: {error}", error.exit_code)
        _fail(f"error: {type(error).__name__}: {error}\n  spikecore --debug … shows where it happened", 1)
    else:
        sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)
