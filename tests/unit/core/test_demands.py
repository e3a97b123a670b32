"""What of its proposals a strategy asks a job to honour, and proposals that a job would ignore."""

from __future__ import annotations

from typing import Any

import pytest

from evonas_cli.core.demands import Demands, check_proposal, honours
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Proposal

JOBS = {"": frozenset({"fidelity"}), "size": frozenset[str]()}


def test_what_has_to_be_honoured_follows_from_the_demands() -> None:
    assert Demands().honoured == ()
    assert Demands(fidelities=(0.5, 1.0), continues=True, options=True).honoured == ("fidelity", "continues", "options")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"continues": 0}, "candidate 7 asks for continues, which the run's job does not honour"),
        ({"continues": 0, "options": {}, "fidelity": 0.5}, "asks for continues and options, which the run's job"),
        ({"job": "size", "fidelity": 0.5}, "asks for fidelity, which the job size does not honour"),
        ({"job": "seize"}, "candidate 7 is for the job 'seize', which this run does not have (jobs: size)"),
    ],
)
def test_a_proposal_that_its_job_would_ignore_is_refused(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_proposal(Proposal(1, **asked), 7, JOBS)
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_only_candidates_of_further_jobs_may_lack_a_genome() -> None:
    check_proposal(Proposal(None, job="size"), 7, JOBS)
    check_proposal(Proposal(1, fidelity=0.5), 7, JOBS)
    with pytest.raises(UsageError, match="candidate 7 has no genome"):
        check_proposal(Proposal(None), 7, JOBS)


def test_a_job_that_does_not_say_honours_nothing() -> None:
    class Silent:
        """No word."""

    class Wordy:
        honours = frozenset({"fidelity"})

    assert honours(Silent()) == frozenset() and honours(Wordy()) == {"fidelity"}
