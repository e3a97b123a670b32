"""Genomes that are fixed-length lists of named choices: a space declares `choices` and gets its operators from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from evonas_cli.core.types import Json

Gene: TypeAlias = int | str
Genes: TypeAlias = tuple[Gene, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision: its name and the options it may take, all different."""

    name: str
    options: tuple[Gene, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise ValueError(f"choice {self.name} has no options")
        if len(set(self.options)) != len(self.options):
            raise ValueError(f"choice {self.name} lists an option twice: {list(self.options)}")


def sample(choices: Sequence[Choice], rng: Random) -> Genes:
    """Every decision drawn uniformly and independently."""
    return tuple([rng.choice(choice.options) for choice in choices])


def redraw(choices: Sequence[Choice], genes: Genes, locus: int, rng: Random) -> Genes:
    """The genes with the one at `locus` replaced by a different option; unchanged where there is only one option."""
    others = [option for option in choices[locus].options if option != genes[locus]]
    if not others:
        return genes
    return (*genes[:locus], rng.choice(others), *genes[locus + 1 :])


def parse(choices: Sequence[Choice], data: Json) -> Genes:
    """Genes from a JSON list. Raises ValueError naming the choice that does not fit."""
    if not isinstance(data, list | tuple) or len(data) != len(choices):
        raise ValueError(f"a genome here is a list of {len(choices)} choices")
    genes: list[Gene] = []
    for choice, value in zip(choices, data, strict=True):
        if not isinstance(value, int | str) or isinstance(value, bool) or value not in choice.options:
            raise ValueError(f"{choice.name} is {value!r}; it may be one of {list(choice.options)}")
        genes.append(value)
    return tuple(genes)
