"""The resolved configuration as a run keeps it."""

from __future__ import annotations

from typing import Any

from evonas_cli.config.compose import Config
from evonas_cli.config.settings import check_root
from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.store.directory import RunDirectory


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
        config.setdefault("constraints", {})
        config.setdefault("jobs", {})
        check_root(config)
    except (UsageError, YAMLError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:120]
        raise RunError(f"{run.root}/config.yaml is damaged ({reason}); restore it from a copy") from error
    checked: Config = config
    return checked
