"""Where a run comes from: what run.json says of versions, the command, the identity and the environment."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata

from evonas_cli import RESULTS, __version__
from evonas_cli.core.types import Json
from evonas_cli.run.assembly import Parts
from evonas_cli.run.environment import CODE
from evonas_cli.run.identity import identity

_VERSIONS = ("torch", "torchvision", "numpy", "hydra-core", "omegaconf", "pandas")


def provenance(
    parts: Parts, choices: Mapping[str, str], environment: Mapping[str, Json], command: Sequence[str]
) -> dict[str, Json]:
    """What run.json says beside its format."""
    versions: dict[str, Json] = {"python": platform.python_version(), "platform": platform.platform()}
    for name in _VERSIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return {
        "evonas": __version__,
        CODE: RESULTS,
        "created": datetime.now(UTC).isoformat(timespec="microseconds"),
        "command": list(command),
        "choices": dict(choices),
        "allowed_modules": list(parts.allowed),
        "identity": identity(parts.config),
        "environment": dict(environment),
        "versions": versions,
    }
