"""`evonas config`: the configuration that a search with the same overrides would have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from evonas_cli.cli.common import AllowModules, AsJson, ConfigDirs, Overrides, print_json, say

if TYPE_CHECKING:
    from evonas_cli.config.compose import Composed


def config(
    overrides: Overrides = None,
    config_dir: ConfigDirs = None,
    allow_module: AllowModules = None,
    json: AsJson = False,
) -> int:
    """Print the resolved configuration, checked."""
    from evonas_cli.config.compose import compose
    from evonas_cli.run.assembly import assemble

    folders = config_dir or []
    composed = compose(overrides or [], folders)
    composed = replace(composed, config=assemble(composed.config, allow_module or [], folders).config)
    if json:
        print_json(composed.config)
        return 0
    return print_config(composed, "job")


def print_config(composed: Composed, which: Literal["job", "all"]) -> int:
    """YAML on stdout; `all` adds which option each group has and which keys are the run's identity."""
    from evonas_cli.run.identity import identity
    from evonas_cli.run.stored import config_yaml

    whole = composed.config
    if which == "all":
        whole = {"choices": composed.choices, "config": whole, "identity": list(identity(whole))}
    say(config_yaml(whole), end="")
    return 0
