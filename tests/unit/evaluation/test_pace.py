"""What is not begun because not even one epoch of it could end in the time that is left."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.core.halting import Deadline
from evonas_cli.core.types import Candidate, Proposal, Unit
from evonas_cli.evaluation.pace import Pace
from evonas_cli.evaluation.serial import Serial
from evonas_cli.store.directory import RunDirectory
from evonas_cli.testing.doubling import Doubling, Lasting, alone, candidate


def left(seconds: float) -> Deadline:
    now = time.monotonic()
    return Deadline(now + seconds, now + 2 * seconds)


class Uneven(Lasting):
    """As much work as the number says, in one epoch."""

    def epochs(self, unit: Unit[Any], environment: Any) -> int | None:
        return 1


def unit(*numbers: int, width: int = 1) -> Unit[int]:
    candidates = tuple(Candidate(id, 0, 0, Proposal(number)) for id, number in enumerate(numbers))
    return Unit(candidates, width, tuple(range(len(numbers))))


def test_before_anything_is_known_everything_fits_until_the_time_is_over() -> None:
    pace: Pace[int] = Pace(Uneven())
    assert pace.fits(unit(10**9), left(0.5), {})
    assert not pace.fits(unit(1), left(0.0), {})


@pytest.mark.parametrize(("whole", "epoch"), [(20.0, 0.0), (0.0, 20.0)])
def test_an_epoch_is_foreseen_from_a_whole_unit_or_from_an_epoch(whole: float, epoch: float) -> None:
    pace: Pace[int] = Pace(Uneven())
    pace.learn(unit(2), {}, whole, epoch)
    assert pace.fits(unit(3), left(31.0), {}) and not pace.fits(unit(3), left(29.0), {})


def test_the_fastest_pace_counts() -> None:
    pace: Pace[int] = Pace(Uneven())
    for seconds in (40.0, 20.0, 60.0):
        pace.learn(unit(2), {}, seconds)
    assert pace.fits(unit(3), left(31.0), {}) and not pace.fits(unit(3), left(29.0), {})


def test_programs_that_share_a_device_say_nothing_of_one() -> None:
    pace: Pace[int] = Pace(Uneven())
    pace.learn(unit(1, 1), {}, 1000.0)
    assert pace.fits(unit(1), left(1.0), {})
    pace.learn(unit(1, 1, width=2), {}, 1000.0)
    assert not pace.fits(unit(1), left(1.0), {})


def test_of_a_job_that_foresees_nothing_it_knows_nothing() -> None:
    pace: Pace[int] = Pace(Doubling())
    pace.learn(unit(1), {}, 1000.0)
    assert pace.fits(unit(1), left(0.5), {}) and not pace.fits(unit(1), left(0.0), {})


def test_what_does_not_fit_is_not_begun_and_what_fits_is(tmp_path: Path) -> None:
    """Candidate 1 would need minutes for its one epoch, candidate 2 milliseconds."""
    evaluator: Serial[int] = Serial(Uneven(), RunDirectory(tmp_path))
    evaluator.start()
    evaluator.submit(alone(candidate(0, 5)))
    assert [result.id for result in evaluator.collect(left(60.0))] == [0]
    evaluator.submit(alone(candidate(1, 100_000), candidate(2, 5)))
    assert [result.id for result in evaluator.collect(left(60.0))] == [2]
    assert evaluator.collect(left(60.0)) == []
    ended = evaluator.stop()
    assert (list(ended.results), ended.at_epoch, ended.within) == ([], (), ())
