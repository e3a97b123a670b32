"""What there is, and what it means: the verbs `evonas spaces`, `strategies`, `datasets` and so on, up to `metrics`.

Everything is read from the YAML files of the configuration folders, their comments included, and from the classes that
they name.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from evonas_cli.cli import entries
from evonas_cli.cli.common import AllowModules, AsJson, ConfigDirs, print_json, remark, say

Name = Annotated[str | None, typer.Argument(help="Show this one in full.")]
FORMATS = ("text", "markdown")


def spaces(
    name: Name = None, config_dir: ConfigDirs = None, allow_module: AllowModules = None, json: AsJson = False
) -> int:
    """List search spaces, or show one in full.

    The list says which strategies serve a space. With a name every setting is shown with its value and its meaning.
    """
    return _show("space", name, config_dir or [], allow_module or [], json)


def strategies(
    name: Name = None,
    table: Annotated[bool, typer.Option("--table", help="Show which strategies serve which spaces.")] = False,
    format: Annotated[str, typer.Option("--format", help="Of --table: text or markdown.")] = "text",
    config_dir: ConfigDirs = None,
    allow_module: AllowModules = None,
    json: AsJson = False,
) -> int:
    """List search strategies, or show one in full.

    The list says which spaces a strategy serves. With a name every setting is shown with its value and its meaning.
    """
    from evonas_cli.core.errors import UsageError

    if format not in FORMATS:
        raise UsageError(f"--format is {format!r}; it must be one of {', '.join(FORMATS)}")
    if format != "text" and not table:
        raise UsageError(f"--format {format} is for the table; add --table")
    if not table:
        return _show("strategy", name, config_dir or [], allow_module or [], json)
    if name is not None:
        raise UsageError(f"--table shows all strategies; drop {name}, or --table")
    return _matrix(config_dir or [], allow_module or [], format, json)


def datasets(
    name: Name = None, config_dir: ConfigDirs = None, allow_module: AllowModules = None, json: AsJson = False
) -> int:
    """List data sets, or show one in full.

    With a name every setting is shown with its value and its meaning.
    """
    return _show("dataset", name, config_dir or [], allow_module or [], json)


def trainers(
    name: Name = None, config_dir: ConfigDirs = None, allow_module: AllowModules = None, json: AsJson = False
) -> int:
    """List settings of trainings, or show one in full.

    With a name every setting is shown with its value and its meaning.
    """
    return _show("trainer", name, config_dir or [], allow_module or [], json)


def jobs(
    name: Name = None, config_dir: ConfigDirs = None, allow_module: AllowModules = None, json: AsJson = False
) -> int:
    """List what evaluating may mean, or show one job in full.

    With a name every setting is shown with its value and its meaning.
    """
    return _show("job", name, config_dir or [], allow_module or [], json)


def evaluators(
    name: Name = None, config_dir: ConfigDirs = None, allow_module: AllowModules = None, json: AsJson = False
) -> int:
    """List where jobs may run, or show one evaluator in full.

    With a name every setting is shown with its value and its meaning.
    """
    return _show("evaluator", name, config_dir or [], allow_module or [], json)


def trackers(
    name: Name = None, config_dir: ConfigDirs = None, allow_module: AllowModules = None, json: AsJson = False
) -> int:
    """List where searches may be followed, or show one tracker in full.

    With a name every setting is shown with its value and its meaning.
    """
    return _show("tracker", name, config_dir or [], allow_module or [], json)


def experiments(
    name: Name = None, config_dir: ConfigDirs = None, allow_module: AllowModules = None, json: AsJson = False
) -> int:
    """List published settings, or show one in full.

    With a name all is shown that the experiment chooses and sets, and what it means.
    """
    return _show("experiment", name, config_dir or [], allow_module or [], json)


def metrics(
    name: Annotated[str | None, typer.Argument(help="Show this one alone.")] = None,
    config_dir: ConfigDirs = None,
    allow_module: AllowModules = None,
    json: AsJson = False,
) -> int:
    """List what jobs measure, or show one metric.

    `better` is min or max; a measured metric, such as a time, may differ when it is repeated. Then come the kinds of
    tasks and the jobs that have the metric, and what it is.
    """
    from evonas_cli.cli.tables import aligned
    from evonas_cli.config.folders import check_folders
    from evonas_cli.config.settings import nearest
    from evonas_cli.core.errors import UsageError
    from evonas_cli.run.measures import measures

    folders, allowed = config_dir or [], allow_module or []
    check_folders(folders)
    known, wrong = entries.listed("job", folders, allowed)
    found, unbuilt = measures(known, folders, allowed)
    if name is not None and name not in found:
        raise UsageError(f"there is no metric {name!r}{nearest(name, found)} (known: {', '.join(found)})")
    _remark([*wrong, *unbuilt] if name is None else [])
    kept = found if name is None else {name: found[name]}
    if json:
        shown: Any = {
            key: {
                "direction": one.metric.direction,
                "measured": one.metric.measured,
                "kinds": list(one.kinds),
                "jobs": list(one.jobs),
                "meaning": one.meaning,
            }
            for key, one in kept.items()
        }
        print_json({"schema": 1, "metric": shown})
        return 0
    better = {key: f"{one.metric.direction}{', measured' if one.metric.measured else ''}" for key, one in kept.items()}
    head = ("metric", "better", "kinds", "jobs", "meaning")
    rows = [(k, better[k], ", ".join(m.kinds) or "-", ", ".join(m.jobs) or "-", m.meaning) for k, m in kept.items()]
    say(aligned([head, *rows] if name is None else list(zip(head, rows[0], strict=True))))
    return 0


def _show(group: str, name: str | None, folders: list[Path], allowed: list[str], as_json: bool) -> int:
    from evonas_cli.config.folders import check_folders, conf_root, file_of
    from evonas_cli.config.meanings import experiment, leaf

    check_folders(folders)
    wrong: list[str] = []
    if name is None:
        found, wrong = entries.listed(group, folders, allowed)
    else:
        path = file_of(group, name, folders)
        found = {name: entries.entry(group, name, path, folders, allowed)}
    other = {"space": "strategies", "strategy": "spaces"}.get(group)
    everything = _fit(group, found, folders, allowed) if other else []
    _remark(wrong)
    _remark_on_texts()
    if as_json:
        print_json({"schema": 1, group: found})
    elif name:
        settings = experiment(path, folders).settings if group == "experiment" else leaf(path).settings
        place = f"conf/{group}/{path.name}" if path.is_relative_to(conf_root()) else str(path)
        say(entries.text(group, name, place, found[name], settings))
    else:
        _print_lines(found, other, everything)
    return 0


def _print_lines(found: dict[str, entries.Entry], other: str | None, everything: list[str]) -> None:
    width = max(map(len, found))
    for key, one in found.items():
        kind = f" ({one['kind']})" if one.get("kind") else ""
        fits = f" [{other}: {entries.shorter(one[other], everything)}]" if other else ""
        say(f"{key.ljust(width)}  {one['line']}{kind}{fits}".rstrip())


def _fit(group: str, found: dict[str, entries.Entry], folders: list[Path], allowed: list[str]) -> list[str]:
    """Adds to spaces the strategies that serve them, or the other way round; the names of all of the other group."""
    from evonas_cli.run.serving import serving

    one = next(iter(found)) if len(found) == 1 else None
    reasons = serving(folders, allowed, **({group: one} if one else {}))
    if group == "space":
        spaces = list(next(iter(reasons.values()), {}))
        reasons = {space: {name: row[space] for name, row in reasons.items()} for space in spaces}
    entries.fitting(found, reasons, "strategies" if group == "space" else "spaces")
    return list(next(iter(reasons.values()), {}))


def _matrix(folders: list[Path], allowed: list[str], format: str, as_json: bool) -> int:
    from evonas_cli.cli.tables import aligned, markdown, matrix
    from evonas_cli.config.folders import check_folders
    from evonas_cli.run.serving import serving

    check_folders(folders)
    reasons = serving(folders, allowed)
    if as_json:
        print_json({"schema": 1, "table": {name: {key: why is None for key, why in row.items()}
                                           for name, row in reasons.items()}})  # fmt: skip
    else:
        say(markdown(matrix(reasons, code=True)) if format == "markdown" else aligned(matrix(reasons)))
    return 0


def _remark(wrong: list[str]) -> None:
    for line in wrong:
        remark(f"evonas: {line}")


def _remark_on_texts() -> None:
    if sys.flags.optimize >= 2:
        remark(
            "evonas: this Python drops texts of programs (-OO or PYTHONOPTIMIZE=2), so descriptions are missing here"
        )
