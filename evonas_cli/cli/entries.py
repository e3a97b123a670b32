"""What the catalogue says of each part: its description, notes, settings with their meanings, and what it goes with."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas_cli.core.types import Json

WIDTH = 100
NOTED = ("trainer", "experiment")
"""Groups whose options are told apart by their files: they share a class, or have none."""
Entry = dict[str, Any]


def entry(group: str, name: str, path: Path, folders: Sequence[Path], allowed: Sequence[str]) -> Entry:
    """What a file holds, and the description of the class that it names. Raises UsageError."""
    from evonas_cli.config.build import target
    from evonas_cli.config.folders import read
    from evonas_cli.config.meanings import experiment, leaf

    node = read(path)
    found = experiment(path, folders) if group == "experiment" else leaf(path)
    about = ""
    if group != "experiment":
        made = target(node, group, allowed)
        about = inspect.cleandoc(made.__doc__ or "") if sys.flags.optimize < 2 else ""
    more = {"kind": kind_of(made, node)} if group == "dataset" else {}
    return {
        "line": _line(group, about, found.notes),
        "about": about,
        "notes": found.notes,
        **more,
        "settings": {key: node[key] for key in node if key not in ("_target_", "defaults")},
        "meanings": {setting.key: setting.meaning for setting in found.settings if setting.meaning},
        "chooses": dict(found.chooses),
    }


def listed(group: str, folders: Sequence[Path], allowed: Sequence[str]) -> tuple[dict[str, Entry], list[str]]:
    """What can be shown of a group, by name, and what is wrong with each of the user's files that cannot be.

    Options that share a class are told apart by the notes of their files.
    """
    from evonas_cli.config.folders import conf_root, misnamed, options
    from evonas_cli.core.errors import UsageError

    found, wrong = {}, list(misnamed(group, folders).values())
    for name, path in options(group, folders).items():
        try:
            found[name] = entry(group, name, path, folders, allowed)
        except UsageError as error:
            if path.is_relative_to(conf_root()):
                raise
            wrong.append(str(error) if str(path) in str(error) else f"{path}: {error}")
    classes = [one["about"] for one in found.values()]
    for one in found.values():
        if classes.count(one["about"]) > 1:
            one["line"] = _sentence(one["notes"]) or one["line"]
    return found, wrong


def kind_of(made: Any, node: Mapping[str, Any]) -> str:
    """What a data set's targets are, as far as its class and its settings tell ("": they do not)."""
    if hasattr(made, "corpus"):
        return "tokens"
    if "kind" in node:
        return "as the targets say" if node["kind"] == "auto" else str(node["kind"])
    return str(getattr(made, "known_kind", None) or "")


def _line(group: str, about: str, notes: str) -> str:
    line = about.split("\n")[0].rstrip(".")
    return _sentence(notes) or line if group in NOTED else line


def _sentence(notes: str) -> str:
    """The first one, without its stop."""
    return re.split(r"(?<=[^.\s])\.\s+(?=[A-Z])", notes)[0].rstrip(".")


def text(group: str, name: str, path: str, found: Entry, settings: Sequence[Any]) -> str:
    """An entry for people."""
    parts = [f"{group}={name}", found["about"], textwrap.fill(found["notes"], WIDTH, break_on_hyphens=False)]
    if found["chooses"]:
        parts.append(f"comes with {' '.join(f'{key}={value(option)}' for key, option in found['chooses'].items())}")
    for other in ("spaces", "strategies"):
        if other in found:
            reasons = {
                why: [key for key, one in found["lacking"].items() if one == why] for why in found["lacking"].values()
            }
            lacking = "; ".join(f"{', '.join(names)} ({why})" for why, names in reasons.items())
            fits = f"{other} that fit: {', '.join(found[other]) or 'none'}"
            parts.append(f"{fits}\n{other} that do not: {lacking}" if lacking else fits)
    shown = [_described(setting) for setting in settings if setting.meaning or not setting.block]
    if shown:
        parts += [f"settings, as in {path}:", "\n".join(shown)]
    else:
        parts.append(f"no settings in {path}")
    return "\n\n".join(part for part in parts if part)


def _described(setting: Any) -> str:
    head = f"{setting.key}:" if setting.block else f"{setting.key}: {value(setting.value)}"
    if not setting.meaning:
        return head
    indent = "    "
    text = textwrap.fill(
        setting.meaning, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
    return f"{head}\n{text}"


def value(given: Json) -> str:
    """A value as YAML on one line."""
    import yaml

    dumped = yaml.safe_dump(given, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True)
    return str(dumped).removesuffix("...\n").strip()


def fitting(found: Mapping[str, Entry], reasons: Mapping[str, Mapping[str, str | None]], other: str) -> None:
    """Adds to each entry the options of the other group that fit, and why the rest do not."""
    for name, one in found.items():
        given = reasons.get(name, {})
        one[other] = [key for key, why in given.items() if why is None]
        one["lacking"] = {key: why for key, why in given.items() if why is not None}


def shorter(fits: Sequence[str], everything: Sequence[str]) -> str:
    """Names as briefly as can be: `all`, `all but a, b`, `a, b`, or `none`."""
    left = [name for name in everything if name not in fits]
    if not left:
        return "all"
    return f"all but {', '.join(left)}" if 0 < len(left) < len(fits) else ", ".join(fits) or "none"
