"""The command: one module a verb, and the boundary where errors become one line and an exit code.

Exit codes: 0 done; 1 the run failed or a check found something, or an internal error; 2 usage or configuration, or a
part of the user's own raised (resumable once it is mended); 3 run missing, corrupt or incompatible; 4 environment
(resumable); 75 locked by another process; 130 Ctrl-C; 143 SIGTERM (both resumable).
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from functools import cache
from itertools import pairwise
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from evonas_cli import __version__
from evonas_cli.cli import (
    auto,
    bench,
    catalogue,
    clean,
    compare,
    compress,
    config,
    doctor,
    evaluate,
    explain,
    export,
    inspect,
    plot,
    predict,
    report,
    resume,
    retrain,
    search,
    show,
    sweep,
    tune,
    tune_strategy,
    verify,
    watch,
)
from evonas_cli.cli.common import forget, help_without_verb, remark, say
from evonas_cli.cli.completing import answer, asked
from evonas_cli.cli.help import Grouped, example
from evonas_cli.cli.stopping import CODES, Stopped, Terminated, finish, heard, listen
from evonas_cli.core.display import joined, log_warnings, steers
from evonas_cli.core.errors import EnvironmentFailure, EvonasError, UsageError

app = typer.Typer(
    cls=Grouped,
    help="Evolutionary neural architecture search that resumes exactly.",
    add_completion=False,  # completion_scripts.py has scripts that know settings, where bash splits words at `=`
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for verb in (
    auto.auto,
    search.search,
    tune.tune,
    tune_strategy.tune_strategy,
    sweep.sweep,
    resume.resume,
    retrain.retrain,
    export.export,
    compress.compress,
    evaluate.evaluate,
    predict.predict,
    explain.explain,
    inspect.list_runs,
    show.show,
    watch.watch,
    inspect.pareto,
    plot.plot,
    compare.compare,
    report.report,
    verify.verify,
    config.config,
    doctor.doctor,
    clean.clean,
    catalogue.spaces,
    catalogue.strategies,
    catalogue.datasets,
    catalogue.trainers,
    catalogue.jobs,
    catalogue.evaluators,
    catalogue.trackers,
    catalogue.experiments,
    catalogue.metrics,
):
    name = "list" if verb is inspect.list_runs else verb.__name__.replace("_", "-")
    app.command(name, epilog=example(name))(verb)
app.add_typer(bench.app, name="bench", epilog=example("bench"))


def _version(wanted: bool) -> None:
    if wanted:
        say(f"evonas {__version__}")
        raise typer.Exit


def _install_completion(wanted: bool) -> None:
    if wanted:
        from evonas_cli.cli.completion_scripts import install, shell

        say(f"{install(name := shell())}: {name} completes evonas once it is started anew")
        raise typer.Exit


def _show_completion(wanted: bool) -> None:
    if wanted:
        from evonas_cli.cli.completion_scripts import SCRIPTS, shell

        say(SCRIPTS[shell()], end="")
        raise typer.Exit


@app.command("help", epilog=example("help"))
def help_of(
    context: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="VERB", help="A verb, e.g. search or bench engine.")
    ] = None,
) -> int:
    """Show this help, or the help of a verb."""
    from evonas_cli.config.settings import nearest

    command: Any = context.find_root().command
    path = "evonas"
    for word in words or []:
        known = getattr(command, "commands", {})
        if word not in known:
            raise UsageError(f"{path} has no command {word!r}{nearest(word, known)}; see `{path} --help`")
        command, path = known[word], f"{path} {word}"
    app([*(words or []), "--help"], prog_name="evonas", standalone_mode=False)
    return 0


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks; goes anywhere on the line.")] = False,
    install_completion: Annotated[
        bool,
        typer.Option(
            "--install-completion", callback=_install_completion, is_eager=True, help="Have your shell complete evonas."
        ),
    ] = False,
    show_completion: Annotated[
        bool,
        typer.Option(
            "--show-completion", callback=_show_completion, is_eager=True, help="Show the script that it would use."
        ),
    ] = False,
) -> None:
    """Evolutionary neural architecture search that resumes exactly."""
    help_without_verb(context)


def main() -> None:
    """Runs the command line and exits."""
    if asked():
        say("\n".join(answer(_command())))
        return
    listen()
    log_warnings()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = [word for word in sys.argv[1:] if word != "--debug"]
    code = run(arguments, debug=len(arguments) < len(sys.argv) - 1)
    finish()
    sys.exit(_flushed(code))


@cache
def _command() -> Any:
    """What Typer makes of all verbs: once, since that takes longer than most verbs, and tests run thousands of them."""
    return typer.main.get_command(app)


def _flushed(code: int) -> int:
    """Writes what stdout still holds; the exit code, which is another one where the machine has no room for it."""
    if sys.stdout is None:
        return code
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        forget(sys.stdout)
    except OSError as error:
        forget(sys.stdout)
        return _say(f"stdout: {error.strerror}", EnvironmentFailure.exit_code)
    return code


def run(arguments: list[str], debug: bool = False) -> int:
    """Runs one command and returns its exit code; what went wrong is one line on stderr."""
    try:
        for word in arguments:
            if steers(word):
                raise UsageError(f"{word} holds control characters, or bytes that are no UTF-8; write plain UTF-8")
        code = _command()(arguments, prog_name="evonas", standalone_mode=False)
        if code == CODES["Ctrl-C"]:  # what Typer makes of a Ctrl-C that it sees first
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except SystemExit as stop:
        if not isinstance(stop.__context__, BrokenPipeError):
            raise
        forget(sys.stdout)
        return 0
    except KeyboardInterrupt:
        return _say("stopped by Ctrl-C", CODES["Ctrl-C"])
    except Terminated:
        return _say("stopped by SIGTERM", CODES["SIGTERM"])
    except Stopped as stop:
        return _say(str(stop), stop.exit_code)
    except (EvonasError, TyperException) as error:
        if debug:
            return _trace(error)
        if isinstance(error, EvonasError):
            return _say(str(error), error.exit_code)
        return _say(_usage(error, arguments), 2)
    except OSError as error:
        if debug:
            return _trace(error)
        return _say(_system(error), EnvironmentFailure.exit_code)
    except Exception as error:
        if debug:
            return _trace(error)
        if (signal := heard()) is not None:  # libraries make other errors of what interrupts them
            return _say(f"stopped by {signal}", CODES[signal])
        return _say(*_unexpected(error, arguments))


def _unexpected(error: Exception, arguments: list[str]) -> tuple[str, int]:
    """The line and the exit code for an unexpected exception: in a user's own part, or in evonas."""
    from evonas_cli.core.blame import place, told

    allowed = [word for flag, word in pairwise(arguments) if flag == "--allow-module"]
    allowed += [word.partition("=")[2] for word in arguments if word.startswith("--allow-module=")]
    where = place(error, allowed)
    if where is None:
        return f"internal error: {told(error)}; run again with --debug and report it", 1
    after = "; ".join(["mend it", *getattr(error, "__notes__", [])])
    return f"{where}: {told(error)}; {after}", UsageError.exit_code


def _system(error: OSError) -> str:
    try:
        os.getcwd()
    except FileNotFoundError:
        return "the current folder is gone; cd into one that is there"
    return f"{error.filename or 'the system'}: {error.strerror or error}"


def _usage(error: TyperException, arguments: list[str]) -> str:
    text = error.format_message() if hasattr(error, "format_message") else str(error)
    option = getattr(error, "option_name", None)
    for word in arguments:
        if option and word.startswith(f"{option}="):
            return f"there is no option {option}; settings are written without dashes: {word.lstrip('-')}"
    context = getattr(error, "ctx", None)
    return f"{text.rstrip('.')}; see `{context.command_path if context else 'evonas'} --help`"


def _say(text: str, code: int) -> int:
    remark(f"evonas: {joined(text)}")
    return code


def _trace(error: Exception) -> int:
    for line in "".join(traceback.format_exception(error)).splitlines():
        remark(line)
    return 1
