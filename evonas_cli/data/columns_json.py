"""Fitted columns of a table as JSON, and back: what a trained network needs to read the rows of another table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any

from evonas_cli.data.columns import CategoryColumn, Column, NumberColumn, Rules

_TYPES: dict[str, type] = {"number": NumberColumn, "category": CategoryColumn}


def written(columns: Sequence[Column], missing: Collection[str]) -> dict[str, Any]:
    """The document of `network.signature` with the form `table`, but for the targets.

    Each column is written with its `type`, number or category, and the fields of its class. The words for no value,
    `missing`, are written once.
    """
    found = []
    for column in columns:
        [name] = [name for name, kind in _TYPES.items() if isinstance(column, kind)]
        own = {field.name: getattr(column, field.name) for field in fields(_TYPES[name]) if field.name != "rules"}
        found.append({"type": name, **own})
    return {"form": "table", "columns": found, "missing": sorted(missing)}


def columns_from(document: Mapping[str, Any]) -> list[Column]:
    """The inverse of `written`. Raises ValueError for a document of another form."""
    try:
        rules = Rules(missing=frozenset(document["missing"]))
        found: list[Column] = []
        for given in document["columns"]:
            own = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
            found.append(_TYPES[str(own.pop("type"))](rules=rules, **own))
        return found
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no columns of a table: {error}") from error
