"""Every way of running the genetic algorithm goes on exactly from its stored state, after each tell."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from generational import genetic

from evonas_cli.core.codec import decode, encode, state_hint
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Candidate, Objective, Result
from evonas_cli.spaces.bits import Bits

SPACE = Bits(12)
SETTINGS: dict[str, dict[str, Any]] = {
    "archive": {"archive": True},
    "sharing": {"diversity": "sharing", "selection": "sus"},
    "crowding": {"diversity": "crowding", "lifespan": 4},
    "probabilistic crowding": {"diversity": "probabilistic_crowding", "crowding_window": 3, "archive": True},
    "deaths": {"death_rate": 0.3, "elitism": 3},
    "stagnation": {"stagnation": 4},
    "remeasure": {"remeasure": True, "lifespan": 3, "elitism": 2},
    "weights": {"inherit": "weights"},
    "schedule": {"inherit": "schedule", "generations": 9},
    "parents": {"parents": 4, "crossover": "two_point", "replacement": False},
}


def observe(candidate: Candidate[Any]) -> Result:
    if candidate.id % 7 == 3:
        return Result(candidate.id, "failed")
    noise = stream(candidate.seed, "noise").gauss(0, 0.05)
    return Result(candidate.id, "ok", {"e": round(1 - SPACE.score(candidate.proposal.genome) + noise, 2)})


def play(strategy: Any, window: int, stored: bool) -> tuple[list[Candidate[Any]], Any]:
    """All candidates and the last state; when `stored`, the fold is thrown away and made again after each tell."""
    results: dict[int, Result] = {}
    candidates: list[Candidate[Any]] = []

    def new() -> Fold[Any]:
        return Fold(strategy, (Objective("e", "min"),), 4, window, Budget(evaluations=150))

    fold, hint = new(), state_hint(strategy)
    while True:
        while fold.wants_ask():
            for candidate in fold.ask():
                candidates.append(candidate)
                results[candidate.id] = observe(candidate)
                fold.add(candidate, results[candidate.id])
        if not fold.ready():
            return candidates, fold.state
        fold.tell()
        if stored and not fold.drained:
            text = json.dumps(encode(hint, fold.state, SPACE.to_json))
            position, finished = fold.position, fold.finished
            fold = new()
            for candidate in fold.restore(position, decode(hint, json.loads(text), SPACE.from_json), (), 0.0):
                fold.add(candidate, results[candidate.id])
            fold.finished = finished


@pytest.mark.parametrize(
    ("name", "window"),
    [(name, window) for name, s in SETTINGS.items() for window in (1, 3) if window == 1 or "inherit" not in s],
)
def test_a_stored_state_goes_on_as_if_never_stored(name: str, window: int) -> None:
    strategy = genetic(space=SPACE, population_size=8, **SETTINGS[name])
    whole = play(strategy, window, stored=False)
    assert play(strategy, window, stored=True) == whole
    assert len(whole[0]) > 40


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_change_the_search(name: str) -> None:
    plain = genetic(space=SPACE, population_size=8)
    changed = replace(plain, **SETTINGS[name])
    assert play(plain, 1, stored=False)[0] != play(changed, 1, stored=False)[0]
