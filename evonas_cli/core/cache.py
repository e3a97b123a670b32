"""Equal candidates are evaluated once a run: the others are given the result of the first of them that succeeded.

Which candidate is copied is a function of the run and does not depend on which evaluation ends first: of all candidates
with the same key and a lower id, the one with the lowest id that was evaluated and succeeded. Candidates of one key are
therefore evaluated one after the other until one succeeds, and the others wait.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeAlias, TypeVar

from evonas_cli.core.blame import described
from evonas_cli.core.errors import EvonasError
from evonas_cli.core.evaluating import Keyed
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Candidate, Failure, Json, Result

G = TypeVar("G")
Key: TypeAlias = Callable[[G], str | None]
"""Equal for genomes whose evaluation would be the same; None for one that has no equal."""


@dataclass(frozen=True)
class Keys(Generic[G]):
    """Keys of genomes, each computed once: the genome as it is written, or what the job says in its environment."""

    space: Space[G]
    job: Keyed[G] | None = None
    environment: Mapping[str, Json] = field(default_factory=dict)
    _found: dict[str, str | None] = field(default_factory=dict)

    def __call__(self, genome: G) -> str | None:
        """The key. Raises Keyless where the job raises for the genome."""
        text = json.dumps(self.space.to_json(genome), sort_keys=True)
        if self.job is None:
            return text
        if text not in self._found:
            try:
                self._found[text] = self.job.function_key(genome, self.environment)
            except EvonasError:
                raise
            except Exception as error:
                raise Keyless(described(error)) from error
        return self._found[text]


class Keyless(Exception):
    """A genome's key cannot be told; the text says what the job raised, and where."""


@dataclass(slots=True)
class _Evaluating(Generic[G]):
    id: int
    waiting: deque[Candidate[G]] = field(default_factory=deque)


class Cache(Generic[G]):
    """What a run knows of its keys. Without `key` every candidate is evaluated.

    A candidate has no equal when it continues another one, has options or a job of its own, or asks for a measurement
    `again`; those of different fidelity are different. Only candidates that succeeded are copied. A candidate whose key
    cannot be told fails with `error`, and is not evaluated. `spent` names the metrics that are 0 in a copy.
    """

    def __init__(self, key: Key[G] | None = None, spent: Container[str] = ()) -> None:
        self._key, self._spent = key, spent
        self._known: dict[tuple[str, float], Result] = {}
        self._evaluating: dict[tuple[str, float], _Evaluating[G]] = {}
        self._copies: list[Result] = []

    @property
    def active(self) -> bool:
        """Whether there are keys."""
        return self._key is not None

    def original(self, candidate: Candidate[G]) -> Result | None:
        """The result that the candidate copies, as far as results are known."""
        key = self._of(candidate)
        known = None if key is None else self._known.get(key)
        return known if known is not None and known.id < candidate.id else None

    def admit(self, candidates: Sequence[Candidate[G]]) -> Sequence[Candidate[G]]:
        """Takes new candidates by ascending id; returns those to be evaluated now."""
        return candidates if self._key is None else [c for c in candidates if self._admits(c)]

    def _admits(self, candidate: Candidate[G]) -> bool:
        try:
            key = self._asked_key(candidate)
        except Keyless as error:
            failure = Failure("error", f"no key for dedupe: {error}")
            self._copies.append(Result(candidate.id, "failed", error=failure))
            return False
        known = self.original(candidate)
        if key is None:
            return True
        if known is not None:
            self._copies.append(copy(known, candidate.id, self._spent))
        elif key in self._evaluating:
            self._evaluating[key].waiting.append(candidate)
        else:
            self._evaluating[key] = _Evaluating(candidate.id)
            return True
        return False

    def copies(self) -> list[Result]:
        """The results of candidates that were admitted since the last call and are not evaluated."""
        copies, self._copies = self._copies, []
        return copies

    def learn(self, candidate: Candidate[G], result: Result) -> list[Candidate[G]]:
        """Takes a recorded result; returns the candidate to be evaluated now because this one failed, if there is one.

        A copied result changes nothing here.
        """
        key = None if self._key is None or result.cached is not None else self._of(candidate)
        if key is None:
            return []
        ok, now = result.status == "ok", self._evaluating.get(key)
        if ok and (key not in self._known or result.id < self._known[key].id):
            self._known[key] = result
        if now is None or now.id != candidate.id:
            return []
        del self._evaluating[key]
        if ok:
            self._copies += [copy(result, other.id, self._spent) for other in now.waiting]
        elif now.waiting:
            heir = now.waiting.popleft()
            self._evaluating[key] = _Evaluating(heir.id, now.waiting)
            return [heir]
        return []

    def recall(self, recorded: Iterable[tuple[Candidate[G], Result]]) -> None:
        """Takes what an earlier session recorded."""
        for candidate, result in recorded:
            self.learn(candidate, result)

    def _of(self, candidate: Candidate[G]) -> tuple[str, float] | None:
        """The key; None for a recorded candidate that has none, because it failed for that."""
        try:
            return self._asked_key(candidate)
        except Keyless:
            return None

    def _asked_key(self, candidate: Candidate[G]) -> tuple[str, float] | None:
        asked = candidate.proposal
        own = asked.continues is not None or asked.options is not None or asked.job or asked.again
        key = None if self._key is None or own else self._key(asked.genome)
        return None if key is None else (key, asked.fidelity)


def copy(original: Result, id: int, spent: Container[str]) -> Result:
    """The result for another candidate, which cost nothing: `cost`, `seconds` and all metrics of `spent` are 0."""
    metrics = {k: 0.0 if k == "cost" or k in spent else value for k, value in original.metrics.items()}
    return replace(original, id=id, metrics=metrics, seconds=0.0, cached=original.id)
