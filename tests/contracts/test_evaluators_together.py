"""What a job evaluates together, as one program or side by side, and how an evaluator finds who breaks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made import make

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.evaluating import Context
from evonas_cli.core.types import Candidate, Json, Result, Unit
from evonas_cli.testing.doubling import Pairing, candidate
from evonas_cli.testing.evaluators import collect


@pytest.mark.parametrize(("number", "settings"), [(-3, {}), (-4, {"timeout": 0.5})])
def test_who_breaks_a_unit_breaks_it_alone_in_the_end(number: int, settings: dict[str, Any], tmp_path: Path) -> None:
    pool = make("pool", tmp_path, Pairing(), **settings)
    pool.start()
    pool.submit(pool.units([candidate(0, number), candidate(1, 3)]))
    if number == -3:
        with pytest.raises(EnvironmentFailure, match="candidate 0 lost its worker 2 times"):
            collect(pool, 2)
    else:
        late, fine = collect(pool, 2)
        assert late.error is not None and "evaluator.timeout=0.5 s for each of the 2 places" in late.error.text
        assert (fine.metrics, fine.labels) == ({"double": 6.0}, {"stack": "1/2"})
    pool.close()


class Abreast(Pairing):
    """Wants three candidates at once, beside its pairs, and tells how many it was given."""

    def units(self, asked: Sequence[Candidate[Any]], environment: Mapping[str, Json]) -> list[Unit[Any]]:
        singles = [Unit((c,)) for c in asked if c.proposal.genome < 10]
        return singles + super().units([c for c in asked if c.proposal.genome >= 10], environment)

    def abreast(self, environment: Mapping[str, Json]) -> int:
        assert environment == {"device": "none"}
        return 3

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        company = "1" if unit.width > 1 else str(len(unit.candidates))
        for result in super().evaluate(unit, context):
            yield replace(result, labels={**result.labels, "company": company})


@pytest.mark.parametrize(
    ("name", "settings", "company"),
    [("serial", {}, "333111"), ("pool", {"workers": 1}, "333111"), ("pool", {"workers": 2}, "222211")],
)
def test_a_job_is_given_as_many_as_it_wants_at_once(
    name: str, settings: dict[str, Any], company: str, tmp_path: Path
) -> None:
    evaluator = make(name, tmp_path, Abreast(), **settings)
    evaluator.start()
    while settings.get("workers") == 2 and not all(slot.ready for slot in evaluator._pool):
        evaluator._listen()
    evaluator.submit(evaluator.units([candidate(id, id + 1) for id in range(4)]))
    results = collect(evaluator, 4)
    evaluator.submit(evaluator.units([candidate(4, 20), candidate(5, 21)]))
    results += collect(evaluator, 2)
    evaluator.close()
    assert [result.metrics["double"] for result in results] == [2, 4, 6, 8, 40, 42]
    assert "".join(result.labels["company"] for result in results) == company
    assert [result.labels["stack"] for result in results[4:]] == ["0/2", "1/2"]


@pytest.mark.parametrize(("number", "settings"), [(-3, {}), (-4, {"timeout": 0.5})])
def test_who_breaks_the_company_breaks_alone_in_the_end(number: int, settings: dict[str, Any], tmp_path: Path) -> None:
    pool = make("pool", tmp_path, Abreast(), workers=1, **settings)
    pool.start()
    pool.submit(pool.units([candidate(0, 4), candidate(1, number), candidate(2, 3), candidate(3, 5)]))
    if number == -3:
        with pytest.raises(EnvironmentFailure, match="candidate 1 lost its worker 2 times"):
            collect(pool, 4)
    else:
        first, late, *others = collect(pool, 4)
        assert late.error is not None and late.error.text == "stopped after evaluator.timeout=0.5 s"
        assert [result.metrics["double"] for result in (first, *others)] == [8, 6, 10]
    pool.close()
