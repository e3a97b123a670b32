"""Configuration: Hydra composes it, this module checks it and builds objects from it, with errors in plain words.

Hydra's compose API is used alone. A node with `_target_` is built by importing the class, checking every key against
its constructor's signature and type hints, and passing collaborators by name. Keys of the form `_name_` are directives
to the runner. Importing this module imports neither Hydra nor torch.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from evonas_cli.config.folders import (
    check_all,
    check_folders,
    check_option,
    file_of,
    hydra_paths,
    read,
)
from evonas_cli.config.overrides import check_repeats, key_of, parse, plain, words
from evonas_cli.config.settings import DIRECTIVE, EXPERIMENT, GROUPS, OPEN, check_root, nearest
from evonas_cli.core.errors import UsageError

Config = dict[str, Any]


@dataclass(frozen=True)
class Composed:
    """A resolved configuration and the option chosen for each group."""

    config: Config
    choices: dict[str, str]


def compose(overrides: Sequence[str], folders: Sequence[Path] = ()) -> Composed:
    """Composes and resolves. Raises UsageError for anything that is not plainly right."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    check_folders(folders)
    overrides = [plain(text) for text in overrides]
    parsed = [key_of(text, folders) for text in overrides]
    check_repeats([key for key, _ in parsed])
    kept = [n for n, text in enumerate(overrides) if text.replace(" ", "") != f"{EXPERIMENT}=null"]
    try:
        with hydra_paths(folders):
            composed = _compose([overrides[n] for n in kept], [parsed[n] for n in kept], folders)
    except UsageError:
        raise
    except Exception as error:
        check_all(folders)  # an option that names others may have led Hydra to a file that cannot be read
        if not isinstance(error, HydraException | OmegaConfBaseException | YAMLError | UnicodeDecodeError):
            raise
        raise UsageError(" ".join(str(error).split())[:400]) from error
    for group, name in composed.choices.items():
        check_option(group, name, folders)
    check_root(composed.config)
    return composed


def _compose(overrides: Sequence[str], parsed: Sequence[tuple[str, bool]], folders: Sequence[Path]) -> Composed:
    from omegaconf import OmegaConf

    def of_options(*chosen: str) -> tuple[Any, dict[str, Any]]:
        config, choices = (_of_options if folders else _of_own_options)(chosen)
        return copy.deepcopy(config), choices

    base, picked = of_options(*[text for (_, is_group), text in zip(parsed, overrides, strict=True) if is_group])
    known: Any = OmegaConf.to_container(base, resolve=False)
    own = []
    if picked[EXPERIMENT] is not None:
        own = _replaced(parsed, picked, of_options(f"{EXPERIMENT}={picked[EXPERIMENT]}")[1])
    unset: Any = of_options(*[f"{group}={picked[group]}" for group in GROUPS])[0] if own else None
    fresh: Any = OmegaConf.to_container(unset, resolve=False) if own else {}
    known |= {group: fresh[group] for group in own}
    for key, is_group in parsed:
        if not is_group:
            _check_key(key.lstrip("+~"), known)
        if key[0] in "+~":
            key = key.lstrip("+~")
            raise UsageError(f"keys are neither added nor removed; {key} exists, so write {key}=...")
    values = [
        (key.partition(".")[0], word)
        for (key, is_group), text in zip(parsed, overrides, strict=True)
        if not is_group
        for word in words(text, known)
    ]
    _set(base, [word for _, word in values])
    if own:
        _set(unset, [word for group, word in values if group in own])
        for group in own:
            base[group] = unset[group]
    if base["scalarize"] is not None and OmegaConf.is_interpolation(base, "objectives"):
        base["objectives"] = None  # the job's own objectives are no wish of the user's, the reward is
    missing = sorted(OmegaConf.missing_keys(base))
    if missing:
        raise UsageError(f"{missing[0]} must be given: {missing[0]}=...")
    config: Any = OmegaConf.to_container(base, resolve=True)
    return Composed(config, {group: str(picked[group]) for group in (*GROUPS, EXPERIMENT) if picked[group] is not None})


def _of_options(chosen: tuple[str, ...]) -> tuple[Any, dict[str, Any]]:
    """What Hydra composes when options alone are chosen, and the name of each group's option."""
    from hydra import compose as hydra_compose
    from omegaconf import open_dict

    config: Any = hydra_compose("config", list(chosen), return_hydra_config=True)
    picked = dict(config.hydra.runtime.choices)
    with open_dict(config):
        del config["hydra"]
    return config, picked


_of_own_options = cache(_of_options)
"""The same for evonas' own files, which do not change while the program runs."""


def _set(config: Any, values: list[str]) -> None:
    """Hydra's own setting of values, without composing the options for a second time."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser

    loader: Any = GlobalHydra.instance().config_loader()
    loader._apply_overrides_to_config(OverridesParser.create().parse_overrides(values), config)


def _replaced(parsed: Sequence[tuple[str, bool]], now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """The groups in which an option takes the place of the experiment's: what that says about its own is dropped."""
    return sorted({key for key, is_group in parsed if is_group and key != EXPERIMENT and before[key] != now[key]})


def _check_key(key: str, known: Any) -> None:
    if key.partition(".")[0] in OPEN:
        return
    node, place = known, ""
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            names = [str(name) for name in node] if isinstance(node, Mapping) else []
            where = place.rstrip(".") or "the configuration"
            listed = ", ".join(name for name in names if not DIRECTIVE.fullmatch(name))
            inside = [] if place else [f"{name}.{part}" for name in names if _holds(node[name], part)]
            hint = f"; did you mean {inside[0]}?" if inside else nearest(part, names) or _elsewhere(part, known)
            raise UsageError(f"{where} has no key {part}{hint} (known: {listed or 'none'})")
        node, place = node[part], f"{place}{part}."


def _elsewhere(part: str, known: Any) -> str:
    """`; did you mean trainer.X?` where exactly one group has the key, or nothing."""
    groups = [group for group in GROUPS if _holds(known.get(group), part)]
    return f"; did you mean {groups[0]}.{part}?" if len(groups) == 1 else ""


def _holds(node: Any, key: str) -> bool:
    return isinstance(node, Mapping) and key in node


def apply(config: Config, overrides: Sequence[str]) -> Config:
    """A copy of a resolved configuration with value overrides applied to it. Raises UsageError."""
    copied: Config = copy.deepcopy(config)
    overrides = [plain(text) for text in overrides]
    parsed = [key_of(text, ()) for text in overrides]
    check_repeats([key for key, _ in parsed])
    ordered = sorted(zip(parsed, overrides, strict=True), key=lambda given: not given[0][1])  # choices before keys
    for (key, is_group), text in ordered:
        if key in ("evaluator", "tracker"):
            node = read(file_of(key, str(parse(text).value()), ()))
            kept = {"threads": copied[key].get("threads", 1)} if key == "evaluator" else {}
            copied[key] = {**node, **kept}
            continue
        if is_group:
            raise UsageError(f"{text}: a run keeps its {key}; start a new one with `evonas search`")
        _check_key(key, copied)
        *path, name = key.split(".")
        node = copied
        for part in path:
            node = node[part]
        node[name] = parse(text).value()
    check_root(copied)
    return copied
