"""Packages that a tracker needs and that evonas does not bring along."""

from __future__ import annotations

from importlib.util import find_spec

from evonas_cli.core.errors import UsageError


def need(package: str, extra: str) -> None:
    """Raises UsageError, with the line that installs it, where a package is missing."""
    if find_spec(package) is None:
        raise UsageError(
            f"tracker={extra} needs the package {package}, which is not installed; pip install 'evonas[{extra}]', or "
            "pass tracker=none"
        )
