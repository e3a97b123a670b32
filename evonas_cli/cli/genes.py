"""Genes on the command line, such as `strategy.population_size=8..64:log` and `strategy.remove=oldest,worst`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json

PREFIX = "strategy."
_RANGE = re.compile(r"(?P<low>[^,]+?)\.\.(?P<high>[^,]+?)(?P<log>:log)?")
FORM = "write strategy.KEY=LOW..HIGH, LOW..HIGH:log or A,B,C"


def genes_of(texts: Sequence[str]) -> dict[str, dict[str, Json]]:
    """What each text declares, as a space of settings takes it, by the setting's name within the strategy.

    A range of two whole numbers is one of whole numbers. Raises UsageError for a text of another form, a range that is
    none, and a setting that stands twice.
    """
    found: dict[str, dict[str, Json]] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not value or not key.startswith(PREFIX) or key == PREFIX:
            raise UsageError(f"--gene {text}: this is no gene of a strategy; {FORM}")
        name = key.removeprefix(PREFIX)
        if name in found:
            raise UsageError(f"--gene {key} is given twice; give it once")
        found[name] = _declared(text, name, value)
    return found


def _declared(text: str, name: str, value: str) -> dict[str, Json]:
    from evonas_cli.genomes.declared import locus

    span = _RANGE.fullmatch(value)
    if span is None:
        node: dict[str, Json] = {"options": [_scalar(text, part) for part in value.strip("[]").split(",")]}
    else:
        low, high = (_scalar(text, span[end]) for end in ("low", "high"))
        node = {"low": low, "high": high, "log": span["log"] is not None}
        if type(low) is int and type(high) is int:
            node["integer"] = True
    try:
        locus(name, node)
    except UsageError as error:
        reason = str(error).removeprefix(f"space.genes.{name}").lstrip(": ")
        raise UsageError(f"--gene {text}: {reason}; {FORM}") from error
    return node


def _scalar(text: str, part: str) -> Any:
    """A number, a word, true or false, as overrides have them. Raises UsageError."""
    from evonas_cli.config.overrides import parse

    value = parse(f"value={part.strip()}").value()
    if not isinstance(value, int | float | str):
        raise UsageError(f"--gene {text}: {part.strip() or 'nothing'} is no number and no word; {FORM}")
    return value
