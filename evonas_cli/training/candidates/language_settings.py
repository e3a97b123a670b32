"""The settings of a language model's training, checked where they are made; importing them imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from evonas_cli.core.errors import UsageError

_LEAST: Mapping[str, int] = {"hidden": 1, "steps": 1, "batch_size": 1, "unroll": 1}


@dataclass(frozen=True, kw_only=True)
class LanguageSettings:
    """How a one-layer recurrent language model is trained. Raises UsageError, naming `job.<key>`, out of range.

    hidden         width of h, of each memory and of the embedding
    steps          updates of the weights in a full training
    batch_size     sequences, or stretches of one text, side by side
    unroll         steps in time between two updates; gradients go no further back, the state goes on
    learning_rate  Adam's, constant
    clip_norm      largest norm of the gradient, or null
    dropout        share of the embedding's and the output's numbers that a training step drops
    """

    hidden: int
    steps: int
    batch_size: int
    unroll: int
    learning_rate: float
    clip_norm: float | None
    dropout: float

    def __post_init__(self) -> None:
        for key, least in _LEAST.items():
            value = getattr(self, key)
            if type(value) is not int or value < least:
                raise UsageError(f"job.{key} is {value!r}; it must be an integer of at least {least}")
        _check_positive("learning_rate", self.learning_rate, "a number above 0")
        if self.clip_norm is not None:
            _check_positive("clip_norm", self.clip_norm, "a number above 0, or null")
        if type(self.dropout) not in (int, float) or not 0 <= self.dropout < 1:
            raise UsageError(f"job.dropout is {self.dropout!r}; it must be a number from 0 to below 1")


def _check_positive(key: str, value: float, wanted: str) -> None:
    if type(value) not in (int, float) or not 0 < value < inf:
        raise UsageError(f"job.{key} is {value!r}; it must be {wanted}")
