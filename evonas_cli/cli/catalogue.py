"""`evonas spaces|strategies|datasets`: what there is, read from the configuration folders."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from evonas_cli.cli.common import AllowModules, AsJson, ConfigDirs, print_json, remark, say

Name = Annotated[str | None, typer.Argument(help="Show this one in full.")]


def spaces(
    name: Name = None, config_dir: ConfigDirs = None, allow_module: AllowModules = None, json: AsJson = False
) -> int:
    """List search spaces, or show one with its settings."""
    return _show("space", name, config_dir or [], allow_module or [], json)


def strategies(
    name: Name = None, config_dir: ConfigDirs = None, allow_module: AllowModules = None, json: AsJson = False
) -> int:
    """List search strategies, or show one with its settings."""
    return _show("strategy", name, config_dir or [], allow_module or [], json)


def datasets(
    name: Name = None, config_dir: ConfigDirs = None, allow_module: AllowModules = None, json: AsJson = False
) -> int:
    """List datasets, or show one with its settings."""
    return _show("dataset", name, config_dir or [], allow_module or [], json)


def _show(group: str, name: str | None, folders: list[Path], allowed: list[str], as_json: bool) -> int:
    from omegaconf import OmegaConf

    from evonas_cli.config.folders import check_folders, file_of

    check_folders(folders)
    if name is None:
        found = _listed(group, folders, allowed)
    else:
        found = {name: _entry(group, file_of(group, name, folders), allowed)}
    if sys.flags.optimize >= 2:
        remark(
            "evonas: this Python drops texts of programs (-OO or PYTHONOPTIMIZE=2), so descriptions are missing here"
        )
    if as_json:
        print_json({"schema": 1, group: found})
    elif name:
        say(f"{group}={name}\n\n{found[name]['about']}\n\nsettings and their values in conf/{group}/{name}.yaml:")
        say(OmegaConf.to_yaml(OmegaConf.create(found[name]["settings"])), end="")
    else:
        width = max(map(len, found))
        for key, entry in found.items():
            say(f"{key.ljust(width)}  {entry['about'].split(chr(10))[0]}".rstrip())
    return 0


def _listed(group: str, folders: list[Path], allowed: list[str]) -> dict[str, Any]:
    """What can be shown of a group, by name; each of the user's files that cannot be is named on stderr."""
    from evonas_cli.config.folders import conf_root, misnamed, options
    from evonas_cli.core.errors import UsageError

    found, wrong = {}, list(misnamed(group, folders).values())
    for name, path in options(group, folders).items():
        try:
            found[name] = _entry(group, path, allowed)
        except UsageError as error:
            if path.is_relative_to(conf_root()):
                raise
            wrong.append(str(error) if str(path) in str(error) else f"{path}: {error}")
    for text in wrong:
        remark(f"evonas: {text}")
    return found


def _entry(group: str, path: Path, allowed: list[str]) -> dict[str, Any]:
    """The description of the class that a file names, and the file's settings. Raises UsageError."""
    from evonas_cli.config.build import target
    from evonas_cli.config.folders import read

    node = read(path)
    about = inspect.cleandoc(target(node, group, allowed).__doc__ or "") if sys.flags.optimize < 2 else ""
    return {"about": about, "settings": {key: node[key] for key in node if key not in ("_target_", "defaults")}}
