"""What a shell offers when a line of `evonas` is completed: verbs, options, runs, keys of settings and their values.

A shell's script (`completion_scripts.py`) sets `_EVONAS_LINE` to the line up to the cursor, and reads a candidate a
line; it offers files where there is none. Nothing is composed and torch is not imported, since a shell waits.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

from evonas_cli.core.display import steers

LINE, BREAKS = "_EVONAS_LINE", "_EVONAS_BREAKS"
"""Variables: the line, and the letters at which the shell breaks words, of which it replaces the last piece only."""
CATALOGUE = {"spaces": "space", "strategies": "strategy", "datasets": "dataset", "trainers": "trainer", "jobs": "job"}
CATALOGUE |= {"evaluators": "evaluator", "trackers": "tracker", "experiments": "experiment"}
"""The verbs that list parts, with the groups that they list."""


def asked() -> bool:
    """Whether this process was started by a shell that completes a line."""
    return LINE in os.environ


def answer(command: Any) -> list[str]:
    """The candidates for the line in the environment; `command` is the tree of verbs."""
    words, current = divided(os.environ[LINE])
    found = sorted({one for one in completions(command, words, current) if one.startswith(current) and not steers(one)})
    place = max(current.rfind(letter) for letter in os.environ.get(BREAKS, "") or "\n") + 1
    return [one[place:] for one in found]


def divided(line: str) -> tuple[list[str], str]:
    """The words after the command's name, and the word at the cursor, which may be empty; quotes may be open."""
    for closing in ("", "'", '"'):
        try:
            words = shlex.split(line + closing)
        except ValueError:
            continue
        complete = not line or (line[-1].isspace() and not closing)
        return (words[1:], "") if complete else (words[1:-1], words[-1] if len(words) > 1 else "")
    return line.split()[1:], ""


def completions(command: Any, words: Sequence[str], current: str) -> list[str]:
    """What may stand at the cursor; a caller leaves out what does not begin as the current word does."""
    path: list[str] = []
    rest = list(words[1:] if words[:1] == ["help"] else words)
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest[0]]
        path.append(rest.pop(0))
    options = {name: each for each in command.params if each.param_type_name == "option" for name in each.opts}
    if rest and rest[-1] in options and not options[rest[-1]].is_flag:
        return _choices(options[rest[-1]])
    if current.startswith("-") and "--" not in rest:
        return [*options, "--help"]
    if hasattr(command, "commands"):
        return list(command.commands)
    given = _positional(rest, options)
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    many = [each for each in arguments if each.nargs == -1]
    wanted = arguments[len(given) : len(given) + 1] or many[-1:]
    return _argument(" ".join(path), wanted[0], words, current) if wanted else []


def _positional(rest: Sequence[str], options: dict[str, Any]) -> list[str]:
    """The words that are neither options nor their values."""
    found, value = [], False
    for word in rest:
        if value or word.startswith("-"):
            value = not value and word in options and not options[word].is_flag
        else:
            found.append(word)
    return found


def _choices(option: Any) -> list[str]:
    """The values of an option that has a few, such as never, auto and must; none where Typer does not tell its type."""
    asked = [getattr(getattr(option, "type_descriptor", None), "annotation", None)]
    found: list[str] = []
    for annotation in asked:
        members = get_args(annotation)
        found += [member for member in members if isinstance(member, str)]
        asked += [member for member in members if not isinstance(member, str)]
    return found


def _argument(verb: str, argument: Any, words: Sequence[str], current: str) -> list[str]:
    """What may stand for an argument, by its name and by what help calls it."""
    metavar = argument.metavar or ""
    found: list[str] = []
    if verb in CATALOGUE:
        found += _options(CATALOGUE[verb], words)
    elif metavar == "SPACE" or (verb == "auto" and argument.name == "data"):
        found += _options("space" if metavar == "SPACE" else "dataset", words)
    elif verb == "metrics":
        return []
    if "RUN" in metavar:
        found += _runs(words, current)
    found += [word for word in ("best", "knee", "front") if word in metavar]
    if argument.name == "overrides" or "KEY=VALUE" in metavar or "OVERRIDES" in metavar:
        found += _settings(words, current)
        found += [word for word in ("status", "resume") if verb == "sweep" and verb == words[-1]]
    return found


def _after(words: Sequence[str], option: str) -> list[str]:
    """The values of an option on the line."""
    pairs = [value for name, value in zip(words, words[1:], strict=False) if name == option]
    return [*pairs, *[word.partition("=")[2] for word in words if word.startswith(f"{option}=")]]


def _runs(words: Sequence[str], current: str) -> list[str]:
    """Names of the runs, or with a slash their paths below the outputs folder; and `latest`."""
    from evonas_cli.cli.common import OUTPUTS
    from evonas_cli.store.tree import folders_with

    outputs = Path((_after(words, "--outputs") or [str(OUTPUTS)])[-1]).expanduser()
    roots = folders_with("run.json", outputs)
    named = [str(root.relative_to(outputs)) if "/" in current else root.name for root in roots if root != outputs]
    return ["latest", *named]


def _folders(words: Sequence[str]) -> list[Path]:
    return [Path(text).expanduser() for text in _after(words, "--config-dir")]


def _options(group: str, words: Sequence[str]) -> list[str]:
    from evonas_cli.config.folders import options

    return list(options(group, _folders(words)))


def _settings(words: Sequence[str], current: str) -> list[str]:
    """Keys as `key=`, of a part once its name and a dot are there, and values as `key=value` once the `=` is there."""
    from evonas_cli.config.folders import root_file
    from evonas_cli.config.settings import EXPERIMENT, GROUPS

    key, equals, _ = current.partition("=")
    groups = (*GROUPS, EXPERIMENT)
    if equals and key in groups:
        return [f"{key}={name}" for name in _options(key, words)]
    root = _read(root_file())
    part, dot, _ = key.partition(".")
    if not dot and not equals:
        sections = [name for name in (*groups, *root) if name in GROUPS or isinstance(root.get(name), dict)]
        plain = [name for name in root if name != "defaults" and not isinstance(root[name], dict)]
        return [*[f"{name}=" for name in (*groups, *plain)], *[f"{name}." for name in sections]]
    node = _part(part, root, words) if dot else root
    known = {f"{part}.{name}" if dot else name: value for name, value in node.items() if not name.startswith("_")}
    if not equals:
        return [f"{name}=" for name in known]
    return [f"{key}={text}" for text in _values(known[key])] if key in known else []


def _values(value: Any) -> list[str]:
    """What a setting may be, as far as its default tells."""
    if isinstance(value, bool):
        return ["true", "false"]
    plain = isinstance(value, int | float) or (isinstance(value, str) and re.fullmatch(r"[\w./-]+", value))
    return ["null"] if value is None else [str(value)] if plain else []


def _part(part: str, root: dict[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """The settings of a section, or of the option of a group that the line chooses, or else of the default one."""
    from evonas_cli.config.folders import options
    from evonas_cli.config.settings import GROUPS

    if part not in GROUPS:
        return root[part] if isinstance(root.get(part), dict) else {}
    default = next((str(entry[part]) for entry in root["defaults"] if isinstance(entry, dict) and part in entry), "")
    chosen = [word.partition("=")[2] for word in words if word.startswith(f"{part}=")]
    path = options(part, _folders(words)).get((chosen or [default])[-1])
    return {} if path is None else _read(path)


def _read(path: Path) -> dict[str, Any]:
    """The YAML file; nothing where it is none, since a shell has no place for an error."""
    import yaml

    load: Callable[..., Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.load(path.read_text(encoding="utf-8"), load)
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return {str(key): value for key, value in node.items()} if isinstance(node, dict) else {}
