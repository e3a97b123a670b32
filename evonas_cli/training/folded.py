"""One file for the states of a candidate that is trained once for each fold: that of the first fold, and the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evonas_cli.core.evaluating import WEIGHTS
from evonas_cli.training.state import FOLDED, State, checksum, write


def keep(folder: Path, states: Sequence[State]) -> str:
    """Writes the states of all folds as one; its checksum. Raises OSError."""
    state = {**states[0], "folds": [{key: one[key] for key in FOLDED} for one in states[1:]]}
    write(folder / WEIGHTS, state)
    return checksum(state)


def of_fold(state: State, fold: int) -> State:
    """The state of one fold. Raises ValueError where there is none."""
    others = state.get("folds", [])
    if fold > len(others):
        raise ValueError(f"it has the states of {len(others) + 1} folds, and fold {fold + 1} is continued")
    return {**state, **others[fold - 1]} if fold else state
