"""Settings of data sets that count something."""

from __future__ import annotations

from collections.abc import Mapping

from evonas_cli.core.errors import UsageError


def check_counts(dataset: object, least: Mapping[str, int]) -> None:
    """Raises UsageError for a setting of these names that is no integer, or below its least value."""
    for key, lowest in least.items():
        value = getattr(dataset, key)
        if type(value) is not int or value < lowest:
            raise UsageError(f"dataset.{key} is {value!r}; it must be an integer of at least {lowest}")
