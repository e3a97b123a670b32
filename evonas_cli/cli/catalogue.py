"""`evonas spaces|strategies|datasets`: what there is, read from the configuration folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from evonas_cli.cli.common import AllowModules, AsJson, ConfigDirs, print_json, say

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
    import inspect

    from omegaconf import OmegaConf

    from evonas_cli.config import options, target
    from evonas_cli.core.errors import UsageError
    from evonas_cli.settings import nearest

    known = options(group, folders)
    if name is not None and name not in known:
        raise UsageError(f"there is no {group} {name!r}{nearest(name, known)} (known: {', '.join(known)})")
    found: dict[str, Any] = {}
    for key in [name] if name else known:
        node = OmegaConf.to_container(OmegaConf.load(known[key]))
        assert isinstance(node, dict)
        settings = {str(k): v for k, v in node.items() if k not in ("_target_", "defaults")}
        cls = target({str(k): v for k, v in node.items()}, group, allowed)
        found[key] = {"about": inspect.getdoc(cls) or "", "settings": settings}
    if as_json:
        print_json({"schema": 1, group: found})
    elif name:
        say(f"{group}={name}\n\n{found[name]['about']}\n\nsettings and their values in conf/{group}/{name}.yaml:")
        say(OmegaConf.to_yaml(OmegaConf.create(found[name]["settings"])), end="")
    else:
        width = max(map(len, found))
        for key, entry in found.items():
            say(f"{key.ljust(width)}  {entry['about'].split(chr(10))[0]}")
    return 0
