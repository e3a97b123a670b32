"""How far trainings are, in words: for the board, and for the lines of a search without a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.core.display import readable
from evonas_cli.core.types import Training

_NAMED = 2
"""Trainings that one line tells of."""


def whose(ids: Sequence[int]) -> str:
    """`0-19` for neighbours, `3 and 6 more` for others, `3` and `3 8` for one and two."""
    if len(ids) < 3:
        return " ".join(map(str, ids))
    neighbours = ids[-1] - ids[0] == len(ids) - 1
    return f"{ids[0]}-{ids[-1]}" if neighbours else f"{ids[0]} and {len(ids) - 1} more"


def newest(training: Training, objectives: Sequence[str]) -> str:
    """`valid_error 0.05`, of several candidates `best valid_error 0.05`: the first objective that is known, else a
    loss; empty before there is any."""
    name = next((name for name in (*objectives, "valid_loss", "train_loss") if name in training.values), None)
    if name is None:
        return ""
    return f"{'best ' if len(training.ids) > 1 else ''}{name} {readable(training.values[name])}"


def share(training: Training) -> str:
    """` (34 %)` of the epoch; empty where that is not known."""
    return f" ({training.share:.0%})".replace("%", " %") if training.share else ""


def in_words(trainings: Sequence[Training], objectives: Sequence[str]) -> str:
    """`training 0-19: epoch 3 of 8, best valid_error 0.05`, of the first trainings; empty where there is none."""
    told = [_in_words(training, objectives) for training in trainings[:_NAMED]]
    rest = len(trainings) - _NAMED
    return f"training {'; '.join([*told, *([f'{rest} more'] if rest > 0 else [])])}" if told else ""


def _in_words(training: Training, objectives: Sequence[str]) -> str:
    value = newest(training, objectives)
    epoch = f"{whose(training.ids)}: epoch {training.epoch} of {training.epochs}{share(training)}"
    return f"{epoch}, {value}" if value else epoch
