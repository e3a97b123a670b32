"""The resolved configuration as a run keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas_cli.config.compose import Config
from evonas_cli.config.folders import file_of, read
from evonas_cli.config.settings import check_root
from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.store.directory import RunDirectory

REMOVED: Mapping[str, tuple[str, ...]] = {
    "evonas_cli.jobs.language.Language": ("steps", "batch_size", "learning_rate", "clip_norm"),
}
"""Settings that a part once took, by its class: a run that has one can be read, but its trainings cannot be made."""


def readable(config: Config) -> Config:
    """The configuration without the settings of older runs that parts refuse now, which reading a run does not need."""
    kept = {**config, **{group: dict(config[group]) for group in _removed(config)}}
    for group, keys in _removed(config).items():
        for key in keys:
            del kept[group][key]
    if "convolution" in kept["trainer"]:
        kept["trainer"] = {**kept["trainer"], "convolution": "auto"}
    return kept


def check_resumable(run: RunDirectory, config: Config) -> None:
    """Raises RunError for a run with a setting that its part no longer takes."""
    for group, keys in _removed(config).items():
        raise RunError(
            f"{run.root} was made with {', '.join(f'{group}.{key}' for key in keys)}, which {group} no longer takes; "
            "it can be shown, and resumed or verified with an evonas 0.1.0 from before that"
        )


def _removed(config: Config) -> dict[str, list[str]]:
    """The keys of REMOVED that each group has, if any."""
    nodes = {group: node for group, node in config.items() if isinstance(node, Mapping)}
    found = {
        group: [key for key in REMOVED.get(str(node.get("_target_")), ()) if key in node]
        for group, node in nodes.items()
    }
    return {group: keys for group, keys in found.items() if keys}


def config_yaml(config: Config) -> str:
    """The resolved configuration as YAML."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(config))


def stored_config(run: RunDirectory) -> Config:
    """The configuration a run was started with. Raises RunError."""
    from omegaconf import OmegaConf
    from yaml import YAMLError

    try:
        config: Any = OmegaConf.to_container(OmegaConf.create(run.config_text()))
        config.setdefault("dedupe", "none")
        config.setdefault("cache", "off")
        config.setdefault("constraints", {})
        config.setdefault("jobs", {})
        config.setdefault("reference", None)
        config.setdefault("tracker", read(file_of("tracker", "none", ())))
        config.setdefault("scalarize", None)
        config.setdefault("start_from", None)
        config.setdefault("start_best", None)
        check_root(config)
    except (UsageError, YAMLError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:120]
        raise RunError(f"{run.root}/config.yaml is damaged ({reason}); restore it from a copy") from error
    checked: Config = config
    return checked
