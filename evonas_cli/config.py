"""Configuration: Hydra composes it, this module checks it and builds objects from it, with errors in plain words.

Hydra's compose API is used alone. A node with `_target_` is built by importing the class, checking every key against
its constructor's signature and type hints, and passing collaborators by name. Keys of the form `_name_` are directives
to the runner. Importing this module imports neither Hydra nor torch.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import re
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas_cli.core.errors import EvonasError, UsageError
from evonas_cli.settings import GROUPS, check_root, convert, nearest

Config = dict[str, Any]
PACKAGES = {
    "space": "spaces",
    "strategy": "strategies",
    "dataset": "data",
    "trainer": "training",
    "job": "jobs",
    "evaluator": "evaluation",
}
EXPERIMENT = "experiment"
"""The group of whole settings: a file that chooses options of the other groups and sets their keys."""
_DIRECTIVE = re.compile(r"_[a-z]+_")


@dataclass(frozen=True)
class Composed:
    """A resolved configuration and the option chosen for each group."""

    config: Config
    choices: dict[str, str]


def conf_root() -> Path:
    """The packaged configuration, or the checkout's."""
    package = Path(__file__).parent
    return package / "conf" if (package / "conf").is_dir() else package.parent / "conf"


def options(group: str, folders: Sequence[Path] = ()) -> dict[str, Path]:
    """The YAML files of a group by name, in alphabetical order."""
    found = {path.stem: path for root in (conf_root(), *folders) for path in (root / group).glob("*.yaml")}
    return dict(sorted(found.items()))


def compose(overrides: Sequence[str], folders: Sequence[Path] = ()) -> Composed:
    """Composes and resolves. Raises UsageError for anything that is not plainly right."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    _check_folders(folders)
    parsed = [_parse(text, folders) for text in overrides]
    _check_repeats([key for key, _ in parsed])
    overrides = [text for text in overrides if text.replace(" ", "") != f"{EXPERIMENT}=null"]
    parsed = [_parse(text, folders) for text in overrides]
    path = [f"hydra.searchpath=[{','.join('file://' + str(f.resolve()) for f in folders)}]"] if folders else []
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_root().resolve()), version_base="1.3"):
            chosen = [text for (_, is_group), text in zip(parsed, overrides, strict=True) if is_group]
            base = hydra_compose("config", [*path, *chosen], return_hydra_config=True)
            known: Any = OmegaConf.to_container(base, resolve=False)
            known.pop("hydra")
            own = []
            if base.hydra.runtime.choices[EXPERIMENT] is not None:
                lone = [*path, f"{EXPERIMENT}={base.hydra.runtime.choices[EXPERIMENT]}"]
                own = _replaced(parsed, base, hydra_compose("config", lone, return_hydra_config=True))
            options_of = [*path, *(f"{group}={base.hydra.runtime.choices[group]}" for group in GROUPS)]
            if own:
                plain: Any = OmegaConf.to_container(hydra_compose("config", options_of), resolve=False)
                known |= {group: plain[group] for group in own}
            for key, is_group in parsed:
                if not is_group:
                    _check_key(key.lstrip("+~"), known)
                if key[0] in "+~":
                    key = key.lstrip("+~")
                    raise UsageError(f"keys are neither added nor removed; {key} exists, so write {key}=...")
            overrides = [word for text in overrides for word in _words(text, known)]
            full = hydra_compose("config", [*path, *overrides])
            if own:
                keys = [text for text in overrides if text.lstrip("~+").partition(".")[0] in own]
                replaced = hydra_compose("config", [*options_of, *keys])
                for group in own:
                    full[group] = replaced[group]
            picked = base.hydra.runtime.choices
            choices = {group: str(picked[group]) for group in (*GROUPS, EXPERIMENT) if picked[group] is not None}
        missing = sorted(OmegaConf.missing_keys(full))
        if missing:
            raise UsageError(f"{missing[0]} must be given: {missing[0]}=...")
        config: Any = OmegaConf.to_container(full, resolve=True)
    except (HydraException, OmegaConfBaseException, YAMLError, UnicodeDecodeError) as error:
        raise UsageError(" ".join(str(error).split())[:400]) from error
    checked: Config = config
    check_root(checked)
    return Composed(checked, choices)


def _replaced(parsed: Sequence[tuple[str, bool]], base: Any, lone: Any) -> list[str]:
    """The groups in which an option takes the place of the experiment's: what that says about its own is dropped."""
    before, now = lone.hydra.runtime.choices, base.hydra.runtime.choices
    return sorted({key for key, is_group in parsed if is_group and key != EXPERIMENT and before[key] != now[key]})


def _check_folders(folders: Sequence[Path]) -> None:
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"--config-dir {folder} is no folder")
        for group in (*GROUPS, EXPERIMENT):
            taken = sorted({path.stem for path in (folder / group).glob("*.yaml")} & set(options(group)))
            if taken:
                raise UsageError(f"{folder / group / taken[0]}.yaml has the name of one of evonas' own; rename it")


def _parse(text: str, folders: Sequence[Path]) -> tuple[str, bool]:
    """The key of an override and whether it chooses a group's option."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    key = text.partition("=")[0]
    if "=" not in text or key != key.strip() or not key:
        raise UsageError(f"{text!r} is no override; write key=value without spaces, e.g. seed=1")
    try:
        override = OverridesParser.create().parse_override(text)
    except HydraException as error:
        raise UsageError(f"{text!r} cannot be read as key=value: {' '.join(str(error).split())[:120]}") from error
    if override.is_sweep_override():
        raise UsageError(f"{text} is a sweep; run one search a value with `evonas sweep`")
    if override.package is not None or key.startswith("hydra"):
        raise UsageError(f"{text}: Hydra's own settings and packages are not used here")
    if key not in (*GROUPS, EXPERIMENT):
        return key, False
    known = options(key, folders)
    value = override.value()
    if key == EXPERIMENT and value is None:
        return key, True
    if not isinstance(value, str) or value not in known:
        raise UsageError(f"there is no {key} {value!r}{nearest(str(value), known)} (known: {', '.join(known)})")
    return key, True


def _words(text: str, known: Any) -> list[str]:
    """The override as Hydra takes it: one mapping in the place of another, which to Hydra is to remove and to add."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    override, there = OverridesParser.create().parse_override(text), known
    for part in override.key_or_group.split("."):
        there = there.get(part) if isinstance(there, Mapping) else None
    replaces = isinstance(override.value(), dict) and isinstance(there, Mapping) and there
    return [f"~{override.key_or_group}", f"+{text}"] if replaces else [text]


def _check_repeats(keys: Sequence[str]) -> None:
    for position, key in enumerate(keys):
        if key in keys[:position]:
            raise UsageError(f"{key} is given twice; give it once")


def _check_key(key: str, known: Any) -> None:
    node, place = known, ""
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            names = [str(name) for name in node] if isinstance(node, Mapping) else []
            where = place.rstrip(".") or "the configuration"
            listed = ", ".join(name for name in names if not _DIRECTIVE.fullmatch(name))
            inside = [] if place else [f"{name}.{part}" for name in names if _holds(node[name], part)]
            hint = f"; did you mean {inside[0]}?" if inside else nearest(part, names)
            raise UsageError(f"{where} has no key {part}{hint} (known: {listed or 'none'})")
        node, place = node[part], f"{place}{part}."


def _holds(node: Any, key: str) -> bool:
    return isinstance(node, Mapping) and key in node


def apply(config: Config, overrides: Sequence[str]) -> Config:
    """A copy of a resolved configuration with value overrides applied to it. Raises UsageError."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    copied: Config = copy.deepcopy(config)
    parsed = [_parse(text, ()) for text in overrides]
    _check_repeats([key for key, _ in parsed])
    ordered = sorted(zip(parsed, overrides, strict=True), key=lambda given: not given[0][1])  # choices before keys
    for (key, is_group), text in ordered:
        if key == "evaluator":
            copied[key] = {**_leaf(key, text.partition("=")[2]), "threads": copied[key].get("threads", 1)}
            continue
        if is_group:
            raise UsageError(f"{text}: a run keeps its {key}; start a new one with `evonas search`")
        _check_key(key, copied)
        *path, name = key.split(".")
        node = copied
        for part in path:
            node = node[part]
        node[name] = OverridesParser.create().parse_override(text).value()
    check_root(copied)
    return copied


def _leaf(group: str, name: str) -> Config:
    from omegaconf import OmegaConf

    node: Any = OmegaConf.to_container(OmegaConf.load(options(group)[name]))
    leaf: Config = node
    return leaf


def target(node: Mapping[str, Any], group: str, allowed: Sequence[str] = ()) -> Any:
    """The class that a node of a group names. Raises UsageError.

    Nothing but a class defined in the group's own package, or in a module that the user allowed, is ever called.
    """
    name = node.get("_target_")
    if not isinstance(name, str) or "." not in name:
        raise UsageError(f"{group}._target_ is {name!r}; it must name a class as package.module.Class")
    module, _, attribute = name.rpartition(".")
    home = f"evonas_cli.{PACKAGES[group]}"
    if not any(module == root or module.startswith(f"{root}.") for root in (home, *allowed)):
        raise UsageError(f"{group}._target_={name} is outside {home}; pass --allow-module {module} if you trust it")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        raise UsageError(f"{group}._target_={name} does not exist: {error}") from error
    except (Exception, SystemExit) as error:
        raise UsageError(f"{group}._target_={name} cannot be imported: {type(error).__name__}: {error}") from error
    if not inspect.isclass(found) or found.__module__ != module:
        raise UsageError(f"{group}._target_={name} is no class defined in {module}")
    return found


def build(node: Mapping[str, Any], group: str, allowed: Sequence[str] = (), **collaborators: Any) -> Any:
    """Builds the object a node describes; `collaborators` go to constructor parameters of the same name."""
    constructor = target(node, group, allowed)
    parameters = inspect.signature(constructor).parameters
    hints = typing.get_type_hints(constructor.__init__)
    settings = {str(key): value for key, value in node.items() if not _DIRECTIVE.fullmatch(str(key))}
    own = [name for name in parameters if name not in collaborators]
    for key in settings:
        if key not in own:
            raise UsageError(f"{group} has no key {key}{nearest(key, own)} (known: {', '.join(own)})")
    arguments = {key: convert(f"{group}.{key}", value, hints.get(key, Any)) for key, value in settings.items()}
    passed = {name: value for name, value in collaborators.items() if name in parameters}
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in arguments and name not in passed:
            raise UsageError(f"{group}.{name} must be given")
    try:
        return constructor(**arguments, **passed)
    except EvonasError:
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        raise UsageError(f"{group}: {constructor.__name__} cannot be made with these settings: {text}") from error
