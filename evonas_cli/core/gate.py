"""Constraints on what a job knows of a candidate before training: who violates one is recorded, and not evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from evonas_cli.core.blame import described
from evonas_cli.core.errors import EvonasError
from evonas_cli.core.evaluating import Static
from evonas_cli.core.types import Candidate, Constraint, Failure, Json, Result

G = TypeVar("G")
REFUSED = "refused"
"""The kind of failure of a candidate that violates a constraint on what is known before training."""


class Gate(Generic[G]):
    """Separates candidates that may be evaluated from those that violate one of `constraints`.

    `job` tells the metrics of a genome in the environment that the run recorded. Without job or constraints everything
    may be evaluated, and so may candidates of further jobs, and genomes of which the job knows nothing.
    """

    def __init__(
        self,
        job: Static[G] | None = None,
        constraints: Sequence[Constraint] = (),
        environment: Mapping[str, Json] | None = None,
    ) -> None:
        self._job, self._environment = job, environment or {}
        self._constraints = tuple([c for c in constraints if job is not None and c.metric in job.static_names])
        self._refused: list[Result] = []

    def admit(self, candidates: Sequence[Candidate[G]]) -> Sequence[Candidate[G]]:
        """Those of new candidates that may be evaluated."""
        if not self._constraints:
            return candidates
        results = [(candidate, self.refusal(candidate)) for candidate in candidates]
        self._refused += [result for _, result in results if result is not None]
        return [candidate for candidate, result in results if result is None]

    def refused(self) -> list[Result]:
        """The results of candidates that were not admitted since the last call."""
        refused, self._refused = self._refused, []
        return refused

    def refusal(self, candidate: Candidate[G]) -> Result | None:
        """The failed result of a candidate that violates a constraint, or for whose genome the job raises.

        None for a candidate that may be evaluated.
        """
        if self._job is None or candidate.proposal.job:
            return None
        try:
            known = self._job.static_metrics(candidate.proposal.genome, self._environment)
        except EvonasError:
            raise
        except Exception as error:
            failure = Failure("error", f"no metrics before training, which constraints need: {described(error)}")
            return Result(candidate.id, "failed", error=failure)
        if known is None:
            return None
        for constraint in violated(known, self._constraints)[:1]:
            value = float(known[constraint.metric])
            text = f"refused before training: {constraint.metric} is {value:.12g}, constraints has {constraint}"
            return Result(candidate.id, "failed", dict(known), error=Failure(REFUSED, text))
        return None


def violated(metrics: Mapping[str, float], constraints: Sequence[Constraint]) -> list[Constraint]:
    """Those of the constraints that the metrics miss; one on a metric that is not there is not missed."""
    return [one for one in constraints if one.metric in metrics and one.excess(metrics) > 0]


def is_refused(result: Result) -> bool:
    """Whether the candidate was not evaluated because of a constraint."""
    return result.error is not None and result.error.kind == REFUSED
