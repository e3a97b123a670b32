"""What a job raises, or leaves out, has one meaning on every evaluator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from doubling import Doubling, alone, candidate, collect, make

from evonas_cli.config.folders import options
from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.evaluating import Context
from evonas_cli.core.types import Candidate, Json, Result, Unit
from evonas_cli.network.plan import PlanError

EVALUATORS = list(options("evaluator"))
RAISED: dict[int, Exception] = {
    3: ValueError("bad\nluck"),
    4: MemoryError("too large"),
    5: PlanError("a map smaller than its kernel"),
    7: FileNotFoundError(2, "No such file", "data.bin"),
    8: RuntimeError("CUDA error: device-side assert triggered"),
}


class Raising(Doubling):
    """Raises what belongs to the number; several candidates at once are tried in their order."""

    def __call__(self, candidates: Sequence[Candidate[Any]], context: Context) -> Iterator[Result]:
        for each in candidates:
            if each.proposal.genome in RAISED:
                raise RAISED[each.proposal.genome]
            yield Result(each.id, "ok", {"double": 2.0 * each.proposal.genome})

    def abreast(self, environment: Mapping[str, Json]) -> int:
        return 4


class RaisingTogether(Raising):
    """Puts each whole ask into one program."""

    def units(self, asked: Sequence[Candidate[Any]], environment: Mapping[str, Json]) -> list[Unit[Any]]:
        return [Unit(tuple(asked), len(asked), tuple(range(len(asked))))]

    def together(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        for result, place in zip(list(self(unit.candidates, context)), unit.places, strict=True):
            yield replace(result, labels={"stack": f"{place}/{unit.width}"})


class Answering(Doubling):
    """Gives something else than one result for each."""

    def __call__(self, candidates: Sequence[Candidate[Any]], context: Context) -> Any:
        number = candidates[0].proposal.genome
        fine = [Result(each.id, "ok", {"double": 0.0}) for each in candidates]
        return {1: None, 2: [], 3: fine * 2, 4: [{"id": 0}], 5: [Result(99, "ok")]}[number]


class Homeless(Doubling):
    """Raises before the first candidate is there."""

    def environment(self) -> dict[str, Json]:
        raise KeyError("no such device")


class Dividing(Doubling):
    def units(self, asked: Sequence[Candidate[Any]], environment: Mapping[str, Json]) -> list[Unit[Any]]:
        return [Unit((asked[0],))]

    def together(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        return iter(())


@pytest.mark.parametrize("name", EVALUATORS)
def test_what_a_job_raises_for_a_candidate_is_its_failure(name: str, tmp_path: Path) -> None:
    evaluator = make(name, tmp_path, recipe=Raising)
    evaluator.start()
    evaluator.submit(alone(*[candidate(id, number) for id, number in enumerate([1, 3, 2, 4, 5, 6])]))
    results = collect(evaluator, 6)
    evaluator.close()
    assert [result.metrics.get("double") for result in results] == [2, None, 4, None, None, 12]
    kinds = {result.id: (result.error.kind, result.error.text) for result in results if result.error}
    assert kinds[1][0] == "error" and kinds[1][1].endswith("Raising.__call__: ValueError: bad luck")
    assert kinds[1][1].startswith("test_raising_jobs.py:")
    assert kinds[3][0] == "oom" and kinds[4] == ("unbuildable", "PlanError: a map smaller than its kernel")
    assert "bad\nluck" in (tmp_path / "candidates" / "1" / "traceback.txt").read_text()


@pytest.mark.parametrize("name", EVALUATORS)
def test_in_one_program_the_others_keep_their_places(name: str, tmp_path: Path) -> None:
    evaluator = make(name, tmp_path, recipe=RaisingTogether)
    evaluator.start()
    evaluator.submit(evaluator.units([candidate(id, number) for id, number in enumerate([1, 2, 3, 6])]))
    results = collect(evaluator, 4)
    evaluator.close()
    assert [result.status for result in results] == ["ok", "ok", "failed", "ok"]
    assert [result.labels.get("stack") for result in results] == ["0/4", "1/4", None, "3/4"]


@pytest.mark.parametrize("name", EVALUATORS)
@pytest.mark.parametrize(("number", "said"), [(7, "No such file"), (8, "device-side assert")])
def test_what_is_wrong_with_the_machine_is_no_result(name: str, number: int, said: str, tmp_path: Path) -> None:
    evaluator = make(name, tmp_path, recipe=Raising)
    evaluator.start()
    evaluator.submit(alone(candidate(0, number)))
    with pytest.raises(EnvironmentFailure, match=said):
        evaluator.collect()
    evaluator.close()


@pytest.mark.parametrize("name", EVALUATORS)
@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "gave no result, or too few"),
        (2, "gave no result, or too few"),
        (3, "a second result for candidate 0"),
        (4, "gave a dict"),
        (5, "a result for 99"),
    ],
)
def test_a_job_gives_one_result_for_each(name: str, number: int, said: str, tmp_path: Path) -> None:
    evaluator = make(name, tmp_path, recipe=Answering)
    evaluator.start()
    evaluator.submit(alone(candidate(0, number)))
    with pytest.raises(
        UsageError, match=f"job Answering: asked for candidate 0 it gave.*{said.removeprefix('gave ')}"
    ) as error:
        while True:
            evaluator.collect()
    assert "must yield one Result for each" in str(error.value)
    evaluator.close()


@pytest.mark.parametrize("name", EVALUATORS)
def test_units_are_a_partition_of_the_ask(name: str, tmp_path: Path) -> None:
    evaluator = make(name, tmp_path, recipe=Dividing)
    evaluator.start()
    with pytest.raises(UsageError, match="Dividing.units must put each candidate"):
        evaluator.units([candidate(0, 1), candidate(1, 1)])
    evaluator.close()


def test_a_worker_that_cannot_begin_for_the_users_code_is_no_broken_machine(tmp_path: Path) -> None:
    pool = make("pool", tmp_path, recipe=Homeless)
    with pytest.raises(
        UsageError, match=r"test_raising_jobs.py:\d+ in Homeless.environment: KeyError: 'no such device'"
    ):
        pool.start()
    pool.close()
