"""What the settings of a YAML file mean, read from the file's comments, and the values beside them.

A setting's meaning is the comment lines right above its key, then the comment at the end of its line. Keys of nested
block mappings are settings of their own; a mapping in braces is one value. The comment lines above the first key are
notes on the whole file, unless they stand right above a setting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evonas_cli.config.folders import file_of, read, root_file
from evonas_cli.config.settings import DIRECTIVE, EXPERIMENT, GROUPS

_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_COMMENT = re.compile(r"\s*#\s*(.*)")
_BEFORE_BLOCK = re.compile(r"\s*:(?:\s+[&!|>*][^\s#]*)*(.*)")
_CHOICE = re.compile(r"(?:override\s+)?/?(\w+)(?:@.*)?")


@dataclass(frozen=True)
class Setting:
    """A key with the keys around it, its value, and what it means ("": the file does not say).

    `block` says that the value is a mapping whose keys are settings of their own.
    """

    path: tuple[str, ...]
    value: Any
    meaning: str
    block: bool = False

    @property
    def key(self) -> str:
        """The key as overrides write it, within its group."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Leaf:
    """What a YAML file holds.

    `notes` is the comment on the whole file, its lines joined. `chooses` maps groups to options and root keys to values
    that come with the file: those of its `defaults`, and those of directives such as `_window_`.
    """

    notes: str
    settings: tuple[Setting, ...]
    chooses: Mapping[str, Any]


def leaf(path: Path) -> Leaf:
    """The settings of a file in its order. Raises UsageError where the file cannot be read."""
    import yaml

    values = read(path)
    text = path.read_bytes().decode("utf-8")
    top, lines = yaml.compose(text, Loader=yaml.SafeLoader), _LINE_BREAK.split(text)
    found = tuple(_settings(top, values, lines, ())) if top else ()
    return Leaf(_notes(top, lines), found, _chooses(values))


def experiment(path: Path, folders: Sequence[Path] = ()) -> Leaf:
    """An experiment's file. A setting's own comment comes first, then what the key means in the file of its group's
    option, or among the root keys. Raises UsageError where a file cannot be read, or an option is not there."""
    found = leaf(path)
    root = leaf(root_file())
    chosen = {**root.chooses, **found.chooses}
    files = {group: file_of(group, str(name), folders) for group, name in chosen.items() if group in GROUPS}
    known = {setting.path: setting.meaning for setting in root.settings}
    for group, file in files.items():
        known |= {(group, *setting.path): setting.meaning for setting in leaf(file).settings}
    settings = [
        replace(setting, meaning=". ".join(filter(None, (setting.meaning.rstrip("."), known.get(setting.path, "")))))
        for setting in found.settings
    ]
    return replace(found, settings=tuple(settings))


def _settings(node: Any, values: Any, lines: Sequence[str], path: tuple[str, ...]) -> Iterator[Setting]:
    import yaml

    floor, left = -1, {str(key): value for key, value in values.items()}
    for key, value in node.value:
        own, name = value.start_mark.index >= key.end_mark.index, str(key.value)  # an alias stands elsewhere
        text = own and isinstance(value.value, str) and _is_block(value)
        first, floor = floor, value.end_mark.line if text else -1
        if name not in left or (not path and _is_directive(name)):
            continue
        held = left.pop(name)
        block = own and isinstance(value, yaml.MappingNode) and not value.flow_style
        texts = (*_above(lines, key.start_mark.line, first), _after(key, value if own else None, lines))
        meaning = " ".join(text for text in texts if text)
        yield Setting((*path, name), held, meaning, block)
        if block:
            yield from _settings(value, held, lines, (*path, name))
    for name, held in left.items():  # keys that are written in another way than they are read, such as `on`
        if path or not _is_directive(name):
            yield Setting((*path, name), held, "")


def _above(lines: Sequence[str], line: int, floor: int) -> list[str]:
    """The texts of the comment lines that end right above a line."""
    start = line
    while start - 1 >= max(floor, 0) and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return [lines[n].lstrip().lstrip("#").strip() for n in range(start, line) if not _package(lines[n])]


def _after(key: Any, value: Any, lines: Sequence[str]) -> str:
    """The text of the comment at the end of a setting's line, or of the last line of a list or mapping in brackets."""
    if value is None or _is_block(value):
        match = _BEFORE_BLOCK.fullmatch(lines[key.end_mark.line][key.end_mark.column :])
        rest = match[1] if match else ""
    else:
        rest = lines[value.end_mark.line][value.end_mark.column :]
    match = _COMMENT.fullmatch(rest)
    return match[1].strip() if match else ""


def _is_directive(name: str) -> bool:
    return name == "defaults" or DIRECTIVE.fullmatch(name) is not None


def _is_block(value: Any) -> bool:
    """Whether a value begins below its key: a list or mapping without brackets, or a text after `|` or `>`."""
    return value.style in ("|", ">") if isinstance(value.value, str) else not value.flow_style


def _package(line: str) -> bool:
    return line.lstrip("# ").startswith("@package")


def _notes(top: Any, lines: Sequence[str]) -> str:
    """The comment lines before the first key; those right above it only where the key is no setting."""
    pairs = getattr(top, "value", None) or []
    end = pairs[0][0].start_mark.line if pairs else len(lines)
    if pairs:
        name = str(pairs[0][0].value)
        while not _is_directive(name) and end and lines[end - 1].lstrip().startswith("#"):
            end -= 1
    texts = [
        line.lstrip().lstrip("#").strip() for line in lines[:end] if line.lstrip()[:1] == "#" and not _package(line)
    ]
    return " ".join(text for text in texts if text)


def _chooses(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in values.get("defaults") or []:
        for key, option in entry.items() if isinstance(entry, Mapping) else ():
            match = _CHOICE.fullmatch(str(key).strip())
            if match and match[1] in (*GROUPS, EXPERIMENT) and option is not None:
                found[match[1]] = option
    directives = {key.strip("_"): value for key, value in values.items() if DIRECTIVE.fullmatch(key)}
    directives.pop("target", None)
    return {**found, **directives}
