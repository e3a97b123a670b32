"""Extrapolation by a network that learns from the search's own full trainings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evonas_cli.core.codec import decode, encode, state_hint
from evonas_cli.core.errors import UsageError
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.types import Candidate, Objective, Result
from evonas_cli.evolution.finished_curves import Finished
from evonas_cli.spaces.bits import Bits
from evonas_cli.strategies.extrapolation import Extrapolation
from evonas_cli.strategies.random import RandomSearch

SPACE: Any = Bits(12)
EPOCHS = 16


def strategy(**settings: Any) -> Extrapolation[Any]:
    given = {"predictor": "lstm", "full": 12, "audit": 1.0, "every": 0.75, "lstm_epochs": 40} | settings
    return Extrapolation(space=SPACE, proposer=RandomSearch(space=SPACE), **given)


def late(genome: Any, epoch: int) -> float:
    """It falls to the square of its first loss, and only late: what a power law cannot know."""
    first = 0.3 + 0.04 * sum(genome)
    return first if epoch <= 4 else first**2


def driven(made: Extrapolation[Any], evaluations: int, resumed: bool = False) -> Any:
    """The state after a run on these curves; `resumed` writes and reads it after each step."""
    fold: Fold[Any] = Fold(made, (Objective("valid_error", "min"),), 5, 1, Budget(evaluations=evaluations))
    hint, trained = state_hint(made), dict[int, int]()

    def result(candidate: Candidate[Any]) -> Result:
        source = candidate.proposal.continues
        before, last = trained.get(-1 if source is None else source, 0), round(EPOCHS * candidate.proposal.fidelity)
        trained[candidate.id] = last
        rows = list(range(before + 1, last + 1))
        losses = [late(candidate.proposal.genome, epoch) for epoch in rows]
        return Result(candidate.id, "ok", {"valid_error": losses[-1]}, curves={"epoch": rows, "valid_error": losses})

    while fold.wants_ask():
        for candidate in fold.ask():
            fold.add(candidate, result(candidate))
        while fold.ready():
            fold.tell()
            if resumed:
                fold.state = decode(hint, json.loads(json.dumps(encode(hint, fold.state, SPACE.to_json))), tuple)
    return fold.state


def test_it_learns_what_a_power_law_cannot() -> None:
    made = strategy()
    figures = made.figures(driven(made, 40))
    assert figures["compared"] >= 8
    errors = [figures[f"{name}_error"] for name in ("lstm", "power_law", "last_loss")]
    assert all(isinstance(error, float) for error in errors)
    assert errors[0] < 0.3 * errors[1] and errors[0] < 0.3 * errors[2]  # type: ignore[operator]


def test_a_state_that_is_written_and_read_goes_on_the_same() -> None:
    made = strategy(audit=0.2)
    assert driven(made, 30, resumed=True) == driven(made, 30)


def test_the_proposer_is_told_the_forecast_of_what_stops() -> None:
    made = strategy(audit=0.0)
    watch, _ = driven(made, 40)
    assert watch.count.stopped > 10 and watch.count.spared > 0
    told = [outcome.losses[0] for outcome in watch.supply.outcomes.values()]
    firsts = {round(0.3 + 0.04 * ones, 6) for ones in range(13)}
    assert all(round(loss, 6) not in firsts for loss in told)


def test_without_it_nothing_is_kept_or_shown() -> None:
    made = strategy(predictor="power_law", full=1)
    state = driven(made, 20)
    assert state[0].finished == Finished() and "lstm_error" not in made.figures(state)
    assert not any(key.startswith("strategy_numpy") for key in made.environment())
    assert "strategy_numpy" in strategy().environment()


def test_curves_that_lack_an_epoch_are_left_out() -> None:
    known = Finished((((1.0, 0.9), (2.0, 0.8), (3.0, 0.7)), ((2.0, 0.6), (3.0, 0.5))))
    assert known.prefixes(((1.0, 0.5), (2.0, 0.4))) == (((0.9, 0.8),), (0.7,))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"full": 9}, "strategy.full=9 is too few full trainings for predictor=lstm.* 10 at least"),
        ({"predictor": "oracle"}, "strategy.predictor must be one of power_law, lstm; it is 'oracle'"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(settings: Any, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as raised:
        strategy(**settings)
    assert "\n" not in str(raised.value)
